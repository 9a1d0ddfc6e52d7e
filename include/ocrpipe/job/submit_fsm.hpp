#ifndef OCRPIPE_JOB_SUBMIT_FSM_HPP
#define OCRPIPE_JOB_SUBMIT_FSM_HPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/job/action.hpp>

#include <optional>
#include <string>

namespace ocrpipe
{

/// State machine of one submit: sends until it is accepted, refused, or must not be repeated. Pure: time and
/// randomness are arguments.
///
/// A throttled answer does not count as an attempt. If the answer is lost after the body was sent, the submit
/// ends with errc::ambiguous_submit. With retry_policy::resubmit_ambiguous it is sent again, and a job
/// accepted later is marked as a possible duplicate. Cancellation: give_up(), at any point. Once an attempt
/// was ambiguous, the outcome stays errc::ambiguous_submit, whatever the reason.
class submit_fsm
{
public:
    submit_fsm(retry_policy const& policy, clock::time_point deadline) : policy_(policy), deadline_(deadline)
    {
    }

    action start(clock::time_point now);

    /// Handles the end of an attempt. `random` is uniform in [0, 1).
    action resume(exchange_result const& answer, response_profile const& profile, clock::time_point now,
                  double random);

    /// Called by the shell to stop: no further attempt may be made.
    action give_up(errc why, std::string reason);

    /// Call after step::finish.
    result<submitted_job> outcome() &&;

private:
    action finish(failure f);
    action again(exchange_result const& answer, submit_reading const& r, errc code, clock::time_point now,
                 double random);

    retry_policy policy_;
    clock::time_point deadline_;
    detail::attempt_counter counter_;
    submitted_job job_;
    std::optional<failure> ambiguous_; ///< the first attempt that may have been accepted
    std::optional<failure> failed_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/submit_fsm.ipp>
#endif

#endif
