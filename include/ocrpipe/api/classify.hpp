#ifndef OCRPIPE_API_CLASSIFY_HPP
#define OCRPIPE_API_CLASSIFY_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// What one answer, or its absence, means. This module alone interprets answers; the three tables are in
/// impl/classify.ipp, a row each.
///
/// Source: the usage guide, "Quick Troubleshooting". Assumed: nearly all else; see response_profile.
enum class verdict {
    // Of a submit.
    accepted,       ///< a request_id came back
    ambiguous,      ///< the service may have accepted it and may bill it
    safe_to_repeat, ///< the service cannot have accepted it
    // Of a result or a part.
    pending, ///< not yet: ask again by the schedule
    retry,   ///< this read failed: ask again soon
    foreign, ///< a page where a result should be: ask again, but not for ever
    done,
    done_in_part, ///< some documents of the file failed
    done_empty,   ///< finished, and nothing was found
    unreadable,   ///< no JSON parser takes it, and it was the same twice
    job_failed,
    expired,
    lost,
    absent, ///< the service has no such part
    // Of any.
    throttled,           ///< slow down; costs the document nothing
    credentials_refused, ///< 401, 402, 403: concerns everybody, not this document
    wrong_base_url,      ///< a gateway speaks, not the service
    rejected,            ///< this request is refused
    misdirected,         ///< redirected to where we do not go
    stopped,             ///< our own side ended it: cancelled, closed, deadline, unreadable file
};

/// What an answer says, and which row of the table said so.
struct reading {
    verdict what = verdict::retry;
    std::string_view row;   ///< a short name of the row, for logs and tests
    int status = 0;         ///< HTTP's, or the one an error envelope holds; 0 without an answer
    bool recognized = true; ///< false for content in a form that the profile does not describe
};

/// Reads the answer to a submit. On accepted, `job` gets its ids.
OCRPIPE_DECL reading read_submit(exchange_result const& answer, response_profile const& profile,
                                 submitted_job& job);

/// What must be remembered of a job's earlier reads to read the next one. Lives in every waiting job, so it
/// is small.
struct result_history {
    clock::time_point first_not_found{};
    clock::time_point settling_since{};
    std::uint64_t last_content = 0; ///< a hash; 0 when there was none
    std::uint16_t not_found = 0;    ///< 404s in a row
    std::uint16_t settle_reads =
        0; ///< in a row: terminal without content, or undecided with the same content
    std::uint16_t rejected_with = 0; ///< the status of the last answer, when it was a refusal
    bool failed_before = false;      ///< the last answer said that the job failed
};

/// Reads the answer to a result GET.
///
/// `request_id`: the job that was asked for; a result that names another one, letters' case aside, is never
/// taken for its own. `route_succeeded`: a result was read on this route before, by any job; then a 404 is
/// the job's, not the base URL's.
OCRPIPE_DECL reading read_result(exchange_result const& answer, result_history& history,
                                 response_profile const& profile, std::string_view request_id,
                                 bool route_succeeded, clock::time_point now);

/// What must be remembered of a part's earlier reads.
struct part_history {
    clock::time_point missing_since{};
    std::uint16_t missing = 0; ///< answers without the part
};

/// Reads the answer to a table, signature, stamp or image GET.
OCRPIPE_DECL reading read_part(exchange_result const& answer, part_history& history,
                               response_profile const& profile, operation kind, clock::time_point now);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/classify.ipp>
#endif

#endif
