#ifndef OCRPIPE_API_IMPL_PERCENT_HPP
#define OCRPIPE_API_IMPL_PERCENT_HPP

#include <string>
#include <string_view>

namespace ocrpipe::detail
{

inline void append_percent_encoded(std::string& out, char c)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    auto const u = static_cast<unsigned char>(c);
    out += '%';
    out += digits[u >> 4];
    out += digits[u & 15];
}

} // namespace ocrpipe::detail

#endif
