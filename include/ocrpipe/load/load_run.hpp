#ifndef OCRPIPE_LOAD_LOAD_RUN_HPP
#define OCRPIPE_LOAD_LOAD_RUN_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/result_part.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/client/client.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/load/arrival_plan.hpp>
#include <ocrpipe/load/job_record.hpp>
#include <ocrpipe/measure/run_measurements.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ocrpipe
{

struct load_document {
    submit_request request;
    std::uint64_t bytes = 0;
};

struct load_options {
    arrival_plan arrivals;
    /// Returns document `number`, counted from 0. Must not block.
    std::function<load_document(std::uint64_t number)> document;
    /// Kinds of parts to fetch after each result was read. A document is in flight until its parts have
    /// ended.
    std::vector<operation> parts;
    /// How long to wait for unfinished documents after the last arrival.
    std::chrono::milliseconds drain_timeout{10 * 60'000};
    /// Called when the service has accepted a document, before anything else is done with it. May be empty.
    std::function<void(std::string_view document, std::string_view request_id)> on_accepted;
    /// Called once for each document: when it and its parts have ended, or when the test ends. May be empty.
    std::function<void(job_record const&, std::string_view document, std::string_view request_id)> on_job;
    /// Called once for each document that failed. May be empty.
    std::function<void(std::string_view document, failure const&)> on_failure;
    /// Called once for each part that failed; not for one that the service does not have. May be empty.
    std::function<void(std::string_view document, result_part const&, failure const&)> on_part_failure;
    /// Called when the test has ended. May be empty.
    std::function<void()> on_end;
};

/// A snapshot of a load test.
struct load_statistics {
    clock::duration elapsed{0};
    std::uint64_t due = 0;
    std::uint64_t accepted = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t given_up = 0;       ///< the deadline of the job passed, or the test ended
    bool with_parts = false;          ///< load_options::parts is not empty
    std::uint64_t fetching_parts = 0; ///< documents that are done, but whose parts are not
    std::uint64_t parts = 0;          ///< fetched
    std::uint64_t parts_failed = 0;
    bool draining = false;
    bool ended = false;
    double rate = 0; ///< documents per second that the plan asks for now

    std::uint64_t in_flight() const noexcept { return due - done - failed - given_up + fetching_parts; }
};

/// Submits documents when an arrival plan says so, waits for their results, and keeps a record of each. If
/// the client's pace_options::first_alone is false, arrivals follow the clock and never wait for answers.
/// Between its submit and its result, a job is a record in the client's table and a record in this class.
///
/// Thread safety: none; use it only on the thread that runs the io_context. Lifetime: the client must outlive
/// the io_context's handlers. If documents are unfinished when the test ends, the client is closed. Cost:
/// about 120 bytes for each document that was due. At most 1000 parts are requested at a time.
class load_run
{
public:
    load_run(asio::io_context& ioc, client& c, load_options options);
    ~load_run();
    load_run(load_run const&) = delete;
    load_run& operator=(load_run const&) = delete;

    /// Starts the arrivals; the start is the origin of all times in the records.
    void start();

    /// The first call stops the arrivals and waits for unfinished documents. A second call ends the test at
    /// once; unfinished documents keep their request_id.
    void stop();

    /// Ends the arrivals as if the plan were complete, then waits for unfinished documents.
    void end_arrivals();

    load_statistics statistics() const;
    std::vector<job_record> const& jobs() const;
    run_measurements const& measurements() const;

    // Seconds; final when the test has ended.
    double arrival_seconds() const;
    double total_seconds() const;
    /// Documents due per second of the arrivals; in a closed loop, of the whole test. If `max_documents`
    /// ended the arrivals, their length includes the time until another document would have been due.
    double offered_per_second() const;
    /// Mean number of documents in flight, sampled ten times a second.
    double sampled_in_flight() const;
    bool stopped() const; ///< by stop()
    /// The failure that ended the arrivals early, because all further documents would fail in the same way:
    /// the credentials, the certificate or the address were refused, or the service was never reached.
    std::optional<failure> const& ended_by() const;
    std::uint64_t descriptors_gone() const; ///< failures because the process could not open a socket or file

private:
    struct impl;
    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/load_run.ipp>
#endif

#endif
