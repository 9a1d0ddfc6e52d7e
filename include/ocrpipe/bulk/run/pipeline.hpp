#ifndef OCRPIPE_BULK_RUN_PIPELINE_HPP
#define OCRPIPE_BULK_RUN_PIPELINE_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>
#include <ocrpipe/client/client.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

class ledger;
struct ledger_row;

/// How much may go wrong before a run ends by itself; zeros for any amount.
struct failure_budget {
    std::uint64_t documents = 0;
    double percent = 0; ///< of the documents that this run finished, once there are min_sample of them
    static constexpr std::uint64_t min_sample = 100;

    bool used_up(std::uint64_t failed, std::uint64_t finished) const noexcept
    {
        if (documents != 0 && failed > documents) return true;
        return percent > 0 && finished >= min_sample &&
               static_cast<double>(failed) * 100 > percent * static_cast<double>(finished);
    }
};

/// What a bulk run does with the documents of its source.
struct pipeline_options {
    std::string directory; ///< DIR: created when missing; without a ledger it must hold no other run's files
    std::string flow = "single"; ///< for documents whose manifest row names none
    std::string doc_type;        ///< likewise; required while flow is "single"
    enum file_type type = file_type::detect;
    std::vector<operation> parts;     ///< table, signature, stamp, image: fetched too, into DIR/parts
    bool text = false;                ///< also writes each document's recognised text to DIR/text
    std::size_t max_in_flight = 1000; ///< documents admitted and not yet finished; 1 to 10,000,000
    std::size_t max_submitting =
        32; ///< of them, being sent or next in line; about twice the submit connections
    std::uint64_t results_file_bytes = std::uint64_t(1)
                                       << 30; ///< a results file is closed after this many bytes
    /// With a ledger: pays once for equal content with equal parameters and gives every copy the result.
    bool share_results = false;
    /// With a ledger: sends documents again whose submit was ambiguous in an earlier run. What this run's own
    /// submits may do says retry_policy.
    bool resubmit_ambiguous = false;
    /// With a ledger: which other documents that did not end well are sent again; none when empty. Called on
    /// the source's thread.
    std::function<bool(ledger_row const&)> take_up;

    /// Further facts about the run, such as the service's address, that must not change from one run in
    /// DIR to the next; flow, doc_type, type, the profile's extra fields, parts and text are compared as
    /// well, and so is share_results, which may only be switched on.
    std::map<std::string, std::string> configuration;
    bool accept_changes = false; ///< go on although they did

    /// With a ledger: what the source reads, as open_input() takes it. What an earlier run could not read
    /// there is found again, so that its lines in failures.jsonl end with this run; all other lines of inputs
    /// stay.
    std::vector<std::string> inputs;

    /// What the source's parts share, see input_options: its counts become part of the report, its sentences
    /// go to on_notice. May be null.
    std::shared_ptr<source_notes> notes;

    std::chrono::milliseconds drain_timeout{60'000}; ///< after stop(): how long jobs are still asked for
    std::uint64_t max_documents = 0;                 ///< sent by this run; 0 is no limit
    std::chrono::milliseconds max_duration{0};       ///< of this run, until it is stopped; 0 is no limit
    failure_budget fail_budget;

    /// Told what the run has to say about itself, for a log: an event's name and a sentence. May be empty.
    std::function<void(std::string_view event, std::string_view text)> on_notice;
    /// Told of each failed document and unreadable input as it happens, for a log; may be empty, must not
    /// throw.
    std::function<void(input_item const&, failure const&)> on_failure;
    std::function<void(input_problem const&)> on_unreadable;
    /// Told of each document whose file was written since its bytes were read: what was sent may be a part of
    /// it. May be empty, must not throw.
    std::function<void(input_item const&)> on_changed;

    /// Every problem found, as "option: what is wrong: remedy"; empty when there is none.
    std::vector<std::string> validate() const;
};

/// A snapshot for a progress display. found = done + failed + unfinished + not_sent + repeated; all of them
/// but repeated count the documents of earlier runs, too.
struct pipeline_statistics {
    std::uint64_t found = 0;       ///< documents so far, and those that were listed again
    bool source_exhausted = false; ///< found is the total
    std::uint64_t done = 0;        ///< with a result, in part or empty ones included
    std::uint64_t failed = 0;
    std::uint64_t unfinished = 0;     ///< being sent or with the service; the gauges below tell what for
    std::uint64_t not_sent = 0;       ///< known, and not sent so far
    std::uint64_t repeated = 0;       ///< listed again: same id, same content
    std::uint64_t finished_now = 0;   ///< by this run
    std::uint64_t unreadable = 0;     ///< inputs that never became documents
    std::uint64_t links_skipped = 0;  ///< see run_report; likewise the next
    std::uint64_t too_young = 0;
    std::uint64_t submitting = 0;     ///< gauge: being sent, or waiting for their turn
    std::uint64_t waiting = 0;        ///< gauge: submitted, result not there yet
    std::uint64_t fetching_parts = 0; ///< gauge
    std::uint64_t bytes = 0;          ///< of documents with a request_id
    std::chrono::milliseconds elapsed{0};
    std::string_view
        limiting; ///< what holds the run back: "service", "submit rate", "poll rate", "bandwidth", "in-flight
                  ///< cap", "connections", "source", "throttled", "credentials" or "draining"
};

/// One bulk run: source -> submit -> wait -> parts -> results, with back-pressure up to the source.
///
/// With a ledger a document's intent is durable before its first byte leaves, its request_id before the job
/// is polled, its result before it counts as done; and a run in a directory where another one ended, however
/// it ended, goes on with what that one left: it asks for known jobs and sends nothing twice.
///
/// Thread safety: used on the thread that runs the io_context; nothing of it may be called from elsewhere.
class pipeline
{
public:
    /// The client must outlive the pipeline. The source is read on a thread of its own, a bounded number of
    /// documents ahead; when it is blocked in a pipe at the end of a stopped run, that thread is left behind
    /// with it.
    pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options,
             std::shared_ptr<ledger> l = nullptr);
    ~pipeline();
    pipeline(pipeline&&) noexcept;
    pipeline& operator=(pipeline&&) noexcept;

    /// Runs to the end and writes results-*.jsonl, failures.jsonl, parts/ and report.json.
    ///
    /// Errors: errc::unauthorized and errc::wrong_base_url end the run (the documents that were waiting are
    /// neither failed nor billed); a full or failing disk does too, with errc::unwritable_output or
    /// errc::ledger_failed and the system's error as cause. The report of what was done is in report.json all
    /// the same. errc::configuration_changed: nothing was begun.
    /// Results files that were moved away are reported; the run goes on in a file with a higher number, and a
    /// document whose equal has its result in one of them is not sent.
    /// Cancellation: use stop().
    task<result<run_report>> async_run();

    /// Takes no more documents and begins no more submits; what is in flight is finished, at most for
    /// drain_timeout. Called again: ends at once. What is left then is in the ledger, and asked for by the
    /// next run in this directory; without a ledger it stands in failures.jsonl with its request_id.
    void stop();

    pipeline_statistics statistics() const;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/pipeline.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_begin.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_copies.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_parts.ipp>
#endif

#endif
