#ifndef OCRPIPE_API_IMPL_CLASSIFY_IPP
#define OCRPIPE_API_IMPL_CLASSIFY_IPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/impl/answer_form.hpp>
#include <ocrpipe/core/words.hpp>

#include <array>
#include <functional>
#include <limits>

namespace ocrpipe
{
namespace detail
{

/// An answer as seen by the decision tables.
struct seen_answer {
    using reader = body_facts (*)(std::string_view, response_profile const&);

    seen_answer(exchange_result const& a, response_profile const& p, reader read = read_body_facts)
        : answer(a), profile(p)
    {
        if (!answer) return;
        http_response const& r = *answer;
        status = r.status;
        facts = read(r.body, profile);
        if (is_success() && facts.error_status != 0 && !facts.has_data && facts.request_id.empty())
            status = facts.error_status;
    }

    bool failed() const { return !answer; }
    bool failed_with(errc e) const { return !answer && answer.error().code == e; }
    /// Ended on our own side: another network attempt would not help.
    bool failed_here() const { return !answer && !is_transport(answer.error().code); }
    bool nothing_sent() const { return !answer && answer.error().sent == bytes_sent::none; }

    bool is(std::initializer_list<int> statuses) const
    {
        return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
    }
    bool is_success() const { return status >= 200 && status < 300; }
    bool is_client_error() const { return status >= 400 && status < 500; }
    /// An invalid HTTP status counts as a server error (RFC 9110, 15).
    bool is_server_error() const { return status >= 500 || status < 200; }
    bool has_retry_after() const { return answer && !answer->retry_after.empty(); }
    bool is_json() const { return facts.is_json(); }
    /// Whether it claims to be JSON, by its content type or its first bytes.
    bool claims_json() const
    {
        std::string_view const start = beginning();
        std::size_t const first = start.find_first_not_of(" \t\r\n");
        return claims("json") || (first != start.npos && (start[first] == '{' || start[first] == '['));
    }
    bool claims(std::string_view type) const
    {
        return answer && contains_letters(answer->content_type, type);
    }
    bool is_html() const
    {
        if (claims("html")) return true;
        std::string_view const start = beginning();
        return !is_json() && (contains_letters(start, "<html") || contains_letters(start, "<!doctype"));
    }
    bool asks_to_slow_down() const
    {
        return is({429}) || (is_client_error() && contains_any(beginning(), profile.throttle_texts));
    }
    /// Assumed: a non-empty body that is not JSON, or contains a gateway text, is not from the service.
    bool is_gateways() const
    {
        bool const foreign = !is_json() && facts.shape != body_facts::form::blank;
        return foreign || contains_any(beginning(), profile.gateway_texts);
    }
    std::string_view beginning() const
    {
        return answer ? std::string_view(answer->body).substr(0, 512) : std::string_view();
    }

    bool has_success_word() const { return facts.said == job_status::success; }
    bool has_failure_word() const { return facts.said == job_status::failure || facts.says_failed; }
    /// A partial success, such as "PARTIAL_SUCCESS" or "completed with errors".
    bool has_partial_word() const
    {
        return is_word_of(facts.status, profile.partial_words) ||
               (has_success_word() &&
                (contains_letters(facts.status, "with") || contains_letters(facts.status, "partial")));
    }
    bool is_incomplete() const { return facts.progress && facts.progress->is_incomplete(); }
    /// Where there is progress, it alone says whether the job is finished.
    bool has_pending_word() const
    {
        return !facts.progress && (facts.says_pending || facts.said == job_status::pending);
    }
    bool is_terminal() const
    {
        if (facts.progress) return !is_incomplete();
        return !has_pending_word() && (has_success_word() || facts.says_finished);
    }
    /// Documents that are counted as finished and not there.
    bool lacks_documents() const
    {
        return facts.progress && facts.lists_documents && facts.documents < facts.progress->finished;
    }
    /// Nothing but its documents speaks for the job, or it is finished.
    bool all_documents_failed() const
    {
        bool const over = is_terminal() || (!facts.progress && facts.status.empty());
        return over && facts.documents > 0 && facts.failed_documents == facts.documents;
    }

