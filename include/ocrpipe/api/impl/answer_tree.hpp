#ifndef OCRPIPE_API_IMPL_ANSWER_TREE_HPP
#define OCRPIPE_API_IMPL_ANSWER_TREE_HPP

#include <ocrpipe/api/impl/answer_words.hpp>
#include <ocrpipe/api/impl/block_list.hpp>
#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/api/strict_json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// An answer as a tree, for forms that the profile does not describe.
///
/// Nodes are in the order of the answer. Empty elements (null, blank texts) and numbers in lists of measures,
/// such as coordinates, have no node; had_numbers() of the list then returns true.
///
/// A node holds the position of its token only; text() and key() scan the token again. The tree of an answer
/// of a million small documents thus needs little more memory than the answer.
///
/// Lifetime: the body must outlive the tree, unless it is in UTF-16 or UTF-32: then the tree has a copy.
/// Cost: 8 bytes per node.
class answer_tree
{
public:
    using index = std::uint32_t;
    static constexpr index none = std::numeric_limits<index>::max();

    enum class type : std::uint8_t { object, array, string, number, truth, null };

    /// Returns nullopt if the body is not JSON, or is larger than 4 GiB, which max_answer_bytes rules out.
    static std::optional<answer_tree> read(std::string_view body);

    bool empty() const noexcept { return nodes_.empty(); }
    static constexpr index root = 0;

    type type_of(index i) const noexcept { return static_cast<type>(nodes_[i].type); }
    bool is_object(index i) const noexcept { return type_of(i) == type::object; }
    bool is_array(index i) const noexcept { return type_of(i) == type::array; }
    bool is_container(index i) const noexcept { return is_object(i) || is_array(i); }

    /// The kind of the key; an element has the kind of its list.
    key_kind kind(index i) const noexcept { return static_cast<key_kind>(nodes_[i].kind); }

    /// The member's name, unescaped; empty for an element.
    std::string key(index i) const
    {
        json_string s;
        if (nodes_[i].has_key) scan_key(nodes_[i], s);
        return decoded(s);
    }

    /// A string without quotes and escapes, a number as it was written, "true" or "false"; empty for others.
    std::string text(index i) const;
    bool is_true(index i) const noexcept { return nodes_[i].is_true != 0; }

    /// The first child and the next sibling, or none.
    index first(index i) const noexcept { return nodes_[i].has_children ? i + 1 : none; }
    index next(index i) const noexcept
    {
        std::uint32_t const distance = nodes_[i].to_next;
        if (distance == 0) return none;
        return distance == far ? far_siblings_.find(i)->second : i + distance;
    }

    /// Whether the list contains numbers without nodes, and those numbers.
    bool had_numbers(index i) const noexcept { return nodes_[i].had_numbers != 0; }
    std::vector<double> numbers(index i) const;

    /// The first member with exactly this key, or none.
    index member(index object, std::string_view key) const;

    template<class F>
    void for_each_child(index i, F&& f) const
    {
        for (index c = first(i); c != none; c = next(c))
            f(c);
    }

private:
    struct node {
        /// Of a member's key; of an element, if it is a string or number; else of the first number without a
        /// node. Strings begin after their quote.
        std::uint32_t at;
        std::uint32_t to_next : 19; ///< how many nodes further the next sibling is; 0 for none, or `far`
        std::uint32_t type : 3;     ///< enum type
        std::uint32_t kind : 5;     ///< key_kind
        std::uint32_t has_key : 1;
        std::uint32_t key_escaped : 1;
        std::uint32_t has_children : 1;
        std::uint32_t had_numbers : 1;
        std::uint32_t is_true : 1;
    };
    static_assert(sizeof(node) == 8);
    static_assert(static_cast<int>(key_kind::doubtful) < 32 && static_cast<int>(type::null) < 8);
    static constexpr std::uint32_t far = (1u << 19) - 1; ///< so far, or further

    class builder;

    static std::string decoded(json_string const& s) { return s.escaped ? unescaped(s) : std::string(s.raw); }
    /// The body was valid when the tree was built, so no scan fails.
    json_scanner scanner(json_notes& notes) const noexcept
    {
        return json_scanner(body_.data() + body_.size(), notes);
    }
    void set_next(index i, index sibling)
    {
        std::uint32_t const distance = std::min(sibling - i, far);
        nodes_[i].to_next = distance & far;
        if (distance == far) far_siblings_.emplace(i, sibling);
    }
    /// Returns the position of the member's value.
    char const* scan_key(node const& n, json_string& key) const noexcept;

    std::shared_ptr<std::string const> in_utf8_; ///< the copy of a body in another encoding
    std::string_view body_;
    block_list<node> nodes_;
    /// The next siblings that are `far`. Few: between them there are half a million nodes at each level.
    std::unordered_map<index, index> far_siblings_;
};

/// Builds the tree from the parser's events.
class answer_tree::builder
{
public:
    explicit builder(answer_tree& tree) : tree_(tree) {}

