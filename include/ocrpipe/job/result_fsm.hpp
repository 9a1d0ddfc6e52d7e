#ifndef OCRPIPE_JOB_RESULT_FSM_HPP
#define OCRPIPE_JOB_RESULT_FSM_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/job/detail/basic_fsm.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>

#include <chrono>
#include <cstdint>
#include <ratio>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// What a job's state machine receives with every event, apart from the job's own state.
struct result_context : fsm_context {
    poll_schedule const& schedule;
    std::string_view request_id;
    std::string_view doc_type;
    std::uint64_t document_bytes = 0;
    bool route_succeeded = false;             ///< a result GET of any job of this client has succeeded before
    std::chrono::milliseconds settle_time{0}; ///< if longer than the profile's; see settle_window
};

/// The outcome of a job that succeeded.
struct read_outcome {
    std::string raw; ///< the service's JSON, byte for byte
    completeness how_complete = completeness::whole;
    int reads = 0;
    bool recognized = true; ///< as in ocr_result
    /// How long the job had been seen finished before its content came; 0 if it came at once.
    std::chrono::milliseconds content_delay{0};
    clock::time_point read_at{};
};

/// State machine of a submitted job: polls until the job finishes, fails, or its deadline passes. Pure, and
/// small, because a million of them may wait at once.
///
/// Pending jobs are polled again by the schedule, failed reads after a backoff. Before the deadline, only an
/// answer about the job itself can end it, or retry_policy::max_attempts failed reads in a row: errors while
/// reads of other jobs succeed, or pages that do not come from the service. A connection failure says nothing
/// about the job. If only this job is refused, such as by 403, it ends with errc::rejected. At the deadline
/// the job is read one last time. If the deadline had already passed when the job was started, it is read
/// once and ends with the outcome of that read.
class result_fsm : public detail::basic_fsm<read_outcome, phase::wait>
{
public:
    result_fsm(clock::time_point started, clock::time_point deadline) : basic_fsm(deadline), started_(started)
    {
    }

    /// The job was finished before, without all of its content. What it has now is its result: the settle
    /// window has passed. Call this before start().
    void assume_settled() noexcept { history_.settled_before = true; }

    /// Returns the first wait.
    action start(result_context const& context);

    /// Handles the end of a read. If the job is done, the body is moved out of `answer` into the outcome.
    action resume(exchange_result& answer, result_context const& context);

    /// Handles a pause in which the job is not read. A patient job waits until it ends, and its deadline
    /// stands still. Another one waits until its deadline at most.
    action hold(clock::time_point until, fsm_context const& context);

    /// Whether hold() may be called: the job is patient, or its deadline is ahead.
    bool may_wait(fsm_context const& c) const noexcept { return c.patient || c.now < latest(); }

    /// When the job ends even if it cannot be read: the deadline, or time_point::max() if it is to be read
    /// once.
    clock::time_point latest() const noexcept
    {
        return has_deadline() ? deadline_ : clock::time_point::max();
    }

    /// Whether the last read was good: the service answered, and the answer was about this job.
    bool read_well() const noexcept { return read_well_; }

    /// When the job was read, as far as it came; not `ready`.
    job_times times() const noexcept;

private:
    /// Since `started_`, in four bytes because many jobs may wait: up to five days. Zero: not yet.
    using offset = std::chrono::duration<std::uint32_t, std::ratio<1, 10'000>>;
    offset offset_of(clock::time_point t) const noexcept;

    /// False if the job is to be read only once.
    bool has_deadline() const noexcept { return deadline_ > started_; }
    bool is_late(fsm_context const& c) const noexcept { return c.now >= deadline_; }
    std::chrono::milliseconds until_next_poll(result_context const& c) const;
    action wait(std::chrono::milliseconds delay, fsm_context const& c) const;

    action done(exchange_result& answer, result_reading const& r, completeness how_complete,
                std::chrono::milliseconds content_delay, clock::time_point now);
    action pending(exchange_result const& answer, result_reading const& r, result_context const& c);
    action throttled(exchange_result const& answer, result_reading const& r, result_context const& c);
    action wait_as_asked(std::chrono::milliseconds own, exchange_result const& answer, fsm_context const& c);
    action failed_read(exchange_result const& answer, result_reading const& r, result_context const& c);
    action after_failure(exchange_result const& answer, result_reading const& r, result_context const& c,
                         bool is_trouble);
    action unreadable(exchange_result& answer, result_reading const& r);
    action stopped(exchange_result const& answer, result_reading const& r, result_context const& c);

    std::string attempts_used(result_reading const& r, result_context const& c) const;

    std::uint16_t pending_ = 0; ///< polls answered with "not yet"
    bool read_well_ = false;
    offset first_pending_{0};
    offset last_pending_{0};
    clock::time_point started_;
    result_history history_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/result_fsm.ipp>
#endif

#endif
