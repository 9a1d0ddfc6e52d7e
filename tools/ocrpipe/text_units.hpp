#ifndef OCRPIPE_TOOLS_TEXT_UNITS_HPP
#define OCRPIPE_TOOLS_TEXT_UNITS_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// The value of `--poll-interval 2s-5s`.
struct duration_range {
    std::chrono::milliseconds min{0};
    std::chrono::milliseconds max{0};
};

/// "500ms", "30s", "5m", "2h", "1d", "1h30m", "1.5s"; a unit is required, zero is allowed. At most 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "2s-5s", or "3s" for both ends; the first must not exceed the second.
std::optional<duration_range> parse_duration_range(std::string_view text);

/// Bytes per second: "1500", "64k", "10M", "1.5G" in thousands; "64KiB", "10MiB", "1GiB" in 1024s; a "B"
/// after k, M, G and a "/s" at the end are ignored.
std::optional<double> parse_byte_rate(std::string_view text);

/// A whole number of bytes, with the units of parse_byte_rate().
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// "20" and "20/s" per second, "300/m" per minute, "1000/h" per hour; 0 means no limit wherever it is used.
std::optional<double> parse_rate(std::string_view text);

/// Decimal digits, with thousands as "10k" or "1M" if wanted.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// The value of `--fail-budget 3%`: one of the two is 0.
struct count_or_percent {
    std::uint64_t count = 0;
    double percent = 0;
};

/// A count, or a number from 0 to 100 with "%".
std::optional<count_or_percent> parse_count_or_percent(std::string_view text);

/// "1", "true", "yes", "on" and their opposites, in any case.
std::optional<bool> parse_switch(std::string_view text);

/// For people: "850ms", "42s", "2m41s", "3h07m", "2d04h".
std::string format_duration(std::chrono::milliseconds d);

/// For people: "512 B", "1.2 MB"; thousands, as network rates are given.
std::string format_bytes(std::uint64_t bytes);

} // namespace ocrpipe::cli

#endif