    void key(json_string const& s)
    {
        key_ = s;
        std::string const escaped = s.escaped ? unescaped(s) : std::string();
        kind_ = kind_of(s.escaped ? std::string_view(escaped) : s.raw);
    }
    void string(json_string const& s)
    {
        if (!is_element() || !is_blank(s.raw)) add(type::string, s.raw);
    }
    void number(std::string_view s)
    {
        if (!is_element() || open_.back().kind != key_kind::measure) {
            add(type::number, s);
            return;
        }
        node& list = tree_.nodes_[open_.back().who];
        if (!list.had_numbers && !list.has_key) list.at = offset(s);
        list.had_numbers = true;
    }
    void truth(bool b) { tree_.nodes_[add(type::truth)].is_true = b; }
    void null()
    {
        if (!is_element()) add(type::null);
    }
    bool open(bool is_object)
    {
        index const who = add(is_object ? type::object : type::array);
        open_.push_back({who, none, tree_.kind(who)});
        return true;
    }
    void close(bool) { open_.pop_back(); }

private:
    struct level {
        index who;
        index last;
        key_kind kind;
    };

    bool is_element() const noexcept { return !open_.empty() && tree_.is_array(open_.back().who); }

    key_kind kind_of(std::string_view key)
    {
        auto const known = kinds_.find(std::string(key));
        if (known != kinds_.end()) return known->second;
        key_kind const k = kind_of_key(key);
        // A body with many distinct keys must not fill the memory.
        if (kinds_.size() < 1024) kinds_.emplace(key, k);
        return k;
    }

    index add(type t, std::string_view text = {})
    {
        auto const who = static_cast<index>(tree_.nodes_.size());
        node n{};
        n.type = static_cast<std::uint32_t>(t);
        n.kind = static_cast<std::uint32_t>(kind_);
        if (text.data() != nullptr) n.at = offset(text);
        if (!open_.empty()) {
            level& parent = open_.back();
            if (tree_.is_object(parent.who)) {
                n.at = offset(key_.raw);
                n.has_key = true;
                n.key_escaped = key_.escaped;
            } else {
                n.kind = static_cast<std::uint32_t>(parent.kind);
            }
            if (parent.last == none)
                tree_.nodes_[parent.who].has_children = true;
            else
                tree_.set_next(parent.last, who);
            parent.last = who;
        }
        tree_.nodes_.push_back(n);
        return who;
    }

    std::uint32_t offset(std::string_view part) const noexcept
    {
        return static_cast<std::uint32_t>(part.data() - tree_.body_.data());
    }

    answer_tree& tree_;
    std::vector<level> open_;
    json_string key_{};
    key_kind kind_ = key_kind::content;
    std::unordered_map<std::string, key_kind> kinds_;
};

inline std::optional<answer_tree> answer_tree::read(std::string_view body)
{
    answer_tree tree;
    if (std::optional<std::string> text = json_in_utf8(body))
        tree.in_utf8_ = std::make_shared<std::string const>(std::move(*text));
    tree.body_ = tree.in_utf8_ ? std::string_view(*tree.in_utf8_) : body;
    if (tree.body_.size() >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    builder events(tree);
    if (!read_json(tree.body_, events)) return std::nullopt;
    return tree;
}

inline answer_tree::index answer_tree::member(index object, std::string_view key) const
{
    for (index c = first(object); c != none; c = next(c)) {
        node const& n = nodes_[c];
        std::string_view const here = body_.substr(n.at);
        if (n.key_escaped ? this->key(c) == key : here.starts_with(key) && here[key.size()] == '"') return c;
    }
    return none;
}

inline char const* answer_tree::scan_key(node const& n, json_string& key) const noexcept
{
    json_notes notes;
    json_scanner const scan = scanner(notes);
    char const* const colon = scan.space(scan.string(body_.data() + n.at, key));
    return scan.space(colon + 1);
}

inline std::string answer_tree::text(index i) const
{
    node const& n = nodes_[i];
    type const what = type_of(i);
    if (what == type::truth) return n.is_true ? "true" : "false";
    if (what != type::string && what != type::number) return {};
    json_string s;
    char const* p = n.has_key ? scan_key(n, s) : body_.data() + n.at;
    json_notes notes;
    json_scanner const scan = scanner(notes);
    if (what == type::number) return std::string(p, scan.number(p));
    scan.string(n.has_key ? p + 1 : p, s);
    return decoded(s);
}

inline std::vector<double> answer_tree::numbers(index i) const
{
    std::vector<double> out;
    node const& n = nodes_[i];
    if (!n.had_numbers) return out;
    json_string s;
    char const* p = n.has_key ? scan_key(n, s) + 1 : body_.data() + n.at;
    json_notes notes;
    json_scanner const scan = scanner(notes);
    for (int depth = 0; depth >= 0;) {
        char const c = *p;
        bool const is_number = c == '-' || (c >= '0' && c <= '9') || c == 'N' || c == 'I';
        if (is_number) {
            char const* const end = scan.number(p);
            if (depth == 0) out.push_back(std::strtod(std::string(p, end).c_str(), nullptr));
            p = end;
        } else if (c == '"') {
            p = scan.string(p + 1, s);
        } else {
            depth += (c == '[' || c == '{') - (c == ']' || c == '}');
            ++p;
        }
    }
    return out;
}

} // namespace ocrpipe::detail

#endif
