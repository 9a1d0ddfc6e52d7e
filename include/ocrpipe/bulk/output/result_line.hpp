#ifndef OCRPIPE_BULK_OUTPUT_RESULT_LINE_HPP
#define OCRPIPE_BULK_OUTPUT_RESULT_LINE_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/core/config.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

/// The outcome of one part of a document.
struct part_entry {
    operation kind = operation::table;
    std::string sub_id; ///< the service's document_id; for an image, its file_id
    std::string file;   ///< relative to the run's folder; empty if there is none
    std::string error;  ///< if there is no file: not_fetched, or the name of an errc
};

/// How a result line states the completeness of a result: "done", "done_in_part" or "done_empty".
inline std::string_view status_of_result(completeness c) noexcept
{
    return c == completeness::empty ? "done_empty" : c == completeness::in_part ? "done_in_part" : "done";
}

/// The reverse. Any other status counts as whole.
inline completeness completeness_of_status(std::string_view status) noexcept
{
    return status == "done_empty"     ? completeness::empty
           : status == "done_in_part" ? completeness::in_part
                                      : completeness::whole;
}

/// The error of a part that was not waited for.
inline constexpr std::string_view not_fetched = "not_fetched";

/// Whether the part can still be fetched: it is neither in a file nor absent at the service.
OCRPIPE_DECL bool is_missing(part_entry const& p) noexcept;

/// When a document went through the service. A time that is not known is null in the line.
struct result_times {
    using time = std::optional<std::chrono::system_clock::time_point>;

    time sent_at;         ///< the first byte of the submit left
    time submitted_at;    ///< the request_id was received
    time last_pending_at; ///< the last answer came that the job is not finished
    time ready_at;        ///< the answer with the result came
    time finished_at;     ///< the line was written
};

/// A finished document. The views need to be valid only during the call that takes them.
struct result_record {
    std::string_view id;
    std::string_view path;
    std::string_view sha256; ///< of the document, hexadecimal; empty if unknown
    std::string_view request_id;
    /// Id of the document with equal content that produced this result; empty if it is its own.
    std::string_view duplicate_of;
    std::string_view status; ///< status_of_result()
    result_times times;
    int attempts = 0; ///< submits sent
    int polls = 0;
    bool possible_duplicate = false;
    bool recognized = true; ///< the answer has a known format; only false is written
    std::span<part_entry const> parts;
    std::string_view text; ///< text file, relative to the run's folder; empty if there is none
    /// File, relative to the run's folder, with the exact bytes of the answer if the line cannot hold them;
    /// empty if it can.
    std::string_view answer;
    bool file_changed = false;    ///< the file was modified after its bytes were read; only true is written
    std::string_view result_json; ///< the service's answer, which must be JSON; empty if there is none
};

/// Appends the record as one line of JSON, including the line break.
///
/// The service's JSON is copied byte for byte, except that line breaks between tokens become spaces. It must
/// be strict JSON, see strict_json(). Bytes of `id` and `path` that are not UTF-8 are replaced by U+FFFD, and
/// `id_bytes` and `path_bytes` then hold the exact bytes, percent-encoded.
OCRPIPE_DECL void append_result_line(std::string& out, result_record const& record);

/// A parsed line of a results file.
struct result_line {
    std::string id; ///< exact bytes; likewise path and duplicate_of
    std::string path;
    std::string sha256;
    std::string request_id;
    std::string duplicate_of;
    std::string status;
    result_times times;
    int attempts = 0;
    int polls = 0;
    bool possible_duplicate = false;
    bool recognized = true;
    std::vector<part_entry> parts;
    std::string text;
    std::string answer;
    bool file_changed = false;
    std::string_view result_json; ///< exactly as in the line; valid as long as the line
    /// False if the line is damaged, or contains JSON that a strict parser rejects.
    bool result_is_json = true;

    /// Returns the same data as a record that refers to this object.
    result_record record() const;
};

/// Parses a line written by append_result_line(), with or without its line break. Members may be in any
/// order, and unknown members are ignored. The service's JSON is returned as is, without validation.
///
/// Returns nullopt if the line is not a JSON object with an id.
/// Cost: one scan of the line; the service's JSON is not copied.
OCRPIPE_DECL std::optional<result_line> read_result_line(std::string_view line);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/result_line.ipp>
#endif

#endif