    /// Whether the content, if there is any, stands where the profile says.
    bool is_recognized() const
    {
        return facts.content == content_kind::none || facts.content == content_kind::known;
    }

    exchange_result const& answer;
    response_profile const& profile;
    int status = 0;
    body_facts facts;
};

inline void count(std::uint16_t& n) noexcept
{
    if (n != std::numeric_limits<std::uint16_t>::max()) ++n;
}

/// One row of a table: the first whose condition holds gives the verdict.
template<class Seen>
struct verdict_row {
    std::string_view name;
    bool (*holds)(Seen&);
    verdict what;
};

template<class Seen, std::size_t N>
reading first_match(std::array<verdict_row<Seen>, N> const& table, Seen& s)
{
    for (auto const& row : table)
        if (row.holds(s)) return reading{row.what, row.name, s.status, s.is_recognized()};
    return reading{verdict::retry, "no row matched", s.status, true};
}

using submit_row = verdict_row<seen_answer>;

// Assumed: 425 and a redirect say that the request was not looked at, but for 303, which says that it was
// carried out; a 408 may come from a gateway that had handed it on.
inline constexpr std::array submit_rows{
    submit_row{"broken off, with a request_id",
               [](seen_answer& s) { return s.failed() && !s.facts.request_id.empty(); }, verdict::accepted},
    submit_row{"redirected elsewhere", [](seen_answer& s) { return s.failed_with(errc::redirect_refused); },
               verdict::misdirected},
    submit_row{"stopped before the first byte",
               [](seen_answer& s) { return s.failed_here() && s.nothing_sent(); }, verdict::stopped},
    submit_row{"document changed under us",
               [](seen_answer& s) {
                   bool const ours =
                       s.failed_with(errc::file_changed) || s.failed_with(errc::unreadable_file);
                   return ours && s.answer.error().sent != bytes_sent::all;
               },
               verdict::stopped},
    submit_row{"failed before the first byte", [](seen_answer& s) { return s.nothing_sent(); },
               verdict::safe_to_repeat},
    submit_row{"failed after the first byte", [](seen_answer& s) { return s.failed(); }, verdict::ambiguous},
    // An error envelope may carry an id of its own for tracing; only one in its data is a job's.
    submit_row{"accepted",
               [](seen_answer& s) {
                   bool const refused = s.facts.error_status != 0 && !s.facts.request_id_in_data;
                   return s.answer && s.answer->status / 100 == 2 && !s.facts.request_id.empty() && !refused;
               },
               verdict::accepted},
    submit_row{"2xx without a request_id",
               [](seen_answer& s) { return s.answer->status >= 200 && s.answer->status < 300; },
               verdict::ambiguous},
    submit_row{"throttled", [](seen_answer& s) { return s.asks_to_slow_down(); }, verdict::throttled},
    submit_row{"503 with Retry-After", [](seen_answer& s) { return s.is({503}) && s.has_retry_after(); },
               verdict::throttled},
    submit_row{"credentials refused",
               [](seen_answer& s) {
                   return s.is({401, 402, 403});
               },
               verdict::credentials_refused},
    submit_row{"404", [](seen_answer& s) { return s.is({404}); }, verdict::wrong_base_url},
    submit_row{"425", [](seen_answer& s) { return s.is({425}); }, verdict::safe_to_repeat},
    submit_row{"408", [](seen_answer& s) { return s.is({408}); }, verdict::ambiguous},
    submit_row{"303", [](seen_answer& s) { return s.is({303}); }, verdict::ambiguous},
    submit_row{"refused", [](seen_answer& s) { return s.is_client_error(); }, verdict::rejected},
    submit_row{"unfollowed redirect", [](seen_answer& s) { return !s.is_server_error(); },
               verdict::wrong_base_url},
    submit_row{"5xx", [](seen_answer&) { return true; }, verdict::ambiguous},
};

/// A result's answer together with the job's history.
struct seen_result : seen_answer {
    seen_result(exchange_result const& a, result_history& h, response_profile const& p, std::string_view id,
                bool succeeded, clock::time_point t)
        : seen_answer(a, p), history(h), request_id(id), route_succeeded(succeeded), now(t)
    {
    }

