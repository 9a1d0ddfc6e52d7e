#ifndef OCRPIPE_API_IMPL_ANSWER_TEXT_IPP
#define OCRPIPE_API_IMPL_ANSWER_TEXT_IPP

#include <ocrpipe/api/impl/answer_text.hpp>

#include <algorithm>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline bool is_part_of_word(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           static_cast<unsigned char>(c) >= 0x80;
}

/// Appends a piece, with a separator unless it is the first.
inline void add_piece(std::string& out, std::string_view piece, std::string_view separator)
{
    if (piece.empty()) return;
    if (!out.empty()) out += separator;
    out += piece;
}

/// The same without a copy of the first piece, which may be the text of the whole answer.
inline void add_piece(std::string& out, std::string&& piece, std::string_view separator)
{
    if (out.empty())
        out = std::move(piece);
    else
        add_piece(out, std::string_view(piece), separator);
}

inline std::string without_tags(std::string_view marked)
{
    std::string out;
    bool tag = false;
    for (char const c : marked) {
        if (c == '<') tag = true;
        out += tag ? ' ' : c;
        if (c == '>') tag = false;
    }
    return out;
}

OCRPIPE_DECL std::string answer_text::of(index i)
{
    switch (tree_.type_of(i)) {
    case answer_tree::type::object:
        return of_object(i);
    case answer_tree::type::array:
        return of_list(i);
    default:
        return form_.is_shown(i) ? tree_.text(i) : std::string();
    }
}

/// Whether the type of an object says that it is a piece of a line. Some services list lines and their words
/// in one array and mark each element with its type.
OCRPIPE_DECL bool answer_text::is_piece(index i) const
{
    static constexpr auto pieces = std::to_array<std::string_view>({"word", "token", "symbol", "character"});
    bool found = false;
    if (tree_.is_object(i))
        tree_.for_each_child(i, [&](index c) {
            if (tree_.kind(c) == key_kind::bookkeeping && tree_.type_of(c) == answer_tree::type::string)
                found = found || is_among(split_key(tree_.text(c)).joined, pieces);
        });
    return found;
}

OCRPIPE_DECL bool answer_text::has_string(index i) const
{
    if (!tree_.is_container(i)) return tree_.type_of(i) == answer_tree::type::string;
    bool found = false;
    tree_.for_each_child(i, [&](index c) { found = found || has_string(c); });
    return found;
}

OCRPIPE_DECL bool answer_text::has_value(index object) const
{
    bool found = false;
    tree_.for_each_child(
        object, [&](index c) { found = found || split_key(tree_.key(c)).joined.starts_with("value"); });
    return found;
}

/// Whether a member has a sibling such as "id_prob" for "id". Then it is a field read from the document.
OCRPIPE_DECL bool answer_text::has_measure(index object, index member) const
{
    static constexpr auto measures = std::to_array<std::string_view>(
        {"prob", "probability", "confidence", "conf", "score", "box", "bbox"});
    std::string const name = split_key(tree_.key(member)).joined;
    bool found = false;
    tree_.for_each_child(object, [&](index c) {
        std::string const other = split_key(tree_.key(c)).joined;
        found = found ||
                (other.starts_with(name) && is_among(std::string_view(other).substr(name.size()), measures));
    });
    return found;
}

OCRPIPE_DECL std::string answer_text::of_list(index i)
{
    std::string_view separator = "\n";
    std::string const name = split_key(tree_.key(i)).joined;
    static constexpr auto letters =
        std::to_array<std::string_view>({"symbols", "characters", "chars", "glyphs"});
    if (tree_.kind(i) == key_kind::words) separator = is_among(name, letters) ? "" : " ";
    bool cells = tree_.key(i).empty() && i != answer_tree::root; // a row of a table: a list in a list
    tree_.for_each_child(i, [&](index c) { cells = cells && !tree_.is_container(c); });
    if (cells) separator = "\t";
    if (name == "pages") separator = "\n\n";
    // An array in an array that holds a text also holds its position and its probability.
    bool const nameless = tree_.key(i).empty() && i != answer_tree::root && has_string(i);
    auto const is_measure = [&](index c) {
        if (tree_.is_container(c)) return nameless && !has_string(c);
        std::string const text = tree_.text(c);
        return nameless && tree_.type_of(c) == answer_tree::type::number && text.starts_with("0.");
    };
    std::string out;
    printed_text printed;
    tree_.for_each_child(i, [&](index c) {
        if (is_measure(c)) return;
        if (is_piece(c)) {
            printed.grow_to(out);
            if (repeats(c, printed)) return;
        }
        add_piece(out, of(c), separator);
    });
    return out;
}

