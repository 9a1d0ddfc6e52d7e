#ifndef OCRPIPE_CORE_WORDS_HPP
#define OCRPIPE_CORE_WORDS_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// ASCII lower case. The service's words are ASCII, and using the locale would make the result depend on the
/// machine.
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

inline std::string lower_case(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
}

constexpr bool same_letters(std::string_view a, std::string_view b) noexcept
{
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i != a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

/// Whether `text` contains `word`, ignoring case.
inline bool contains_letters(std::string_view text, std::string_view word) noexcept
{
    auto const same = [](char a, char b) { return lower(a) == lower(b); };
    return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

inline bool contains_any(std::string_view text, std::vector<std::string> const& words) noexcept
{
    return std::any_of(words.begin(), words.end(),
                       [text](auto const& w) { return contains_letters(text, w); });
}

/// Whether `word` is in `list`; an entry that ends in * matches by prefix.
inline bool is_word_of(std::string_view word, std::vector<std::string> const& list) noexcept
{
    return std::any_of(list.begin(), list.end(), [word](std::string_view entry) {
        if (!entry.ends_with('*')) return same_letters(word, entry);
        entry.remove_suffix(1);
        return same_letters(word.substr(0, entry.size()), entry);
    });
}

/// `text` without leading and trailing spaces and tabs.
constexpr std::string_view trim(std::string_view text) noexcept
{
    auto const blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// Whether `text` can be an id assigned by the service: bounded length, no damaged character, and not a
/// placeholder for a missing id.
inline bool may_be_id(std::string_view text) noexcept
{
    constexpr std::array<std::string_view, 10> placeholders{"null", "none", "undefined", "nil", "n/a",
                                                            "nan",  "true", "false",     "0",   "-1"};
    return !text.empty() && text.size() <= 1024 && text.find("\xEF\xBF\xBD") == std::string_view::npos &&
           std::none_of(placeholders.begin(), placeholders.end(),
                        [text](std::string_view p) { return same_letters(p, text); });
}

inline bool is_blank(std::string_view text) noexcept
{
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

} // namespace ocrpipe::detail

#endif
