#ifndef OCRPIPE_HTTP_IMPL_INFLATER_IPP
#define OCRPIPE_HTTP_IMPL_INFLATER_IPP

#include <ocrpipe/http/inflater.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace ocrpipe
{
namespace detail
{

struct inflater::state {
    explicit state(format f) : kind(f) {}
    state(state const&) = delete;
    state& operator=(state const&) = delete;
    ~state()
    {
        if (open) ::inflateEnd(&stream);
    }

    void begin(int window_bits)
    {
        if (::inflateInit2(&stream, window_bits) != Z_OK) throw std::bad_alloc();
        open = true;
    }

    format kind;
    ::z_stream stream{};
    bool open = false;
    bool ended = false;
    bool over = false; ///< what follows is not another gzip member
    std::string first; ///< of "deflate", until there are the two bytes that tell zlib from raw
};

OCRPIPE_DECL inflater::inflater(format f) : state_(std::make_unique<state>(f))
{
    if (f == format::gzip) state_->begin(MAX_WBITS + 16);
}

OCRPIPE_DECL inflater::inflater(inflater&&) noexcept = default;
OCRPIPE_DECL inflater& inflater::operator=(inflater&&) noexcept = default;
OCRPIPE_DECL inflater::~inflater() = default;

OCRPIPE_DECL bool inflater::finished() const noexcept
{
    return state_->ended || (!state_->open && state_->first.empty()) ||
           (state_->open && state_->stream.total_in == 0);
}

OCRPIPE_DECL void inflater::decode(std::string_view in, std::string& out, std::uint64_t limit, error_code& ec)
{
    ec = {};
    state& s = *state_;
    if (s.over) return;
    if (!s.open) {
        s.first += in;
        if (s.first.size() < 2) return;
        auto const at = [&s](std::size_t i) { return static_cast<unsigned char>(s.first[i]); };
        bool const zlib =
            (at(0) & 0x0F) == Z_DEFLATED && (at(0) * 256 + at(1)) % 31 == 0; // RFC 1950, section 2.2
        s.begin(zlib ? MAX_WBITS : -MAX_WBITS);
        in = s.first;
    }
    s.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    s.stream.avail_in = static_cast<uInt>(in.size());
    std::array<char, 16 * 1024> piece;
    for (;;) {
        if (s.ended) {
            if (s.stream.avail_in == 0) return;
            // RFC 1952, section 2.2: a gzip file is a series of members. Others than gzip pad with zeros.
            s.over = s.kind != format::gzip || *s.stream.next_in != 0x1F;
            if (s.over) return;
            if (::inflateReset(&s.stream) != Z_OK) break;
            s.ended = false;
        }
        s.stream.next_out = reinterpret_cast<Bytef*>(piece.data());
        s.stream.avail_out = static_cast<uInt>(piece.size());
        int const rc = ::inflate(&s.stream, Z_NO_FLUSH);
        std::size_t const n = piece.size() - s.stream.avail_out;
        if (n > limit - std::min<std::uint64_t>(limit, out.size())) {
            ec = make_error_code(errc::body_too_large);
            return;
        }
        out.append(piece.data(), n);
        if (rc == Z_STREAM_END) {
            s.ended = true;
        } else if (rc == Z_BUF_ERROR || (rc == Z_OK && s.stream.avail_in == 0 && s.stream.avail_out != 0)) {
            return; // all input is consumed
        } else if (rc != Z_OK) {
            break;
        }
    }
    ec = make_error_code(errc::malformed_answer);
}

} // namespace detail
} // namespace ocrpipe

#endif
