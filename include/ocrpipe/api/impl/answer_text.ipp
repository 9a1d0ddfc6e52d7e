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

/// Adds a piece behind what is there already.
inline void add_piece(std::string& out, std::string_view piece, std::string_view separator)
{
    if (piece.empty()) return;
    if (!out.empty()) out += separator;
    out += piece;
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
    if (!std::exchange(begun_, true)) left_to_compare_ = std::size_t(256) << 20;
    switch (tree_.type_of(i)) {
    case answer_tree::type::object:
        return of_object(i);
    case answer_tree::type::array:
        return of_list(i);
    default:
        return is_printed(i) ? tree_.text(i) : std::string();
    }
}

/// A value that is worth a line of its own. Truth values are not; they are in the JSON.
OCRPIPE_DECL bool answer_text::is_printed(index i) const
{
    answer_tree::type const t = tree_.type_of(i);
    return (t == answer_tree::type::string || t == answer_tree::type::number) &&
           form_.content_of(i) != content_kind::none;
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
    std::string out;
    tree_.for_each_child(i, [&](index c) {
        // Services that list lines and their words side by side say which is which.
        static constexpr auto pieces =
            std::to_array<std::string_view>({"word", "token", "symbol", "character"});
        bool piece = false;
        if (tree_.is_object(c))
            tree_.for_each_child(c, [&](index m) {
                if (tree_.kind(m) == key_kind::bookkeeping && tree_.type_of(m) == answer_tree::type::string)
                    piece = piece || is_among(split_key(tree_.text(m)).joined, pieces);
            });
        if (!piece || !repeats(c, out)) add_piece(out, of(c), separator);
    });
    return out;
}

OCRPIPE_DECL std::string answer_text::of_object(index i)
{
    key_kind const kind = tree_.kind(i);
    if (kind == key_kind::error || kind == key_kind::progress) return {};

    // What comes first, and what comes last.
    auto const place = [this](index c) {
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
    std::stable_sort(members.begin(), members.end(), [&](index a, index b) { return place(a) < place(b); });

    auto const is_label = [this](index c) {
        return tree_.kind(c) == key_kind::label && !tree_.is_container(c) && is_printed(c);
    };
    index const content = [&] {
        for (std::string const& key : profile_.content_keys)
            if (index const found = tree_.member(i, key); found != answer_tree::none) return found;
        return answer_tree::none;
    }();

    bool const labels_a_value = form_.labels_a_value(i);
    std::string out;
    std::string texts; // what the members that are texts say
    std::string label;
    for (index const c : members) {
        if (c == content) {
            add_piece(texts, of_known_content(c), "\n");
            out = texts;
            continue;
        }
        int const where = place(c);
        bool const is_text = where == 0;
        if (!texts.empty() && where > 0 && repeats(c, where == 4 ? out : texts)) continue;
        if (where == 3 && tree_.type_of(c) == answer_tree::type::string && !texts.empty() &&
            repeats_words(tree_.text(c), texts))
            continue;
        std::string piece = of(c);
        if (piece.empty()) continue;
        if (is_label(c) && label.empty() && labels_a_value) {
            if (!texts.empty()) label = piece + ": ";
            continue;
        }
        bool const named =
            !tree_.is_container(c) && !is_text && where != 3 && tree_.kind(c) != key_kind::documents;
        if (named) piece = tree_.key(c) + ": " + piece;
        if (is_text) add_piece(texts, piece, "\n");
        add_piece(out, piece, "\n");
    }
    return label + out;
}

/// The values of the service's own form, a line each. The words of a page, which repeat it one by one, are
/// left out when there is any other field.
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
    // Texts in places that were not observed, and names that have no value.
    index const name = first_of(profile_.name_keys);
    bool const labelled = text != answer_tree::none || values != answer_tree::none;
    tree_.for_each_child(i, [&](index c) {
        if (c == values || c == text || (c == name && labelled && !tree_.is_container(c))) return;
        if (form_.content_of(c) >= content_kind::unfamiliar) add_values(c, out);
    });
}

/// Whether every text in `i` stands in `text` already, in any order.
OCRPIPE_DECL bool answer_text::repeats(index i, std::string_view text)
{
    std::size_t at = 0;
    bool any = false;
    bool all = true;
    auto const look = [&](auto const& self, index n, bool whole) -> void {
        if (!all) return;
        // Letters are parts of words.
        whole = whole && tree_.kind(n) != key_kind::words;
        if (tree_.is_container(n)) return tree_.for_each_child(n, [&](index c) { self(self, c, whole); });
        if (!is_printed(n)) return;
        any = true;
        std::string const piece = tree_.text(n);
        if (tree_.kind(n) == key_kind::markup && repeats_words(piece, text)) return;
        // Pieces come in the order of the text.
        std::size_t found = find(text, piece, at, whole);
        if (found == text.npos) found = find(text, piece, 0, whole);
        all = found != text.npos;
        if (all) at = found + piece.size();
    };
    look(look, i, true);
    return any && all;
}

OCRPIPE_DECL bool answer_text::repeats_words(std::string_view marked, std::string_view text)
{
    std::string const plain = without_tags(marked);
    std::size_t at = 0;
    for (std::size_t i = 0; i != plain.size();) {
        std::size_t end = i;
        while (end != plain.size() && is_part_of_word(plain[end]))
            ++end;
        if (end == i) {
            ++i;
            continue;
        }
        std::string_view const word = std::string_view(plain).substr(i, end - i);
        std::size_t found = find(text, word, at, true);
        if (found == text.npos) found = find(text, word, 0, true);
        if (found == text.npos) return false;
        at = found + word.size();
        i = end;
    }
    return true;
}

/// Where `piece` stands in `text`; as a whole, when that is asked for, and not as a part of a longer word.
OCRPIPE_DECL std::size_t answer_text::find(std::string_view text, std::string_view piece, std::size_t from,
                                           bool whole)
{
    while (left_to_compare_ != 0) {
        std::size_t const found = text.find(piece, from);
        std::size_t const end = found + piece.size();
        std::size_t const compared = (found == text.npos ? text.size() : end) - from + 1;
        left_to_compare_ -= std::min(left_to_compare_, compared);
        if (found == text.npos) return found;
        bool const cut_before =
            found != 0 && is_part_of_word(piece.front()) && is_part_of_word(text[found - 1]);
        bool const cut_behind =
            end != text.size() && is_part_of_word(piece.back()) && is_part_of_word(text[end]);
        if (!whole || (!cut_before && !cut_behind)) return found;
        from = found + 1;
    }
    return text.npos;
}

OCRPIPE_DECL std::string answer_form::text() const
{
    if (tree_.empty()) return {};
    return answer_text(tree_, profile_, *this).of(answer_tree::root);
}

} // namespace detail
} // namespace ocrpipe

#endif
