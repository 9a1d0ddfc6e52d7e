#ifndef OCRPIPE_JOB_IMPL_RESULT_FSM_IPP
#define OCRPIPE_JOB_IMPL_RESULT_FSM_IPP

#include <ocrpipe/api/strict_json.hpp>
#include <ocrpipe/job/result_fsm.hpp>

#include <algorithm>

namespace ocrpipe
{

OCRPIPE_DECL action result_fsm::start(result_context const& c) { return wait(until_next_poll(c), c); }

OCRPIPE_DECL action result_fsm::resume(exchange_result& answer, result_context const& c)
{
    if (counter_.attempts != UINT16_MAX) ++counter_.attempts;
    bool const lacked_content = history_.settle_reads != 0 && history_.last_content == 0;
    auto const since = history_.settling_since;
    // The longer window must not cost a job its result: at the deadline, the profile's is enough.
    result_reading const r = read_result(answer, history_, c.profile, c.request_id, c.route_succeeded, c.now,
                                         is_late(c) ? std::chrono::milliseconds(0) : c.settle_time);
    bool const content_came = lacked_content && history_.settle_reads == 0;
    auto const delay = content_came ? std::chrono::ceil<std::chrono::milliseconds>(c.now - since)
                                    : std::chrono::milliseconds(0);
    read_well_ = answer && r.status < 300 && r.what != result_verdict::retry &&
                 r.what != result_verdict::foreign && r.what != result_verdict::throttled &&
                 r.what != result_verdict::unreadable;
    switch (r.what) {
    case result_verdict::done:
        return done(answer, r, completeness::whole, delay, c.now);
    case result_verdict::done_in_part:
        return done(answer, r, completeness::in_part, delay, c.now);
    case result_verdict::done_empty:
        return done(answer, r, completeness::empty, delay, c.now);
    case result_verdict::pending:
        return pending(answer, r, c);
    case result_verdict::throttled:
        return throttled(answer, r, c);
    case result_verdict::retry:
    case result_verdict::foreign:
        return failed_read(answer, r, c);
    case result_verdict::credentials_refused:
        return refused(answer, r, detail::refusal_of(answer), c, last_pending_.count() != 0);
    case result_verdict::unreadable:
        return unreadable(answer, r);
    case result_verdict::too_large:
        return fail(answer, r, detail::code_of(answer, errc::body_too_large));
    case result_verdict::wrong_base_url:
        return refused(answer, r, errc::wrong_base_url, c);
    case result_verdict::rejected:
        return fail(answer, r, errc::rejected);
    case result_verdict::misdirected:
        // Results were read before, so this may be a maintenance or login page in front of the service.
        if (c.route_succeeded) return failed_read(answer, r, c);
        return fail(answer, r, errc::redirect_refused);
    case result_verdict::job_failed:
        return fail(answer, r, errc::job_failed);
    case result_verdict::expired:
        return fail(answer, r, errc::job_expired);
    case result_verdict::lost:
        return fail(answer, r, errc::job_lost);
    case result_verdict::stopped:
        break;
    }
    return stopped(answer, r, c);
}

OCRPIPE_DECL action result_fsm::hold(clock::time_point until, fsm_context const& c)
{
    if (c.patient) {
        deadline_ += std::max(until - c.now, clock::duration::zero());
        return action{step::wait, until};
    }
    return action{step::wait, std::min(until, latest())};
}

OCRPIPE_DECL std::chrono::milliseconds result_fsm::until_next_poll(result_context const& c) const
{
    poll_context job;
    job.doc_type = c.doc_type;
    job.document_bytes = c.document_bytes;
    job.polls = pending_;
    job.age = std::chrono::duration_cast<std::chrono::milliseconds>(c.now - started_);
    return c.schedule.next_delay(job, c.random);
}

/// Waits, but not beyond the deadline, when the last read is due.
OCRPIPE_DECL action result_fsm::wait(std::chrono::milliseconds delay, fsm_context const& c) const
{
    return action{step::wait, std::max(c.now, std::min(c.now + delay, deadline_))};
}

OCRPIPE_DECL action result_fsm::done(exchange_result& answer, result_reading const& r,
                                     completeness how_complete, std::chrono::milliseconds content_delay,
                                     clock::time_point now)
{
    return finish(read_outcome{std::move(answer->body), how_complete, counter_.attempts, r.recognized,
                               content_delay, now});
}

OCRPIPE_DECL result_fsm::offset result_fsm::offset_of(clock::time_point t) const noexcept
{
    auto const exact =
        std::chrono::floor<std::chrono::duration<std::int64_t, offset::period>>(t - started_).count();
    return offset(static_cast<offset::rep>(std::clamp<std::int64_t>(exact, 1, offset::max().count())));
}

OCRPIPE_DECL job_times result_fsm::times() const noexcept
{
    auto const time_of = [this](offset o) {
        return o.count() == 0 ? clock::time_point()
                              : started_ + std::chrono::duration_cast<clock::duration>(
                                               std::chrono::duration<std::int64_t, offset::period>(o));
    };
    job_times t;
    t.first_pending = time_of(first_pending_);
    t.last_pending = time_of(last_pending_);
    t.polls = counter_.attempts;
    return t;
}

OCRPIPE_DECL action result_fsm::pending(exchange_result const& answer, result_reading const& r,
                                        result_context const& c)
{
    last_pending_ = offset_of(c.now);
    if (first_pending_.count() == 0) first_pending_ = last_pending_;
    if (is_late(c))
        return fail(answer, r, errc::still_processing, fmt::format("{}; the deadline has passed", r.row));
    counter_.succeeded();
    if (pending_ != UINT16_MAX) ++pending_;
    return wait_as_asked(until_next_poll(c), answer, c);
}

/// Waits for `own`, or for as long as the answer asks, if that is longer. The difference does not count
/// against a patient job's deadline.
OCRPIPE_DECL action result_fsm::wait_as_asked(std::chrono::milliseconds own, exchange_result const& answer,
                                              fsm_context const& c)
{
    auto const asked = answer ? counter_.asked_by(*answer, c) : own;
    if (asked <= own) return wait(own, c);
    if (c.patient) deadline_ += asked - own;
    return wait(asked, c);
}

OCRPIPE_DECL action result_fsm::throttled(exchange_result const& answer, result_reading const& r,
                                          result_context const& c)
{
    // The origin pauses for as long as the service asks, unless this job is throttled alone. The job also
    // waits for its own poll interval.
    auto const asked = counter_.throttled(*answer, c);
    auto const own = until_next_poll(c);
    if (counter_.is_throttled_alone()) {
        if (c.patient && !counter_.has_waited_enough()) deadline_ += asked;
        if (!is_late(c)) return wait_alone(wait(std::max(asked, own), c).until);
    } else if (c.patient || !is_late(c)) {
        return action{step::pause_origin, c.now + asked, c.now + own};
    }
    return end_throttled(answer, r, errc::still_processing, "throttled, and the deadline has passed",
                         c.now + asked);
}

/// Whether the answer is not the service's own.
inline bool is_elsewhere(result_reading const& r) noexcept
{
    return r.what == result_verdict::foreign || r.what == result_verdict::misdirected;
}

OCRPIPE_DECL action result_fsm::failed_read(exchange_result const& answer, result_reading const& r,
                                            result_context const& c)
{
    if (counter_.is_outage(answer, c)) return action{step::unreachable, c.now};
    // Before a result was read, a page that is not the service's may be due to a wrong address.
    bool const is_error = r.status >= 400 || r.status < 200;
    bool const is_pages = is_elsewhere(r) && c.route_succeeded;
    bool const is_trouble = !answer || is_pages || (is_error && detail::is_transient(r.status));
    if (is_trouble && c.patient && c.in_trouble) return wait_for_service(c);
    action next = after_failure(answer, r, c, is_trouble);
    next.is_trouble = is_trouble;
    return next;
}

/// After the deadline, a job that is to be read once ends with the error, and any other job with
/// still_processing.
OCRPIPE_DECL action result_fsm::after_failure(exchange_result const& answer, result_reading const& r,
                                              result_context const& c, bool is_trouble)
{
    auto const delay = counter_.failed(c);
    bool const foreign = is_elsewhere(r);
    bool const refused = answer && (r.status >= 400 || r.status < 200);
    errc code = detail::code_of(answer, errc::unexpected_answer);
    if (foreign && !c.route_succeeded) code = errc::wrong_base_url;
    if (r.what == result_verdict::misdirected) code = errc::redirect_refused;
    if (refused) code = detail::is_transient(r.status) ? errc::service_error : errc::rejected;

    bool const is_own = (foreign || refused) && counter_.fails_alone(c.retry);
    bool const is_nobodys = foreign && !c.route_succeeded && counter_.used_up(c.retry);
    if (is_own || is_nobodys) return fail(answer, r, code, attempts_used(r, c));
    bool const has_time = is_trouble && has_deadline() && may_be_outage(c);
    if (has_time) deadline_ = std::max(deadline_ + unanswered_for(answer, c), c.now) + delay;
    if (has_time || !is_late(c)) return wait_as_asked(delay, answer, c);
    if (latest() == deadline_) code = errc::still_processing;
    return fail(answer, r, code, fmt::format("{}; the deadline has passed", r.row));
}

OCRPIPE_DECL action result_fsm::unreadable(exchange_result& answer, result_reading const& r)
{
    std::string reason(r.row);
    if (auto const position = find_json_error(answer->body)) reason += "; " + to_string(*position);
    failure f = detail::failure_from(answer, errc::unreadable_answer, r.status, std::move(reason));
    f.answer = std::make_shared<std::string const>(std::move(answer->body));
    return finish(std::move(f));
}

/// Handles a read that our own side ended. A momentarily full queue is no reason to give up the job.
OCRPIPE_DECL action result_fsm::stopped(exchange_result const& answer, result_reading const& r,
                                        result_context const& c)
{
    errc const code = detail::code_of(answer, errc::unexpected_answer);
    if (code == errc::too_many_waiting && !is_late(c)) return wait(until_next_poll(c), c);
    if (code == errc::deadline_exceeded || code == errc::too_many_waiting)
        return fail(answer, r, errc::still_processing, "the deadline has passed");
    return fail(answer, r, code);
}

OCRPIPE_DECL std::string result_fsm::attempts_used(result_reading const& r, result_context const& c) const
{
    return fmt::format("{}; {} of {} attempts in a row used", r.row,
                       counter_.fails_alone(c.retry) ? counter_.own_failures : counter_.failures_in_row,
                       c.retry.max_attempts);
}

} // namespace ocrpipe

#endif