    /// Ids outside the data belong to gateways.
    bool is_another_jobs() const
    {
        return facts.request_id_in_data && !same_letters(facts.request_id, request_id);
    }

    bool not_found_too_often() const
    {
        return history.not_found >= profile.lost_reads && now - history.first_not_found >= profile.lost_time;
    }
    bool settled() const
    {
        return history.settle_reads >= profile.settle_reads &&
               now - history.settling_since >= profile.settle_time;
    }
    bool is_filled() const { return facts.all_filled() && !lacks_documents(); }
    bool has_content() const { return facts.content != content_kind::none; }
    bool has_text() const { return facts.content >= content_kind::unfamiliar; }
    /// Content that is all there is to decide by.
    bool speaks_for_itself() const
    {
        return has_text() && facts.status.empty() && !facts.progress && !facts.has_empty_texts &&
               !facts.has_error;
    }
    /// Whether the content has stayed the same for long enough to be final. Numbers alone may be a position
    /// in a queue, so they take longer.
    bool stays_the_same() const
    {
        constexpr int windows_for_numbers = 6;
        int const windows = facts.content <= content_kind::slight ? windows_for_numbers : 1;
        return has_content() && history.settle_reads >= profile.settle_reads &&
               now - history.settling_since >= profile.settle_time * windows;
    }

