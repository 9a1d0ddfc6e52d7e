#ifndef OCRPIPE_BULK_RUN_DETAIL_RUN_STATE_HPP
#define OCRPIPE_BULK_RUN_DETAIL_RUN_STATE_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace ocrpipe::detail
{

/// Where a document is counted among those of all runs in the directory.
enum class standing : unsigned char {
    absent,   ///< nowhere
    not_sent, ///< known, but not sent yet
    unfinished,
    done,
    failed,
};
inline constexpr std::size_t standing_count = 5;

OCRPIPE_DECL standing standing_of(document_state s) noexcept;

/// The state of a run: its counts, its limits, and why it ends. Pure: it reads no clock and owns no I/O; the
/// pipeline reports what happened and asks what follows.
class run_state
{
public:
    explicit run_state(pipeline_options const& options);

    // The documents of all runs in the directory. found = done + failed + unfinished + not_sent + repeated.

    /// Starts with the documents of earlier runs.
    void count_earlier(document_counts const& counts) noexcept;
    std::uint64_t count(standing s) const noexcept { return standings_[static_cast<std::size_t>(s)]; }
    void move(standing& of, standing to) noexcept;
    /// Counts a document that was listed again.
    void repeat() noexcept { ++repeated_; }
    /// Sets how many documents the intake found to be listed again.
    void repeated_at_intake(std::uint64_t n) noexcept { repeated_at_intake_ = n; }
    std::uint64_t repeated() const noexcept { return repeated_ + repeated_at_intake_; }
    /// Counts a document without a row that stays unsent. If the same id was withheld before, it counts as
    /// listed again.
    void withhold_without_row(std::string_view id, standing& of);
    std::uint64_t withheld_without_row() const noexcept { return withheld_ids_.size(); }

    // The documents that this run works on.

    /// Whether another document may be admitted.
    bool has_room() const noexcept;
    void enter() noexcept { ++in_flight_; }
    void leave() noexcept { --in_flight_; }
    std::uint64_t in_flight() const noexcept { return in_flight_; }

    /// Whether another document may be sent. Stops the run at max_documents.
    bool may_send();
    void submit_begins() noexcept;
    /// The id belonged to another document: the submit does not count.
    void submit_withdrawn() noexcept { --sent_; }
    void submit_ends() noexcept { --submitting_; }
    std::uint64_t submitting() const noexcept { return submitting_; }
    /// The service answered with a request_id.
    void accepted(std::uint64_t bytes, bool possible_duplicate) noexcept;
    /// A submit failed. Too many in a row without an answer from the service stop the run.
    void submit_failed(failure const& f);

    /// A document has its result.
    void finished(standing& of, completeness how_complete);
    /// A document shares another document's result, for the first time or because that has become more
    /// complete.
    void copied(standing& of) noexcept;
    /// A result that was not whole was replaced by one that has more.
    void renewed(completeness before, completeness now) noexcept;
    /// A document ended without a result. Stops the run if the failure budget is used up.
    void failed(standing& of);

    // The end.

    /// Stops the run. The first reason counts, but a run that finishes the documents within its limit can
    /// still be stopped.
    void stop(run_end why, std::string text);
    /// Stops the run with an error; the first one counts.
    void fail(failure f);
    /// The outputs or the ledger failed: nothing more can be recorded. Also stops the run.
    void outputs_failed(failure f);
    bool is_stopped() const noexcept { return report.end != run_end::complete; }
    /// Whether nothing more may be sent. At max_documents, the documents within the limit are still sent.
    bool is_draining() const noexcept { return is_stopped() && report.end != run_end::document_limit; }
    bool have_outputs_failed() const noexcept { return outputs_failed_; }
    std::optional<failure> const& error() const noexcept { return error_; }

    /// The current bottleneck, judged by the counters that grew since the previous call.
    std::string_view limiting(client_statistics const& now);

    pipeline_statistics statistics() const;
    /// Writes the counts and the end into the report.
    void complete_report(client_statistics const& c);

    run_report report;                ///< counters of this run
    std::uint64_t waiting = 0;        ///< gauge: submitted, the result is not ready
    std::uint64_t fetching_parts = 0; ///< gauge

    /// After this many submits in a row without an answer the run ends: the service is unreachable, and the
    /// submits may be billed.
    static constexpr std::uint64_t max_unanswered = 100;

private:
    std::size_t const max_in_flight_;
    std::size_t const max_submitting_;
    std::uint64_t const max_documents_;
    failure_budget const budget_;

    /// The count of such results; nullptr for whole ones.
    std::uint64_t* count_of(completeness how_complete) noexcept;

    std::array<std::uint64_t, standing_count> standings_{};
    std::uint64_t repeated_ = 0;
    std::uint64_t repeated_at_intake_ = 0;
    std::unordered_set<std::size_t> withheld_ids_; ///< their hashes
    std::uint64_t in_flight_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t submitting_ = 0;
    std::uint64_t unanswered_ = 0; ///< submits in a row
    std::uint64_t failed_now_ = 0;
    bool outputs_failed_ = false;
    std::optional<failure> error_;
    client_statistics before_;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/run_state.ipp>
#endif

#endif
