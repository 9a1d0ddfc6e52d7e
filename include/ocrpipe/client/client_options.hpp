#ifndef OCRPIPE_CLIENT_CLIENT_OPTIONS_HPP
#define OCRPIPE_CLIENT_CLIENT_OPTIONS_HPP

#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/client/shared_pace.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/pace/pace_options.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ocrpipe
{

class client_observer;

/// Bounds on the documents that a client holds. It holds a document from the call of async_submit or
/// async_recognize to the end of the submit. A document beyond a bound fails at once with errc::saturated and
/// failure::retry_after, so that a server can answer 503 with Retry-After. 0 means no bound.
struct saturation_options {
    std::size_t max_documents = 0;
    /// Total size of the held documents that are in memory. If no document is held, one of any size is
    /// accepted.
    std::uint64_t max_bytes = 0;
};

/// All options of a client: connections, pace, and its own. `validate()` reports every problem at once.
struct client_options : http_options, pace_options {
    response_profile profile;
    /// Time from the acceptance of a submit to its result. When it passes, the operation ends with
    /// errc::still_processing and keeps the request_id.
    std::chrono::milliseconds job_deadline{30 * 60'000};
    /// Sees the client's exchanges and pauses; may be empty. See also client::observe().
    std::shared_ptr<client_observer> observer;
    saturation_options saturation;
    /// Whether several threads may run the client's executor or call the client's members. If true, the state
    /// of the client is on a strand. If false, a single thread must do both, and the state is on the executor
    /// itself, which costs less. Debug builds end the program with a message if two threads use such a client
    /// at once.
    bool thread_safe = true;
    /// The rate limits, pauses and refusals that this client shares with others; see shared_pace. If null, it
    /// shares none.
    std::shared_ptr<shared_pace> shared;

    /// Every problem found, as "option: what is wrong: remedy"; empty if there are none.
    std::vector<std::string> validate() const;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/client_options.ipp>
#endif

#endif
