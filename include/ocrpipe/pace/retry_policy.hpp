#ifndef OCRPIPE_PACE_RETRY_POLICY_HPP
#define OCRPIPE_PACE_RETRY_POLICY_HPP

#include <chrono>

namespace ocrpipe
{

/// How many attempts are made, how soon, and which requests may be repeated.
///
/// Attempts count requests, not repeats: max_attempts = 3 is three requests at most. A throttled answer (429,
/// Retry-After) does not count as an attempt; only the deadline limits it.
struct retry_policy {
    /// 1 to 1000. Applies to a submit, to a part, and to consecutive refused reads of a result while reads of
    /// other jobs succeed.
    int max_attempts = 5;
    std::chrono::milliseconds base{250};                ///< of the backoff after a transport failure or 5xx
    std::chrono::milliseconds throttled_base{1'000};    ///< of the backoff after a 429 without Retry-After
    std::chrono::milliseconds cap{20'000};              ///< longest backoff
    std::chrono::milliseconds max_retry_after{300'000}; ///< a longer Retry-After is clamped to this
    /// Whether a document may be resubmitted, once, although the service may have accepted it: the body was
    /// sent and the answer was lost or was 500. It may then be processed and billed twice. If false, or if
    /// the repeat is ambiguous too, the submit ends with errc::ambiguous_submit.
    bool resubmit_ambiguous = false;
};

} // namespace ocrpipe

#endif
