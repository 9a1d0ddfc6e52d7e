#ifndef OCRPIPE_API_IMPL_SEEN_ANSWER_HPP
#define OCRPIPE_API_IMPL_SEEN_ANSWER_HPP

// Answers as the decision tables of classify.ipp see them: each question that a row asks has a name.

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/impl/answer_form.hpp>
#include <ocrpipe/core/words.hpp>

#include <algorithm>
#include <initializer_list>

namespace ocrpipe::detail
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
    /// Longer than the client's limits. Reading it again would give the same, unless it is an error page. If
    /// the header is too long, its status is unknown.
    bool is_too_large() const
    {
        bool const over = failed_with(errc::body_too_large) || failed_with(errc::header_too_large);
        return over && answer.error().status < 300;
    }
    /// As 401, but from the proxy, or because the peer's certificate is not accepted.
    bool failed_credentials() const
    {
        if (answer || answer.error().sent != bytes_sent::none) return false;
        int const from_proxy = failed_with(errc::proxy_refused) ? answer.error().status : 0;
        return failed_with(errc::certificate_invalid) || from_proxy == 401 || from_proxy == 403 ||
               from_proxy == 407;
    }
    /// The request's last byte was not sent: an incomplete message is not processed (RFC 9112, 8).
    bool is_incomplete_request() const
    {
        return (answer ? answer->sent : answer.error().sent) != bytes_sent::all;
    }

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
    /// A 4xx that need not be the service's own decision.
    bool is_foreign_refusal() const { return is_client_error() && (!is_json() || is_gateways()); }
    /// A gateway's page that refuses a read for good. The service need not have seen the request.
    bool is_gateways_refusal() const
    {
        return is_client_error() && !is({408, 409, 423, 425}) && is_gateways();
    }
    /// A gateway that checks client certificates after the handshake.
    /// Source: nginx, "400 No required SSL certificate was sent", "400 The SSL certificate error".
    bool refuses_certificate() const
    {
        return is({400}) && !is_json() && contains_letters(beginning(), "SSL certificate");
    }
    /// Whether a proxy says that it lost the connection to the service after it had forwarded the request.
    /// Source: Envoy, "upstream connect error or disconnect/reset before headers. reset reason: ...".
    bool was_forwarded() const
    {
        std::string_view const text = beginning();
        return contains_letters(text, "reset before headers") && !contains_letters(text, "overflow") &&
               !contains_letters(text, "connection failure") && !contains_letters(text, "connection timeout");
    }
    std::string_view beginning() const
    {
        return answer ? std::string_view(answer->body).substr(0, 512) : std::string_view();
    }

    bool has_success_word() const { return facts.status_meaning == job_status::success; }
    bool has_failure_word() const { return facts.status_meaning == job_status::failure || facts.says_failed; }
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
        return !facts.progress && (facts.says_pending || facts.status_meaning == job_status::pending);
    }
    bool is_terminal() const
    {
        if (facts.progress) return !is_incomplete();
        return !has_pending_word() && (has_success_word() || facts.says_finished);
    }
    /// Documents that are counted as finished and not there.
    bool lacks_documents() const
    {
        if (facts.misses_documents) return true;
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

/// A result's answer together with the job's history.
struct seen_result : seen_answer {
    seen_result(exchange_result const& a, result_history& h, response_profile const& p, std::string_view id,
                bool succeeded, clock::time_point t, std::chrono::milliseconds window)
        : seen_answer(a, p)
        , history(h)
        , request_id(id)
        , route_succeeded(succeeded)
        , now(t)
        , settle_time(window)
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
        return history.settled_before ||
               (history.settle_reads >= profile.settle_reads && now - history.settling_since >= settle_time);
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
    std::chrono::milliseconds settle_time;
    bool same_content_as_before = false;
    bool same_refusal_as_before = false;
    bool failed_before = false;
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
        if (is({404})) return !is_gateways();
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

} // namespace ocrpipe::detail

#endif
