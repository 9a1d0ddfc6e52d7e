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

/// What the reading of a job's result depends on beside the job.
struct result_context {
    response_profile const& profile;
    retry_policy const& retry;
    poll_schedule const& schedule;
    std::string_view request_id;
    std::string_view doc_type;
    std::uint64_t document_bytes = 0;
    bool route_succeeded = false; ///< a result was asked for and answered before, by any job of this client
    /// Good answers to reads of any job of this client so far; may wrap around.
    std::uint32_t good_reads = 0;
};

/// What a job that ended well leaves.
struct read_outcome {
    std::string raw; ///< the service's JSON, byte for byte
    completeness how_complete = completeness::whole;
    int reads = 0;
    bool recognized = true; ///< as in ocr_result
};

/// The life of a submitted job: read until it is finished, failed, or its deadline passes. Pure, and small: a
/// million of them wait at once.
///
/// Pending answers are asked again by the schedule, failed reads after a backoff. What ends a job before its
/// deadline is an answer about that job: one that is refused as often in a row as the policy has attempts
/// while reads of other jobs pass, or a page that is none of the service's as often. A connection that fails
/// says nothing about the job. At the deadline it is read a last time; a job whose deadline had passed when
/// it was taken up is read once, and ends with what that read was.
class result_fsm
{
public:
    result_fsm(clock::time_point taken_up, clock::time_point deadline)
        : taken_up_(taken_up), deadline_(deadline)
    {
    }

    /// The first wait.
    action start(result_context const& context, clock::time_point now, double random);

    /// A read ended; what `answer` holds is moved into the outcome when the job is done.
    action resume(exchange_result& answer, result_context const& context, clock::time_point now,
                  double random);

    /// The shell stops it; the job at the service goes on.
    action give_up(errc why, std::string reason);

    /// When it ends although it cannot be read: the deadline; never when it is to be read once.
    clock::time_point latest() const noexcept
    {
        return deadline_ > taken_up_ ? deadline_ : clock::time_point::max();
    }

    /// Whether the last read was good: answered by the service, about this job.
    bool read_well() const noexcept { return read_well_; }

    /// After step::finish; the request_id of a failure is the caller's to add.
    result<read_outcome> outcome() &&;

private:
    action wait(std::chrono::milliseconds delay, clock::time_point now);
    action finish(failure f);
    action done(exchange_result& answer, completeness how_complete, bool recognized);
    action throttled(http_response const& answer, result_context const& context, clock::time_point now,
                     double random);
    action failed_read(exchange_result const& answer, reading const& r, result_context const& context,
                       clock::time_point now, double random);

    clock::time_point taken_up_;
    clock::time_point deadline_;
    result_history history_;
    detail::attempt_counter counter_;
    std::uint16_t pending_ = 0;
    std::uint32_t good_reads_before_ = 0; ///< of all jobs, when the failed reads in a row began
    bool read_well_ = false;
    std::unique_ptr<result<read_outcome>> outcome_; ///< kept apart: while a job waits there is none
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/job/impl/result_fsm.ipp>
#endif

#endif
