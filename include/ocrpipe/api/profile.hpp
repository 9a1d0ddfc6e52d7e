#ifndef OCRPIPE_API_PROFILE_HPP
#define OCRPIPE_API_PROFILE_HPP

#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Describes the service's vocabulary: the keys in its answers, the meaning of status words, and how long an
/// answer may take to settle.
///
/// If your tenant answers differently, change the profile instead of the code. Words and texts are compared
/// ignoring ASCII case; a word that ends in * matches by prefix; keys are compared exactly. If several keys
/// of a list occur, the earliest one in the list wins.
///
/// Answers of other forms are interpreted too, by the names of their members; keys in the profile take
/// precedence.
///
/// Source: the usage guide names request_id, file_ids and document_id; the other keys were observed in public
/// clients of the service. Assumed: the status words, the texts, the windows.
struct response_profile {
    using words = std::vector<std::string>;

    words success_words{"SUCCESS",  "SUCCEEDED", "COMPLETED", "COMPLETE",   "DONE",
                        "FINISHED", "PROCESSED", "READY",     "SUCCESSFUL", "PARTIAL_SUCCESS"};
    words partial_words{"PARTIAL*"}; ///< a partial success
    words failure_words{"FAILED",   "FAILURE", "ERROR",   "CANCEL*",
                        "REJECTED", "EXPIRED", "STOPPED", "TIMEOUT*"};

    words pending_words{"PENDING",    "PROCESSING",  "QUEUED",     "QUEUING",   "RUNNING",   "IN_PROGRESS",
                        "INPROGRESS", "IN PROGRESS", "WAITING",    "SUBMITTED", "STARTED",   "NOT_STARTED",
                        "NOTSTARTED", "CREATED",     "ACCEPTED",   "RECEIVED",  "SCHEDULED", "INITIALIZING",
                        "UPLOADING",  "ANALYZING",   "EXTRACTING", "PARSING",   "NOT_READY"};

    /// Searched for at the start of an error body. A match means throttled, whatever the status.
    words throttle_texts{"too many requests", "rate limit", "rate_limit", "ratelimit", "throttl"};
    /// Searched for at the start of a 404 body. A match means that a gateway answered, not the service.
    words gateway_texts{"no route matched", "404 page not found", "default backend"};

    words data_keys{"data"}; ///< the envelope; if absent, the same keys are looked up at the top level
    words request_id_keys{"request_id"};
    words file_ids_keys{"file_ids"};
    words status_keys{"status", "state", "job_status"}; ///< of a job and of a document
    words progress_keys{"progress"};
    words total_keys{"total_doc", "total"};
    words ignored_keys{"ignored", "skipped"};
    words finished_keys{"finished", "done", "completed", "processed"};
    words documents_keys{"documents"};
    words document_id_keys{"document_id", "id", "_id"};
    words document_type_keys{"document_type"};
    words classification_keys{"is_correct_classification"};
    words content_keys{"ocr_data"};
    words name_keys{"name"}; ///< of a field and of a value
    words values_keys{"value"};
    words text_keys{"extracted_value", "text"}; ///< of a value
    words probability_keys{"extracted_prob"};
    words coordinates_keys{"coordinates"};
    words schema_keys{"schema"};
    words table_keys{"table"};
    words error_keys{"error"}; ///< an object with the next key, or a text
    words code_keys{"code", "errorCode", "error_code", "statusCode"};

    /// A finished answer without content is read again at least this long and this many times before it
    /// counts as empty.
    std::chrono::milliseconds settle_time{10'000}; ///< 0 to 1 h
    int settle_reads = 3;                          ///< 1 to 1000

    /// A request_id is lost after this many 404s in a row over at least this time.
    std::chrono::milliseconds lost_time{30'000}; ///< 0 to 1 h
    int lost_reads = 3;                          ///< 1 to 1000

    /// Whether content without status and progress is the complete result. If false, two reads in a row must
    /// have the same body.
    bool content_without_status_is_final = false;

    /// Additional form fields of every submit, after flow, doc_type and file_type. Default: none. Observed:
    /// other clients send model=idp.
    std::vector<std::pair<std::string, std::string>> extra_fields;

    bool operator==(response_profile const&) const = default;
};

/// The default profile; always returns the same object.
OCRPIPE_DECL response_profile const& default_profile();

/// Parses a profile from a JSON object; missing members keep their defaults.
///
/// The members are those of response_profile, except that the times are settle_seconds and lost_seconds and
/// that extra_fields is an object of strings. Errors: errc::invalid_argument; the reason names the member,
/// the problem and the allowed values.
OCRPIPE_DECL result<response_profile> parse_profile(std::string_view json);

/// Serializes the profile for parse_profile(): a JSON object with all members, one per line.
OCRPIPE_DECL std::string to_json(response_profile const& profile);

/// Every problem found, as "member: what is wrong: remedy"; empty if there are none.
OCRPIPE_DECL std::vector<std::string> problems(response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/profile.ipp>
#endif

#endif
