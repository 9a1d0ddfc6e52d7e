#ifndef OCRPIPE_JOB_ACTION_HPP
#define OCRPIPE_JOB_ACTION_HPP

#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/pace/retry_policy.hpp>

#include <cstdint>

namespace ocrpipe
{

/// What the shell around a state machine does next.
enum class step {
    send,         ///< acquire rate tokens and a connection, send, resume with the outcome
    wait,         ///< wait until `until`, then send
    pause_origin, ///< no request may be sent before `until`, then send; may be after the deadline
    refused,      ///< as all requests may be: ask the gate of this kind of request, then send or give up
    unreachable,  ///< the service cannot be reached: ask the gate of outages, then send
    finish,       ///< call outcome()
};

struct action {
    step what;
    clock::time_point until; ///< for wait and pause_origin; with finish: pauses the origin
    clock::time_point own{}; ///< for pause_origin: when this request is sent again, if later than `until`
    /// For refused: the error, if all requests are refused. With finish: the same, of a request that ended
    /// because it alone is refused.
    errc why = errc::ok;
    /// The request failed in a way that may mean that the service is in trouble: it got an error, a page that
    /// is not the service's, or no answer.
    bool is_trouble = false;
    /// With wait or finish: the service throttles only this request and answers others, so the others need
    /// not wait.
    bool is_throttled_alone = false;
};

/// What a state machine receives with every event: the settings, the time and a random number.
///
/// All machines have one interface. start() and resume() return the next action. resume() is called at the
/// end of each exchange, and may move the answer's body away. give_up() ends the machine early. outcome()
/// returns the result or the failure.
struct fsm_context {
    response_profile const& profile;
    retry_policy const& retry;
    clock::time_point now;
    double random; ///< uniform in [0, 1)
    /// Good answers to requests of this kind so far, of all documents of the client; may wrap around.
    std::uint32_t good_answers = 0;
    /// How many times such requests were refused and accepted again; may wrap around.
    std::uint32_t recoveries = 0;
    /// Whether such requests were accepted before, in this run or an earlier one.
    bool was_accepted = false;
    /// Whether pauses and outages are waited out: they cost no attempt, and the deadline stands still.
    bool patient = false;
    /// Whether the last requests, of whatever kind, got no answer.
    bool silent = false;
    /// Answers to all requests of the client so far; may wrap around.
    std::uint32_t answers = 0;
    /// Whether patient requests of this kind are paused, because the service is in trouble.
    bool in_trouble = false;
    /// Good answers to requests of all kinds so far, and answers that asked to slow down; may wrap around.
    std::uint32_t all_good_answers = 0;
    std::uint32_t all_throttled = 0;
    bool is_last = false; ///< no other job and no other submit is under way
    /// Whether submits are under way whose answers showed no trouble of the service.
    bool others_may_probe = false;
};

} // namespace ocrpipe

#endif
