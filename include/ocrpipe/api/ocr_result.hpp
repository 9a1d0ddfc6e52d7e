#ifndef OCRPIPE_API_OCR_RESULT_HPP
#define OCRPIPE_API_OCR_RESULT_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/profile.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// One value that was read. Observed both as a plain string and as an object.
struct ocr_value {
    std::string name; ///< empty for a plain string
    std::string text;
    std::optional<double> probability; ///< 0 to 1
    std::vector<double> coordinates;   ///< usually x1, y1, x2, y2; empty when not given
};

/// A field of a document, such as "total", with its values.
struct ocr_field {
    std::string name;
    std::vector<ocr_value> values;
};

/// One document found in the file.
struct ocr_document {
    std::string
        id; ///< for async_table, async_signature, async_stamp; as it was written; empty when not given
    std::string type;
    std::string status;
    bool failed = false;                        ///< its status is a word for failure
    std::optional<bool> correct_classification; ///< the service's own judgement of `type`
    std::vector<ocr_field> fields;
};

/// How a job ended well.
enum class completeness {
    whole,
    in_part, ///< some of the file's documents failed
    empty,   ///< finished, and nothing was found
};

/// A finished result: the service's JSON byte for byte, and a typed view of what was observed in it.
///
/// Thread safety: distinct objects safe; a const object may be read from several threads.
class ocr_result
{
public:
    ocr_result() = default;

    /// `reads` is the number of GETs it took.
    ocr_result(std::string request_id, std::string raw, completeness how_complete, int reads,
               bool possible_duplicate = false, bool recognized = true)
        : request_id_(std::move(request_id))
        , raw_(std::move(raw))
        , completeness_(how_complete)
        , possible_duplicate_(possible_duplicate)
        , recognized_(recognized)
        , reads_(reads)
    {
    }

    std::string const& request_id() const noexcept { return request_id_; }
    std::string const& raw() const noexcept { return raw_; }
    bool done_in_part() const noexcept { return completeness_ == completeness::in_part; }
    bool empty() const noexcept { return completeness_ == completeness::empty; }
    int reads() const noexcept { return reads_; }

    /// Its document was sent again after a submit whose answer was lost, and may be billed twice.
    bool possible_duplicate() const noexcept { return possible_duplicate_; }

    /// Whether the content stands where the profile says. Otherwise it was found by the names of its members,
    /// and documents() and text() show what can be made of it; raw() has all of it.
    bool recognized() const noexcept { return recognized_; }

    /// The documents in the result; what does not fit the shapes that were observed is shown as fields by the
    /// names of its members, never as an error.
    ///
    /// Cost: parses the JSON at each call, into a tree of 28 bytes a value.
    std::vector<ocr_document> documents(response_profile const& profile = default_profile()) const;

    /// The text of the result, in reading order.
    ///
    /// Where the profile's content key stands, it is the texts of all values, a line each. Elsewhere the
    /// README, "Answers of an unfamiliar form", has the rules.
    ///
    /// Assumed: fields that repeat the same words one by one (named "words") are left out when there is any
    /// other field.
    ///
    /// Cost: as documents().
    std::string text(response_profile const& profile = default_profile()) const;

private:
    std::string request_id_;
    std::string raw_;
    completeness completeness_ = completeness::whole;
    bool possible_duplicate_ = false;
    bool recognized_ = true;
    int reads_ = 0;
};

/// A table, signature or stamp as the service's JSON, or an image's bytes.
struct part_data {
    operation kind = operation::table;
    std::string raw;
    std::string content_type; ///< as the service said
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/ocr_result.ipp>
#endif

#endif
