#ifndef OCRPIPE_PACE_RETRY_AFTER_HPP
#define OCRPIPE_PACE_RETRY_AFTER_HPP

#include <ocrpipe/core/config.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace ocrpipe
{

/// The longest wait that parse_retry_after() returns; longer ones are clamped, so that adding it to a time
/// cannot overflow.
inline constexpr std::chrono::milliseconds retry_after_limit = std::chrono::hours(24 * 365);

/// Parses an HTTP date in any of its three forms: IMF-fixdate, RFC 850, asctime. The name of the weekday is
/// not checked against the date.
///
/// The two-digit year of RFC 850 is read as the latest year that is at most 50 years after `reference`.
///
/// Returns: nullopt if `text` is not a date. Does not throw, and depends on neither the locale nor the clock.
/// Source: RFC 9110, 5.6.7.
OCRPIPE_DECL std::optional<std::chrono::sys_seconds> parse_http_date(
    std::string_view text,
    std::chrono::sys_seconds reference = std::chrono::sys_days(std::chrono::year(2020) / 1 / 1)) noexcept;

/// How long an answer asks us to wait: its Retry-After as seconds, or as a date measured against the same
/// answer's Date, so that clock skew between the two sides does not matter.
///
/// Returns: zero for a time already past; at most retry_after_limit; nullopt if `retry_after` is empty or
/// malformed, or is a date and `date` is not. The caller then uses its own backoff. Source: RFC 9110, 10.2.3.
OCRPIPE_DECL std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after,
                                                                        std::string_view date) noexcept;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/pace/impl/retry_after.ipp>
#endif

#endif
