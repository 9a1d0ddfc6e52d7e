#ifndef OCRPIPE_HTTP_INFLATER_HPP
#define OCRPIPE_HTTP_INFLATER_HPP

#include <ocrpipe/core/error.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Incremental decoder of gzip and deflate with an output limit, so that a decompression bomb cannot exhaust
/// memory.
///
/// Accepts both forms of "deflate": zlib (RFC 1950, as HTTP specifies) and raw (RFC 1951, as some servers
/// send). Bytes after the end that do not start another gzip member are dropped, as gzip itself does.
class inflater
{
public:
    enum class format { gzip, deflate };

    explicit inflater(format f);
    inflater(inflater&&) noexcept;
    inflater& operator=(inflater&&) noexcept;
    ~inflater();

    /// Decodes `in` and appends the output to `out`.
    ///
    /// Errors: errc::body_too_large when `out` would exceed `limit`,
    /// errc::malformed_answer.
    void decode(std::string_view in, std::string& out, std::uint64_t limit, error_code& ec);

    /// Whether the stream is complete, or never began.
    bool finished() const noexcept;

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/inflater.ipp>
#endif

#endif
