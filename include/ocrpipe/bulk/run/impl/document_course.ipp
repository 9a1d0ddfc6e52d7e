#ifndef OCRPIPE_BULK_RUN_IMPL_DOCUMENT_COURSE_IPP
#define OCRPIPE_BULK_RUN_IMPL_DOCUMENT_COURSE_IPP

#include <ocrpipe/bulk/run/detail/document_course.hpp>

#include <utility>

namespace ocrpipe::detail
{

OCRPIPE_DECL bool ends_the_run(failure const& f) noexcept
{
    return f.is(errc::unauthorized) || f.is(errc::wrong_base_url) || f.is(errc::certificate_invalid) ||
           f.is(errc::client_certificate_refused) || f.is(errc::proxy_refused);
}

OCRPIPE_DECL bool may_concern_all(failure const& f) noexcept
{
    int const status = f.http_status;
    bool const is_refusal = status == 401 || status == 402 || status == 403 || status == 404;
    return f.is(errc::rejected) && f.request_id.empty() && is_refusal;
}

OCRPIPE_DECL document_course course_after(failure const& f) noexcept
{
    bool const stopped =
        f.is(errc::cancelled) || f.is(errc::client_closed) || f.is(errc::service_unavailable);
    if (!ends_the_run(f) && !stopped) return document_course::failed;
    if (!f.request_id.empty()) return document_course::unfinished;
    return document_course::not_sent;
}

OCRPIPE_DECL bool is_in_doubt(ledger_row const& row) noexcept
{
    return row.state == document_state::ambiguous ||
           (row.state == document_state::failed && row.possible_duplicate && row.request_id.empty());
}

OCRPIPE_DECL failure still_in_doubt(failure const& f)
{
    if (f.is(errc::ambiguous_submit)) return f;
    failure doubt(errc::ambiguous_submit, f.where,
                  "an earlier submit of this document may have been accepted; the last one: " + to_string(f),
                  f.code);
    doubt.attempts = f.attempts;
    doubt.http_status = f.http_status;
    doubt.excerpt = f.excerpt;
    return doubt;
}

OCRPIPE_DECL document_state state_after(failure const& f) noexcept
{
    if (f.is(errc::ambiguous_submit)) return document_state::ambiguous;
    if (f.is(errc::job_expired)) return document_state::expired;
    if (f.is(errc::job_lost)) return document_state::lost;
    if (f.is(errc::job_failed) || f.request_id.empty()) return document_state::failed;
    return document_state::stuck;
}

OCRPIPE_DECL bool is_unanswered(failure const& f) noexcept
{
    bool const lost = f.is(errc::ambiguous_submit) && f.http_status != 500;
    return lost || is_transport(make_error_code(static_cast<errc>(f.code.value())));
}

OCRPIPE_DECL std::vector<missing_part> parts_to_fetch(result_parts found)
{
    std::vector<missing_part> parts;
    for (result_part& part : found.parts) {
        missing_part& p = parts.emplace_back();
        p.place = parts.size() - 1;
        p.kind = part.kind;
        p.index = part.number;
        p.sub_id = std::move(part.sub_id);
    }
    return parts;
}

} // namespace ocrpipe::detail

#endif
