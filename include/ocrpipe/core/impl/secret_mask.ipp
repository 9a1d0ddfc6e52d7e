#ifndef OCRPIPE_CORE_IMPL_SECRET_MASK_IPP
#define OCRPIPE_CORE_IMPL_SECRET_MASK_IPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/secret_mask.hpp>
#include <ocrpipe/core/words.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline constexpr std::size_t shortest_unmistakable_secret = 8;
inline constexpr std::size_t longest_excerpt = 512;

/// Whether `digits` is the number of `c`, ignoring its case.
inline bool is_number_of(char c, std::string_view digits, int base) noexcept
{
    unsigned value = 0;
    auto const [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return ec == std::errc() && !digits.empty() && end == digits.data() + digits.size() && value < 0x80 &&
           lower(static_cast<char>(value)) == lower(c);
}

/// The length of an HTML character reference to `c` at the beginning of `text`, which begins with "&".
inline std::size_t reference_to(char c, std::string_view text) noexcept
{
    static constexpr std::array<std::pair<std::string_view, char>, 5> names{
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
    std::size_t const end = text.substr(0, 10).find(';');
    if (end == std::string_view::npos) return 0;
    std::string_view const name = text.substr(1, end - 1);
    bool const named = std::any_of(names.begin(), names.end(), [&](auto const& n) {
        return n.second == c && same_letters(n.first, name);
    });
    bool const hexadecimal = name.starts_with("#x") || name.starts_with("#X");
    bool const numbered = hexadecimal ? is_number_of(c, name.substr(2), 16)
                                      : name.starts_with('#') && is_number_of(c, name.substr(1), 10);
    return named || numbered ? end + 1 : 0;
}

/// The length of `c` at the beginning of `text`, escaped or not; 0 if something else stands there.
inline std::size_t spelling_of(char c, std::string_view text) noexcept
{
    // Text that was escaped twice has several backslashes, and UTF-16 has zero bytes.
    std::size_t const skipped = std::min(text.find_first_not_of(std::string_view("\\\0", 2)), text.size());
    bool const backslash = text.substr(0, skipped).find('\\') != std::string_view::npos;
    text.remove_prefix(skipped);
    if (text.empty()) return backslash && c == '\\' ? std::min<std::size_t>(skipped, 2) : 0;
    if (backslash && lower(text[0]) == 'u' && text.size() >= 5 && is_number_of(c, text.substr(1, 4), 16))
        return skipped + 5;
    if (backslash && lower(text[0]) == 'x' && text.size() >= 3 && is_number_of(c, text.substr(1, 2), 16))
        return skipped + 3;
    if (backslash && c == '\\') return std::min<std::size_t>(skipped, 2);
    for (std::string_view const percent : {"%25", "%"})
        if (text.starts_with(percent) && text.size() >= percent.size() + 2 &&
            is_number_of(c, text.substr(percent.size(), 2), 16))
            return skipped + percent.size() + 2;
    if (text[0] == '&')
        if (std::size_t const n = reference_to(c, text); n != 0) return skipped + n;
    return lower(text[0]) == lower(c) ? skipped + 1 : 0;
}

/// The length of `needle` at the beginning of `text`, with escapes or cut off by the end of `text`; 0 if
/// something else stands there.
inline std::size_t escaped_length(std::string_view needle, std::string_view text) noexcept
{
    std::size_t at = 0;
    for (std::size_t i = 0; i != needle.size(); ++i) {
        if (at == text.size() && i >= shortest_unmistakable_secret) return at;
        std::size_t const n = spelling_of(needle[i], text.substr(at));
        if (n == 0) return 0;
        at += n;
    }
    return at;
}

inline bool is_whole_word(std::string_view text, std::size_t at, std::size_t size) noexcept
{
    auto const joins = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    };
    std::size_t const end = at + size;
    return !(at > 0 && joins(text[at - 1])) && !(end < text.size() && joins(text[end]));
}

} // namespace detail

OCRPIPE_DECL void secret_mask::add(secret s)
{
    if (!s.empty()) secrets_.push_back(std::move(s));
}

OCRPIPE_DECL std::string secret_mask::masked(std::string_view text) const
{
    return masked_beginning(text, std::string_view::npos);
}

OCRPIPE_DECL std::string secret_mask::excerpt(std::string_view body) const
{
    // The excerpt replaces up to four bytes, an invisible character, by one.
    return printable_excerpt(masked_beginning(body, 4 * detail::longest_excerpt), detail::longest_excerpt);
}

/// Masks the text up to a position between two characters at which `enough` bytes are there.
OCRPIPE_DECL std::string secret_mask::masked_beginning(std::string_view text, std::size_t enough) const
{
    std::string out;
    for (std::size_t at = 0; at != text.size() && out.size() < enough;) {
        if (std::size_t const n = secret_at(text, at); n != 0) {
            out += "***";
            at += n;
        } else {
            out += text[at++];
        }
    }
    return out;
}

/// The length of the longest secret that begins at `at`; 0 if none does.
OCRPIPE_DECL std::size_t secret_mask::secret_at(std::string_view text, std::size_t at) const
{
    std::size_t longest = 0;
    for (secret const& s : secrets_) {
        std::string_view const needle = s.reveal();
        std::size_t n = 0;
        if (needle.size() >= detail::shortest_unmistakable_secret)
            n = detail::escaped_length(needle, text.substr(at));
        if (n == 0 && text.substr(at).starts_with(needle) &&
            (needle.size() >= detail::shortest_unmistakable_secret ||
             detail::is_whole_word(text, at, needle.size())))
            n = needle.size();
        longest = std::max(longest, n);
    }
    return longest;
}

} // namespace ocrpipe

#endif
