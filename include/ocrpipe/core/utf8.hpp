#ifndef OCRPIPE_CORE_UTF8_HPP
#define OCRPIPE_CORE_UTF8_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Length of the valid UTF-8 sequence at the start of `s`, 0 if there is none (RFC 3629: no overlong forms,
/// no surrogates, nothing beyond U+10FFFF).
inline std::size_t utf8_sequence_length(std::string_view s) noexcept
{
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    auto const tail = [&](std::size_t i) { return i < s.size() && (at(i) & 0xC0) == 0x80; };
    if (s.empty()) return 0;
    unsigned const c = at(0);
    if (c < 0x80) return 1;
    if (c >= 0xC2 && c <= 0xDF) return tail(1) ? 2 : 0;
    if (c >= 0xE0 && c <= 0xEF) {
        if (!tail(1) || !tail(2)) return 0;
        if (c == 0xE0 && at(1) < 0xA0) return 0;
        if (c == 0xED && at(1) > 0x9F) return 0;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (c == 0xF0 && at(1) < 0x90) return 0;
        if (c == 0xF4 && at(1) > 0x8F) return 0;
        return 4;
    }
    return 0;
}

/// Whether a non-ASCII character controls a terminal, breaks a line, or changes the text direction: C1
/// controls, line and paragraph separators, bidirectional controls.
inline bool is_unseen(std::string_view character) noexcept
{
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 2) return at(0) == 0xC2 && at(1) < 0xA0;
    if (character.size() != 3 || at(0) != 0xE2) return false;
    bool const separator = at(1) == 0x80 && (at(2) == 0xA8 || at(2) == 0xA9);
    bool const embedding = at(1) == 0x80 && (at(2) == 0x8E || at(2) == 0x8F || (at(2) >= 0xAA && at(2) <= 0xAE));
    return separator || embedding || (at(1) == 0x81 && at(2) >= 0xA6 && at(2) <= 0xA9);
}

inline bool is_utf8(std::string_view s) noexcept
{
    while (!s.empty()) {
        std::size_t const n = utf8_sequence_length(s);
        if (n == 0) return false;
        s.remove_prefix(n);
    }
    return true;
}

/// Number of bytes that one U+FFFD replaces at the start of `s`, which is not valid UTF-8 there: the longest
/// truncated sequence, at least one byte. Browsers and Python do the same. Source: the Unicode Standard, 3.9.
inline std::size_t utf8_broken_length(std::string_view s) noexcept
{
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
    unsigned const c = at(0);
    if (c < 0xE0 || c > 0xF4 || s.size() < 2) return 1;
    unsigned const low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned const high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (at(1) < low || at(1) > high) return 1;
    return c >= 0xF0 && s.size() > 2 && (at(2) & 0xC0) == 0x80 ? 3 : 2;
}

/// Appends the code point `c`, which must be encodable in UTF-8.
inline void append_utf8(std::string& out, std::uint32_t c)
{
    auto const put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
    } else {
        put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F)), put(0x80 | (c >> 6 & 0x3F)),
            put(0x80 | (c & 0x3F));
    }
}

/// The character that replaces invalid bytes and escapes.
inline constexpr std::uint32_t replacement_character = 0xFFFD;

} // namespace detail

} // namespace ocrpipe

#endif
