#ifndef OCRPIPE_TRANSPORT_HTTP_MESSAGE_HPP
#define OCRPIPE_TRANSPORT_HTTP_MESSAGE_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/secret_mask.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/system/system_error.hpp>
#include <boost/throw_exception.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace ocrpipe
{

/// Kinds of traffic with separate connections, so that a ten-megabyte upload never delays a
/// three-hundred-byte poll.
enum class lane { submit, poll, part };
inline constexpr std::size_t lane_count = 3;

enum class http_method { get, post };

/// A request body of known length that is read front to back while it is sent. fetch() reads every body;
/// read() spares those that are not streamed a coroutine.
class body_source
{
public:
    virtual ~body_source() = default;

    /// The exact number of bytes that the body will yield; sent as Content-Length.
    virtual std::uint64_t size() const noexcept = 0;

    /// Reads up to `out.size()` bytes into `out`; returns the number read, 0 at the end.
    virtual std::size_t read(std::span<char> out, error_code& ec) = 0;

    /// Returns to the first byte, for a redirect or another attempt.
    virtual void rewind() = 0;

    /// Whether bytes may have to be waited for, so that fetch() must be used instead of read().
    virtual bool is_streamed() const noexcept { return false; }

    /// As read(), but waits until there is a byte. It may yield less than there is room for. `out` must stay
    /// valid until it has completed.
    /// Cancellation: ends the wait with an error; the body may then have lost bytes.
    virtual task<std::size_t> fetch(std::span<char> out, error_code& ec) { co_return read(out, ec); }

    /// Whether rewind() is possible now. If not, the request cannot be sent again.
    virtual bool can_rewind() const noexcept { return true; }

    /// What is known about the last error, for people; may be empty.
    virtual std::string why() const { return {}; }
};

/// How much of a request had been handed to the operating system when the exchange ended. This decides
/// whether the request may be repeated: a server does not process an incomplete message (RFC 9112, 8).
enum class bytes_sent { none, some, all };

/// A complete HTTP response. The body is complete and decoded (chunked, gzip); only the header fields that
/// the library uses are kept.
struct http_response {
    int status = 0;
    bytes_sent sent = bytes_sent::all; ///< less if the answer came while the request was being sent
    /// When the first byte of the request was sent. A transport may leave it unset: the client then sets it
    /// to the time of the call.
    clock::time_point sent_at{};
    std::string content_type;
    std::string retry_after; ///< as sent; empty when absent
    std::string date;        ///< as sent; empty when absent
    std::string location;    ///< as sent; empty when absent
    std::string body;
    secret_mask const* secrets = nullptr; ///< set by the client, for failures that quote the body
};

struct transport_failure {
    transport_failure() = default;
    transport_failure(error_code what, phase in, bytes_sent how_much, std::string why = {},
                      error_code from = {})
        : code(what), cause(from), where(in), sent(how_much), detail(std::move(why))
    {
    }

    /// An ocrpipe::errc for which is_transport() holds, or one such as cancelled, deadline_exceeded or
    /// file_changed.
    error_code code;
    error_code cause; ///< the error of the underlying library, if there was one
    phase where = phase::none;
    bytes_sent sent = bytes_sent::none;
    clock::time_point sent_at{}; ///< as in http_response, if any byte was sent
    /// Human-readable, such as the host and port, or the proxy's message. It may quote the peer, which may
    /// echo a secret: the client masks it.
    std::string detail;
    /// The received part of an incomplete response: its status, 0 if there was no response, and its body,
    /// empty if that is more than 64 KiB.
    int status = 0;
    std::string begun_body;
};

/// The failure of an exchange whose body could not be read. `ec`: from the body; ok if it ended early.
inline transport_failure body_failure(body_source const& body, error_code ec, bytes_sent sent)
{
    if (!ec) ec = make_error_code(errc::file_changed);
    bool const ours = ec.category() == category();
    return transport_failure(ours ? ec : make_error_code(errc::unreadable_file), phase::write, sent,
                             body.why(), ours ? error_code() : ec);
}

using exchange_result = boost::system::result<http_response, transport_failure>;

[[noreturn]] inline void throw_exception_from_error(transport_failure const& f,
                                                    boost::source_location const& where)
{
    boost::throw_exception(boost::system::system_error(f.code, f.detail), where);
}

} // namespace ocrpipe

#endif
