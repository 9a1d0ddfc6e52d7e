#ifndef OCRPIPE_JOB_PART_FSM_HPP
#define OCRPIPE_JOB_PART_FSM_HPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/job/action.hpp>

#include <optional>
#include <string>

namespace ocrpipe
{

/// State machine that reads one table, signature, stamp or image until it is present or absent. Pure.
///
/// A part that is missing is requested again during the settle window; after that it counts as absent. A
/// missing part never affects its document.
class part_fsm
{
public:
    part_fsm(operation kind, clock::time_point deadline) : kind_(kind), deadline_(deadline) {}

    action start(clock::time_point now) const noexcept { return action{step::send, now}; }

    /// Handles the end of a read. If the part is present, the body is moved out of `answer` into the outcome.
    action resume(exchange_result& answer, response_profile const& profile, retry_policy const& policy,
                  clock::time_point now, double random);

    action give_up(errc why, std::string reason);

    /// Call after step::finish. The caller adds the request_id to a failure.
    result<part_data> outcome() &&;

private:
    action finish(failure f);

    operation kind_;
    clock::time_point deadline_;
    part_history history_;
    detail::attempt_counter counter_;
    part_data part_;
    std::optional<failure> failed_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/part_fsm.ipp>
#endif

#endif