OCRPIPE_DECL std::string answer_text::of_object(index i)
{
    key_kind const kind = tree_.kind(i);
    if (kind == key_kind::error || kind == key_kind::progress) return {};

    // The lowest comes first.
    auto const place = [this](index c) {
        static constexpr auto titles =
            std::to_array<std::string_view>({"title", "heading", "header", "headline", "subject"});
        if (!tree_.is_container(c) && is_among(split_key(tree_.key(c)).joined, titles)) return -1;
        switch (tree_.kind(c)) {
        case key_kind::text:
            return 0;
        case key_kind::structure:
            return 1;
        case key_kind::markup:
            return 3;
        case key_kind::words:
            return 4;
        default:
            return 2;
        }
    };
    std::vector<index> members;
    tree_.for_each_child(i, [&](index c) { members.push_back(c); });
    std::sort(members.begin(), members.end(), [&](index a, index b) {
        return std::pair(place(a), a) < std::pair(place(b), b); // indexes follow the order of the answer
    });

    auto const is_label = [this](index c) {
        return tree_.kind(c) == key_kind::label && !tree_.is_container(c) && form_.is_shown(c);
    };
    index const content = [&] {
        for (std::string const& key : profile_.content_keys)
            if (index const found = tree_.member(i, key); found != answer_tree::none) return found;
        return answer_tree::none;
    }();

    bool const labels_a_value = form_.labels_a_value(i);
    static constexpr auto maps =
        std::to_array<std::string_view>({"fields", "entities", "information", "extracted"});
    bool const pages = split_key(tree_.key(i)).joined == "pages";
    bool const is_map = is_among(split_key(tree_.key(i)).joined, maps);
    std::string out;
    std::string texts; // of the members that are texts
    std::string label;
    printed_text printed_texts;
    printed_text printed_all;
    for (index const c : members) {
        if (c == content) {
            add_piece(texts, of_known_content(c), "\n");
            add_piece(out, std::string_view(texts), "\n");
            continue;
        }
        int const where = place(c);
        bool const is_text = where == 0;
        if (where > 0 && !(where == 2 ? texts : out).empty()) {
            // The parts and copies of a text may also repeat what other lists contain.
            bool const of_all = where != 2;
            printed_text& printed = of_all ? printed_all : printed_texts;
            printed.grow_to(of_all ? out : texts);
            if (repeats(c, printed)) continue;
        }
        bool const scalar = !tree_.is_container(c);
        std::string piece = of(c);
        // Ids, types and codes of a field map were read from the document.
        if (piece.empty() && scalar && tree_.type_of(c) == answer_tree::type::string &&
            (is_map || has_measure(i, c)))
            piece = tree_.text(c);
        if (piece.empty()) continue;
        if (is_label(c) && label.empty() && labels_a_value) {
            if (!texts.empty()) label = piece + ": ";
            continue;
        }
        // An object that is a value, as in {"Total": {"value": "12"}}, is printed like a scalar.
        bool const field = tree_.is_object(c) && tree_.kind(c) == key_kind::content && has_value(c) &&
                           piece.find_first_of("\n:") == piece.npos;
        bool const named =
            field || (scalar && !is_text && where != 3 && tree_.kind(c) != key_kind::documents);
        if (named) piece = tree_.key(c) + ": " + piece;
        if (is_text) add_piece(texts, std::string_view(piece), "\n");
        add_piece(out, std::move(piece), pages ? "\n\n" : "\n");
    }
    if (label.empty()) return out;
    return label + out;
}

/// The values in the service's own form, one per line. A field named "words" repeats the page word by word;
/// it is omitted if there is any other field.
OCRPIPE_DECL std::string answer_text::of_known_content(index i)
{
    auto const is_words = [this](index field) {
        index name = answer_tree::none;
        for (std::string const& key : profile_.name_keys)
            if (tree_.is_object(field) && name == answer_tree::none) name = tree_.member(field, key);
        return name != answer_tree::none && tree_.text(name) == "words";
    };
    std::string out;
    if (!tree_.is_array(i)) {
        add_values(i, out);
        return out;
    }
    bool only_words = true;
    tree_.for_each_child(i, [&](index field) { only_words = only_words && is_words(field); });
    tree_.for_each_child(i, [&](index field) {
        if (only_words || !is_words(field)) add_values(field, out);
    });
    return out;
}

