#ifndef OCRPIPE_HTTP_IMPL_HTTP_OPTIONS_IPP
#define OCRPIPE_HTTP_IMPL_HTTP_OPTIONS_IPP

#include <ocrpipe/core/option_problems.hpp>
#include <ocrpipe/core/words.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/http/origin.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline bool is_header_safe(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) {
        auto const u = static_cast<unsigned char>(c);
        return u > 0x20 && u < 0x7F;
    });
}

/// A token of RFC 9110, 5.6.2.
inline bool is_token(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

/// Printable ASCII and blanks.
inline bool is_field_text(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

/// Whether the library sends this field itself, or it changes how a message is read.
inline bool is_reserved_field(std::string_view name) noexcept
{
    static constexpr std::array<std::string_view, 17> reserved{"accept-encoding",
                                                               "authorization",
                                                               "connection",
                                                               "content-encoding",
                                                               "content-length",
                                                               "content-type",
                                                               "expect",
                                                               "host",
                                                               "keep-alive",
                                                               "portal-user-id",
                                                               "range",
                                                               "proxy-authorization",
                                                               "te",
                                                               "transfer-encoding",
                                                               "trailer",
                                                               "upgrade",
                                                               "user-agent"};
    return std::any_of(reserved.begin(), reserved.end(),
                       [name](std::string_view r) { return same_letters(r, name); });
}

inline void check_header_fields(endpoint_options const& endpoint, option_problems& p)
{
    p.check(is_field_text(endpoint.user_agent), "user_agent: contains a control or non-ASCII character");
    for (header_field const& f : endpoint.header_fields) {
        std::string const shown = printable_excerpt(f.name, 64);
        p.check(is_token(f.name),
                fmt::format("header_fields: \"{}\" is not a field name: give letters, digits and -", shown));
        p.check(!is_reserved_field(f.name),
                fmt::format("header_fields: {} cannot be set: the library decides it", shown));
        p.check(
            is_field_text(f.value.reveal()),
            fmt::format("header_fields: the value of {} contains a control or non-ASCII character", shown));
    }
}

} // namespace detail

OCRPIPE_DECL std::vector<std::string> http_options::validate() const
{
    detail::option_problems p;
    if (endpoint.base_url.empty())
        p.add("base_url: empty: give scheme, host and port, such as https://ocr.example");
    else if (auto const service = parse_origin(endpoint.base_url); !service)
        p.add(service.error().reason);
    else
        p.check(service->tls || endpoint.allow_plain_http || is_loopback(service->host),
                "base_url: http:// would send the key in clear text: give https://, or allow_plain_http if "
                "the network is trusted");
    if (!proxy.url.empty())
        if (auto const parsed = parse_proxy(proxy.url); !parsed) p.add(parsed.error().reason);
    p.check(!endpoint.portal_user_id.empty(), "portal_user_id: missing: it is shown in the service's portal");
    p.check(
        detail::is_header_safe(endpoint.portal_user_id),
        "portal_user_id: contains a blank, control or non-ASCII character: copy it again from the portal");
    p.check(!endpoint.api_key.empty() || endpoint.api_key_provider,
            "api_key: missing: create one in the service's portal");
    p.check(detail::is_header_safe(endpoint.api_key.reveal()),
            "api_key: contains a blank, control or non-ASCII character: check the file or variable that it "
            "comes from");
    detail::check_header_fields(endpoint, p);
    p.check(!tls.context || (tls.ca_file.empty() && tls.client_cert.empty() && tls.client_key.empty()),
            "tls.context: given with ca_file, client_cert or client_key: load these files into the context");
    p.check(tls.client_cert.empty() || !tls.client_key.empty(),
            "client_cert: given without client_key: give both or neither");
    p.check(tls.client_key.empty() || !tls.client_cert.empty(),
            "client_key: given without client_cert: give both or neither");

    auto const connections = [&p](std::size_t n, char const* what) {
        p.check(n >= 1 && n <= 10'000, fmt::format("{}: {} is out of range: 1 to 10000", what, n));
    };
    connections(pool.submit_connections, "pool.submit_connections");
    connections(pool.poll_connections, "pool.poll_connections");
    connections(pool.part_connections, "pool.part_connections");

    p.positive(pool.idle_limit, "pool.idle_limit");
    p.positive(pool.life_limit, "pool.life_limit");
    p.rate(pool.max_connects_per_second, "pool.max_connects_per_second");
    p.positive(timeouts.resolve, "timeouts.resolve");
    p.positive(timeouts.connect, "timeouts.connect");
    p.positive(timeouts.tls, "timeouts.tls");
    p.positive(timeouts.acquire, "timeouts.acquire");
    p.positive(timeouts.write_stall, "timeouts.write_stall");
    p.positive(timeouts.first_byte, "timeouts.first_byte");
    p.positive(timeouts.submit, "timeouts.submit");
    p.positive(timeouts.read_stall, "timeouts.read_stall");
    p.positive(timeouts.answer, "timeouts.answer");
    constexpr std::size_t most_header = std::size_t(16) << 20;
    p.check(limits.max_header_bytes >= 1024 && limits.max_header_bytes <= most_header,
            fmt::format("limits.max_header_bytes: {} is out of range: 1024 to {}", limits.max_header_bytes,
                        most_header));
    // Beyond this, the positions in an answer that is converted to UTF-8 would not fit 32 bits.
    constexpr std::uint64_t most = std::uint64_t(2) << 30;
    p.check(limits.max_answer_bytes >= 1024 && limits.max_answer_bytes <= most,
            fmt::format("limits.max_answer_bytes: {} is out of range: 1024 to {}", limits.max_answer_bytes,
                        most));
    return p.take();
}

OCRPIPE_DECL secret_mask http_options::secrets() const
{
    secret_mask mask;
    mask.add(endpoint.api_key);
    for (header_field const& f : endpoint.header_fields)
        mask.add(f.value);
    for (secret& s : secrets_of(proxy.url))
        mask.add(std::move(s));
    return mask;
}

} // namespace ocrpipe

#endif
