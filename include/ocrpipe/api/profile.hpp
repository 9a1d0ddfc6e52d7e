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

/// The words of the service: which keys answers are searched for, which status words mean what, how long an
/// answer may settle.
///
/// A user whose tenant answers differently changes data, not code. Words and texts are compared without
/// regard to case (ASCII), a word that ends in * by its beginning; keys are compared exactly. Where a list of
/// keys has several that occur, the earlier one in the list wins.
///
/// Answers of other forms are read too, by the names of their members; what the profile names comes first.
///
/// Source: the usage guide names request_id, file_ids and document_id; the other keys were observed in public
/// clients of the service. Assumed: the status words, the texts, the windows.
struct response_profile {
    using words = std::vector<std::string>;

    words success_words{"SUCCESS",  "SUCCEEDED", "COMPLETED", "COMPLETE",   "DONE",
                        "FINISHED", "PROCESSED", "READY",     "SUCCESSFUL", "PARTIAL_SUCCESS"};
    words partial_words{"PARTIAL*"}; ///< a success in part
    words failure_words{"FAILED",   "FAILURE", "ERROR",   "CANCEL*",
                        "REJECTED", "EXPIRED", "STOPPED", "TIMEOUT*"};

    words pending_words{"PENDING",    "PROCESSING",  "QUEUED",     "QUEUING",   "RUNNING",   "IN_PROGRESS",
                        "INPROGRESS", "IN PROGRESS", "WAITING",    "SUBMITTED", "STARTED",   "NOT_STARTED",
                        "NOTSTARTED", "CREATED",     "ACCEPTED",   "RECEIVED",  "SCHEDULED", "INITIALIZING",
                        "UPLOADING",  "ANALYZING",   "EXTRACTING", "PARSING",   "NOT_READY"};

    /// Searched for in the beginning of a refusal's body: asked to slow down, whatever the status.
    words throttle_texts{"too many requests", "rate limit", "rate_limit", "ratelimit", "throttl"};
    /// Searched for in the beginning of a 404's body: a gateway speaks, not the service.
    words gateway_texts{"no route matched", "404 page not found", "default backend"};

    words data_keys{"data"}; ///< the envelope; without one the same keys are looked for at the top level
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
    words error_keys{"error"}; ///< an object that holds the two that follow, or a text
    words code_keys{"code", "errorCode", "error_code", "statusCode"};
    words message_keys{"message", "errorMessage", "error_message", "detail"};

    /// A finished answer without content is read again for this long and this often before it counts as
    /// empty; both must have passed.
    std::chrono::milliseconds settle_time{10'000}; ///< 0 to 1 h
    int settle_reads = 3;                          ///< 1 to 1000

    /// A request_id is lost when it was answered with 404 this often in a row, over this long.
    std::chrono::milliseconds lost_time{30'000}; ///< 0 to 1 h
    int lost_reads = 3;                          ///< 1 to 1000

    /// Whether content without status and progress is the whole result. Off: it is when two reads in a row
    /// have the same body.
    bool content_without_status_is_final = false;

    /// Sent with every submit beside flow, doc_type and file_type; by default none. Observed: other clients
    /// send model=idp.
    std::vector<std::pair<std::string, std::string>> extra_fields;

    bool operator==(response_profile const&) const = default;
};

/// The default profile, one object for the whole program.
OCRPIPE_DECL response_profile const& default_profile();

/// Reads a profile from a JSON object; a member that is not given keeps its default.
///
/// The members are those of response_profile, with settle_seconds and lost_seconds for the times, and
/// extra_fields as an object of strings. Errors: errc::invalid_argument naming the member, what is wrong and
/// what is allowed.
OCRPIPE_DECL result<response_profile> parse_profile(std::string_view json);

/// The profile as parse_profile() reads it: a JSON object with all members, a line each.
OCRPIPE_DECL std::string to_json(response_profile const& profile);

/// Every problem found, as "member: what is wrong: remedy"; empty when there is none.
OCRPIPE_DECL std::vector<std::string> problems(response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/profile.ipp>
#endif

#endif
