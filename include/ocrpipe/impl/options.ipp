#ifndef OCRPIPE_IMPL_OPTIONS_IPP
#define OCRPIPE_IMPL_OPTIONS_IPP

#include <ocrpipe/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

} // namespace detail

OCRPIPE_DECL std::vector<std::string> client_options::validate() const
{
    std::vector<std::string> problems;
    auto const check = [&problems](bool fine, std::string problem) {
        if (!fine) problems.push_back(std::move(problem));
    };
    check(!endpoint.base_url.empty(),
          "base_url: empty: give scheme, host and port, such as https://ocr.example");
    check(!endpoint.portal_user_id.empty(), "portal_user_id: missing: it is shown in the service's portal");
    check(detail::is_header_safe(endpoint.portal_user_id),
          "portal_user_id: holds a blank, control or non-ASCII character: copy it again from the portal");
    check(!endpoint.api_key.empty(), "api_key: missing: create one in the service's portal");
    check(detail::is_header_safe(endpoint.api_key.reveal()),
          "api_key: holds a blank, control or non-ASCII character: check the file or variable that it comes "
          "from");
    check(tls.client_cert.empty() == tls.client_key.empty(),
          "client_cert, client_key: one is given without the other: give both or neither");

    auto const connections = [&check](std::size_t n, char const* what) {
        check(n >= 1 && n <= 10'000, fmt::format("{}: {} is out of range: 1 to 10000", what, n));
    };
    connections(pool.submit_connections, "pool.submit_connections");
    connections(pool.poll_connections, "pool.poll_connections");
    connections(pool.part_connections, "pool.part_connections");

    auto const positive = [&check](std::chrono::milliseconds d, char const* what) {
        check(d.count() > 0 && d <= longest_time,
              fmt::format("{}: {} ms is out of range: more than zero, at most ten years", what, d.count()));
    };
    positive(pool.idle_limit, "pool.idle_limit");
    positive(pool.life_limit, "pool.life_limit");
    positive(timeouts.resolve, "timeouts.resolve");
    positive(timeouts.connect, "timeouts.connect");
    positive(timeouts.tls, "timeouts.tls");
    positive(timeouts.acquire, "timeouts.acquire");
    positive(timeouts.write_stall, "timeouts.write_stall");
    positive(timeouts.first_byte, "timeouts.first_byte");
    positive(timeouts.read_stall, "timeouts.read_stall");
    positive(timeouts.answer, "timeouts.answer");
    positive(job_deadline, "job_deadline");
    positive(retry.base, "retry.base");
    positive(retry.throttled_base, "retry.throttled_base");
    positive(retry.cap, "retry.cap");
    positive(retry.max_retry_after, "retry.max_retry_after");

    auto const rate = [&check](double r, char const* what) {
        check(std::isfinite(r) && r >= 0,
              fmt::format("{}: {} is out of range: zero (no limit) or more", what, r));
    };
    rate(rates.submits_per_second, "rates.submits_per_second");
    rate(rates.polls_per_second, "rates.polls_per_second");
    rate(rates.bytes_per_second, "rates.bytes_per_second");
    rate(pool.max_connects_per_second, "pool.max_connects_per_second");

    check(limits.max_header >= 1024,
          fmt::format("limits.max_header: {} is out of range: 1024 or more", limits.max_header));
    check(limits.max_body >= 1024,
          fmt::format("limits.max_body: {} is out of range: 1024 or more", limits.max_body));
    check(retry.max_attempts >= 1 && retry.max_attempts <= 1000,
          fmt::format("retry.max_attempts: {} is out of range: 1 to 1000", retry.max_attempts));
    check(max_auth_refusals >= 1 && max_auth_refusals <= 100,
          fmt::format("max_auth_refusals: {} is out of range: 1 to 100", max_auth_refusals));
    for (std::string& p : ocrpipe::problems(profile))
        problems.push_back("profile." + std::move(p));
    return problems;
}

} // namespace ocrpipe

#endif
