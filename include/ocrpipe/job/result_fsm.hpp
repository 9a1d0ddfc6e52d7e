#ifndef OCRPIPE_JOB_RESULT_FSM_HPP
#define OCRPIPE_JOB_RESULT_FSM_HPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/job/action.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// The inputs for reading a result, apart from the job's own state.
struct result_context {
    response_profile const& profile;
    retry_policy const& retry;
    poll_schedule const& schedule;
    std::string_view request_id;
    std::string_view doc_type;
    std::uint64_t document_bytes = 0;
    bool route_succeeded = false; ///< a result GET of any job of this client has succeeded before
    /// Number of good reads of all jobs of this client so far; may wrap around.
    std::uint32_t good_reads = 0;
};

/// The outcome of a job that succeeded.
struct read_outcome {
    std::string raw; ///< the service's JSON, byte for byte
    completeness how_complete = completeness::whole;
    int reads = 0;
    bool recognized = true; ///< as in ocr_result
};

/// State machine of a submitted job: polls until the job finishes, fails, or its deadline passes. Pure, and
/// small, because a million of them may wait at once.
///
/// Pending jobs are polled again by the schedule, failed reads after a backoff. Before the deadline, only an
/// answer about the job itself can end it, or retry_policy::max_attempts failed reads in a row: refusals
/// while reads of other jobs succeed, or pages that do not come from the service. A connection failure says
/// nothing about the job. At the deadline the job is read one last time. If the deadline had already passed
/// when the job was taken up, it is read once and ends with the outcome of that read.
class result_fsm
{
public:
    result_fsm(clock::time_point taken_up, clock::time_point deadline)
        : taken_up_(taken_up), deadline_(deadline)
    {
    }

    /// Returns the first wait.
    action start(result_context const& context, clock::time_point now, double random);

    /// Handles the end of a read. If the job is done, the body is moved out of `answer` into the outcome.
    action resume(exchange_result& answer, result_context const& context, clock::time_point now,
                  double random);

    /// Called by the shell to stop; the job continues at the service.
    action give_up(errc why, std::string reason);

    /// When the job ends even if it cannot be read: the deadline, or time_point::max() if it is to be read
    /// once.
    clock::time_point latest() const noexcept
    {
        return deadline_ > taken_up_ ? deadline_ : clock::time_point::max();
    }

    /// Whether the last read was good: the service answered, and the answer was about this job.
    bool read_well() const noexcept { return read_well_; }

    /// Call after step::finish. The caller adds the request_id to a failure.
    result<read_outcome> outcome() &&;

private:
    action wait(std::chrono::milliseconds delay, clock::time_point now);
    action finish(failure f);
    action done(exchange_result& answer, completeness how_complete, bool recognized);
    action throttled(http_response const& answer, result_context const& context, clock::time_point now,
                     double random);
    action failed_read(exchange_result const& answer, result_reading const& r, result_context const& context,
                       clock::time_point now, double random);

    clock::time_point taken_up_;
    clock::time_point deadline_;
    result_history history_;
    detail::attempt_counter counter_;
    std::uint16_t pending_ = 0;
    std::uint32_t good_reads_before_ = 0; ///< of all jobs, when the current run of failed reads began
    bool read_well_ = false;
    std::unique_ptr<result<read_outcome>> outcome_; ///< allocated on finish, to keep waiting jobs small
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/result_fsm.ipp>
#endif

#endif
