#ifndef OCRPIPE_BULK_OUTPUT_FAILURES_WRITER_HPP
#define OCRPIPE_BULK_OUTPUT_FAILURES_WRITER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/jsonl_file.hpp>
#include <ocrpipe/bulk/source/input.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// A document that did not yield a result, or a part of one that did. Pointers and views need to be valid
/// only during the call that takes them.
struct failure_record {
    ledger_document const* document = nullptr; ///< required
    failure const* what = nullptr;             ///< required
    missing_part const* part = nullptr;        ///< if the document has a result, and this part of it failed
    std::string_view message;              ///< if not empty, replaces to_string(*what)
    std::span<std::string const> file_ids; ///< file ids of a job whose request_id is not in the ledger
    std::optional<std::chrono::system_clock::time_point> at;
};

/// Appends the record as one line of JSON, including the line break. `base` is prepended to a relative path.
/// "class" is the name of the errc.
///
/// The line is also a valid manifest row, see manifest_source. The line of a part has the request_id of its
/// document, which is therefore polled and not sent again. The path is absolute, because paths in a
/// manifest are relative to the manifest's folder.
OCRPIPE_DECL void append_failure_line(std::string& out, failure_record const& record, std::string_view base);

/// The same for an input that never became a document.
OCRPIPE_DECL void append_failure_line(std::string& out, input_problem const& problem, std::string_view base);

/// Appends failures to `folder`/failures.jsonl, whole lines only.
///
/// Thread safety: none.
class failures_writer
{
public:
    /// Continues an existing file, after removing an incomplete last line left by a crash. The folder must
    /// exist.
    ///
    /// Errors: errc::unwritable_output.
    static result<failures_writer> open(std::string const& folder);

    /// Starts a new file, which atomically replaces the old one in publish().
    ///
    /// Errors: errc::unwritable_output.
    static result<failures_writer> replace(std::string const& folder);
    result<void> publish();

    /// Errors: a system error such as no_space_on_device; then no part of the line is in the file, and the
    /// call may be repeated.
    error_code append(failure_record const& record);
    error_code append(input_problem const& problem);

    /// Appends a line of another failures file, given without its line break.
    error_code append_line(std::string_view line);

    /// Reserves disk space for the lines that a run must write when the disk is full.
    error_code keep_room() { return file_.keep_room(room); }

    /// Blocks until everything appended is on disk.
    error_code sync() { return file_.sync(); }

private:
    /// Enough for several hundred lines, which is more than the number of submits in flight.
    static constexpr std::uint64_t room = std::uint64_t(256) << 10;

    failures_writer() = default;
    static result<failures_writer> open_as(std::string const& folder, char const* name);

    std::string folder_;
    detail::jsonl_file file_;
    std::string base_; ///< the working directory when the file was opened
    std::string line_; ///< buffer, kept to reuse its memory
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/failures_writer.ipp>
#endif

#endif
