#ifndef OCRPIPE_BULK_RESULTS_WRITER_HPP
#define OCRPIPE_BULK_RESULTS_WRITER_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/bulk/detail/jsonl_file.hpp>
#include <ocrpipe/config.hpp>
#include <ocrpipe/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe
{

/// What became of one part of a document.
struct part_entry {
    operation kind = operation::table;
    std::string sub_id; ///< the service's document_id, for an image its file_id
    std::string file;   ///< below the run's folder; empty when there is none
    std::string error;  ///< an errc's name, when there is no file
};

/// One finished document. The views live as long as the call that they are given to.
struct result_record {
    std::string_view id;
    std::string_view path;
    std::string_view sha256; ///< of the document, hexadecimal; empty when unknown
    std::string_view request_id;
    std::string_view status; ///< done, done_in_part or done_empty
    std::optional<std::chrono::system_clock::time_point> submitted_at;
    std::optional<std::chrono::system_clock::time_point> finished_at;
    int attempts = 0; ///< submits sent
    int polls = 0;
    bool possible_duplicate = false;
    std::span<part_entry const> parts;
    std::string_view result_json; ///< the service's answer, which must be JSON; empty for none
};

/// Appends the record as one line of JSON with its line break.
///
/// The service's JSON stands in it byte for byte, except that line breaks between its tokens become spaces.
/// What is not UTF-8 in `id` and `path` is replaced by U+FFFD, and `id_bytes` and `path_bytes` then hold the
/// exact bytes, percent-encoded.
OCRPIPE_DECL void append_result_line(std::string& out, result_record const& record);

/// Appends results to `folder`/results-00001.jsonl, -00002 and so on, whole lines only.
///
/// Thread safety: none.
class results_writer
{
public:
    static constexpr std::uint64_t default_file_bytes = std::uint64_t(1) << 30;

    /// Goes on with the last results file in `folder`, cutting away a line that a crash left without its end.
    /// The folder must exist.
    ///
    /// `max_file_bytes`: the next file is begun before a line would make the current one larger.
    /// Errors: errc::unwritable_output.
    static result<results_writer> open(std::string folder, std::uint64_t max_file_bytes = default_file_bytes);

    /// Errors: the system's, such as no_space_on_device; no part of the line is in the file then, and the
    /// call may be repeated.
    error_code append(result_record const& record);

    /// Waits until everything appended is on the disk.
    error_code sync() { return file_.sync(); }

    /// The file that append() writes to.
    std::string path() const;

private:
    results_writer(std::string folder, std::uint64_t max_file_bytes)
        : folder_(std::move(folder)), max_file_bytes_(max_file_bytes)
    {
    }

    std::string folder_;
    std::uint64_t max_file_bytes_;
    std::uint64_t number_ = 1;
    detail::jsonl_file file_;
    std::string line_; ///< kept for its memory
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/results_writer.ipp>
#endif

#endif
