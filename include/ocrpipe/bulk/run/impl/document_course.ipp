#ifndef OCRPIPE_BULK_RUN_IMPL_DOCUMENT_COURSE_IPP
#define OCRPIPE_BULK_RUN_IMPL_DOCUMENT_COURSE_IPP

#include <ocrpipe/bulk/run/detail/document_course.hpp>

#include <algorithm>

namespace ocrpipe::detail
{

OCRPIPE_DECL bool ends_the_run(failure const& f) noexcept
{
    return f.is(errc::unauthorized) || f.is(errc::wrong_base_url);
}

OCRPIPE_DECL document_course course_after(failure const& f) noexcept
{
    bool const stopped = f.is(errc::cancelled) || f.is(errc::client_closed);
    if (!ends_the_run(f) && !stopped) return document_course::failed;
    if (!f.request_id.empty()) return document_course::unfinished;
    return document_course::not_sent;
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

OCRPIPE_DECL std::vector<missing_part> parts_to_fetch(std::vector<operation> const& kinds,
                                                      ocr_result const& answer,
                                                      std::vector<std::string> const& file_ids,
                                                      response_profile const& profile)
{
    std::vector<missing_part> parts;
    if (kinds.empty()) return parts;
    bool const only_images = std::all_of(kinds.begin(), kinds.end(),
                                         [](operation kind) { return kind == operation::image; });
    std::vector<std::string> const document_ids =
        only_images ? std::vector<std::string>() : answer.document_ids(profile);
    for (operation const kind : kinds) {
        std::uint64_t index = 0;
        for (std::string const& id : kind == operation::image ? file_ids : document_ids) {
            ++index;
            if (id.empty()) continue;
            missing_part& p = parts.emplace_back();
            p.place = parts.size() - 1;
            p.kind = kind;
            p.index = index;
            p.sub_id = id;
        }
    }
    return parts;
}

} // namespace ocrpipe::detail

#endif
