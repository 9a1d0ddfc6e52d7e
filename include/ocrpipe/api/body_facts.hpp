#ifndef OCRPIPE_API_BODY_FACTS_HPP
#define OCRPIPE_API_BODY_FACTS_HPP

#include <ocrpipe/api/profile.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

/// How far a job says that it is.
struct job_progress {
    std::int64_t total = 0;
    std::int64_t ignored = 0;
    std::int64_t finished = 0;
};

/// What one pass over an answer's body finds; no decision is made here.
struct body_facts {
    enum class form {
        blank,    ///< nothing, or white space
        not_json, ///< not JSON in valid UTF-8, or nested deeper than 64
        scalar,   ///< null, true, false, a number or a string
        empty,    ///< {} or []
        filled,   ///< an object or array with members
    };

    form shape = form::blank;
    bool has_data_key = false; ///< a member of the envelope's key exists, whatever its value
    bool has_data = false;   ///< it has members; without such a key: the top level has documents or progress
    bool has_values = false; ///< a non-empty string, a number or a truth value stands in data (or, without
                             ///< it, beside the envelope's own words)

    std::string request_id;            ///< as it was written, digit by digit when it is a number
    bool request_id_in_data = false;   ///< not at the top level, where gateways put ids of their own
    std::vector<std::string> file_ids; ///< the first 100,000

    std::string status;
    std::optional<job_progress> progress;
    int documents = 0;
    int failed_documents = 0; ///< whose status is a word for failure
    int filled_documents = 0; ///< not failed, and with content

    int error_status = 0; ///< the HTTP status that an error envelope's code stands for; 0 when there is none
    std::string message;  ///< of an error envelope, at most 256 bytes

    bool is_json() const noexcept { return shape != form::blank && shape != form::not_json; }
    bool has_content() const noexcept { return filled_documents != 0; }
    bool all_filled() const noexcept
    {
        return filled_documents + failed_documents == documents && has_content();
    }
};

/// Reads a body in a single pass, without building a tree.
///
/// A document has content when its ocr_data holds a value with a text that is not empty, as ocr_result would
/// show it, or when its schema.table holds anything but empty strings, nulls and brackets. Cost: about 1.5 µs
/// a KB; allocates for ids longer than 15 characters only. Source: shapes seen in public clients of the
/// service. Assumed: everything else.
OCRPIPE_DECL body_facts read_body_facts(std::string_view body, response_profile const& profile);

/// The ids of the documents in a result, in order, as they were written; a document without one is left out,
/// and so are those after 100,000.
///
/// They come from the service: percent_encode_segment() before they go into a path, and never into a file's
/// name.
OCRPIPE_DECL std::vector<std::string> document_ids(std::string_view body, response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/body_facts.ipp>
#endif

#endif
