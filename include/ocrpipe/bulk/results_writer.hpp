#ifndef OCRPIPE_BULK_RESULTS_WRITER_HPP
#define OCRPIPE_BULK_RESULTS_WRITER_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/bulk/detail/jsonl_file.hpp>
#include <ocrpipe/bulk/result_location.hpp>
#include <ocrpipe/config.hpp>
#include <ocrpipe/result.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
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
    /// Errors: errc::unwritable_output.
    static result<results_writer> open(std::string folder, std::uint64_t max_file_bytes = default_file_bytes);

    /// The same for files of which a ledger knows: `recorded` is the last line that it does, if there is one.
    /// The lines behind it, which a crash left, are shown to `keep` in their order; from the first that it
    /// does not want, they are cut away.
    ///
    /// Errors: errc::unwritable_output; errc::ledger_failed when the recorded line is not there.
    static result<results_writer> recover(std::string folder, std::uint64_t max_file_bytes,
                                          std::optional<result_location> recorded, keep_result const& keep);

    /// Tells where the line stands, when asked.
    ///
    /// Errors: the system's, such as no_space_on_device; no part of the line is in the file then, and the
    /// call may be repeated.
    error_code append(result_record const& record, result_location* where = nullptr);

    /// Appends another document's line again for one with the same content: with its own id and path, and the
    /// other's id as "duplicate_of".
    ///
    /// Errors: those of append(); the system's when the line cannot be read.
    error_code append_copy(result_location original, std::string_view original_id, std::string_view id,
                           std::string_view path, result_location* where);

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

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/results_writer.ipp>
#endif

#endif
