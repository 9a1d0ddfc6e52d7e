#ifndef OCRPIPE_API_IMPL_BODY_FACTS_IPP
#define OCRPIPE_API_IMPL_BODY_FACTS_IPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/impl/answer_form.hpp>
#include <ocrpipe/api/impl/body_reader.hpp>
#include <ocrpipe/api/strict_json.hpp>

#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Whether the reader of known forms has seen all that the verdict depends on.
inline bool is_conclusive(body_facts const& f)
{
    if (f.shape != body_facts::form::filled && f.shape != body_facts::form::scalar) return true;
    if (f.error_status != 0 && !f.has_data) return true;
    if (f.status_meaning == job_status::failure) return true;
    if (f.progress && f.progress->is_incomplete()) return true;
    bool const pending = f.status_meaning == job_status::pending;
    if (!f.progress && ((pending && (f.status_is_near || !f.has_data)) || f.says_pending)) return true;
    // Counts under other names may say that there is more.
    if (f.may_have_counts && !f.progress) return false;
    bool const terminal = f.progress || f.status_meaning == job_status::success;
    return terminal && f.all_filled() && !f.has_error;
}

inline body_facts read_in_one_pass(std::string_view body, response_profile const& profile,
                                   body_handler::file_ids ids)
{
    body_facts facts;
    if (is_blank(body)) return facts;
    if (std::optional<std::string> const text = json_in_utf8(body))
        return read_in_one_pass(*text, profile, ids);
    body_handler handler(profile, ids);
    if (!read_json(body, handler)) {
        facts.shape = body_facts::form::not_json;
        return facts;
    }
    facts = handler.finish();
    facts.status_meaning = status_of(facts.status, profile);
    return facts;
}

} // namespace detail

OCRPIPE_DECL body_facts read_known_form(std::string_view body, response_profile const& profile)
{
    return detail::read_in_one_pass(body, profile, detail::body_handler::file_ids::keep);
}

OCRPIPE_DECL body_facts read_body_facts(std::string_view body, response_profile const& profile)
{
    // A result's file ids are not used, and may need sixteen times the memory of the answer.
    body_facts facts = detail::read_in_one_pass(body, profile, detail::body_handler::file_ids::ignore);
    if (detail::is_conclusive(facts)) return facts;
    if (auto const tree = detail::answer_tree::read(body))
        detail::answer_form(*tree, profile).complete(facts);
    facts.status_meaning = detail::status_of(facts.status, profile);
    return facts;
}

OCRPIPE_DECL bool has_part(std::string_view body, response_profile const& profile)
{
    auto const tree = detail::answer_tree::read(body);
    return tree && detail::answer_form(*tree, profile).has_part();
}

} // namespace ocrpipe

#endif
