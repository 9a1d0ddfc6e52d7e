#ifndef OCRPIPE_BULK_RUN_DETAIL_RUN_DIRECTORY_HPP
#define OCRPIPE_BULK_RUN_DETAIL_RUN_DIRECTORY_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/failures_writer.hpp>
#include <ocrpipe/bulk/output/part_files.hpp>
#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/bulk/run/detail/failures_rewrite.hpp>
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

/// A written result that the ledger could not record.
struct unrecorded_result {
    std::string id; ///< of its document
    finish_record end;
    bool was_stuck = false; ///< the ledger counts it as failed
};

/// The files of a run: results, failures, parts and texts. See open_run_directory().
///
/// Thread safety: none, except for sync().
class run_directory
{
public:
    /// `earlier_problems`: the number of lines in failures.jsonl about inputs of earlier runs. `unsynced`:
    /// whether files of an earlier process may not be on disk yet.
    run_directory(std::string path, results_writer results, failures_writer failures,
                  std::uint64_t earlier_problems, bool unsynced)
        : path_(std::move(path))
        , results_(std::move(results))
        , failures_(std::move(failures))
        , earlier_problems_(earlier_problems)
        , parts_(path_, "parts")
        , texts_(path_, "text")
        , answers_(path_, "answers")
        , files_written_(unsynced)
    {
    }

    results_writer& results() noexcept { return results_; }
    failures_writer& failures() noexcept { return failures_; }

    /// See part_files.
    result<std::string> write_part(std::string_view id, operation kind, std::size_t index,
                                   std::string_view bytes);
    result<std::string> write_text(std::string_view id, std::string_view text);
    result<std::string> write_answer(std::string_view id, std::string_view bytes);

    /// Blocks until everything written before is on disk. Any thread.
    error_code sync();

    /// Rewrites failures.jsonl at the end of the run: documents come from the ledger; input problems (without
    /// exact duplicates from earlier runs) and request ids missing from the ledger come from the existing
    /// file.
    result<void> rewrite_failures(ledger& l);

private:
    std::string const path_;
    results_writer results_;
    failures_writer failures_;
    std::uint64_t const earlier_problems_;
    part_files parts_;
    part_files texts_;
    part_files answers_;
    std::atomic<bool> files_written_;
};

/// The directory of a run after it was reconciled with the ledger.
struct opened_directory {
    std::shared_ptr<run_directory> files;
    std::vector<unrecorded_result> results; ///< record them before polling anything
    std::vector<unrecorded_submit> submits; ///< whose request_id is only in failures.jsonl
    std::string missing_results;            ///< names of results files in the ledger that were moved away
};

/// Opens the directory of a run. Results that the ledger does not know are kept if it can still record them,
/// else removed; failures.jsonl is rewritten from the ledger.
///
/// Errors: errc::unwritable_output; errc::ledger_failed; errc::invalid_argument if the directory contains
/// files of a run that is not in this ledger.
OCRPIPE_DECL result<opened_directory> open_run_directory(pipeline_options const& options, ledger& l);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/run_directory.ipp>
#endif

#endif
