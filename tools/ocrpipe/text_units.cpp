#include "text_units.hpp"

#include <ocrpipe/core/words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

struct unit {
    std::string_view name;
    double factor;
};

constexpr std::array duration_units{unit{"ms", 1},     unit{"s", 1e3},     unit{"m", 60e3},
                                    unit{"min", 60e3}, unit{"h", 3'600e3}, unit{"d", 86'400e3}};

constexpr std::array byte_units{unit{"", 1},
                                unit{"B", 1},
                                unit{"k", 1e3},
                                unit{"K", 1e3},
                                unit{"kB", 1e3},
                                unit{"KB", 1e3},
                                unit{"M", 1e6},
                                unit{"MB", 1e6},
                                unit{"G", 1e9},
                                unit{"GB", 1e9},
                                unit{"T", 1e12},
                                unit{"TB", 1e12},
                                unit{"KiB", 1024.},
                                unit{"MiB", 1048576.},
                                unit{"GiB", 1073741824.},
                                unit{"kiB", 1024.},
                                unit{"TiB", 1099511627776.}};

constexpr std::array count_units{unit{"", 1}, unit{"k", 1e3}, unit{"K", 1e3}, unit{"M", 1e6}};

constexpr double longest_duration = 100.0 * 366 * 86'400e3;
constexpr double largest_exact = 9007199254740992.0; // 2^53: beyond it a double cannot tell neighbours apart

template<std::size_t N>
std::optional<double> factor_of(std::array<unit, N> const& units, std::string_view name)
{
    auto const found =
        std::find_if(units.begin(), units.end(), [&](unit const& u) { return u.name == name; });
    if (found == units.end()) return std::nullopt;
    return found->factor;
}

// Consumes a number without sign or exponent from the front: "1e3" and "-5" are typing errors here, not
// numbers.
std::optional<double> take_number(std::string_view& text)
{
    auto const end = std::min(text.find_first_not_of("0123456789."), text.size());
    double value = 0;
    auto const [stop, error] =
        std::from_chars(text.data(), text.data() + end, value, std::chars_format::fixed);
    if (error != std::errc() || stop != text.data() + end) return std::nullopt;
    text.remove_prefix(end);
    return value;
}

template<std::size_t N>
std::optional<double> parse_number_with_unit(std::string_view text, std::array<unit, N> const& units)
{
    auto const number = take_number(text);
    if (!number) return std::nullopt;
    auto const factor = factor_of(units, text);
    if (!factor) return std::nullopt;
    double const value = *number * *factor;
    if (value > largest_exact) return std::nullopt;
    return value;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text)
{
    if (text.empty()) return std::nullopt;
    double total = 0;
    while (!text.empty()) {
        auto const number = take_number(text);
        if (!number) return std::nullopt;
        auto const end = std::min(text.find_first_of("0123456789."), text.size());
        auto const factor = factor_of(duration_units, text.substr(0, end));
        if (!factor) return std::nullopt;
        text.remove_prefix(end);
        total += *number * *factor;
        if (total > longest_duration) return std::nullopt;
    }
    return std::chrono::milliseconds(std::llround(total));
}

std::optional<duration_range> parse_duration_range(std::string_view text)
{
    auto const dash = text.find('-');
    auto const min = parse_duration(text.substr(0, dash));
    auto const max = dash == std::string_view::npos ? min : parse_duration(text.substr(dash + 1));
    if (!min || !max || *max < *min) return std::nullopt;
    return duration_range{*min, *max};
}

std::optional<double> parse_byte_rate(std::string_view text)
{
    if (text.ends_with("/s")) text.remove_suffix(2);
    return parse_number_with_unit(text, byte_units);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text)
{
    auto const value = parse_number_with_unit(text, byte_units);
    if (!value || *value != std::floor(*value)) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

std::optional<double> parse_rate(std::string_view text)
{
    double seconds = 1;
    if (auto const slash = text.find('/'); slash != std::string_view::npos) {
        auto const per = text.substr(slash + 1);
        if (per == "m" || per == "min")
            seconds = 60;
        else if (per == "h")
            seconds = 3600;
        else if (per != "s")
            return std::nullopt;
        text = text.substr(0, slash);
    }
    auto const value = parse_number_with_unit(text, count_units);
    if (!value) return std::nullopt;
    return *value / seconds;
}

std::optional<std::uint64_t> parse_count(std::string_view text)
{
    auto const value = parse_number_with_unit(text, count_units);
    if (!value || *value != std::floor(*value)) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
}

std::optional<count_or_percent> parse_count_or_percent(std::string_view text)
{
    if (!text.ends_with('%')) {
        auto const count = parse_count(text);
        if (!count) return std::nullopt;
        return count_or_percent{*count, 0};
    }
    text.remove_suffix(1);
    double percent = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), percent);
    if (ec != std::errc() || end != text.data() + text.size() || !(percent >= 0 && percent <= 100))
        return std::nullopt;
    return count_or_percent{0, percent};
}

std::optional<bool> parse_switch(std::string_view text)
{
    std::string const lower = detail::lower_case(text);
    if (lower == "1" || lower == "true" || lower == "yes" || lower == "on") return true;
    if (lower == "0" || lower == "false" || lower == "no" || lower == "off") return false;
    return std::nullopt;
}

std::string format_duration(std::chrono::milliseconds d)
{
    auto const ms = d.count();
    if (ms < 1'000) return fmt::format("{}ms", ms);
    auto const s = ms / 1'000;
    if (s < 60) return fmt::format("{}s", s);
    if (s < 3'600) return fmt::format("{}m{:02}s", s / 60, s % 60);
    if (s < 86'400) return fmt::format("{}h{:02}m", s / 3'600, s / 60 % 60);
    return fmt::format("{}d{:02}h", s / 86'400, s / 3'600 % 24);
}

std::string format_bytes(std::uint64_t bytes)
{
    static constexpr std::array<std::string_view, 6> names{"B", "kB", "MB", "GB", "TB", "PB"};
    double value = static_cast<double>(bytes);
    std::size_t i = 0;
    // 999.95 would print as 1000.0 of the smaller unit.
    while (value >= 999.95 && i + 1 < names.size()) {
        value /= 1'000;
        ++i;
    }
    return i == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, names[i]);
}

} // namespace ocrpipe::cli
