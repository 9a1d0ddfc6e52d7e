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

/// An answered submit that the ledger could not record.
struct unrecorded_submit {
    std::string id; ///< of its document
    submit_record what;
    bool interrupted = false; ///< in the ledger, it was being sent when the process ended
};

/// A written result that the ledger could not record.
struct unrecorded_result {
    std::string id; ///< of its document
    finish_record end;
    bool was_stuck = false; ///< the ledger counts it as failed
};

/// The files of a run: results, failures, parts and texts. Opening it reconciles them with the ledger.
///
/// Thread safety: none, except for sync().
class run_directory
{
public:
    /// Without a ledger, the directory must not contain another run's files.
    ///
    /// Errors: errc::unwritable_output, errc::ledger_failed, errc::invalid_argument if the directory contains
    /// files of a run that is not in this ledger.
    static result<std::shared_ptr<run_directory>> open(pipeline_options const& options, ledger* l);

    results_writer& results() noexcept { return *results_; }
    failures_writer& failures() noexcept { return *failures_; }

    /// See part_files.
    result<std::string> write_part(std::string_view id, operation kind, std::size_t index,
                                   std::string_view bytes);
    result<std::string> write_text(std::string_view id, std::string_view text);
    result<std::string> write_answer(std::string_view id, std::string_view bytes);

    /// Results that an earlier process wrote but did not record; record them before polling anything.
    std::vector<unrecorded_result> take_unrecorded() { return std::move(unrecorded_); }

    /// Names of the results files that are in the ledger but were moved away; empty if there are none.
    std::string const& moved_away() const noexcept { return moved_away_; }

    /// Submits whose request_id is only in failures.jsonl, because the ledger had become unwritable.
    std::vector<unrecorded_submit> take_unrecorded_submits() { return std::move(unrecorded_submits_); }

    /// Blocks until everything written before is on disk. Any thread.
    error_code sync();

    /// Rewrites failures.jsonl: failed documents come from the ledger; input problems (without exact
    /// duplicates from earlier runs) and request ids missing from the ledger come from the existing file.
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

/// Returns the failure recorded in a row.
OCRPIPE_DECL failure failure_of(ledger_row const& row);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/run_directory.ipp>
#endif

#endif
