#ifndef OCRPIPE_BULK_RUN_PIPELINE_HPP
#define OCRPIPE_BULK_RUN_PIPELINE_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>
#include <ocrpipe/client/client.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>

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
struct ledger_document;
struct ledger_row;
struct missing_part;
class run_measurements;

/// How many failures a run tolerates before it ends; zero means no limit.
struct failure_budget {
    std::uint64_t documents = 0;
    double percent = 0; ///< of the documents finished by this run; applies once there are min_sample of them
    static constexpr std::uint64_t min_sample = 100;

    bool used_up(std::uint64_t failed, std::uint64_t finished) const noexcept
    {
        if (documents != 0 && failed > documents) return true;
        return percent > 0 && finished >= min_sample &&
               static_cast<double>(failed) * 100 > percent * static_cast<double>(finished);
    }
};

/// Options of a bulk run.
struct pipeline_options {
    /// Output directory DIR: created if missing. It must not contain files of a run that the ledger does not
    /// know.
    std::string directory;
    std::string flow = "single"; ///< for documents whose manifest row specifies none
    std::string doc_type;        ///< likewise; required if flow is "single"
    enum file_type type = file_type::detect;
    std::vector<operation> parts;     ///< parts to fetch into DIR/parts: table, signature, stamp, image
    bool text = false;                ///< also write each document's recognised text to DIR/text
    std::size_t max_in_flight = 1000; ///< documents admitted but not finished; 1 to 10,000,000
    /// Of those, documents being sent or queued for sending; 1 to 100,000. Use about twice the submit
    /// connections.
    std::size_t max_submitting = 32;
    /// Requests for parts under way, including those that wait to be repeated; 1 to 100,000, and at most
    /// pool_options::max_waiting. Further parts wait in order. A result whose parts would have to wait is
    /// recorded without them, and written again when they have been fetched.
    std::size_t max_fetching_parts = 1000;
    /// A new results file is started after this many bytes; at least 1024.
    std::uint64_t results_file_bytes = std::uint64_t(1) << 30;
    /// Sends documents with equal content and equal parameters only once, and gives every copy the result.
    bool share_results = false;
    /// Resubmits documents whose submit was ambiguous in an earlier run. The submits of this run are governed
    /// by retry_policy.
    bool resubmit_ambiguous = false;
    /// Selects other documents that ended without a result and should be sent again; empty means none. Called
    /// on the source's thread.
    std::function<bool(ledger_row const&)> resend;

    /// The service is asked again for results that are empty or partial: once at the end of the run, and once
    /// by the next run. If set, it is also asked for those for which an earlier run has already asked again.
    bool ask_again_for_all = false;

    /// Further settings, such as the service's address, that must not change between runs in DIR. See
    /// run_configuration for those that are always compared.
    std::map<std::string, std::string> configuration;
    bool accept_changes = false; ///< run even if the configuration has changed

    /// The inputs that the source reads, as passed to open_input(). Their folders must keep their names, see
    /// run_configuration. Inputs below them that an earlier run could not read are examined again, so their
    /// old lines in failures.jsonl are dropped; lines about all other inputs are kept.
    std::vector<std::string> inputs;

    /// Shared with the sources, see input_options: its counts are included in the report, and its messages
    /// are passed to on_notice. May be null.
    std::shared_ptr<source_notes> notes;

