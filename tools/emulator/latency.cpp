#include "emulator/latency.hpp"

#include "emulator/mix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ocrpipe::emulator
{
milliseconds latency_model::of(std::uint64_t key) const noexcept
{
    switch (shape) {
    case kind::fixed:
        return typical;
    case kind::bimodal:
        return unit_interval(mix(key, 1)) < p ? rare : typical;
    case kind::lognormal:
        break;
    }
    // Box and Muller; 1 - u keeps the logarithm's argument above zero.
    double const u1 = 1 - unit_interval(mix(key, 1));
    double const u2 = unit_interval(mix(key, 2));
    double const normal = std::sqrt(-2 * std::log(u1)) * std::cos(2 * std::numbers::pi * u2);
    double const ms = static_cast<double>(typical.count()) * std::exp(sigma * normal);
    return milliseconds(std::llround(std::min(ms, 86'400'000.0)));
}

result<latency_model> parse_latency(std::string_view text)
{
    auto const colon = text.find(':');
    std::string_view const name = text.substr(0, colon);
    auto const parts =
        split(colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1), ',');
    latency_model m;
    if (name == "fixed" && parts.size() == 1) {
        auto const time = parse_duration(parts[0]);
        if (!time) return time.error();
        m.typical = *time;
        return m;
    }
    if (name == "lognormal" && parts.size() == 2) {
        auto const median = parse_duration(parts[0]);
        if (!median) return median.error();
        auto const sigma = parse_number(parts[1], 0, 5);
        if (!sigma) return sigma.error();
        m.shape = latency_model::kind::lognormal;
        m.typical = *median;
        m.sigma = *sigma;
        return m;
    }
    if (name == "bimodal" && parts.size() == 3) {
        auto const p = parse_number(parts[0], 0, 1);
        if (!p) return p.error();
        auto const typical = parse_duration(parts[1]);
        if (!typical) return typical.error();
        auto const rare = parse_duration(parts[2]);
        if (!rare) return rare.error();
        m.shape = latency_model::kind::bimodal;
        m.p = *p;
        m.typical = *typical;
        m.rare = *rare;
        return m;
    }
    return invalid(
        fmt::format("'{}' is no latency: use fixed:2s, lognormal:6s,0.35 or bimodal:0.1,1s,30s", text));
}

} // namespace ocrpipe::emulator
