#ifndef OCRPIPE_DETAIL_UTF8_HPP
#define OCRPIPE_DETAIL_UTF8_HPP

#include <cstddef>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Length of the valid UTF-8 sequence at the start of `s`, 0 when there is none (RFC 3629: no overlong forms,
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

inline bool is_utf8(std::string_view s) noexcept
{
    while (!s.empty()) {
        std::size_t const n = utf8_sequence_length(s);
        if (n == 0) return false;
        s.remove_prefix(n);
    }
    return true;
}

} // namespace detail

} // namespace ocrpipe

#endif
