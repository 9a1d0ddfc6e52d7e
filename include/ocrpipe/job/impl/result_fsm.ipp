#ifndef OCRPIPE_JOB_IMPL_RESULT_FSM_IPP
#define OCRPIPE_JOB_IMPL_RESULT_FSM_IPP

#include <ocrpipe/api/strict_json.hpp>
#include <ocrpipe/job/result_fsm.hpp>

#include <fmt/format.h>

namespace ocrpipe
{
namespace detail
{

inline std::chrono::milliseconds next_poll(result_context const& c, int polls, clock::duration age,
                                           double random)
{
    poll_context job;
    job.doc_type = c.doc_type;
    job.document_bytes = c.document_bytes;
    job.polls = polls;
    job.age = std::chrono::duration_cast<std::chrono::milliseconds>(age);
    return c.schedule.next_delay(job, random);
}

} // namespace detail

OCRPIPE_DECL action result_fsm::start(result_context const& context, clock::time_point now, double random)
{
    return wait(detail::next_poll(context, 0, now - taken_up_, random), now);
}

/// Waits, but not beyond the deadline, when the last read is due.
OCRPIPE_DECL action result_fsm::wait(std::chrono::milliseconds delay, clock::time_point now)
{
    return action{step::wait, std::max(now, std::min(now + delay, deadline_))};
}

OCRPIPE_DECL action result_fsm::finish(failure f)
{
    f.attempts = counter_.attempts;
    outcome_ = std::make_unique<result<read_outcome>>(std::move(f));
    return action{step::finish, {}};
}

OCRPIPE_DECL action result_fsm::done(exchange_result& answer, completeness how_complete, bool recognized)
{
    read_outcome r;
    r.raw = std::move(answer->body);
    r.how_complete = how_complete;
    r.reads = counter_.attempts;
    r.recognized = recognized;
    outcome_ = std::make_unique<result<read_outcome>>(std::move(r));
    return action{step::finish, {}};
}

OCRPIPE_DECL action result_fsm::give_up(errc why, std::string reason)
{
    failure f;
    f.code = why;
    f.where = phase::wait;
    f.reason = std::move(reason);
    return finish(std::move(f));
}

/// Pauses the origin for as long as the service asks; the job also waits for its own poll interval.
OCRPIPE_DECL action result_fsm::throttled(http_response const& answer, result_context const& context,
                                          clock::time_point now, double random)
{
    auto const own = detail::next_poll(context, pending_, now - taken_up_, random);
    return action{step::pause_origin, now + counter_.throttled(&answer, context.retry, random), now + own};
}

/// Handles a failed read. After the deadline, its error is reported only if the job is read once; otherwise
/// still_processing is.
OCRPIPE_DECL action result_fsm::failed_read(exchange_result const& answer, result_reading const& r,
                                            result_context const& context, clock::time_point now,
                                            double random)
{
    if (counter_.failures_in_row == 0) good_reads_before_ = context.good_reads;
    auto const delay = counter_.failed(context.retry, random);
    bool const foreign = r.what == result_verdict::foreign;
    bool const refused = answer && (r.status >= 400 || r.status < 200);
    errc code = detail::code_of(answer, errc::unexpected_answer);
    if (foreign && !context.route_succeeded) code = errc::wrong_base_url;
    if (refused) code = detail::is_transient(r.status) ? errc::service_error : errc::rejected;

    bool const spent = counter_.failures_in_row >= context.retry.max_attempts;
    bool const others_pass = context.good_reads != good_reads_before_;
    if (spent && (foreign || (refused && others_pass)))
        return finish(
            detail::failure_from(answer, code, r.status,
                                 fmt::format("{}; {} of {} attempts in a row used", r.row,
                                             counter_.failures_in_row, context.retry.max_attempts)));
    if (now < deadline_) return wait(delay, now);
    if (latest() == deadline_) code = errc::still_processing;
    return finish(
        detail::failure_from(answer, code, r.status, fmt::format("{}; the deadline has passed", r.row)));
}

OCRPIPE_DECL action result_fsm::resume(exchange_result& answer, result_context const& context,
                                       clock::time_point now, double random)
{
    if (counter_.attempts != UINT16_MAX) ++counter_.attempts;
    result_reading const r =
        read_result(answer, history_, context.profile, context.request_id, context.route_succeeded, now);
    auto const end = [&](errc code, std::string reason) {
        return finish(detail::failure_from(answer, code, r.status, std::move(reason)));
    };
    bool const late = now >= deadline_;
    read_well_ = answer && r.status < 300 && r.what != result_verdict::retry &&
                 r.what != result_verdict::foreign && r.what != result_verdict::throttled;
    switch (r.what) {
    case result_verdict::done:
        return done(answer, completeness::whole, r.recognized);
    case result_verdict::done_in_part:
        return done(answer, completeness::in_part, r.recognized);
    case result_verdict::done_empty:
        return done(answer, completeness::empty, r.recognized);
    case result_verdict::pending: {
        if (late) return end(errc::still_processing, fmt::format("{}; the deadline has passed", r.row));
        counter_.succeeded();
        if (pending_ != UINT16_MAX) ++pending_;
        if (!answer->retry_after.empty()) return throttled(*answer, context, now, random);
        return wait(detail::next_poll(context, pending_, now - taken_up_, random), now);
    }
    case result_verdict::throttled: {
        action const pause = throttled(*answer, context, now, random);
        if (!late) return pause;
        end(errc::still_processing, "throttled, and the deadline has passed");
        return action{step::finish, pause.until};
    }
    case result_verdict::retry:
    case result_verdict::foreign:
        return failed_read(answer, r, context, now, random);
    case result_verdict::credentials_refused:
        if (counter_.failures_in_row == 0) good_reads_before_ = context.good_reads;
        counter_.failed(context.retry, random);
        // The credentials are accepted for other jobs.
        if (counter_.failures_in_row >= context.retry.max_attempts &&
            context.good_reads != good_reads_before_)
            return end(errc::rejected, fmt::format("{}; {} of {} attempts in a row used", r.row,
                                                   counter_.failures_in_row, context.retry.max_attempts));
        return action{step::pause_lane, now};
    case result_verdict::wrong_base_url:
        return end(errc::wrong_base_url, std::string(r.row));
    case result_verdict::rejected:
        return end(errc::rejected, std::string(r.row));
    case result_verdict::unreadable: {
        auto const position = find_json_error(answer->body);
        failure f = detail::failure_from(answer, errc::unreadable_answer, r.status,
                                         position ? fmt::format("{}; {}", r.row, to_string(*position))
                                                  : std::string(r.row));
        f.answer = std::make_shared<std::string const>(std::move(answer->body));
        return finish(std::move(f));
    }
    case result_verdict::job_failed:
        return end(errc::job_failed, std::string(r.row));
    case result_verdict::expired:
        return end(errc::job_expired, std::string(r.row));
    case result_verdict::lost:
        return end(errc::job_lost, std::string(r.row));
    case result_verdict::misdirected:
        return end(errc::redirect_refused, std::string(r.row));
    case result_verdict::stopped:
        break;
    }
    // Our own side ended the read. A momentarily full queue is no reason to give up the job.
    errc const code = detail::code_of(answer, errc::unexpected_answer);
    if (code == errc::too_many_waiting && !late)
        return wait(detail::next_poll(context, pending_, now - taken_up_, random), now);
    if (code == errc::deadline_exceeded || code == errc::too_many_waiting)
        return end(errc::still_processing, "the deadline has passed");
    return end(code, std::string(r.row));
}

OCRPIPE_DECL result<read_outcome> result_fsm::outcome() && { return std::move(*outcome_); }

} // namespace ocrpipe

#endif
