#ifndef OCRPIPE_PACE_BACKOFF_HPP
#define OCRPIPE_PACE_BACKOFF_HPP

#include <ocrpipe/pace/retry_policy.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ocrpipe
{

/// How long to wait before the next attempt: full jitter, uniform in [0, min(cap, base * 2^(failures - 1))).
///
/// `failures` counts the failed attempts so far, at least 1. `throttled` selects the base for a 429 without
/// Retry-After. `random` is uniform in [0, 1) and the only source of randomness.
///
/// Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
inline std::chrono::milliseconds backoff_delay(retry_policy const& policy, int failures, bool throttled,
                                               double random) noexcept
{
    using std::chrono::milliseconds;
    milliseconds const cap = std::max(policy.cap, milliseconds::zero());
    milliseconds ceiling =
        std::clamp(throttled ? policy.throttled_base : policy.base, milliseconds::zero(), cap);
    // Doubling stops at the cap, so it cannot overflow and its cost does not grow with the number of
    // failures; zero never reaches the cap.
    for (int i = 1; i < failures && ceiling < cap && ceiling > milliseconds::zero(); ++i)
        ceiling = ceiling > cap / 2 ? cap : ceiling * 2;
    return milliseconds(static_cast<std::int64_t>(random * static_cast<double>(ceiling.count())));
}

} // namespace ocrpipe

#endif
