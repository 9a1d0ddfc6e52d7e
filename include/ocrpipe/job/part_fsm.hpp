#ifndef OCRPIPE_JOB_PART_FSM_HPP
#define OCRPIPE_JOB_PART_FSM_HPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/job/action.hpp>

#include <optional>
#include <string>

namespace ocrpipe
{

/// The life of one table, signature, stamp or image: read until it is there or absent. Pure.
///
/// A part that is missing inside the settle window is asked for again; after it, it is absent. Never affects
/// its document.
class part_fsm
{
public:
    part_fsm(operation kind, clock::time_point deadline) : kind_(kind), deadline_(deadline) {}

    action start(clock::time_point now) const noexcept { return action{step::send, now}; }

    /// A read ended; what `answer` holds is moved into the outcome when the part is there.
    action resume(exchange_result& answer, response_profile const& profile, retry_policy const& policy,
                  clock::time_point now, double random);

    action give_up(errc why, std::string reason);

    /// After step::finish; the request_id of a failure is the caller's to add.
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
