#ifndef OCRPIPE_HTTP_IMPL_REQUEST_HEAD_IPP
#define OCRPIPE_HTTP_IMPL_REQUEST_HEAD_IPP

#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/http/request_head.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL request_head::request_head(origin const& to, endpoint_options const& endpoint,
                                        bool absolute_form, std::string_view proxy_authorization)
    : service_path_(service_path(endpoint.portal_user_id))
    , before_path_(absolute_form ? to.url() : std::string())
    , before_key_(fmt::format(" HTTP/1.1\r\n"
                              "Host: {}\r\n"
                              "Authorization: Bearer ",
                              to.authority()))
    , after_key_(fmt::format("\r\n"
                             "portal-user-id: {}\r\n"
                             "User-Agent: {}{}ocrpipe/" OCRPIPE_VERSION_STRING "\r\n"
                             "Accept: */*\r\n"
                             "Accept-Encoding: identity\r\n",
                             endpoint.portal_user_id, endpoint.user_agent,
                             endpoint.user_agent.empty() ? "" : " "))
{
    for (header_field const& f : endpoint.header_fields)
        after_key_ += fmt::format("{}: {}\r\n", f.name, f.value.reveal());
    if (absolute_form && !proxy_authorization.empty())
        after_key_ += fmt::format("Proxy-Authorization: {}\r\n", proxy_authorization);
    set_key(endpoint.api_key);
}

OCRPIPE_DECL void request_head::set_key(secret const& api_key)
{
    fields_ = before_key_ + api_key.reveal() + after_key_;
}

inline void append_trace(trace_context const& trace, byte_buffer& out)
{
    out.append("traceparent: ");
    out.append(trace.traceparent());
    out.append("\r\n");
    if (trace.tracestate().empty()) return;
    out.append("tracestate: ");
    out.append(trace.tracestate());
    out.append("\r\n");
}

OCRPIPE_DECL void request_head::render(http_request const& request, std::string_view redirected,
                                       byte_buffer& out) const
{
    out.append(request.method() == http_method::get ? "GET " : "POST ");
    out.append(before_path_);
    if (redirected.empty()) {
        out.append(service_path_);
        out.append(request.target);
    } else {
        out.append(redirected);
    }
    out.append(fields_);
    if (request.trace != nullptr) append_trace(*request.trace, out);
    if (request.method() == http_method::post) {
        if (!request.content_type.empty()) {
            out.append("Content-Type: ");
            out.append(request.content_type);
            out.append("\r\n");
        }
        out.append("Content-Length: ");
        out.append(std::to_string(request.body != nullptr ? request.body->size() : 0));
        out.append("\r\n");
    }
    out.append("\r\n");
}

OCRPIPE_DECL std::string connect_head(origin const& to, std::string_view proxy_authorization)
{
    std::string head =
        fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: ocrpipe/" OCRPIPE_VERSION_STRING "\r\n",
                    to.host_and_port());
    if (!proxy_authorization.empty()) head += fmt::format("Proxy-Authorization: {}\r\n", proxy_authorization);
    return head + "\r\n";
}

OCRPIPE_DECL bool is_request_text(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

} // namespace detail
} // namespace ocrpipe

#endif
