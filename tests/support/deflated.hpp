#ifndef OCRPIPE_TESTS_SUPPORT_DEFLATED_HPP
#define OCRPIPE_TESTS_SUPPORT_DEFLATED_HPP

#include <zlib.h>

#include <stdexcept>
#include <string>
#include <string_view>

/// `text` compressed by zlib; `window_bits` chooses the format: 15 zlib, 31 gzip, -15 raw.
inline std::string deflated(std::string_view text, int window_bits)
{
    ::z_stream z{};
    if (::deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("deflateInit2");
    std::string out(::deflateBound(&z, static_cast<uLong>(text.size())) + 32, '\0');
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    int const rc = ::deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    ::deflateEnd(&z);
    if (rc != Z_STREAM_END) throw std::runtime_error("deflate");
    return out;
}

#endif
