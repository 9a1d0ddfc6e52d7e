#ifndef OCRPIPE_BULK_OUTPUT_FAILURES_WRITER_HPP
#define OCRPIPE_BULK_OUTPUT_FAILURES_WRITER_HPP

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

/// One document that did not become a result. Pointers and views live as long as the call that they are given
/// to.
struct failure_record {
    input_item const* item = nullptr;      ///< required
    failure const* what = nullptr;         ///< required
    std::string_view sha256;               ///< empty when unknown
    std::string_view message;              ///< stands for to_string(*what), unless it is empty
    std::span<std::string const> file_ids; ///< of a job whose request_id is not in the ledger
    std::optional<std::chrono::system_clock::time_point> at;
};

/// Appends the record as one line of JSON with its line break; `base` is put before a relative path. "class"
/// is the name of the errc.
///
/// The line is a row of a manifest, see manifest_source. Since a manifest's paths are relative to its own
/// folder, the path here is absolute.
OCRPIPE_DECL void append_failure_line(std::string& out, failure_record const& record, std::string_view base);

/// The same for an input that never became a document.
OCRPIPE_DECL void append_failure_line(std::string& out, input_problem const& problem, std::string_view base);

/// Appends failures to `folder`/failures.jsonl, whole lines only.
///
/// Thread safety: none.
class failures_writer
{
public:
    /// Goes on with the file if there is one, cutting away a line that a crash left without its end. The
    /// folder must exist.
    ///
    /// Errors: errc::unwritable_output.
    static result<failures_writer> open(std::string const& folder);

    /// Begins a new file, which takes the place of the old one at publish(), that is entirely or not at all.
    ///
    /// Errors: errc::unwritable_output.
    static result<failures_writer> replace(std::string const& folder);
    result<void> publish();

    /// Errors: the system's, such as no_space_on_device; no part of the line is in the file then, and the
    /// call may be repeated.
    error_code append(failure_record const& record);
    error_code append(input_problem const& problem);

    /// A line of another failures file, without its line break.
    error_code append_line(std::string_view line);

    /// Keeps room on the disk for the lines that a run writes when there is no other room left.
    error_code keep_room() { return file_.keep_room(room); }

    /// Waits until everything appended is on the disk.
    error_code sync() { return file_.sync(); }

private:
    /// For some hundred lines, which is more than there are submits under way.
    static constexpr std::uint64_t room = std::uint64_t(256) << 10;

    failures_writer() = default;
    static result<failures_writer> open_as(std::string const& folder, char const* name);

    std::string folder_;
    detail::jsonl_file file_;
    std::string base_; ///< the working directory when the file was opened
    std::string line_; ///< kept for its memory
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/failures_writer.ipp>
#endif

#endif
