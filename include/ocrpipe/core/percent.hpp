#ifndef OCRPIPE_CORE_PERCENT_HPP
#define OCRPIPE_CORE_PERCENT_HPP

#include <algorithm>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

inline void append_percent_encoded(std::string& out, char c)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    auto const u = static_cast<unsigned char>(c);
    out += '%';
    out += digits[u >> 4];
    out += digits[u & 15];
}

constexpr bool is_unreserved(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

} // namespace detail

/// Encodes `text` as one path segment: RFC 3986's unreserved characters stay, all others become %XX, so that
/// no id can add a segment, a query or a fragment. "." and ".." become %2E and %2E%2E; otherwise a URL
/// library in between could remove a segment.
///
/// Source: RFC 3986, 2.3 and 5.2.4.
inline std::string percent_encode_segment(std::string_view text)
{
    bool const dots = text == "." || text == "..";
    if (!dots && std::all_of(text.begin(), text.end(), detail::is_unreserved)) return std::string(text);
    std::string out;
    for (char const c : text) {
        if (detail::is_unreserved(c) && !dots)
            out += c;
        else
            detail::append_percent_encoded(out, c);
    }
    return out;
}

} // namespace ocrpipe

#endif
