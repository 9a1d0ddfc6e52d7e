#ifndef OCRPIPE_API_IMPL_OPERATION_IPP
#define OCRPIPE_API_IMPL_OPERATION_IPP

#include <ocrpipe/api/operation.hpp>

#include <array>
#include <cstddef>

namespace ocrpipe
{
namespace detail
{

/// One row per route. An older edition of the guide has three more submit-like ones
/// (ingest/compare/signature, ingest/image2docs, ingest/document-frauds): each would be a row here and an
/// enumerator.
struct route {
    operation op;
    std::string_view name;
    std::string_view path;
    int ids; ///< appended to the path: none, request_id, or request_id and sub_id
};

inline constexpr std::array routes{
    route{operation::submit, "submit", "ingest", 0},
    route{operation::result, "result", "ingest", 1},
    route{operation::table, "table", "ingest/table", 2},
    route{operation::signature, "signature", "ingest/signature", 2},
    route{operation::stamp, "stamp", "ingest/stamp", 2},
    route{operation::image, "image", "ingest/file", 2},
};

constexpr bool routes_in_order()
{
    for (std::size_t i = 0; i != routes.size(); ++i)
        if (static_cast<std::size_t>(routes[i].op) != i) return false;
    return routes.size() == static_cast<std::size_t>(operation::image) + 1;
}
static_assert(routes_in_order(), "routes must list every operation in the order of the enumeration");

} // namespace detail

OCRPIPE_DECL std::string_view name(operation op) noexcept
{
    auto const i = static_cast<std::size_t>(op);
    return i < detail::routes.size() ? detail::routes[i].name : "unknown";
}

OCRPIPE_DECL std::string service_path(std::string_view portal_user_id)
{
    return "/maas/user-" + percent_encode_segment(portal_user_id) + "/greennode/idp/v1/ocr/";
}

OCRPIPE_DECL std::string target(operation op, std::string_view request_id, std::string_view sub_id)
{
    detail::route const& r = detail::routes[static_cast<std::size_t>(op)];
    std::string out(r.path);
    out.reserve(out.size() + request_id.size() + sub_id.size() + 2);
    if (r.ids >= 1) (out += '/') += percent_encode_segment(request_id);
    if (r.ids >= 2) (out += '/') += percent_encode_segment(sub_id);
    return out;
}

} // namespace ocrpipe

#endif
