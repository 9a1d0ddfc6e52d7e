#ifndef OCRPIPE_API_IMPL_ANSWER_TREE_HPP
#define OCRPIPE_API_IMPL_ANSWER_TREE_HPP

#include <ocrpipe/api/impl/answer_words.hpp>
#include <ocrpipe/api/json_events.hpp>
#include <ocrpipe/api/strict_json.hpp>

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
/// Lifetime: the body must outlive the tree, unless it is in UTF-16 or UTF-32: then the tree has a copy.
/// Cost: 28 bytes per node.
class answer_tree
{
public:
    using index = std::uint32_t;
    static constexpr index none = std::numeric_limits<index>::max();

    enum class type : std::uint8_t { object, array, string, number, truth, null };

    /// Returns nullopt if the body is not JSON, or is larger than 4 GiB.
    static std::optional<answer_tree> read(std::string_view body);

    bool empty() const noexcept { return nodes_.empty(); }
    static constexpr index root = 0;

    type type_of(index i) const noexcept { return nodes_[i].type; }
    bool is_object(index i) const noexcept { return type_of(i) == type::object; }
    bool is_array(index i) const noexcept { return type_of(i) == type::array; }
    bool is_container(index i) const noexcept { return is_object(i) || is_array(i); }

    /// The kind of the key; an element has the kind of its list.
    key_kind kind(index i) const noexcept { return nodes_[i].kind; }

    /// The member's name, unescaped; empty for an element.
    std::string key(index i) const
    {
        return text(nodes_[i].key_at, nodes_[i].key_size, nodes_[i].key_escaped);
    }

    /// A string without quotes and escapes, a number as it was written, "true" or "false"; empty for others.
    std::string text(index i) const
    {
        if (type_of(i) == type::truth) return is_true(i) ? "true" : "false";
        return text(nodes_[i].at, nodes_[i].size, nodes_[i].escaped);
    }
    bool is_true(index i) const noexcept { return nodes_[i].is_true; }

    /// The first child and the next sibling, or none.
    index first(index i) const noexcept { return nodes_[i].first; }
    index next(index i) const noexcept { return nodes_[i].next; }

    /// Whether the list contains numbers without nodes, and those numbers.
    bool had_numbers(index i) const noexcept { return nodes_[i].had_numbers; }
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
        std::uint32_t key_at = 0;
        std::uint32_t key_size = 0;
        std::uint32_t at = 0;
        std::uint32_t size = 0;
        index first = none;
        index next = none;
        enum type type = type::object;
        key_kind kind = key_kind::content;
        bool key_escaped = false;
        bool escaped : 1 = false;
        bool had_numbers : 1 = false;
        bool is_true : 1 = false;
    };
    static_assert(sizeof(node) == 28);

    class builder;

    std::string_view view(std::uint32_t at, std::uint32_t size) const noexcept
    {
        return body_.substr(at, size);
    }
    std::string text(std::uint32_t at, std::uint32_t size, bool escaped) const
    {
        std::string_view const raw = view(at, size);
        return escaped ? unescaped(json_string{raw, true}) : std::string(raw);
    }

    std::shared_ptr<std::string const> in_utf8_; ///< the copy of a body in another encoding
    std::string_view body_;
    std::vector<node> nodes_;
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
        if (!is_element() || !is_blank(s.raw)) add(type::string, s.raw, s.escaped);
    }
    void number(std::string_view s)
    {
        if (!is_element() || open_.back().kind != key_kind::measure) {
            add(type::number, s, false);
            return;
        }
        node& list = tree_.nodes_[open_.back().who];
        if (!list.had_numbers) list.at = offset(s);
        list.had_numbers = true;
        list.size = offset(s) + static_cast<std::uint32_t>(s.size()) - list.at;
    }
    void truth(bool b) { tree_.nodes_[add(type::truth, {}, false)].is_true = b; }
    void null()
    {
        if (!is_element()) add(type::null, {}, false);
    }
    bool open(bool is_object)
    {
        index const who = add(is_object ? type::object : type::array, {}, false);
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

    index add(type t, std::string_view text, bool escaped)
    {
        auto const who = static_cast<index>(tree_.nodes_.size());
        node n;
        n.type = t;
        n.kind = kind_;
        n.escaped = escaped;
        n.at = offset(text);
        n.size = static_cast<std::uint32_t>(text.size());
        if (!open_.empty()) {
            level& parent = open_.back();
            if (tree_.is_object(parent.who)) {
                n.key_at = offset(key_.raw);
                n.key_size = static_cast<std::uint32_t>(key_.raw.size());
                n.key_escaped = key_.escaped;
            } else {
                n.kind = parent.kind;
            }
            (parent.last == none ? tree_.nodes_[parent.who].first : tree_.nodes_[parent.last].next) = who;
            parent.last = who;
        }
        tree_.nodes_.push_back(n);
        return who;
    }

    std::uint32_t offset(std::string_view part) const noexcept
    {
        return part.empty() ? 0 : static_cast<std::uint32_t>(part.data() - tree_.body_.data());
    }

    answer_tree& tree_;
    std::vector<level> open_;
    json_string key_{};
    key_kind kind_ = key_kind::content;
    std::unordered_map<std::string, key_kind> kinds_;
};

inline std::optional<answer_tree> answer_tree::read(std::string_view body)
{
    if (body.size() >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
    answer_tree tree;
    if (std::optional<std::string> text = json_in_utf8(body))
        tree.in_utf8_ = std::make_shared<std::string const>(std::move(*text));
    tree.body_ = tree.in_utf8_ ? std::string_view(*tree.in_utf8_) : body;
    builder events(tree);
    if (!read_json(tree.body_, events)) return std::nullopt;
    return tree;
}

inline answer_tree::index answer_tree::member(index object, std::string_view key) const
{
    for (index c = first(object); c != none; c = next(c)) {
        node const& n = nodes_[c];
        if (n.key_escaped ? text(n.key_at, n.key_size, true) == key : view(n.key_at, n.key_size) == key)
            return c;
    }
    return none;
}

inline std::vector<double> answer_tree::numbers(index i) const
{
    std::vector<double> out;
    std::string const list = had_numbers(i) ? std::string(view(nodes_[i].at, nodes_[i].size)) : std::string();
    for (char const* p = list.c_str(); *p != '\0';) {
        char* end = nullptr;
        double const n = std::strtod(p, &end);
        if (end == p) {
            ++p; // a separator or a bracket
            continue;
        }
        out.push_back(n);
        p = end;
    }
    return out;
}

} // namespace ocrpipe::detail

#endif
