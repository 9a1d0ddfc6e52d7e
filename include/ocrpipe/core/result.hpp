#ifndef OCRPIPE_CORE_RESULT_HPP
#define OCRPIPE_CORE_RESULT_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/job_times.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe
{

/// The phase in which an operation ended. The transport reports the phases from acquire to body.
enum class phase {
    none,
    prepare,    ///< reading options, opening the file, building the body
    pace,       ///< waiting for a rate limit, a pause of the origin, or a backoff
    acquire,    ///< waiting for a pooled connection
    resolve,    ///< looking up the host name
    connect,    ///< TCP connect, and the proxy's CONNECT
    tls,        ///< TLS handshake
    write,      ///< sending the request
    first_byte, ///< request sent, waiting for the answer to begin
    body,       ///< reading the answer
    classify,   ///< the answer was complete and reports a failure
    wait,       ///< between two polls of a job
};

OCRPIPE_DECL std::string_view name(phase p) noexcept;

/// Describes a failure: what happened, to which request, in which phase, after how many attempts, and why no
/// further attempt was made.
///
/// Holds no secret of the client's options, even if the peer echoed one, except in `request_id` and `answer`,
/// which are the service's bytes. Apart from these, it holds at most 512 bytes of the answer, made printable.
struct failure {
    failure() = default;
    failure(errc what, phase in, std::string why, error_code from = {})
        : code(what), cause(from), where(in), reason(std::move(why))
    {
    }

    error_code code;  ///< an ocrpipe::errc
    error_code cause; ///< the error of the lower library, if any
    phase where = phase::none;
    int http_status = 0;    ///< of the last answer; 0 if none
    int attempts = 0;       ///< requests sent, the first one included
    std::string request_id; ///< empty until the service has assigned one
    std::string reason;     ///< why no further attempt was made, such as "3 of 3 attempts used"
    std::string excerpt;    ///< the beginning of the last answer's body, printable, at most 512 bytes
    /// The complete answer, byte for byte, for errc::unreadable_answer; otherwise null.
    std::shared_ptr<std::string const> answer;
    job_times times; ///< of a submit or a wait, as far as it came
    /// For errc::saturated: when a place will probably be free, at least a second. Otherwise 0.
    std::chrono::seconds retry_after{0};

    bool is(errc e) const noexcept { return code == e; }
};

/// One line for people: message, phase, status, attempts, request id, reason, excerpt; no secret, no full
/// stop.
OCRPIPE_DECL std::string to_string(failure const& f);

/// At most `limit` bytes of `body`, with control characters and invalid UTF-8 replaced, for use as a
/// failure's excerpt.
OCRPIPE_DECL std::string printable_excerpt(std::string_view body, std::size_t limit = 512);

/// The exception thrown by result<T>::value(); what() is to_string(failure).
class error : public std::runtime_error
{
public:
    explicit error(failure f) : std::runtime_error(to_string(f)), failure_(std::move(f)) {}
    failure const& facts() const noexcept { return failure_; }

private:
    failure failure_;
};

[[noreturn]] OCRPIPE_DECL void throw_exception_from_error(failure const& f, boost::source_location const&);

/// Either a value or a failure. `value()` throws ocrpipe::error; `error()` gives the failure.
template<class T>
using result = boost::system::result<T, failure>;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/result.ipp>
#endif

#endif
