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
    send,         ///< acquire rate tokens and a connection, send, resume with the outcome
    wait,         ///< wait until `until`, then send
    pause_origin, ///< no request may be sent before `until`, then send; may be after the deadline
    pause_lane,   ///< the credentials were refused: ask the shared auth_gate, then send or give up
    finish,       ///< take the outcome
};

struct action {
    step what;
    clock::time_point until; ///< for wait and pause_origin; with finish, it pauses the origin for the others
    clock::time_point own{}; ///< for pause_origin: when this request is sent again, if later than `until`
};

namespace detail
{

/// State shared by the three machines: attempts and failures in a row.
struct attempt_counter {
    std::uint16_t attempts = 0;        ///< requests answered or failed
    std::uint16_t failures_in_row = 0; ///< those that count as attempts
    std::uint16_t throttled_in_row = 0;

    /// How long a throttled answer pauses the origin: its Retry-After, or our own backoff if that is longer
    /// or there is no Retry-After.
    std::chrono::milliseconds throttled(http_response const* answer, retry_policy const& policy,
                                        double random)
    {
        if (throttled_in_row != UINT16_MAX) ++throttled_in_row;
        auto const own = backoff_delay(policy, throttled_in_row, true, random);
        if (!answer || answer->retry_after.empty()) return own;
        auto const asked = parse_retry_after(answer->retry_after, answer->date);
        if (!asked) return own;
        auto const bounded = std::min(*asked, policy.max_retry_after);
        // Adds up to 10 % of jitter, so that clients do not all return at the same moment.
        return std::max(own, bounded + std::chrono::milliseconds(static_cast<std::int64_t>(
                                           static_cast<double>(bounded.count()) * random / 10)));
    }

    /// Backoff after a failure that counts as an attempt.
    std::chrono::milliseconds failed(retry_policy const& policy, double random)
    {
        throttled_in_row = 0;
        if (failures_in_row != UINT16_MAX) ++failures_in_row;
        return backoff_delay(policy, failures_in_row, false, random);
    }

    void succeeded() noexcept { failures_in_row = throttled_in_row = 0; }
};

/// Makes a failure from an answer or a transport error.
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

/// Whether a refusal may be temporary; otherwise it concerns the request itself.
inline bool is_transient(int status) noexcept
{
    return status >= 500 || status < 200 || status == 408 || status == 409 || status == 423 || status == 425;
}

/// The errc of a failure caused by the transport or by our own side; `otherwise` if there is none.
inline errc code_of(exchange_result const& answer, errc otherwise) noexcept
{
    bool const ours = !answer && answer.error().code.category() == category();
    return ours ? static_cast<errc>(answer.error().code.value()) : otherwise;
}

} // namespace detail
} // namespace ocrpipe

#endif
