#ifndef OCRPIPE_JOB_ACTION_HPP
#define OCRPIPE_JOB_ACTION_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/pace/backoff.hpp>
#include <ocrpipe/pace/retry_after.hpp>
#include <ocrpipe/pace/retry_policy.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace ocrpipe
{

/// What the shell around a state machine does next.
enum class step {
    send,         ///< take rate tokens and a connection, exchange, resume with the outcome
    wait,         ///< nothing before `until`, then send
    pause_origin, ///< nobody sends before `until`, then send; `until` may lie beyond the deadline
    pause_lane,   ///< the credentials were refused: ask the shared gate, then send or give up
    finish,       ///< take the outcome
};

struct action {
    step what;
    clock::time_point until; ///< of wait and pause_origin; of a finish: nobody else sends before it either
    clock::time_point own{}; ///< of pause_origin: when this one sends again, if that is later
};

namespace detail
{

/// What the three machines share: attempts, failures in a row, and the facts of the last answer.
struct attempt_counter {
    std::uint16_t attempts = 0;        ///< requests answered or failed
    std::uint16_t failures_in_row = 0; ///< that cost an attempt
    std::uint16_t throttled_in_row = 0;

    /// How long a throttled answer asks everybody to wait: its Retry-After, or a backoff of ours when that is
    /// longer or alone.
    std::chrono::milliseconds throttled(http_response const* answer, retry_policy const& policy,
                                        double random)
    {
        if (throttled_in_row != UINT16_MAX) ++throttled_in_row;
        auto const own = backoff_delay(policy, throttled_in_row, true, random);
        if (!answer || answer->retry_after.empty()) return own;
        auto const asked = parse_retry_after(answer->retry_after, answer->date);
        if (!asked) return own;
        auto const bounded = std::min(*asked, policy.max_retry_after);
        // Up to a tenth more, so that not everybody comes back at the same moment.
        return std::max(own, bounded + std::chrono::milliseconds(static_cast<std::int64_t>(
                                           static_cast<double>(bounded.count()) * random / 10)));
    }

    /// How long to back off after a failure that cost an attempt.
    std::chrono::milliseconds failed(retry_policy const& policy, double random)
    {
        throttled_in_row = 0;
        if (failures_in_row != UINT16_MAX) ++failures_in_row;
        return backoff_delay(policy, failures_in_row, false, random);
    }

    void succeeded() noexcept { failures_in_row = throttled_in_row = 0; }
};

/// The facts of an answer, or of its absence, as a failure.
inline failure failure_from(exchange_result const& answer, errc code, int status, std::string reason)
{
    failure f;
    f.code = code;
    f.reason = std::move(reason);
    if (answer) {
        f.where = phase::classify;
        f.http_status = status;
        f.excerpt = printable_excerpt(answer->body);
    } else {
        f.where = answer.error().where;
        f.cause = answer.error().code != code ? answer.error().code : answer.error().cause;
        if (!answer.error().detail.empty())
            f.reason += (f.reason.empty() ? "" : ", ") + answer.error().detail;
    }
    return f;
}

/// Whether a refusal may be gone at the next read; else it is about the request.
inline bool is_transient(int status) noexcept
{
    return status >= 500 || status < 200 || status == 408 || status == 409 || status == 423 || status == 425;
}

/// The code of a failure that a transport or our own side caused.
inline errc code_of(exchange_result const& answer, errc otherwise) noexcept
{
    bool const ours = !answer && answer.error().code.category() == category();
    return ours ? static_cast<errc>(answer.error().code.value()) : otherwise;
}

} // namespace detail
} // namespace ocrpipe

#endif
