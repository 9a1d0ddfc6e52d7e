#ifndef OCRPIPE_BULK_RUN_DETAIL_RUN_DIRECTORY_HPP
#define OCRPIPE_BULK_RUN_DETAIL_RUN_DIRECTORY_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/failures_writer.hpp>
#include <ocrpipe/bulk/output/part_files.hpp>
#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// A submit that was answered and that the ledger could not record.
struct unrecorded_submit {
    std::string id; ///< of its document
    submit_record what;
    bool interrupted = false; ///< the ledger knows it as one that was being sent when the process ended
};

/// A result that was written and that the ledger could not record.
struct unrecorded_result {
    std::string id; ///< of its document
    finish_record end;
    bool was_stuck = false; ///< the ledger counts it as failed
};

/// The files of a run: results, failures, parts and texts, brought into accord with the ledger when it is
/// opened.
///
/// Thread safety: none, but for sync().
class run_directory
{
public:
    /// Without a ledger the directory must not hold another run's files.
    ///
    /// Errors: errc::unwritable_output, errc::ledger_failed, errc::invalid_argument when the directory's
    /// files belong to no run of this ledger.
    static result<std::shared_ptr<run_directory>> open(pipeline_options const& options, ledger* l);

    results_writer& results() noexcept { return *results_; }
    failures_writer& failures() noexcept { return *failures_; }

    /// As part_files does.
    result<std::string> write_part(std::string_view id, operation kind, std::size_t index,
                                   std::string_view bytes);
    result<std::string> write_text(std::string_view id, std::string_view text);
    result<std::string> write_answer(std::string_view id, std::string_view bytes);

    /// Results that an earlier process wrote but did not record; to be recorded before anything is polled.
    std::vector<unrecorded_result> take_unrecorded() { return std::move(unrecorded_); }

    /// The results files that the ledger knows and that were moved away, named; empty when there are none.
    std::string const& moved_away() const noexcept { return moved_away_; }

    /// Submits whose request_id stands in failures.jsonl only, since the ledger could not be written any
    /// more.
    std::vector<unrecorded_submit> take_unrecorded_submits() { return std::move(unrecorded_submits_); }

    /// Waits until all that was written before is on the disk. Any thread.
    error_code sync();

    /// Rewrites failures.jsonl: documents from the ledger, and from the file that is there the inputs that
    /// are none, without what an earlier run said of them word for word, and request ids that the ledger does
    /// not know.
    result<void> rewrite_failures(ledger& l);

private:
    explicit run_directory(pipeline_options const& o)
        : path_(o.directory), inputs_(o.inputs), parts_(path_, "parts"), texts_(path_, "text"), answers_(path_, "answers")
    {
    }

    result<void> claim(ledger* l) const;
    bool adopt(ledger& l, std::string_view line, result_location where);
    result<void> list_failures(failures_writer& out, ledger& l) const;
    result<void> keep_lines(failures_writer& out, ledger& l);
    result<bool> is_unrecorded(std::string_view line, ledger& l);

    std::string const path_;
    std::vector<std::string> const inputs_; ///< of this run
    std::uint64_t inputs_of_earlier_runs_ = 0; ///< lines of failures.jsonl
    std::optional<results_writer> results_;
    std::optional<failures_writer> failures_;
    part_files parts_;
    part_files texts_;
    part_files answers_;
    std::atomic<bool> files_written_ = false;
    std::vector<unrecorded_result> unrecorded_;
    std::string moved_away_;
    std::vector<unrecorded_submit> unrecorded_submits_;
};

/// What a row says went wrong.
OCRPIPE_DECL failure failure_of(ledger_row const& row);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/run_directory.ipp>
#endif

#endif
