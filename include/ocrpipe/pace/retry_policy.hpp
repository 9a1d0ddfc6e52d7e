#ifndef OCRPIPE_PACE_RETRY_POLICY_HPP
#define OCRPIPE_PACE_RETRY_POLICY_HPP

#include <chrono>

namespace ocrpipe
{

/// How often and how soon a request is sent again, and what may be.
///
/// Attempts count requests, not repeats: max_attempts = 3 is three requests at most. A throttled answer (429,
/// Retry-After) costs no attempt; the deadline bounds it.
struct retry_policy {
    /// 1 to 1000; of a submit, of a part, and of reads of a result that are refused one after another while
    /// reads of other jobs pass.
    int max_attempts = 5;
    std::chrono::milliseconds base{250};                ///< of the backoff after a transport failure or 5xx
    std::chrono::milliseconds throttled_base{1'000};    ///< of the backoff after a 429 without Retry-After
    std::chrono::milliseconds cap{20'000};              ///< longest backoff
    std::chrono::milliseconds max_retry_after{300'000}; ///< a longer Retry-After is cut to this
    /// Whether a document may be sent again although the service may have accepted it: the answer was lost
    /// after the body went out, or was 500. It may then be processed and billed twice. Off: such a submit
    /// ends with errc::ambiguous_submit.
    bool resubmit_ambiguous = false;
};

} // namespace ocrpipe

#endif
