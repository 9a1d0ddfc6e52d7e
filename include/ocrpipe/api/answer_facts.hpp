#ifndef OCRPIPE_API_ANSWER_FACTS_HPP
#define OCRPIPE_API_ANSWER_FACTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ocrpipe
{

/// How far a job says that it is.
struct job_progress {
    std::int64_t total = 0;
    std::int64_t ignored = 0;
    std::int64_t finished = 0;

    bool is_incomplete() const noexcept { return total <= 0 || finished + ignored < total; }
};

/// What a status says of a job.
enum class job_status : std::uint8_t { unknown, success, failure, pending };

/// How much of a result stands in an answer.
enum class content_kind {
    none,       ///< bookkeeping alone
    hint,       ///< short texts that may be bookkeeping, such as a language or a unit
    slight,     ///< numbers and truth values, which may be a place in a queue
    doubtful,   ///< longer texts that may be bookkeeping, such as an address or what was asked for
    unfamiliar, ///< texts in places that the profile does not name
    known,      ///< where the profile looks for it
};

/// What an answer's body says; no decision is made here.
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
    bool has_data = false; ///< it has members; without such a key: the top level has documents or progress

    std::string request_id;            ///< as it was written, digit by digit when it is a number
    bool request_id_in_data = false;   ///< not at the top level, where gateways put ids of their own
    std::vector<std::string> file_ids; ///< the first 100,000

    std::string status;                    ///< the one nearest to the documents
    job_status said = job_status::unknown; ///< what that means
    bool status_is_near = false;           ///< it stands beside the documents
    std::optional<job_progress> progress;  ///< only when it has a total
    bool says_pending = false;             ///< a flag, a percentage or a document's own status says so
    bool says_finished = false;            ///< a flag, a percentage or counts say so
    bool says_failed = false;              ///< it is finished, with an error and without a text
    bool has_empty_texts = false;          ///< the places for texts are there, and nothing is in them

    content_kind content = content_kind::none; ///< of the documents that did not fail
    std::uint64_t content_hash = 0; ///< of what is not bookkeeping; 0 unless the content alone must decide
    int documents = 0;              ///< 1 for content without a list of documents
    bool lists_documents = false;   ///< `documents` can be compared with what progress counts
    int failed_documents = 0;       ///< whose status is a word for failure
    int filled_documents = 0;       ///< not failed, and with content

    bool has_error = false; ///< an error envelope is there, perhaps without a code that HTTP knows
    int error_status = 0; ///< the HTTP status that an error envelope's code stands for; 0 when there is none
    std::string message;  ///< of an error envelope, at most 256 bytes

    bool is_json() const noexcept { return shape != form::blank && shape != form::not_json; }
    bool has_content() const noexcept { return filled_documents != 0; }
    bool all_filled() const noexcept
    {
        return filled_documents + failed_documents == documents && has_content();
    }
};

} // namespace ocrpipe

#endif
