#ifndef OCRPIPE_JOB_IMPL_SUBMIT_FSM_IPP
#define OCRPIPE_JOB_IMPL_SUBMIT_FSM_IPP

#include <ocrpipe/job/submit_fsm.hpp>

#include <fmt/format.h>

namespace ocrpipe
{

OCRPIPE_DECL action submit_fsm::start(clock::time_point now)
{
    if (now >= deadline_) return give_up(errc::deadline_exceeded, "the deadline had passed already");
    return action{step::send, now};
}

OCRPIPE_DECL action submit_fsm::finish(failure f)
{
    f.attempts = counter_.attempts;
    failed_ = std::move(f);
    return action{step::finish, {}};
}

OCRPIPE_DECL action submit_fsm::give_up(errc why, std::string reason)
{
    if (ambiguous_) return finish(*ambiguous_);
    failure f;
    f.code = why;
    f.where = phase::pace;
    f.reason = std::move(reason);
    return finish(std::move(f));
}

/// Starts another attempt if attempts and time are left; otherwise finishes with this attempt's failure.
OCRPIPE_DECL action submit_fsm::again(exchange_result const& answer, submit_reading const& r, errc code,
                                      clock::time_point now, double random)
{
    clock::time_point const until = now + counter_.failed(policy_, random);
    if (counter_.failures_in_row >= policy_.max_attempts)
        return finish(detail::failure_from(answer, code, r.status,
                                           fmt::format("{}; {} of {} attempts used", r.row,
                                                       counter_.failures_in_row, policy_.max_attempts)));
    if (until >= deadline_)
        return finish(detail::failure_from(answer, code, r.status,
                                           fmt::format("{}; no time for another attempt", r.row)));
    return action{step::wait, until};
}

OCRPIPE_DECL action submit_fsm::resume(exchange_result const& answer, response_profile const& profile,
                                       clock::time_point now, double random)
{
    ++counter_.attempts;
    submit_reading const r = read_submit(answer, profile, job_);
    auto const end = [&](errc code) {
        return finish(detail::failure_from(answer, code, r.status, std::string(r.row)));
    };
    switch (r.what) {
    case submit_verdict::accepted:
        job_.attempts = counter_.attempts;
        job_.possible_duplicate = ambiguous_.has_value();
        return action{step::finish, {}};
    case submit_verdict::ambiguous:
        if (!ambiguous_)
            ambiguous_ = detail::failure_from(answer, errc::ambiguous_submit, r.status, std::string(r.row));
        // An attempt that our own side ended is not repeated, even if resubmitting is allowed.
        if (!policy_.resubmit_ambiguous || (!answer && !is_transport(answer.error().code)))
            return finish(*ambiguous_);
        return again(answer, r, errc::ambiguous_submit, now, random);
    case submit_verdict::safe_to_repeat:
        if (ambiguous_ && !policy_.resubmit_ambiguous) return finish(*ambiguous_);
        return again(answer, r, detail::code_of(answer, errc::service_error), now, random);
    case submit_verdict::throttled: {
        clock::time_point const until = now + counter_.throttled(&*answer, policy_, random);
        if (until < deadline_) return action{step::pause_origin, until};
        end(errc::throttled);
        return action{step::finish, until};
    }
    case submit_verdict::credentials_refused:
        return action{step::pause_lane, now};
    case submit_verdict::wrong_base_url:
        return end(errc::wrong_base_url);
    case submit_verdict::rejected:
        return end(errc::rejected);
    case submit_verdict::misdirected:
        return end(errc::redirect_refused);
    case submit_verdict::stopped:
        break;
    }
    return end(detail::code_of(answer, errc::unexpected_answer));
}

OCRPIPE_DECL result<submitted_job> submit_fsm::outcome() &&
{
    if (!failed_) return std::move(job_);
    // Once ambiguous, a submit stays so: a later refusal does not undo a possible acceptance.
    if (ambiguous_ && !failed_->is(errc::ambiguous_submit)) {
        ambiguous_->attempts = counter_.attempts;
        return *std::move(ambiguous_);
    }
    return *std::move(failed_);
}

} // namespace ocrpipe

#endif
