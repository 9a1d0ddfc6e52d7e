#ifndef OCRPIPE_BULK_OUTPUT_RESULT_LINE_HPP
#define OCRPIPE_BULK_OUTPUT_RESULT_LINE_HPP

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
    std::string_view duplicate_of; ///< id of the equal document whose result this is; empty for its own
    std::string_view status;       ///< done, done_in_part or done_empty
    std::optional<std::chrono::system_clock::time_point> submitted_at;
    std::optional<std::chrono::system_clock::time_point> finished_at;
    int attempts = 0; ///< submits sent
    int polls = 0;
    bool possible_duplicate = false;
    bool recognized = true; ///< the answer has a form that is known; false is written, true is not
    std::span<part_entry const> parts;
    std::string_view text;        ///< its text file, below the run's folder; empty when there is none
    std::string_view answer;      ///< the file, below the run's folder, that holds the answer byte for byte
                                  ///< where the line cannot; empty when the line does
    bool file_changed = false;    ///< the file was written since its bytes were read; likewise
    std::string_view result_json; ///< the service's answer, which must be JSON; empty for none
};

/// Appends the record as one line of JSON with its line break.
///
/// The service's JSON stands in it byte for byte, except that line breaks between its tokens become spaces. It
/// must be strict JSON, see strict_json().
/// What is not UTF-8 in `id` and `path` is replaced by U+FFFD, and `id_bytes` and `path_bytes` then hold the
/// exact bytes, percent-encoded.
OCRPIPE_DECL void append_result_line(std::string& out, result_record const& record);

/// A line of a results file, read.
struct result_line {
    std::string id; ///< its exact bytes; likewise path and duplicate_of
    std::string path;
    std::string sha256;
    std::string request_id;
    std::string duplicate_of;
    std::string status;
    std::optional<std::chrono::system_clock::time_point> submitted_at;
    std::optional<std::chrono::system_clock::time_point> finished_at;
    int attempts = 0;
    int polls = 0;
    bool possible_duplicate = false;
    bool recognized = true;
    std::vector<part_entry> parts;
    std::string text;
    std::string answer;
    bool file_changed = false;
    std::string_view result_json; ///< as it stands in the line; valid as long as the line is
    bool result_is_json = true;   ///< false when the line is damaged, or holds what a strict parser refuses

    /// The same as a record, which refers to this object.
    result_record record() const;
};

/// Reads a line as append_result_line() writes it, with or without its line break. Members may come in any
/// order, and unknown ones are passed over. The service's JSON is taken as it stands, whatever it holds.
///
/// Returns nothing when the line is no JSON object with an id.
/// Cost: one scan of the line; the service's JSON is not copied.
OCRPIPE_DECL std::optional<result_line> read_result_line(std::string_view line);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/result_line.ipp>
#endif

#endif
