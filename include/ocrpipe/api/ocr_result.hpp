#ifndef OCRPIPE_API_OCR_RESULT_HPP
#define OCRPIPE_API_OCR_RESULT_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/core/job_times.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// One value read from the document. The service sends it as a string or as an object.
struct ocr_value {
    std::string name; ///< empty for a plain string
    std::string text;
    std::optional<double> probability; ///< 0 to 1
    std::vector<double> coordinates;   ///< usually x1, y1, x2, y2; empty if absent
};

/// A field of a document, such as "total", with its values.
struct ocr_field {
    std::string name;
    std::vector<ocr_value> values;
};

/// One document found in the file.
struct ocr_document {
    /// As written, for async_table, async_signature and async_stamp; empty if absent.
    std::string id;
    std::string type;
    std::string status;
    bool failed = false;                        ///< its status means failure
    std::optional<bool> correct_classification; ///< whether the service considers `type` correct
    std::vector<ocr_field> fields;
};

/// How complete a successful result is.
enum class completeness {
    whole,
    in_part, ///< some of the file's documents failed
    empty,   ///< finished, and nothing was found
};

/// A finished result: the service's JSON byte for byte, and a typed view of its known members.
///
/// Thread safety: distinct objects are safe; a const object may be read from several threads.
class ocr_result
{
public:
    ocr_result() = default;

    /// `reads` is the number of GETs that were needed.
    ocr_result(std::string request_id, std::string raw, completeness how_complete, int reads,
               bool possible_duplicate = false, bool recognized = true, job_times times = {})
        : request_id_(std::move(request_id))
        , raw_(std::move(raw))
        , completeness_(how_complete)
        , possible_duplicate_(possible_duplicate)
        , recognized_(recognized)
        , reads_(reads)
        , times_(times)
    {
    }

    std::string const& request_id() const noexcept { return request_id_; }
    std::string const& raw() const noexcept { return raw_; }
    completeness how_complete() const noexcept { return completeness_; }
    bool done_in_part() const noexcept { return completeness_ == completeness::in_part; }
    bool empty() const noexcept { return completeness_ == completeness::empty; }
    int reads() const noexcept { return reads_; }
    /// When the job was read; `sent` and `accepted` are in submitted_job.
    job_times const& times() const noexcept { return times_; }

    /// Whether the document was resubmitted after a lost answer, so that it may be billed twice.
    bool possible_duplicate() const noexcept { return possible_duplicate_; }

    /// Whether the content was found under the profile's keys. Otherwise it was found by the names of its
    /// members, documents() and text() are a best effort, and raw() has the complete answer.
    bool recognized() const noexcept { return recognized_; }

    /// The documents in the result. Content of an unknown form becomes fields named after its members, never
    /// an error.
    ///
    /// Cost: parses the JSON on each call, into a tree of 8 bytes per value.
    std::vector<ocr_document> documents(response_profile const& profile = default_profile()) const;

    /// Calls `f` for each of documents(), with its position from 1 and its id, which may be empty. Needs less
    /// memory than documents().
    void for_each_document_id(std::function<void(std::size_t number, std::string id)> const& f,
                              response_profile const& profile = default_profile()) const;

    /// The text of the result, in reading order.
    ///
    /// If the profile's content key is present, it is the texts of all values, one per line. For other forms,
    /// see the README, "Answers of an unfamiliar form".
    ///
    /// Assumed: fields named "words", which repeat the text word by word, are omitted if there is any other
    /// field.
    ///
    /// Cost: like documents().
    std::string text(response_profile const& profile = default_profile()) const;

private:
    std::string request_id_;
    std::string raw_;
    completeness completeness_ = completeness::whole;
    bool possible_duplicate_ = false;
    bool recognized_ = true;
    int reads_ = 0;
    job_times times_;
};

/// A table, signature or stamp as the service's JSON, or an image's bytes.
struct part_data {
    operation kind = operation::table;
    std::string raw;
    std::string content_type; ///< as sent by the service
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/ocr_result.ipp>
#endif

#endif
