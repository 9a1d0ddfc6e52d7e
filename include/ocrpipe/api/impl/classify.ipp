#ifndef OCRPIPE_API_IMPL_CLASSIFY_IPP
#define OCRPIPE_API_IMPL_CLASSIFY_IPP

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/impl/seen_answer.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

namespace ocrpipe
{
namespace detail
{

/// One row of a table: the first whose condition holds gives the verdict. The last row of a table holds for
/// every answer.
template<class Verdict, class Seen>
struct verdict_row {
    std::string_view name;
    bool (*holds)(Seen&);
    Verdict what;
};

template<class Verdict, class Seen, std::size_t N>
reading<Verdict> first_match(std::array<verdict_row<Verdict, Seen>, N> const& table, Seen& s)
{
    auto const row = std::find_if(table.begin(), table.end() - 1,
                                  [&s](auto const& candidate) { return candidate.holds(s); });
    return {row->what, row->name, s.status, s.is_recognized(), s.is_foreign_refusal()};
}

using submit_row = verdict_row<submit_verdict, seen_answer>;

// What an answer to a submit proves (RFC 9110, section 15, unless another source is named):
// - A message with Content-Length that was not written completely is not processed (RFC 9112, 8), whatever
//   ended it: a failure, our own side, or an early answer.
// - 503: the server is "currently unable to handle the request" (15.6.4). Load balancers, rate limits and
//   servers send it instead of handling the request, so it is refused and safe to repeat. An exception is
//   Envoy's 503 for a connection that broke after the request was forwarded.
// - 501, 505, 507, 508, 510: the server lacks what the request needs, or the whole operation failed (15.6.2,
//   15.6.6; RFC 4918, 11.5; RFC 5842, 7.2; RFC 2774, 7). Nothing was accepted, and repeating does not help.
// - 421, 423, 425: not looked at, on this connection or for now (15.5.20; RFC 4918, 11.3; RFC 8470, 5.2).
// - 511: a captive portal answered, not the service (RFC 6585, 6).
// - 305, 307, 308: the same request is to be sent elsewhere, so it was not carried out (15.4.8, 15.4.9).
// - 301, 302, 303 and other redirects: the POST may have been carried out before (15.4.2 to 15.4.4).
// Assumed: a 408 for a complete request may come from a gateway that had forwarded it; 500, 502, 504 and
// unknown 5xx may follow an acceptance.
inline constexpr std::array submit_rows{
    submit_row{"broken off, with a request_id",
               [](seen_answer& s) { return s.failed() && !s.facts.request_id.empty(); },
               submit_verdict::accepted},
    submit_row{"redirected elsewhere", [](seen_answer& s) { return s.failed_with(errc::redirect_refused); },
               submit_verdict::misdirected},
    submit_row{"stopped before the last byte",
               [](seen_answer& s) { return s.failed_here() && s.is_incomplete_request(); },
               submit_verdict::stopped},
    submit_row{"refused by the proxy, or an invalid certificate",
               [](seen_answer& s) { return s.failed_credentials(); }, submit_verdict::credentials_refused},
    submit_row{"failed before the last byte",
               [](seen_answer& s) {
                   // The beginning of a 2xx casts doubt.
                   return s.failed() && s.is_incomplete_request() && s.answer.error().status / 100 != 2;
               },
               submit_verdict::safe_to_repeat},
    submit_row{"failed after the last byte", [](seen_answer& s) { return s.failed(); },
               submit_verdict::ambiguous},
    // An error envelope may carry an id of its own for tracing; only one in its data is a job's.
    submit_row{"accepted",
               [](seen_answer& s) {
                   bool const refused = s.facts.error_status != 0 && !s.facts.request_id_in_data;
                   return s.answer->status / 100 == 2 && !s.facts.request_id.empty() && !refused;
               },
               submit_verdict::accepted},
    submit_row{"2xx without a request_id", [](seen_answer& s) { return s.is_success(); },
               submit_verdict::ambiguous},
    submit_row{"throttled", [](seen_answer& s) { return s.asks_to_slow_down(); }, submit_verdict::throttled},
    submit_row{"503 with Retry-After", [](seen_answer& s) { return s.is({503}) && s.has_retry_after(); },
               submit_verdict::throttled},
    submit_row{"503 after the request was forwarded",
               [](seen_answer& s) { return s.is({503}) && s.was_forwarded() && !s.is_incomplete_request(); },
               submit_verdict::ambiguous},
    submit_row{"503", [](seen_answer& s) { return s.is({503}); }, submit_verdict::overloaded},
    submit_row{"credentials refused", [](seen_answer& s) { return s.is({401, 402, 403}); },
               submit_verdict::credentials_refused},
    submit_row{"client certificate refused", [](seen_answer& s) { return s.refuses_certificate(); },
               submit_verdict::certificate_refused},
    submit_row{"404 in the service's own JSON",
               [](seen_answer& s) { return s.is({404}) && s.is_json() && !s.is_gateways(); },
               submit_verdict::rejected},
    submit_row{"404, 511", [](seen_answer& s) { return s.is({404, 511}); }, submit_verdict::wrong_base_url},
    submit_row{"421, 423, 425", [](seen_answer& s) { return s.is({421, 423, 425}); },
               submit_verdict::safe_to_repeat},
    submit_row{
        "answered before the last byte",
        [](seen_answer& s) { return s.is_incomplete_request() && (s.is({408}) || s.is_server_error()); },
        submit_verdict::safe_to_repeat},
    submit_row{"408", [](seen_answer& s) { return s.is({408}); }, submit_verdict::ambiguous},
    submit_row{"refused",
               [](seen_answer& s) { return s.is_client_error() || s.is({501, 505, 507, 508, 510}); },
               submit_verdict::rejected},
    submit_row{"redirect of a request that was not carried out",
               [](seen_answer& s) {
                   return s.is({305, 307, 308}) || (!s.is_server_error() && s.is_incomplete_request());
               },
               submit_verdict::misdirected},
    submit_row{"redirect after the request", [](seen_answer& s) { return !s.is_server_error(); },
               submit_verdict::ambiguous},
    submit_row{"5xx", [](seen_answer&) { return true; }, submit_verdict::ambiguous},
};

using result_row = verdict_row<result_verdict, seen_result>;

inline constexpr std::array result_rows{
    result_row{"redirected elsewhere", [](seen_result& s) { return s.failed_with(errc::redirect_refused); },
               result_verdict::misdirected},
    result_row{"stopped", [](seen_result& s) { return s.failed_here(); }, result_verdict::stopped},
    result_row{"larger than the limit", [](seen_result& s) { return s.is_too_large(); },
               result_verdict::too_large},
    result_row{"refused by the proxy, or an invalid certificate",
               [](seen_result& s) { return s.failed_credentials(); }, result_verdict::credentials_refused},
    result_row{"transport failure", [](seen_result& s) { return s.failed(); }, result_verdict::retry},
    result_row{"a part of the content, which was not asked for", [](seen_result& s) { return s.is({206}); },
               result_verdict::retry},
    result_row{"throttled", [](seen_result& s) { return s.asks_to_slow_down(); }, result_verdict::throttled},
    result_row{"5xx with Retry-After",
               [](seen_result& s) { return s.is_server_error() && s.has_retry_after(); },
               result_verdict::throttled},
    result_row{"credentials refused", [](seen_result& s) { return s.is({401, 402, 403}); },
               result_verdict::credentials_refused},
    result_row{"gateway's 404, nothing ever succeeded",
               [](seen_result& s) { return s.is({404}) && !s.route_succeeded && s.is_gateways(); },
               result_verdict::wrong_base_url},
    result_row{"a gateway's 4xx", [](seen_result& s) { return s.is_gateways_refusal(); },
               result_verdict::foreign},
    result_row{"404 too often", [](seen_result& s) { return s.is({404}) && s.not_found_too_often(); },
               result_verdict::lost},
    result_row{"404", [](seen_result& s) { return s.is({404}); }, result_verdict::pending},
    result_row{"410", [](seen_result& s) { return s.is({410}); }, result_verdict::expired},
    result_row{"408, 409, 423, 425, 5xx",
               [](seen_result& s) { return s.is({408, 409, 423, 425}) || s.is_server_error(); },
               result_verdict::retry},
    result_row{"4xx, twice the same",
               [](seen_result& s) { return s.is_client_error() && s.same_refusal_as_before; },
               result_verdict::rejected},
    result_row{"4xx, once", [](seen_result& s) { return s.is_client_error(); }, result_verdict::retry},
    result_row{"202, 204, 304", [](seen_result& s) { return s.is({202, 204, 304}) && !s.facts.has_data; },
               result_verdict::pending},
    result_row{"unfollowed redirect", [](seen_result& s) { return s.status >= 300; },
               result_verdict::misdirected},
    result_row{"empty", [](seen_result& s) { return s.facts.shape == body_facts::form::blank; },
               result_verdict::pending},
    result_row{"not the JSON it claims to be, twice the same",
               [](seen_result& s) { return !s.is_json() && s.claims_json() && s.same_content_as_before; },
               result_verdict::unreadable},
    result_row{"not the JSON it claims to be", [](seen_result& s) { return !s.is_json() && s.claims_json(); },
               result_verdict::retry},
    result_row{"HTML or other non-JSON", [](seen_result& s) { return !s.is_json(); },
               result_verdict::foreign},
    result_row{"another job's", [](seen_result& s) { return s.is_another_jobs(); }, result_verdict::retry},
    result_row{"failed, confirmed", [](seen_result& s) { return s.has_failure_word() && s.failed_before; },
               result_verdict::job_failed},
    result_row{"failed, to be confirmed", [](seen_result& s) { return s.has_failure_word(); },
               result_verdict::pending},
    result_row{"no data", [](seen_result& s) { return !s.facts.has_data && !s.is_terminal(); },
               result_verdict::pending},
    result_row{"a word for pending", [](seen_result& s) { return s.has_pending_word(); },
               result_verdict::pending},
    result_row{"progress incomplete", [](seen_result& s) { return s.is_incomplete(); },
               result_verdict::pending},
    result_row{"every document failed, confirmed",
               [](seen_result& s) { return s.all_documents_failed() && s.failed_before; },
               result_verdict::job_failed},
    result_row{"every document failed, to be confirmed",
               [](seen_result& s) { return s.all_documents_failed(); }, result_verdict::pending},
    result_row{"terminal and filled, a part failed",
               [](seen_result& s) {
                   return s.is_terminal() && s.is_filled() &&
                          (s.facts.failed_documents > 0 || s.has_partial_word());
               },
               result_verdict::done_in_part},
    result_row{"terminal and filled", [](seen_result& s) { return s.is_terminal() && s.is_filled(); },
               result_verdict::done},
    result_row{"terminal, fewer documents than counted, settled",
               [](seen_result& s) {
                   return s.is_terminal() && s.facts.has_content() && s.lacks_documents() && s.settled();
               },
               result_verdict::done_in_part},
    result_row{"terminal, partly filled, settled",
               [](seen_result& s) { return s.is_terminal() && s.facts.has_content() && s.settled(); },
               result_verdict::done_in_part},
    result_row{"terminal, content elsewhere, settled",
               [](seen_result& s) {
                   content_kind const content = s.facts.content;
                   bool const noise = content == content_kind::hint ||
                                      (content == content_kind::slight && s.facts.has_empty_texts);
                   return s.is_terminal() && s.has_content() && !noise && s.settled();
               },
               result_verdict::done},
    result_row{"terminal, content missing, settled",
               [](seen_result& s) { return s.is_terminal() && s.settled(); }, result_verdict::done_empty},
    result_row{"terminal, content missing", [](seen_result& s) { return s.is_terminal(); },
               result_verdict::pending},
    result_row{
        "content without status, final by the profile",
        [](seen_result& s) { return s.speaks_for_itself() && s.profile.content_without_status_is_final; },
        result_verdict::done},
    result_row{"content without status, twice the same, a part failed",
               [](seen_result& s) {
                   return s.speaks_for_itself() && s.same_content_as_before && s.facts.failed_documents > 0;
               },
               result_verdict::done_in_part},
    result_row{"content without status, twice the same",
               [](seen_result& s) { return s.speaks_for_itself() && s.same_content_as_before; },
               result_verdict::done},
    result_row{"the same content over the settle window", [](seen_result& s) { return s.stays_the_same(); },
               result_verdict::done},
    result_row{"unknown status", [](seen_result&) { return true; }, result_verdict::pending},
};

using part_row = verdict_row<part_verdict, seen_part>;

inline constexpr std::array part_rows{
    part_row{"redirected elsewhere", [](seen_part& s) { return s.failed_with(errc::redirect_refused); },
             part_verdict::misdirected},
    part_row{"stopped", [](seen_part& s) { return s.failed_here(); }, part_verdict::stopped},
    part_row{"larger than the limit", [](seen_part& s) { return s.is_too_large(); }, part_verdict::too_large},
    part_row{"refused by the proxy, or an invalid certificate",
             [](seen_part& s) { return s.failed_credentials(); }, part_verdict::credentials_refused},
    part_row{"transport failure", [](seen_part& s) { return s.failed(); }, part_verdict::retry},
    part_row{"a part of the content, which was not asked for", [](seen_part& s) { return s.is({206}); },
             part_verdict::retry},
    part_row{
        "throttled",
        [](seen_part& s) { return s.asks_to_slow_down() || (s.is_server_error() && s.has_retry_after()); },
        part_verdict::throttled},
    part_row{"credentials refused", [](seen_part& s) { return s.is({401, 402, 403}); },
             part_verdict::credentials_refused},
    part_row{"a word for pending", [](seen_part& s) { return s.is_success() && s.has_pending_word(); },
             part_verdict::pending},
    part_row{"a gateway's 4xx", [](seen_part& s) { return s.is_gateways_refusal(); }, part_verdict::retry},
    part_row{"missing beyond the settle window",
             [](seen_part& s) { return s.is_missing() && s.missing_for_good(); }, part_verdict::absent},
    part_row{"missing", [](seen_part& s) { return s.is_missing(); }, part_verdict::pending},
    part_row{"410", [](seen_part& s) { return s.is({410}); }, part_verdict::absent},
    part_row{"408, 409, 423, 425, 5xx",
             [](seen_part& s) { return s.is({408, 409, 423, 425}) || s.is_server_error(); },
             part_verdict::retry},
    part_row{"4xx", [](seen_part& s) { return s.is_client_error(); }, part_verdict::rejected},
    part_row{"unfollowed redirect", [](seen_part& s) { return s.status >= 300; }, part_verdict::misdirected},
    part_row{"image", [](seen_part& s) { return s.is_image(); }, part_verdict::done},
    part_row{"HTML or other non-JSON", [](seen_part& s) { return !s.is_json(); }, part_verdict::retry},
    part_row{"content", [](seen_part&) { return true; }, part_verdict::done},
};

inline void count(std::uint16_t& n) noexcept
{
    if (n != std::numeric_limits<std::uint16_t>::max()) ++n;
}

/// Finds any visible id, even in a damaged or unfamiliar answer.
inline void look_for_ids(std::string_view body, response_profile const& profile, body_facts& facts)
{
    if (auto const tree = answer_tree::read(body)) {
        answer_form const form(*tree, profile);
        form.complete_submit(facts);
        // The id may be inside a string of the JSON.
        if (facts.request_id.empty() && !form.is_error())
            facts.request_id = visible_request_id(body, profile, true);
    } else
        facts.request_id = visible_request_id(body, profile, true);
}

} // namespace detail

OCRPIPE_DECL submit_reading read_submit(exchange_result const& answer, response_profile const& profile,
                                        submitted_job& job)
{
    detail::seen_answer s(answer, profile, read_known_form);
    if (!answer && answer.error().status / 100 == 2)
        s.facts.request_id = detail::visible_request_id(answer.error().begun_body, profile, false);
    // Beside the data an id may be the request's own, for tracing.
    bool const success = answer && answer->status / 100 == 2;
    if (success && !s.facts.request_id_in_data) detail::look_for_ids(answer->body, profile, s.facts);
    // An embedded error code goes through the rows, unless an id that can be seen casts doubt on it.
    if (success) {
        bool const refused = s.facts.error_status != 0 && s.facts.request_id.empty() &&
                             detail::visible_request_id(answer->body, profile, true).empty();
        s.status = refused ? s.facts.error_status : answer->status;
    }
    submit_reading const r = detail::first_match(detail::submit_rows, s);
    if (r.what == submit_verdict::accepted) {
        job.request_id = std::move(s.facts.request_id);
        job.file_ids = std::move(s.facts.file_ids);
    }
    return r;
}

OCRPIPE_DECL result_reading read_result(exchange_result const& answer, result_history& history,
                                        response_profile const& profile, std::string_view request_id,
                                        bool route_succeeded, clock::time_point now,
                                        std::chrono::milliseconds least_settle_time)
{
    detail::seen_result s(answer, history, profile, request_id, route_succeeded, now,
                          std::max(profile.settle_time, least_settle_time));

    // A failed read, or an answer about another job, says nothing about this job, so it does not change the
    // history.
    if (answer && !s.is_another_jobs()) {
        if (s.status != 404) {
            history.not_found = 0;
        } else {
            if (history.not_found == 0) history.first_not_found = now;
            detail::count(history.not_found);
        }
        bool const refused = s.is_client_error();
        s.same_refusal_as_before = refused && history.rejected_with == s.status;
        history.rejected_with = refused ? static_cast<std::uint16_t>(s.status) : std::uint16_t(0);

        bool const judged = s.is_success() && s.is_json();
        s.failed_before = history.failed_before;
        history.failed_before = judged && (s.has_failure_word() || s.all_documents_failed());

        bool const terminal_unfilled = judged && s.is_terminal() && !s.is_filled() && !history.failed_before;
        bool const undecided =
            judged && s.has_content() && !s.is_terminal() && !s.has_pending_word() && !s.is_incomplete();
        bool const is_blank = s.facts.shape == body_facts::form::blank;
        bool const damaged = s.is_success() && !s.is_json() && !is_blank && s.claims_json();
        // An error, or an answer without data, does not begin the settle window again.
        bool const says_nothing = !damaged && (!judged || (!s.facts.has_data && !s.is_terminal()));
        std::uint64_t content = undecided ? s.facts.content_hash : 0;
        if (damaged) content = std::hash<std::string_view>()(answer->body) | 1;
        s.same_content_as_before = content != 0 && content == history.last_content;
        if (!says_nothing) history.last_content = content;

        if (says_nothing) {
            // The window goes on.
        } else if (!terminal_unfilled && !undecided) {
            history.settle_reads = 0;
        } else {
            if (undecided && !s.same_content_as_before) history.settle_reads = 0;
            if (history.settle_reads == 0) history.settling_since = now;
            detail::count(history.settle_reads);
        }
    }
    return detail::first_match(detail::result_rows, s);
}

OCRPIPE_DECL part_reading read_part(exchange_result const& answer, part_history& history,
                                    response_profile const& profile, operation kind, clock::time_point now)
{
    detail::seen_part s(answer, history, profile, kind, now);
    bool const pending = s.is_success() && s.has_pending_word();
    if (answer && !pending && s.is_missing()) {
        if (history.missing == 0) history.missing_since = now;
        detail::count(history.missing);
    }
    return detail::first_match(detail::part_rows, s);
}

} // namespace ocrpipe

#endif
