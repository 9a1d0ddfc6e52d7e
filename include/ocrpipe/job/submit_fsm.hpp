#ifndef OCRPIPE_JOB_SUBMIT_FSM_HPP
#define OCRPIPE_JOB_SUBMIT_FSM_HPP

#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/job/detail/basic_fsm.hpp>

#include <optional>

namespace ocrpipe
{

/// State machine of one submit: sends until it is accepted, refused, or must not be repeated. Pure: time and
/// randomness are arguments.
///
/// A throttled answer and a 503 do not count as an attempt. If the answer is lost after the body was sent,
/// the submit ends with errc::ambiguous_submit. With retry_policy::resubmit_ambiguous, it is sent again once,
/// and a job accepted later is marked as a possible duplicate. Cancellation: give_up(), at any point. Once an
/// attempt was ambiguous, the outcome stays errc::ambiguous_submit, whatever the reason.
class submit_fsm : public detail::basic_fsm<submitted_job, phase::pace>
{
public:
    /// `in_doubt`: an earlier submit of the document may have been accepted, so that sending it is already
    /// the one repeat.
    explicit submit_fsm(clock::time_point deadline, bool in_doubt = false)
        : basic_fsm(deadline), in_doubt_(in_doubt)
    {
    }

    /// After this many 503s in a row without a Retry-After, the service may be in trouble. Fewer may only
    /// mean that it takes fewer submits at a time.
    static constexpr int trouble_after = 4;

    action start(fsm_context const& context);

    /// Handles the end of an attempt.
    action resume(exchange_result& answer, fsm_context const& context);

    /// Ends the submit instead of what resume() returned, because the document cannot be sent again. The
    /// outcome is the failure of the attempt.
    action cannot_repeat(exchange_result const& answer);

    /// Whether an attempt was ambiguous, so that the next one, if there is one, may pay twice.
    bool repeats_ambiguous() const noexcept { return ambiguous_.has_value(); }

    /// Whether the last answer was a 503: the service does not take so many submits at a time.
    bool overloaded() const noexcept { return overloaded_; }

    /// Call after step::finish.
    result<submitted_job> outcome() &&;

private:
    action accepted(submitted_job&& job, clock::time_point now);
    action wait_for_capacity(exchange_result const& answer, submit_reading const& r, fsm_context const& c);
    action perhaps_accepted(exchange_result const& answer, submit_reading const& r, fsm_context const& c);
    action not_accepted(exchange_result const& answer, submit_reading const& r, errc code,
                        fsm_context const& c);
    action misplaced(exchange_result const& answer, submit_reading const& r, fsm_context const& c);
    action ended(exchange_result const& answer, submit_reading const& r, errc code, bool may_be_trouble,
                 fsm_context const& c);

    submit_reading last_{};            ///< of the last answer
    std::optional<failure> ambiguous_; ///< the first attempt that may have been accepted
    clock::time_point sent_at_{};      ///< of the last attempt
    bool in_doubt_;
    bool overloaded_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/submit_fsm.ipp>
#endif

#endif