    /// After stop(): how long jobs in flight are still polled.
    std::chrono::milliseconds drain_timeout{60'000};
    std::uint64_t max_documents = 0; ///< documents sent by this run; 0 means no limit
    /// How long this run lasts before it is stopped; 0 means no limit.
    std::chrono::milliseconds max_duration{0};
    failure_budget fail_budget;

    /// How often report.json is written while the run goes on; 0 means only when it ends.
    std::chrono::milliseconds report_interval{5'000};
    /// Further settings to show in report.json; no secrets.
    std::map<std::string, std::string> shown_settings;
    /// What a user can do about failures of a class, for report.json; may be empty.
    std::function<std::string_view(std::string_view failure_class)> remedy;
    /// Called with each version of report.json that was written; may be empty, must not throw.
    std::function<void(std::string_view json)> on_report;

    /// Called with messages about the run, for a log: an event name and a text. May be empty.
    std::function<void(std::string_view event, std::string_view text)> on_notice;
    /// Called for each result that this run reads, before its document counts as done, and again if a later
    /// read has more. The document stays in flight until the task is completed, so that a slow sink slows
    /// down the source. If it yields an error, the run ends with errc::unwritable_output. After that, or a
    /// kill, the next run may call it again for the same result. Not called for copies (share_results). May
    /// be empty, must not throw. Both arguments stay valid until the task is completed.
    std::function<task<error_code>(ledger_document const&, ocr_result const&)> on_result;
    /// Called immediately for each failed document and each unreadable input, for a log; may be empty, must
    /// not throw.
    std::function<void(ledger_document const&, failure const&)> on_failure;
    std::function<void(input_problem const&)> on_unreadable;
    /// Called immediately for each part that could not be fetched, for a log; may be empty, must not throw.
    std::function<void(ledger_document const&, missing_part const&, failure const&)> on_part_failure;
    /// Called for each document whose file was modified after it was read: the data sent may be incomplete.
    /// May be empty, must not throw.
    std::function<void(ledger_document const&)> on_changed;

    /// Every problem found, as "option: what is wrong: remedy"; empty if there are none.
    std::vector<std::string> validate() const;
};

/// A snapshot for a progress display. found = done + failed + unfinished + not_sent + repeated; all of these
/// except repeated also count the documents of earlier runs.
struct pipeline_statistics {
    std::uint64_t found = 0;       ///< documents so far, including those listed again
    bool source_exhausted = false; ///< found is the total
    std::uint64_t done = 0;        ///< with a result, including partial and empty results
    std::uint64_t failed = 0;
    std::uint64_t unfinished = 0;    ///< being sent or processed by the service; see the gauges below
    std::uint64_t not_sent = 0;      ///< known but not sent yet
    std::uint64_t repeated = 0;      ///< listed again: same id, same content
    std::uint64_t finished_now = 0;  ///< by this run
    std::uint64_t unreadable = 0;    ///< inputs that never became documents
    std::uint64_t links_skipped = 0; ///< see run_report; likewise too_young
    std::uint64_t too_young = 0;
    std::uint64_t submitting = 0;     ///< gauge: being sent, or queued for sending
    std::uint64_t waiting = 0;        ///< gauge: submitted, result not ready yet
    std::uint64_t fetching_parts = 0; ///< gauge
    std::uint64_t bytes = 0;          ///< of documents with a request_id
    std::chrono::milliseconds elapsed{0};
    /// The bottleneck, judged once a second: "service", "submit rate", "poll rate", "bandwidth", "in-flight
    /// cap", "connections", "source", "throttled", "credentials", "outage" or "draining".
    std::string_view limiting;
    std::string outage; ///< see client_statistics
    std::chrono::milliseconds outage_lasts{0};
    std::chrono::milliseconds paused_for{0}; ///< the service asks to wait for so long from now
};

/// One bulk run: source -> submit -> wait -> parts -> results, with back-pressure up to the source.
///
/// A part that could not be fetched does not hold back its document's result. The ledger records it, and the
/// next run fetches it and writes the result's line again.
///
/// A document's intent is durable in the ledger before its first byte is sent, its request_id before the job
/// is polled, and its result before it counts as done. A run with the ledger and the directory of an earlier
/// run, however that one ended, resumes it: it polls known jobs and sends nothing twice.
///
/// Thread safety: none; use it only on the thread that runs the io_context.
class pipeline
{
public:
    /// The client must outlive the pipeline. Without a ledger, the run keeps one in memory; see
    /// make_memory_ledger(). The source is read on a separate thread, a bounded number of documents ahead.
    /// If the source is still blocked on a pipe when a stopped run ends, that thread is detached and keeps
    /// the source.
    pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options,
             std::shared_ptr<ledger> l = nullptr);
    ~pipeline();
    pipeline(pipeline&&) noexcept;
    pipeline& operator=(pipeline&&) noexcept;

    /// Processes all documents and writes results-*.jsonl, failures.jsonl, parts/ and report.json.
    ///
    /// Results files that were moved away are reported. The run continues in a file with a higher number, and
    /// a document whose content already has its result in a missing file is not sent.
    ///
    /// Errors: errc::unauthorized and errc::wrong_base_url end the run; waiting documents are neither failed
    /// nor billed. A full or failing disk ends it with errc::unwritable_output or errc::ledger_failed, and
    /// the system error as cause. report.json is written in these cases, too. errc::configuration_changed and
    /// errc::invalid_argument: the run did not start.
    /// Cancellation: use stop().
    task<result<run_report>> run();

    /// run() for any completion token, with the signature `void(result<run_report>)`.
    ///
    /// Cancellation: has the effect of stop().
    /// Lifetime: the pipeline may be destroyed while it runs; the client must outlive the run.
    template<asio::completion_token_for<void(result<run_report>)> Token>
    auto async_run(Token&& token)
    {
        return asio::async_initiate<Token, void(result<run_report>)>(
            [](auto handler, std::shared_ptr<impl> i) {
                start(std::move(i), run_handler(std::move(handler)));
            },
            token, impl_);
    }

    /// Stops admitting and submitting documents, and drains those in flight for at most drain_timeout. A
    /// second call ends the run at once. Unfinished jobs are then in the ledger, and the next run in this
    /// directory polls them. A ledger in memory ends with the run: failures.jsonl then lists them with their
    /// request_id.
    void stop();

    pipeline_statistics statistics() const;

    /// What the run has measured so far; valid until the pipeline is destroyed.
    run_measurements const& measurements() const;

    /// Returns what report.json would contain if it were written now.
    std::string report_so_far() const;

private:
    class impl;
    using run_handler = asio::any_completion_handler<void(result<run_report>)>;

    static void start(std::shared_ptr<impl> i, run_handler handler);

    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/pipeline.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_again.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_measure.ipp>
#include <ocrpipe/bulk/run/impl/pipeline_parts.ipp>
#endif

#endif
