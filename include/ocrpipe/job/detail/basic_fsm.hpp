#ifndef OCRPIPE_JOB_DETAIL_BASIC_FSM_HPP
#define OCRPIPE_JOB_DETAIL_BASIC_FSM_HPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/job/action.hpp>
#include <ocrpipe/pace/backoff.hpp>
#include <ocrpipe/pace/retry_after.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::detail
{

/// Whether the service could not be reached: nothing of the request was sent, and that is no matter of this
/// request.
inline bool is_unreachable(exchange_result const& answer) noexcept
{
    if (answer || answer.error().sent != bytes_sent::none) return false;
    error_code const& code = answer.error().code;
    return code == errc::resolve_failed || code == errc::connect_failed || code == errc::connect_timeout ||
           code == errc::proxy_refused || code == errc::tls_failed || code == errc::tls_timeout;
}

/// Attempts, and failures in a row.
struct attempt_counter {
    std::uint16_t attempts = 0;        ///< requests answered or failed
    std::uint16_t failures_in_row = 0; ///< those that count as attempts
    std::uint16_t own_failures = 0;    ///< of these, the first, and each before which others succeeded
    std::uint16_t throttled_in_row = 0;
    std::uint16_t throttled_alone = 0;   ///< of these, those before which others were answered, not throttled
    std::uint16_t refusals = 0;          ///< in a row, of the credentials or the address
    std::uint32_t good_answers_then = 0; ///< fsm_context::good_answers at the last of the failures
    std::uint32_t answers_then = 0;      ///< fsm_context::answers at the first of them
    std::uint32_t recoveries_then = 0;   ///< fsm_context::recoveries when the refusals began
    std::uint32_t all_good_then = 0;     ///< fsm_context::all_good_answers at the last throttled answer
    std::uint32_t all_throttled_then = 0;

    /// How long a throttled answer pauses the origin: its Retry-After, or our own backoff if that is longer
    /// or there is no Retry-After.
    std::chrono::milliseconds throttled(http_response const& answer, fsm_context const& c)
    {
        bool const others_succeed = std::exchange(all_good_then, c.all_good_answers) != c.all_good_answers;
        std::uint32_t const asked = c.all_throttled - std::exchange(all_throttled_then, c.all_throttled);
        // Only this request was throttled while others were answered, and those others have ended.
        bool const is_left = c.is_last && throttled_alone != 0;
        bool const only_this_asked = throttled_in_row != 0 && asked == 1; // the one before
        bool const is_alone = only_this_asked && (others_succeed || is_left);
        if (is_alone && throttled_alone != UINT16_MAX) ++throttled_alone;
        if (throttled_in_row != UINT16_MAX) ++throttled_in_row;
        return std::max(backoff_delay(c.retry, throttled_in_row, true, c.random), asked_by(answer, c));
    }

    /// Whether the service throttles this request while it answers others: then the others need not wait.
    bool is_throttled_alone() const noexcept { return throttled_alone >= 3; }

    /// Whether it was throttled alone so often that its deadline no longer stands still.
    bool has_waited_enough() const noexcept { return is_throttled_alone() && throttled_in_row >= 10; }
    /// Whether it was throttled alone so often that its document is given up. That takes about ten minutes.
    bool has_waited_in_vain() const noexcept { return is_throttled_alone() && throttled_in_row >= 30; }

    /// The answer's Retry-After, within the policy's limit; zero if it has none, or one that cannot be read.
    static std::chrono::milliseconds asked_by(http_response const& answer, fsm_context const& c)
    {
        if (answer.retry_after.empty()) return std::chrono::milliseconds::zero();
        auto const asked = parse_retry_after(answer.retry_after, answer.date);
        if (!asked) return std::chrono::milliseconds::zero();
        auto const bounded = std::min(*asked, c.retry.max_retry_after);
        // Adds up to 10 % of jitter, so that clients do not all return at the same moment.
        return bounded + std::chrono::milliseconds(
                             static_cast<std::int64_t>(static_cast<double>(bounded.count()) * c.random / 10));
    }

    /// Backoff after a failure that counts as an attempt.
    std::chrono::milliseconds failed(fsm_context const& c)
    {
        throttled_in_row = 0;
        bool const is_first = failures_in_row == 0;
        if (is_first) answers_then = c.answers;
        bool const others_succeed = std::exchange(good_answers_then, c.good_answers) != c.good_answers;
        if (failures_in_row != UINT16_MAX) ++failures_in_row;
        if ((is_first || others_succeed) && own_failures != UINT16_MAX) ++own_failures;
        return backoff_delay(c.retry, failures_in_row, false, c.random);
    }

    bool used_up(retry_policy const& policy) const noexcept { return failures_in_row >= policy.max_attempts; }

    void refused(fsm_context const& c)
    {
        if (refusals == 0) recoveries_then = c.recoveries;
        if (refusals != UINT16_MAX) ++refusals;
    }

    /// Whether this request used up its attempts while others succeeded. If no other succeeded since the last
    /// failure, the service fails, not this request.
    bool fails_alone(retry_policy const& policy) const noexcept
    {
        return own_failures >= std::max(policy.max_attempts, 2);
    }

    /// Whether a failure is an outage of the service, which costs a patient request no attempt: it cannot be
    /// reached, or no request got an answer lately, nor since this one began to fail.
    bool is_outage(exchange_result const& answer, fsm_context const& c) const noexcept
    {
        if (!c.patient || answer) return false;
        if (is_unreachable(answer)) return true;
        return c.silent && is_transport(answer.error().code) &&
               (failures_in_row == 0 || c.answers == answers_then);
    }

    void succeeded() noexcept
    {
        failures_in_row = own_failures = throttled_in_row = throttled_alone = refusals = 0;
    }
};

/// Whether a refusal may be temporary; otherwise it concerns the request itself.
inline bool is_transient(int status) noexcept
{
    return status >= 500 || status < 200 || status == 408 || status == 409 || status == 423 || status == 425;
}

/// Whether a gateway may refuse a document for what it is: its size, its type, its copy, how it is wrapped.
inline bool judges_documents(int status) noexcept
{
    return status == 400 || status == 409 || status == 413 || status == 415 || status == 422;
}

/// When the request was sent; time_point() if that is not known.
inline clock::time_point sent_at(exchange_result const& answer) noexcept
{
    return answer ? answer->sent_at : answer.error().sent_at;
}

/// The error of an answer that refuses the credentials, or of a proxy or a certificate that does.
inline errc refusal_of(exchange_result const& answer) noexcept
{
    return answer ? errc::unauthorized : static_cast<errc>(answer.error().code.value());
}

/// The errc of a failure caused by the transport or by our own side; `otherwise` if there is none.
inline errc code_of(exchange_result const& answer, errc otherwise) noexcept
{
    bool const ours = !answer && answer.error().code.category() == category();
    return ours ? static_cast<errc>(answer.error().code.value()) : otherwise;
}

/// A failure with the facts of an answer or of a transport error. `status`: as in a reading.
inline failure failure_from(exchange_result const& answer, errc code, int status, std::string reason)
{
    if (answer) {
        failure f(code, phase::classify, std::move(reason));
        f.http_status = status;
        f.excerpt = (answer->secrets ? *answer->secrets : secret_mask()).excerpt(answer->body);
        return f;
    }
    transport_failure const& broken = answer.error();
    if (!broken.detail.empty()) reason += (reason.empty() ? "" : ", ") + broken.detail;
    return failure(code, broken.where, std::move(reason), broken.code != code ? broken.code : broken.cause);
}

/// What the three machines share: the deadline, the attempts, the outcome, and the ways to end.
///
/// `Between`: the phase while no request is in progress.
template<class Outcome, phase Between>
class basic_fsm
{
public:
    /// Called by the shell to stop: no further request may be sent.
    action give_up(errc why, std::string reason) { return finish(failure(why, Between, std::move(reason))); }

    /// Whether the last answer refused this request in a way that may concern all of them.
    bool is_suspect() const noexcept { return counter_.refusals != 0; }

    /// Whether the last request failed in a way that may be the service's fault.
    bool is_failing() const noexcept { return counter_.failures_in_row != 0; }

    /// Requests answered or failed.
    int attempts() const noexcept { return counter_.attempts; }

    /// Call after step::finish. The caller adds the request_id to a failure.
    result<Outcome> outcome() && { return std::move(*outcome_); }

protected:
    explicit basic_fsm(clock::time_point deadline) : deadline_(deadline) {}

    action finish(Outcome&& o)
    {
        outcome_ = std::make_unique<result<Outcome>>(std::move(o));
        return action{step::finish, {}};
    }
    action finish(failure f)
    {
        f.attempts = counter_.attempts;
        outcome_ = std::make_unique<result<Outcome>>(std::move(f));
        return action{step::finish, {}};
    }
    template<class Verdict>
    action fail(exchange_result const& answer, reading<Verdict> const& r, errc code)
    {
        return fail(answer, r, code, std::string(r.row));
    }
    template<class Verdict>
    action fail(exchange_result const& answer, reading<Verdict> const& r, errc code, std::string reason)
    {
        return finish(failure_from(answer, code, r.status, std::move(reason)));
    }

    /// Sends the next request after `delay`. If that is past the deadline, fails with `code` and `too_late`.
    template<class Verdict>
    action next_after(std::chrono::milliseconds delay, exchange_result const& answer,
                      reading<Verdict> const& r, errc code, std::string_view too_late, fsm_context const& c)
    {
        if (c.now + delay >= deadline_) return fail(answer, r, code, fmt::format("{}; {}", r.row, too_late));
        return action{step::wait, c.now + delay};
    }

    /// Counts a failed attempt, and starts another one if attempts and time are left.
    template<class Verdict>
    action again(exchange_result const& answer, reading<Verdict> const& r, errc code,
                 std::string_view too_late, fsm_context const& c)
    {
        auto const delay = counter_.failed(c);
        if (counter_.used_up(c.retry))
            return fail(answer, r, code,
                        fmt::format("{}; {} of {} attempts used", r.row, counter_.failures_in_row,
                                    c.retry.max_attempts));
        return next_after(delay, answer, r, code, too_late, c);
    }

    /// Handles a refusal that may concern every request, such as 403: `code` is the error if it does. The
    /// refusal concerns this request alone if a probe of something else is accepted meanwhile, and this
    /// request is refused again. It also concerns this request alone after four refusals if others were
    /// accepted before and this one was not.
    template<class Verdict>
    action refused(exchange_result const& answer, reading<Verdict> const& r, errc code, fsm_context const& c,
                   bool was_allowed = false)
    {
        if (!is_refused_alone(c, was_allowed)) return action{step::refused, c.now, {}, code};
        action end = fail(answer, r, errc::rejected,
                          fmt::format("{}, {} times; other requests are accepted", r.row, counter_.refusals));
        end.why = code;
        return end;
    }

    /// Counts a refusal, and returns whether it concerns this request alone.
    bool is_refused_alone(fsm_context const& c, bool was_allowed = false)
    {
        counter_.refused(c);
        // Four attempts take seven seconds, in case all requests are refused for a moment.
        return c.recoveries != counter_.recoveries_then
                   ? counter_.refusals >= 2
                   : c.was_accepted && counter_.refusals >= 4 && !was_allowed;
    }

    /// A failure while the service is in trouble costs a patient request no attempt.
    static action wait_for_service(fsm_context const& c)
    {
        return action{step::unreachable, c.now, {}, errc::ok, true};
    }

    /// Whether a failure may be the beginning of an outage: nothing else succeeded since the last failure. If
    /// so, the time that the failure takes does not count against a patient request's deadline.
    bool may_be_outage(fsm_context const& c) const noexcept
    {
        return c.patient && counter_.own_failures < 2 && !counter_.used_up(c.retry);
    }

    /// How long a request waited for the answer that did not come.
    static clock::duration unanswered_for(exchange_result const& answer, fsm_context const& c)
    {
        if (answer || answer.error().sent_at == clock::time_point()) return clock::duration::zero();
        return std::max(c.now - answer.error().sent_at, clock::duration::zero());
    }

    /// Pauses the origin, and sends the next request afterwards. Fails if that is past the deadline. A
    /// request that is throttled alone does not pause the others, and fails in the end.
    template<class Verdict>
    action pause(exchange_result const& answer, reading<Verdict> const& r, fsm_context const& c)
    {
        clock::time_point const until = c.now + counter_.throttled(*answer, c);
        if (counter_.has_waited_in_vain())
            return end_throttled(answer, r, errc::throttled,
                                 fmt::format("{}, {} times in a row, while others were answered", r.row,
                                             counter_.throttled_in_row),
                                 until);
        if (until < deadline_)
            return counter_.is_throttled_alone() ? wait_alone(until) : action{step::pause_origin, until};
        return end_throttled(answer, r, errc::throttled, std::string(r.row), until);
    }

    /// Waits as the service asks, while others are answered.
    static action wait_alone(clock::time_point until)
    {
        action next{step::wait, until};
        next.is_throttled_alone = true;
        return next;
    }

    /// Ends a request that has no time left to wait. The origin pauses, unless this request is throttled
    /// alone.
    template<class Verdict>
    action end_throttled(exchange_result const& answer, reading<Verdict> const& r, errc code,
                         std::string reason, clock::time_point until)
    {
        action end = fail(answer, r, code, std::move(reason));
        end.is_throttled_alone = counter_.is_throttled_alone();
        if (!end.is_throttled_alone) end.until = until;
        return end;
    }

    std::unique_ptr<result<Outcome>> outcome_; ///< allocated on finish, to keep waiting jobs small
    clock::time_point deadline_;
    attempt_counter counter_;
};

} // namespace ocrpipe::detail

#endif
