#ifndef OCRPIPE_PACE_PACE_OPTIONS_HPP
#define OCRPIPE_PACE_PACE_OPTIONS_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>
#include <ocrpipe/pace/retry_policy.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace ocrpipe
{

/// Rate limits. Zero means no limit.
struct rate_options {
    double submits_per_second = 0;
    double polls_per_second = 0; ///< results and parts
    /// Uploads. A document is sent at once, and the next ones wait until its time is over: in any time, at
    /// most this rate and one document more is sent.
    double bytes_per_second = 0;
    /// Documents of async_recognize between submit and result; further ones wait.
    std::size_t max_in_flight = 0;
};

/// Rate limits, retries and polling. `validate()` reports every problem at once.
struct pace_options {
    rate_options rates;
    retry_policy retry;
    /// When to poll for a result; null means fixed_poll_schedule, the guide's 2 s to 5 s.
    std::shared_ptr<poll_schedule const> schedule;
    /// A refusal of the credentials pauses all requests of its kind; after this many in a row, waiting operations
    /// end with errc::unauthorized. The same holds for a gateway's 404 and errc::wrong_base_url.
    ///
    /// If a result was read before, the probe is a read of that result: it costs nothing. A probe that is
    /// refused counts as a refusal; one that is accepted ends the pause, and the requests that were refused are
    /// sent once more.
    int max_auth_refusals = 3; ///< 1 to 100
    /// Whether the first request of each kind is sent alone. The others wait until it is answered, for at
    /// most 5 s. Therefore, if the key is wrong, only one document is sent. A load test turns this off,
    /// because its arrivals must not wait for an answer.
    bool first_alone = true;
    /// How long patient operations wait out an outage, before they end with errc::service_unavailable. Zero means
    /// no limit, but a minute if the service was never reached.
    std::chrono::milliseconds max_outage{0};

    /// Every problem found, as "option: what is wrong: remedy"; empty if there are none.
    std::vector<std::string> validate() const;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/pace/impl/pace_options.ipp>
#endif

#endif