    result_history& history;
    std::string_view request_id; ///< that was asked for
    bool route_succeeded;
    clock::time_point now;
    bool same_content_as_before = false;
    bool same_refusal_as_before = false;
    bool failed_before = false;
};

using result_row = verdict_row<seen_result>;

inline constexpr std::array result_rows{
    result_row{"redirected elsewhere", [](seen_result& s) { return s.failed_with(errc::redirect_refused); },
               verdict::misdirected},
    result_row{"stopped", [](seen_result& s) { return s.failed_here(); }, verdict::stopped},
    result_row{"transport failure", [](seen_result& s) { return s.failed(); }, verdict::retry},
    result_row{"throttled", [](seen_result& s) { return s.asks_to_slow_down(); }, verdict::throttled},
    result_row{"Retry-After",
               [](seen_result& s) { return s.has_retry_after() && !(s.is_success() && s.facts.has_data); },
               verdict::throttled},
    result_row{"credentials refused",
               [](seen_result& s) {
                   return s.is({401, 402, 403});
               },
               verdict::credentials_refused},
    result_row{"gateway's 404, nothing ever succeeded",
               [](seen_result& s) { return s.is({404}) && !s.route_succeeded && s.is_gateways(); },
               verdict::wrong_base_url},
    result_row{"404 too often", [](seen_result& s) { return s.is({404}) && s.not_found_too_often(); },
               verdict::lost},
    result_row{"404", [](seen_result& s) { return s.is({404}); }, verdict::pending},
    result_row{"410", [](seen_result& s) { return s.is({410}); }, verdict::expired},
    result_row{"408, 409, 423, 425, 5xx",
               [](seen_result& s) {
                   return s.is({408, 409, 423, 425}) || s.is_server_error();
               },
               verdict::retry},
    result_row{"4xx, twice the same",
               [](seen_result& s) { return s.is_client_error() && s.same_refusal_as_before; },
               verdict::rejected},
    result_row{"4xx, once", [](seen_result& s) { return s.is_client_error(); }, verdict::retry},
    result_row{"202, 204, 304",
               [](seen_result& s) {
                   return s.is({202, 204, 304}) && !s.facts.has_data;
               },
               verdict::pending},
    result_row{"unfollowed redirect", [](seen_result& s) { return s.status >= 300; }, verdict::misdirected},
    result_row{"empty", [](seen_result& s) { return s.facts.shape == body_facts::form::blank; },
               verdict::pending},
    result_row{"not the JSON it claims to be, twice the same",
               [](seen_result& s) { return !s.is_json() && s.claims_json() && s.same_content_as_before; },
               verdict::unreadable},
    result_row{"not the JSON it claims to be", [](seen_result& s) { return !s.is_json() && s.claims_json(); },
               verdict::retry},
    result_row{"HTML or other non-JSON", [](seen_result& s) { return !s.is_json(); }, verdict::foreign},
    result_row{"another job's", [](seen_result& s) { return s.is_another_jobs(); }, verdict::retry},
    result_row{"failed, said again", [](seen_result& s) { return s.has_failure_word() && s.failed_before; },
               verdict::job_failed},
    result_row{"failed, to be confirmed", [](seen_result& s) { return s.has_failure_word(); },
               verdict::pending},
    result_row{"no data", [](seen_result& s) { return !s.facts.has_data && !s.is_terminal(); },
               verdict::pending},
    result_row{"a word for pending", [](seen_result& s) { return s.has_pending_word(); }, verdict::pending},
    result_row{"progress incomplete", [](seen_result& s) { return s.is_incomplete(); }, verdict::pending},
    result_row{"every document failed, said again",
               [](seen_result& s) { return s.all_documents_failed() && s.failed_before; },
               verdict::job_failed},
    result_row{"every document failed, to be confirmed",
               [](seen_result& s) { return s.all_documents_failed(); }, verdict::pending},
    result_row{"terminal and filled, a part failed",
               [](seen_result& s) {
                   return s.is_terminal() && s.is_filled() &&
                          (s.facts.failed_documents > 0 || s.has_partial_word());
               },
               verdict::done_in_part},
    result_row{"terminal and filled", [](seen_result& s) { return s.is_terminal() && s.is_filled(); },
               verdict::done},
    result_row{"terminal, fewer documents than counted, settled",
               [](seen_result& s) {
                   return s.is_terminal() && s.facts.has_content() && s.lacks_documents() && s.settled();
               },
               verdict::done_in_part},
    result_row{"terminal, partly filled, settled",
               [](seen_result& s) { return s.is_terminal() && s.facts.has_content() && s.settled(); },
               verdict::done_in_part},
    result_row{"terminal, content elsewhere, settled",
               [](seen_result& s) {
                   content_kind const content = s.facts.content;
                   bool const noise = content == content_kind::hint ||
                                      (content == content_kind::slight && s.facts.has_empty_texts);
                   return s.is_terminal() && s.has_content() && !noise && s.settled();
               },
               verdict::done},
    result_row{"terminal, content missing, settled",
               [](seen_result& s) { return s.is_terminal() && s.settled(); }, verdict::done_empty},
    result_row{"terminal, content missing", [](seen_result& s) { return s.is_terminal(); }, verdict::pending},
    result_row{
        "content without status, final by the profile",
        [](seen_result& s) { return s.speaks_for_itself() && s.profile.content_without_status_is_final; },
        verdict::done},
    result_row{"content without status, twice the same, a part failed",
               [](seen_result& s) {
                   return s.speaks_for_itself() && s.same_content_as_before && s.facts.failed_documents > 0;
               },
               verdict::done_in_part},
    result_row{"content without status, twice the same",
               [](seen_result& s) { return s.speaks_for_itself() && s.same_content_as_before; },
               verdict::done},
    result_row{"the same content over the settle window", [](seen_result& s) { return s.stays_the_same(); },
               verdict::done},
    result_row{"unknown status", [](seen_result&) { return true; }, verdict::pending},
};

/// A part's answer together with the part's history.
struct seen_part : seen_answer {
    seen_part(exchange_result const& a, part_history& h, response_profile const& p, operation k,
              clock::time_point t)
        : seen_answer(a, p), history(h), kind(k), now(t)
    {
    }

    bool is_missing() const
    {
        if (is({404})) return true;
        if (!is_success()) return false;
        return facts.shape == body_facts::form::blank || (is_json() && !has_part(answer->body, profile));
    }
    bool missing_for_good() const
    {
        return history.missing >= profile.settle_reads && now - history.missing_since >= profile.settle_time;
    }
    bool is_image() const
    {
        return kind == operation::image && is_success() && !answer->body.empty() && !is_json() &&
               !is_html() && !claims("json");
    }

