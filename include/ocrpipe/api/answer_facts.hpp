#ifndef OCRPIPE_API_ANSWER_FACTS_HPP
#define OCRPIPE_API_ANSWER_FACTS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ocrpipe
{

/// A job's progress, as counts of documents.
struct job_progress {
    std::int64_t total = 0;
    std::int64_t ignored = 0;
    std::int64_t finished = 0;

    bool is_incomplete() const noexcept { return total <= 0 || finished + ignored < total; }
};

/// The meaning of a status text.
enum class job_status : std::uint8_t { unknown, success, failure, pending };

/// How much of a result an answer contains.
enum class content_kind {
    none,       ///< bookkeeping only
    hint,       ///< short texts that may be bookkeeping, such as a language or a unit
    slight,     ///< numbers and booleans, which may be a position in a queue
    doubtful,   ///< longer texts that may be bookkeeping, such as a URL or an echo of the request
    unfamiliar, ///< texts under keys that the profile does not name
    known,      ///< under the profile's content key
};

/// Facts parsed from an answer's body. No decision is made here.
struct body_facts {
    enum class form {
        blank,    ///< empty or white space
        not_json, ///< not JSON in valid UTF-8, or nested deeper than 1000
        scalar,   ///< null, true, false, a number or a string
        empty,    ///< {} or []
        filled,   ///< an object or array with members
    };

    form shape = form::blank;
    bool has_data_key = false; ///< the envelope's key exists, whatever its value
    bool has_data = false;     ///< it has members; without the key: the top level has documents or progress

    std::string request_id;            ///< as written in the body, also if it is a number
    bool request_id_in_data = false;   ///< not at the top level, where gateways put their own ids
    std::vector<std::string> file_ids; ///< only by read_known_form()

    std::string status;                              ///< the status nearest to the documents
    job_status status_meaning = job_status::unknown; ///< the meaning of `status`
    bool status_is_near = false;                     ///< it is in the envelope, as the documents are
    std::optional<job_progress> progress;            ///< only if it has a total
    bool says_pending = false;    ///< a flag, a percentage or a document's own status says so
    bool says_finished = false;   ///< a flag, a percentage or counts say so
    bool says_failed = false;     ///< finished, with an error and without text
    bool has_empty_texts = false; ///< text members are present but empty

    content_kind content = content_kind::none; ///< of the documents that did not fail
    std::uint64_t content_hash = 0; ///< of all but bookkeeping; 0 unless the verdict depends on content alone
    int documents = 0;              ///< 1 for content without a list of documents
    bool lists_documents = false;   ///< `documents` is comparable with the counts of `progress`
    bool misses_documents = false;  ///< there are fewer documents or pages than other counts say
    int failed_documents = 0;       ///< those whose status means failure
    int filled_documents = 0;       ///< not failed, with content

    bool may_have_counts = false; ///< the envelope has a member that may count documents, of no known name
    bool has_error = false; ///< there is an error envelope, perhaps without a valid HTTP code
    int error_status = 0;   ///< the HTTP status given by an error envelope's code; 0 if none

    bool is_json() const noexcept { return shape != form::blank && shape != form::not_json; }
    bool has_content() const noexcept { return filled_documents != 0; }
    bool all_filled() const noexcept
    {
        return filled_documents + failed_documents == documents && has_content();
    }
};

} // namespace ocrpipe

#endif