OCRPIPE_DECL void answer_text::add_values(index i, std::string& out) const
{
    if (!tree_.is_container(i)) {
        if (tree_.type_of(i) != answer_tree::type::null) add_piece(out, tree_.text(i), "\n");
        return;
    }
    if (tree_.is_array(i)) return tree_.for_each_child(i, [&](index c) { add_values(c, out); });
    auto const first_of = [&](response_profile::words const& keys) {
        for (std::string const& key : keys)
            if (index const found = tree_.member(i, key); found != answer_tree::none) return found;
        return answer_tree::none;
    };
    index const values = first_of(profile_.values_keys);
    index const text = first_of(profile_.text_keys);
    if (text != answer_tree::none) add_values(text, out);
    if (values != answer_tree::none) add_values(values, out);
    // Texts under other keys, and names without a value.
    index const name = first_of(profile_.name_keys);
    bool const labelled = text != answer_tree::none || values != answer_tree::none;
    content_kind const least = labelled ? content_kind::unfamiliar : content_kind::doubtful;
    tree_.for_each_child(i, [&](index c) {
        if (c == values || c == text || (c == name && labelled && !tree_.is_container(c))) return;
        if (form_.content_of(c) >= least) add_values(c, out);
    });
}

OCRPIPE_DECL bool answer_text::repeats(index i, printed_text& printed)
{
    bool any = false;
    bool all = true;
    auto const look = [&](auto const& self, index n, bool whole) -> void {
        if (!all) return;
        // An element of a list of words may be a single letter.
        whole = whole && tree_.kind(n) != key_kind::words;
        if (tree_.is_container(n)) return tree_.for_each_child(n, [&](index c) { self(self, c, whole); });
        if (!form_.is_shown(n)) return;
        any = true;
        std::string const piece = tree_.text(n);
        all = printed.holds(piece, whole, left_to_compare_) ||
              (tree_.kind(n) == key_kind::markup && printed.holds_words_of(piece, left_to_compare_));
    };
    look(look, i, true);
    return any && all;
}

/// Appends a text with one space for each run of white space.
inline void append_plain(std::string& out, std::string_view text)
{
    for (char const c : text) {
        bool const blank = c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
        if (!blank)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
}

OCRPIPE_DECL void printed_text::grow_to(std::string_view text)
{
    append_plain(plain_, text.substr(read_));
    read_ = text.size();
}

OCRPIPE_DECL bool printed_text::holds(std::string_view piece, bool whole, std::size_t& budget)
{
    std::string plain;
    append_plain(plain, piece);
    if (plain.ends_with(' ')) plain.pop_back();
    if (plain.empty()) return true;
    std::size_t found = find(plain, at_, whole, budget);
    if (found == plain_.npos) found = find(plain, 0, whole, budget);
    if (found == plain_.npos) return false;
    at_ = found + plain.size();
    return true;
}

OCRPIPE_DECL bool printed_text::holds_words_of(std::string_view marked, std::size_t& budget)
{
    std::string const plain = without_tags(marked);
    for (std::size_t i = 0; i != plain.size();) {
        std::size_t end = i;
        while (end != plain.size() && is_part_of_word(plain[end]))
            ++end;
        if (end != i && !holds(std::string_view(plain).substr(i, end - i), true, budget)) return false;
        i = end + (end == i);
    }
    return true;
}

OCRPIPE_DECL std::size_t printed_text::find(std::string_view piece, std::size_t from, bool whole,
                                            std::size_t& budget) const
{
    while (budget != 0) {
        std::size_t const found = plain_.find(piece, from);
        std::size_t const end = found + piece.size();
        std::size_t const compared =
            (found == plain_.npos ? plain_.size() : end) - std::min(from, plain_.size()) + 1;
        budget -= std::min(budget, compared);
        if (found == plain_.npos) return found;
        bool const cut_before =
            found != 0 && is_part_of_word(piece.front()) && is_part_of_word(plain_[found - 1]);
        bool const cut_after =
            end != plain_.size() && is_part_of_word(piece.back()) && is_part_of_word(plain_[end]);
        if (!whole || (!cut_before && !cut_after)) return found;
        from = found + 1;
    }
    return plain_.npos;
}

OCRPIPE_DECL std::string answer_form::text() const
{
    if (tree_.empty()) return {};
    return answer_text(tree_, profile_, *this).of(answer_tree::root);
}

} // namespace detail
} // namespace ocrpipe

#endif
