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

/// Shown a line, without its line break, that nobody recorded; true to keep it.
using keep_result = std::function<bool(std::string_view line, result_location where)>;

/// Appends results to `folder`/results-00001.jsonl, -00002 and so on, whole lines only.
///
/// Thread safety: none, but for sync().
class results_writer
{
public:
    static constexpr std::uint64_t default_file_bytes = std::uint64_t(1) << 30;

    /// Goes on with the last results file in `folder`, cutting away a line that a crash left without its end.
    /// The folder must exist.
    ///
    /// `max_file_bytes`: the next file is begun before a line would make the current one larger.
    /// `first`: the lowest number of the file to go on with, for a folder whose files were moved away.
    /// Errors: errc::unwritable_output.
    static result<results_writer> open(std::string folder, std::uint64_t max_file_bytes = default_file_bytes,
                                       std::uint64_t first = 1);

    /// The same for files of which a ledger knows: `recorded` is the last line that it does, if there is one.
    /// The lines behind it, which a crash left, are shown to `keep` in their order; from the first that it
    /// does not want, they are cut away.
    ///
    /// If the file of the recorded line was moved away, writing goes on in a file with a higher number: a
    /// number that the ledger knows is never used for another file.
    ///
    /// Errors: errc::unwritable_output; errc::ledger_failed when the file is there without the recorded line.
    static result<results_writer> recover(std::string folder, std::uint64_t max_file_bytes,
                                          std::optional<result_location> recorded, keep_result const& keep);

    /// Tells where the line stands, when asked.
    ///
    /// Errors: the system's, such as no_space_on_device; no part of the line is in the file then, and the
    /// call may be repeated.
    error_code append(result_record const& record, result_location* where = nullptr);

    /// Reads a line of any of the files, with its line break.
    ///
    /// Errors: the system's; no_such_file_or_directory when its file was moved away; io_error when the file
    /// ends before it.
    error_code read(result_location where, std::string& line) const;

    /// Waits until everything appended is on the disk. May be called on another thread beside append().
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
    std::unique_ptr<std::mutex> rotation_ = std::make_unique<std::mutex>(); ///< held while file_ is another's
    std::uint64_t max_file_bytes_;
    std::uint64_t number_ = 1;
    detail::jsonl_file file_;
    std::string line_; ///< kept for its memory
};

/// The numbers of the results files in a folder, ascending.
///
/// Errors: errc::unwritable_output with the system's error.
OCRPIPE_DECL result<std::vector<std::uint64_t>> results_files(std::string const& folder);

/// Names the results files from 1 to `last` that are not among `numbers`, such as "results-00001.jsonl to
/// results-00003.jsonl"; empty when all are there. At most five of them or of their ranges; the rest is
/// counted.
OCRPIPE_DECL std::string missing_results_files(std::vector<std::uint64_t> const& numbers, std::uint64_t last);

/// "results-00017.jsonl".
OCRPIPE_DECL std::string results_file_name(std::uint64_t number);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/results_writer.ipp>
#endif

#endif
