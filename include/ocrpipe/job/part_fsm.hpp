#ifndef OCRPIPE_JOB_PART_FSM_HPP
#define OCRPIPE_JOB_PART_FSM_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/job/detail/basic_fsm.hpp>

namespace ocrpipe
{

/// State machine that reads one table, signature, stamp or image until it is present or absent. Pure.
///
/// A part that is missing is requested again during the settle window; after that it counts as absent. A
/// missing part never affects its document. A throttled read costs no attempt, and its pause does not count
/// against the deadline. A patient part waits out outages; if other requests get answers and no other part is
/// read, it is read for at least `longest_trouble`.
class part_fsm : public detail::basic_fsm<part_data, phase::pace>
{
public:
    /// How long failed reads may be the trouble of the service, not of this part.
    static constexpr std::chrono::seconds longest_trouble{60};

    part_fsm(operation kind, clock::time_point deadline) : basic_fsm(deadline), kind_(kind) {}

    action start(fsm_context const& context) const noexcept { return action{step::send, context.now}; }

    /// Handles the end of a read. If the part is present, the body is moved out of `answer` into the outcome.
    action resume(exchange_result& answer, fsm_context const& context);

    /// Time that does not count against the deadline has passed, such as the wait for a rate limit.
    void extend_deadline(clock::duration by) noexcept
    {
        deadline_ += by;
        failing_since_ += by;
    }

private:
    action ask_again(exchange_result const& answer, part_reading const& r, fsm_context const& c);
    action throttled(exchange_result const& answer, part_reading const& r, fsm_context const& c);
    action failed_read(exchange_result const& answer, part_reading const& r, fsm_context const& c);
    action after_failure(exchange_result const& answer, part_reading const& r, fsm_context const& c);

    operation kind_;
    clock::time_point failing_since_{}; ///< when the first of the failures in a row was seen
    part_history history_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/part_fsm.ipp>
#endif

#endif
