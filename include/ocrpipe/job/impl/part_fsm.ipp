#ifndef OCRPIPE_JOB_IMPL_PART_FSM_IPP
#define OCRPIPE_JOB_IMPL_PART_FSM_IPP

#include <ocrpipe/job/part_fsm.hpp>

#include <fmt/format.h>

namespace ocrpipe
{

OCRPIPE_DECL action part_fsm::finish(failure f)
{
    f.attempts = counter_.attempts;
    failed_ = std::move(f);
    return action{step::finish, {}};
}

OCRPIPE_DECL action part_fsm::give_up(errc why, std::string reason)
{
    failure f;
    f.code = why;
    f.where = phase::pace;
    f.reason = std::move(reason);
    return finish(std::move(f));
}

OCRPIPE_DECL action part_fsm::resume(exchange_result& answer, response_profile const& profile,
                                     retry_policy const& policy, clock::time_point now, double random)
{
    ++counter_.attempts;
    part_reading const r = read_part(answer, history_, profile, kind_, now);
    auto const end = [&](errc code, std::string reason) {
        return finish(detail::failure_from(answer, code, r.status, std::move(reason)));
    };
    auto const wait = [&](std::chrono::milliseconds delay, errc otherwise) {
        if (now + delay >= deadline_) return end(otherwise, fmt::format("{}; the deadline is near", r.row));
        return action{step::wait, now + delay};
    };
    switch (r.what) {
    case part_verdict::done:
        part_.kind = kind_;
        part_.raw = std::move(answer->body);
        part_.content_type = std::move(answer->content_type);
        return action{step::finish, {}};
    case part_verdict::pending:
        counter_.succeeded();
        // Spreads the reads evenly over the settle window.
        return wait(profile.settle_time / profile.settle_reads + std::chrono::milliseconds(1),
                    errc::deadline_exceeded);
    case part_verdict::absent:
        return end(errc::part_absent, std::string(r.row));
    case part_verdict::retry: {
        errc const code =
            answer ? (detail::is_transient(r.status) ? errc::service_error : errc::unexpected_answer)
                   : detail::code_of(answer, errc::unexpected_answer);
        auto const delay = counter_.failed(policy, random);
        if (counter_.failures_in_row >= policy.max_attempts)
            return end(code, fmt::format("{}; {} of {} attempts used", r.row, counter_.failures_in_row,
                                         policy.max_attempts));
        return wait(delay, code);
    }
    case part_verdict::throttled: {
        clock::time_point const until = now + counter_.throttled(&*answer, policy, random);
        if (until < deadline_) return action{step::pause_origin, until};
        end(errc::throttled, std::string(r.row));
        return action{step::finish, until};
    }
    case part_verdict::credentials_refused:
        return action{step::pause_lane, now};
    case part_verdict::rejected:
        return end(errc::rejected, std::string(r.row));
    case part_verdict::misdirected:
        return end(errc::redirect_refused, std::string(r.row));
    case part_verdict::stopped:
        break;
    }
    return end(detail::code_of(answer, errc::unexpected_answer), std::string(r.row));
}

OCRPIPE_DECL result<part_data> part_fsm::outcome() &&
{
    if (failed_) return *std::move(failed_);
    return std::move(part_);
}

} // namespace ocrpipe

#endif
