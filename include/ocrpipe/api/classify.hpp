#ifndef OCRPIPE_API_CLASSIFY_HPP
#define OCRPIPE_API_CLASSIFY_HPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe
{

// The meaning of an answer or of a transport error, one enumeration for each kind of request. Only this
// module interprets answers; its three decision tables are in impl/classify.ipp.
//
// Source: the usage guide, "Quick Troubleshooting". Assumed: nearly everything else; see response_profile.

/// The meaning of the answer to a submit.
enum class submit_verdict {
    accepted,            ///< the service returned a request_id
    ambiguous,           ///< the service may have accepted it and may bill it
    safe_to_repeat,      ///< the service cannot have accepted it
    throttled,           ///< slow down; does not count as an attempt
    overloaded,          ///< a bare 503: refused, send fewer at a time; does not count as an attempt
    credentials_refused, ///< 401, 402, 403: concerns all requests, not only this one
    certificate_refused, ///< a gateway wants a client certificate, or another one
    wrong_base_url,      ///< a gateway answered, not the service
    rejected,            ///< this request is refused
    misdirected,         ///< redirected to a target that is not followed; it was not carried out
    stopped,             ///< our own side ended it: cancelled, closed, deadline, unreadable file
};

/// The meaning of the answer to a result GET.
enum class result_verdict {
    pending, ///< not finished: poll again by the schedule
    retry,   ///< this read failed: retry soon
    foreign, ///< a web page instead of a result: retry, but not forever
    done,
    done_in_part, ///< some documents of the file failed
    done_empty,   ///< finished, and nothing was found
    unreadable,   ///< invalid JSON, with the same bytes twice
    too_large,    ///< a success that exceeds the limit on answers: another read would too
    job_failed,
    expired,
    lost,
    throttled,           ///< slow down
    credentials_refused, ///< 401, 402, 403: concerns all requests, not only this one
    wrong_base_url,      ///< a gateway answered, not the service
    rejected,            ///< this request is refused
    misdirected,         ///< redirected to a target that is not followed
    stopped,             ///< our own side ended it: cancelled, closed, deadline
};

/// The meaning of the answer to a table, signature, stamp or image GET.
enum class part_verdict {
    pending, ///< not there yet: ask again
    retry,   ///< this read failed: retry soon
    done,
    absent,              ///< the service has no such part
    too_large,           ///< a success that exceeds the limit on answers: another read would too
    throttled,           ///< slow down; does not count as an attempt
    credentials_refused, ///< 401, 402, 403: concerns all requests, not only this one
    rejected,            ///< this request is refused
    misdirected,         ///< redirected to a target that is not followed
    stopped,             ///< our own side ended it: cancelled, closed, deadline
};

/// The verdict on an answer, and the table row that gave it.
template<class Verdict>
struct reading {
    Verdict what{};
    std::string_view row;   ///< a short name of the row, for logs and tests
    int status = 0;         ///< of HTTP, or of an error envelope; 0 without an answer
    bool recognized = true; ///< false for content in a form that the profile does not describe
    bool is_foreign = false; ///< a 4xx without the service's own JSON: perhaps a gateway's decision
};
using submit_reading = reading<submit_verdict>;
using result_reading = reading<result_verdict>;
using part_reading = reading<part_verdict>;

/// Classifies the answer to a submit. On `accepted`, stores the ids in `job`.
OCRPIPE_DECL submit_reading read_submit(exchange_result const& answer, response_profile const& profile,
                                        submitted_job& job);

/// State kept between the reads of a job. Small, because every waiting job holds one.
struct result_history {
    clock::time_point first_not_found{};
    clock::time_point settling_since{};
    std::uint64_t last_content = 0; ///< a hash; 0 if there was no content
    std::uint16_t not_found = 0;    ///< 404s in a row
    /// In a row: finished without content, or undecided with the same content.
    std::uint16_t settle_reads = 0;
    std::uint16_t rejected_with = 0; ///< the status of the last answer if it was a refusal
    bool failed_before = false;      ///< the last answer said that the job failed
    bool settled_before = false;     ///< the job was finished long ago: its settle window has passed
};

/// Classifies the answer to a result GET.
///
/// `request_id`: the requested job. A result that names another id (compared without case) is never accepted.
/// `route_succeeded`: a result of any job was read on this route before, so a 404 concerns the job, not the
/// base URL.
/// `least_settle_time`: the settle window, if it is longer than the profile's; see settle_window.
OCRPIPE_DECL result_reading read_result(exchange_result const& answer, result_history& history,
                                        response_profile const& profile, std::string_view request_id,
                                        bool route_succeeded, clock::time_point now,
                                        std::chrono::milliseconds least_settle_time = {});

/// State kept between the reads of a part.
struct part_history {
    clock::time_point missing_since{};
    std::uint16_t missing = 0; ///< answers without the part
};

/// Classifies the answer to a table, signature, stamp or image GET.
OCRPIPE_DECL part_reading read_part(exchange_result const& answer, part_history& history,
                                    response_profile const& profile, operation kind, clock::time_point now);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/classify.ipp>
#endif

#endif
