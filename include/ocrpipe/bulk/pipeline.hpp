#ifndef OCRPIPE_BULK_PIPELINE_HPP
#define OCRPIPE_BULK_PIPELINE_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/bulk/report.hpp>
#include <ocrpipe/bulk/source.hpp>
#include <ocrpipe/client.hpp>
#include <ocrpipe/transport.hpp>

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

/// What a bulk run does with the documents of its source.
struct pipeline_options {
    std::string directory;       ///< DIR: created when missing; must not hold another run's results
    std::string flow = "single"; ///< for documents whose manifest row names none
    std::string doc_type;        ///< likewise; required while flow is "single"
    enum file_type type = file_type::detect;
    std::vector<operation> parts;     ///< table, signature, stamp, image: fetched too, into DIR/parts
    bool text = false;                ///< also writes each document's recognised text to DIR/text
    std::size_t max_in_flight = 1000; ///< documents admitted and not yet finished; 1 to 10,000,000
    std::size_t max_submitting =
        32; ///< of them, being sent or next in line; a little more than the submit connections
    std::uint64_t results_file_bytes = std::uint64_t(1)
                                       << 30; ///< a results file is closed after this many bytes
    /// Told of each failed document and unreadable input as it happens, for a log; may be empty, must not
    /// throw.
    std::function<void(input_item const&, failure const&)> on_failure;
    std::function<void(input_problem const&)> on_unreadable;

    /// Every problem found, as "option: what is wrong: remedy"; empty when there is none.
    std::vector<std::string> validate() const;
};

/// A snapshot for a progress display.
struct pipeline_statistics {
    std::uint64_t found = 0;       ///< documents taken from the source so far
    bool source_exhausted = false; ///< found is the total
    std::uint64_t done = 0;        ///< with a result, in part or empty ones included
    std::uint64_t failed = 0;
    std::uint64_t unreadable = 0;     ///< inputs that never became documents
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
/// Thread safety: used on the thread that runs the io_context; nothing of it may be called from elsewhere.
class pipeline
{
public:
    /// The client must outlive the pipeline. The source is read on a thread of its own, a bounded number of
    /// documents ahead; when it is blocked in a pipe at the end of a stopped run, that thread is left behind
    /// with it.
    pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options);
    ~pipeline();
    pipeline(pipeline&&) noexcept;
    pipeline& operator=(pipeline&&) noexcept;

    /// Runs to the end and writes results-*.jsonl, failures.jsonl, parts/ and report.json.
    ///
    /// Errors: errc::unauthorized and errc::wrong_base_url end the run (the documents that were waiting are
    /// neither failed nor billed); a full
    ///   or failing disk does too, with the system's error as cause. The report of what was done is in
    ///   report.json all the same.
    /// Cancellation: use stop().
    task<result<run_report>> async_run();

    /// Takes no more documents and sends no more submits; what is in flight is finished. Called again: ends
    /// what is in flight too, each document with its request_id in failures.jsonl.
    void stop();

    pipeline_statistics statistics() const;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/pipeline.ipp>
#endif

#endif
