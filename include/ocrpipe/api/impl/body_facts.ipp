#ifndef OCRPIPE_API_IMPL_BODY_FACTS_IPP
#define OCRPIPE_API_IMPL_BODY_FACTS_IPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/impl/body_reader.hpp>

#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Keeps the best id of each document.
struct document_id_sink : facts_only {
    static constexpr std::size_t max_ids = 100'000;

    void begin_document()
    {
        id.clear();
        best = static_cast<std::size_t>(-1);
    }
    void end_document(bool)
    {
        if (!id.empty() && ids.size() < max_ids) ids.push_back(std::move(id));
    }
    void document_member(place p, scalar const& s, std::size_t rank)
    {
        if (p != place::document_id || !s.says_something() || rank >= best) return;
        id = s.text;
        best = rank;
    }

    std::string id;
    std::size_t best = 0;
    std::vector<std::string> ids;
};

} // namespace detail

OCRPIPE_DECL body_facts read_body_facts(std::string_view body, response_profile const& profile)
{
    if (detail::is_blank(body)) return body_facts();
    detail::facts_only sink;
    return detail::read_body(body, profile, sink);
}

OCRPIPE_DECL std::vector<std::string> document_ids(std::string_view body, response_profile const& profile)
{
    detail::document_id_sink sink;
    (void)detail::read_body(body, profile, sink);
    return std::move(sink.ids);
}

} // namespace ocrpipe

#endif
