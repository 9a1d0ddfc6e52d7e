#ifndef OCRPIPE_BULK_OUTPUT_RESULTS_WRITER_HPP
#define OCRPIPE_BULK_OUTPUT_RESULTS_WRITER_HPP

#include <ocrpipe/bulk/ledger/result_location.hpp>
#include <ocrpipe/bulk/output/jsonl_file.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Called with a line, without its line break, that is not recorded in the ledger. Returns true to keep it.
using keep_result = std::function<bool(std::string_view line, result_location where)>;

/// Appends results to `folder`/results-00001.jsonl, -00002 and so on, whole lines only.
///
/// Thread safety: none, except for sync().
class results_writer
{
public:
    static constexpr std::uint64_t default_file_bytes = std::uint64_t(1) << 30;

    /// Continues the last results file in `folder`, after removing an incomplete last line left by a crash.
    /// The folder must exist.
    ///
    /// `max_file_bytes`: a new file is started before a line would exceed this size.
    /// `first`: the lowest file number to use, for a folder whose files were moved away.
    /// Errors: errc::unwritable_output.
    static result<results_writer> open(std::string folder, std::uint64_t max_file_bytes = default_file_bytes,
                                       std::uint64_t first = 1);

    /// The same, with a ledger: `recorded` is the last line recorded in it, if there is one. The lines after
    /// it, left by a crash, are passed to `keep` in order; the file is truncated at the first line that
    /// `keep` rejects.
    ///
    /// If the file of the recorded line was moved away, a file with a higher number is started: a file number
    /// in the ledger is never reused.
    ///
    /// Errors: errc::unwritable_output; errc::ledger_failed if the file exists but does not contain the
    /// recorded line.
    static result<results_writer> recover(std::string folder, std::uint64_t max_file_bytes,
                                          std::optional<result_location> recorded, keep_result const& keep);

    /// Appends a line; if `where` is not null, stores the line's location there.
    ///
    /// Errors: a system error such as no_space_on_device; then no part of the line is in the file, and the
    /// call may be repeated.
    error_code append(result_record const& record, result_location* where = nullptr);

    /// Reads a line of any results file, with its line break.
    ///
    /// Errors: a system error; no_such_file_or_directory if the file was moved away; io_error if the file is
    /// too short.
    error_code read(result_location where, std::string& line) const;

    /// Blocks until everything appended is on disk. May be called on another thread, concurrently with
    /// append().
    ///
    /// Errors: a system error; no_such_file_or_directory if the file was removed or replaced while it was
    /// being written. After an error all later calls fail, also if it occurred in append(), which syncs a
    /// full file.
    error_code sync();

    /// The file that append() writes to.
    std::string path() const { return path(number_); }

private:
    results_writer(std::string folder, std::uint64_t max_file_bytes)
        : folder_(std::move(folder)), max_file_bytes_(max_file_bytes)
    {
    }

    std::string path(std::uint64_t number) const;
    error_code append_line(result_location* where);

    std::string folder_;
    /// Held while file_ is replaced or synced.
    std::unique_ptr<std::mutex> rotation_ = std::make_unique<std::mutex>();
    std::uint64_t max_file_bytes_;
    std::uint64_t number_ = 1;
    detail::jsonl_file file_;
    std::string line_; ///< buffer, kept to reuse its memory
};

/// Returns the numbers of the results files in a folder, ascending.
///
/// Errors: errc::unwritable_output with the system error as cause.
OCRPIPE_DECL result<std::vector<std::uint64_t>> results_files(std::string const& folder);

/// Names the results files from 1 to `last` that are not among `numbers`, such as "results-00001.jsonl to
/// results-00003.jsonl"; empty if none is missing. Lists at most five files or ranges and only counts the
/// rest.
OCRPIPE_DECL std::string missing_results_files(std::vector<std::uint64_t> const& numbers, std::uint64_t last);

/// "results-00017.jsonl".
OCRPIPE_DECL std::string results_file_name(std::uint64_t number);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/results_writer.ipp>
#endif

#endif