    part_history& history;
    operation kind;
    clock::time_point now;
};

using part_row = verdict_row<seen_part>;

inline constexpr std::array part_rows{
    part_row{"redirected elsewhere", [](seen_part& s) { return s.failed_with(errc::redirect_refused); },
             verdict::misdirected},
    part_row{"stopped", [](seen_part& s) { return s.failed_here(); }, verdict::stopped},
    part_row{"transport failure", [](seen_part& s) { return s.failed(); }, verdict::retry},
    part_row{"throttled",
             [](seen_part& s) { return s.asks_to_slow_down() || (s.has_retry_after() && !s.is_success()); },
             verdict::throttled},
    part_row{"credentials refused",
             [](seen_part& s) {
                 return s.is({401, 402, 403});
             },
             verdict::credentials_refused},
    part_row{"a word for pending", [](seen_part& s) { return s.is_success() && s.has_pending_word(); },
             verdict::pending},
    part_row{"missing beyond the settle window",
             [](seen_part& s) { return s.is_missing() && s.missing_for_good(); }, verdict::absent},
    part_row{"missing", [](seen_part& s) { return s.is_missing(); }, verdict::pending},
    part_row{"410", [](seen_part& s) { return s.is({410}); }, verdict::absent},
    part_row{"408, 409, 423, 425, 5xx",
             [](seen_part& s) {
                 return s.is({408, 409, 423, 425}) || s.is_server_error();
             },
             verdict::retry},
    part_row{"4xx", [](seen_part& s) { return s.is_client_error(); }, verdict::rejected},
    part_row{"unfollowed redirect", [](seen_part& s) { return s.status >= 300; }, verdict::misdirected},
    part_row{"image", [](seen_part& s) { return s.is_image(); }, verdict::done},
    part_row{"HTML or other non-JSON", [](seen_part& s) { return !s.is_json(); }, verdict::retry},
    part_row{"content", [](seen_part&) { return true; }, verdict::done},
};

} // namespace detail

namespace detail
{

/// Finds any visible id, even in a damaged or unfamiliar answer.
inline void look_for_ids(std::string_view body, response_profile const& profile, body_facts& facts)
{
    if (auto const tree = answer_tree::read(body)) {
        answer_form const form(*tree, profile);
        form.complete_submit(facts);
        // Perhaps in JSON that stands in a string.
        if (facts.request_id.empty() && !form.is_error())
            facts.request_id = visible_request_id(body, profile, true);
    } else
        facts.request_id = visible_request_id(body, profile, true);
}

} // namespace detail

OCRPIPE_DECL reading read_submit(exchange_result const& answer, response_profile const& profile,
                                 submitted_job& job)
{
    detail::seen_answer s(answer, profile, read_known_form);
    if (!answer && answer.error().status / 100 == 2)
        s.facts.request_id = detail::visible_request_id(answer.error().begun_body, profile, false);
    // Beside the data an id may be the request's own, for tracing.
    if (s.is_success() && !s.facts.request_id_in_data) detail::look_for_ids(answer->body, profile, s.facts);
    reading const r = detail::first_match(detail::submit_rows, s);
    if (r.what == verdict::accepted) {
        job.request_id = std::move(s.facts.request_id);
        job.file_ids = std::move(s.facts.file_ids);
    }
    return r;
}

OCRPIPE_DECL reading read_result(exchange_result const& answer, result_history& history,
                                 response_profile const& profile, std::string_view request_id,
                                 bool route_succeeded, clock::time_point now)
{
    detail::seen_result s(answer, history, profile, request_id, route_succeeded, now);

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
        bool const damaged = s.is_success() && !s.is_json() && s.claims_json();
        std::uint64_t content = undecided ? s.facts.content_hash : 0;
        if (damaged) content = std::hash<std::string_view>()(answer->body) | 1;
        s.same_content_as_before = content != 0 && content == history.last_content;
        history.last_content = content;

        if (!terminal_unfilled && !undecided) {
            history.settle_reads = 0;
        } else {
            if (undecided && !s.same_content_as_before) history.settle_reads = 0;
            if (history.settle_reads == 0) history.settling_since = now;
            detail::count(history.settle_reads);
        }
    }
    return detail::first_match(detail::result_rows, s);
}

OCRPIPE_DECL reading read_part(exchange_result const& answer, part_history& history,
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
