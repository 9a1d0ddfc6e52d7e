#ifndef OCRPIPE_MEASURE_EXCHANGE_EVENT_HPP
#define OCRPIPE_MEASURE_EXCHANGE_EVENT_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/job_times.hpp>
#include <ocrpipe/core/trace_context.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ocrpipe
{

/// One HTTP exchange of a client that ended, with its course. The times are in ascending order.
struct exchange_event {
    operation what = operation::submit;
    std::string_view request_id; ///< of the job; empty for a submit
    int attempt = 1;             ///< of this operation, or poll of this job; from 1
    int status = 0;              ///< of the answer; 0 if there was none
    error_code error;            ///< why there was no answer; an ocrpipe::errc
    bool not_yet = false;        ///< the answer to a poll was that the job is not finished

    clock::time_point due{};      ///< the request was to be sent
    clock::time_point turn{};     ///< it had one of the connections of its kind
    clock::time_point allowed{};  ///< rate limits, pauses and outages let it pass
    clock::time_point handed{};   ///< the transport got it; after submit_hooks::before_sending
    clock::time_point sent{};     ///< its first byte left; time_point() if none did
    clock::time_point answered{}; ///< the answer was read, or the exchange failed

    std::uint64_t bytes_up = 0;   ///< the request's body, if all of it was sent
    std::uint64_t bytes_down = 0; ///< the answer's body, after decompression

    /// The operation sends again, at this time or later, unless it is cancelled; time_point() if it has
    /// ended. After a poll that found the job unfinished, the next poll.
    clock::time_point again_at{};
    trace_context const* trace = nullptr; ///< the span of this request; null if it is not traced
};

/// Whether the exchange is to be repeated because it failed or was refused. Polls of an unfinished job are no
/// retries.
inline bool is_retried(exchange_event const& e) noexcept { return is_known(e.again_at) && !e.not_yet; }

/// What stops a client from sending.
enum class pause_kind {
    throttled,   ///< the service asked all requests to wait
    outage,      ///< the service cannot be reached, or no result could be read
    credentials, ///< the credentials or the address were refused, and a probe decides
};
inline constexpr std::size_t pause_kind_count = 3;

/// "throttled", "outage" or "credentials".
constexpr std::string_view name(pause_kind k) noexcept
{
    constexpr std::string_view names[] = {"throttled", "outage", "credentials"};
    return names[static_cast<std::size_t>(k)];
}

/// A pause begins or ends. One by throttling has no end event: it ends at `until`, unless a later event
/// extends it.
struct pause_event {
    pause_kind what = pause_kind::throttled;
    bool begins = true;
    clock::time_point at{};
    clock::time_point until{}; ///< of throttling; otherwise not known
};

} // namespace ocrpipe

#endif
