#ifndef OCRPIPE_JOB_IMPL_PART_FSM_IPP
#define OCRPIPE_JOB_IMPL_PART_FSM_IPP

#include <ocrpipe/job/part_fsm.hpp>

namespace ocrpipe
{

OCRPIPE_DECL action part_fsm::resume(exchange_result& answer, fsm_context const& c)
{
    ++counter_.attempts;
    part_reading const r = read_part(answer, history_, c.profile, kind_, c.now);
    switch (r.what) {
    case part_verdict::done:
        return finish(part_data{kind_, std::move(answer->body), std::move(answer->content_type)});
    case part_verdict::pending:
        return ask_again(answer, r, c);
    case part_verdict::retry:
        return failed_read(answer, r, c);
    case part_verdict::absent:
        return fail(answer, r, errc::part_absent);
    case part_verdict::too_large:
        return fail(answer, r, detail::code_of(answer, errc::body_too_large));
    case part_verdict::throttled:
        return throttled(answer, r, c);
    case part_verdict::credentials_refused:
        return refused(answer, r, detail::refusal_of(answer), c);
    case part_verdict::rejected:
        return fail(answer, r, errc::rejected);
    case part_verdict::misdirected:
        return fail(answer, r, errc::redirect_refused);
    case part_verdict::stopped:
        break;
    }
    return fail(answer, r, detail::code_of(answer, errc::unexpected_answer));
}

OCRPIPE_DECL action part_fsm::ask_again(exchange_result const& answer, part_reading const& r,
                                        fsm_context const& c)
{
    counter_.succeeded();
    // Spreads the reads evenly over the settle window.
    auto const delay = c.profile.settle_time / c.profile.settle_reads + std::chrono::milliseconds(1);
    return next_after(delay, answer, r, errc::deadline_exceeded, "the deadline is near", c);
}

/// Waits for as long as the service asks, also beyond the deadline, which stands still meanwhile. The origin
/// pauses, unless this part is throttled alone.
OCRPIPE_DECL action part_fsm::throttled(exchange_result const& answer, part_reading const& r,
                                        fsm_context const& c)
{
    auto const asked = counter_.throttled(*answer, c);
    clock::time_point const until = c.now + asked;
    bool const is_late = c.now >= deadline_;
    if (!is_late && !counter_.is_throttled_alone()) return action{step::pause_origin, until};
    if (!is_late && !counter_.has_waited_enough()) deadline_ += asked;
    if (until < deadline_) return wait_alone(until);
    return end_throttled(answer, r, errc::throttled, std::string(r.row), until);
}

OCRPIPE_DECL action part_fsm::failed_read(exchange_result const& answer, part_reading const& r,
                                          fsm_context const& c)
{
    if (counter_.is_outage(answer, c)) return action{step::unreachable, c.now};
    if (c.patient && c.in_trouble) return wait_for_service(c);
    action next = after_failure(answer, r, c);
    next.is_trouble = true;
    return next;
}

OCRPIPE_DECL action part_fsm::after_failure(exchange_result const& answer, part_reading const& r,
                                            fsm_context const& c)
{
    if (counter_.failures_in_row == 0) failing_since_ = c.now;
    bool const transient = answer && detail::is_transient(r.status);
    errc const code = transient ? errc::service_error : detail::code_of(answer, errc::unexpected_answer);
    if (!c.patient || c.now - failing_since_ >= longest_trouble)
        return again(answer, r, code, "the deadline is near", c);
    auto const delay = counter_.failed(c);
    if (counter_.fails_alone(c.retry))
        return fail(
            answer, r, code,
            fmt::format("{}; {} of {} attempts used", r.row, counter_.own_failures, c.retry.max_attempts));
    if (may_be_outage(c)) deadline_ = std::max(deadline_ + unanswered_for(answer, c), c.now) + delay;
    if (may_be_outage(c)) return action{step::wait, c.now + delay};
    return next_after(delay, answer, r, code, "the deadline is near", c);
}

} // namespace ocrpipe

#endif
