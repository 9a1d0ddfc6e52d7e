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

/// Decodes gzip or deflate as it arrives, never beyond a limit: a bomb costs no more memory than an honest
/// answer.
///
/// "deflate" is accepted in both readings, zlib (RFC 1950, as HTTP means it) and raw (RFC 1951, as some
/// servers send it). Bytes after the end that begin no other gzip member are dropped, as gzip itself does.
class inflater
{
public:
    enum class format { gzip, deflate };

    explicit inflater(format f);
    inflater(inflater&&) noexcept;
    inflater& operator=(inflater&&) noexcept;
    ~inflater();

    /// Appends what `in` decodes to.
    ///
    /// Errors: errc::body_too_large when `out` would exceed `limit`,
    /// errc::malformed_answer.
    void decode(std::string_view in, std::string& out, std::uint64_t limit, error_code& ec);

    /// Whether the stream ended where it should, or never began.
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
