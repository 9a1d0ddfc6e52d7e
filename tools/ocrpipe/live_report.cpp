#include "live_report.hpp"

#include <ocrpipe/core/error.hpp>

#include "text_units.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;

json::object const* object(json::object const& o, std::string_view name)
{
    json::value const* const v = o.if_contains(name);
    return v == nullptr ? nullptr : v->if_object();
}

std::string text(json::object const& o, std::string_view name)
{
    json::value const* const v = o.if_contains(name);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::optional<double> number(json::object const& o, std::string_view name)
{
    json::value const* const v = o.if_contains(name);
    if (v == nullptr || !v->is_number()) return std::nullopt;
    return v->to_number<double>();
}

std::string time_of(double seconds)
{
    // A century is more than any run lasts, and fits.
    constexpr double most = 3.2e9;
    return format_duration(std::chrono::milliseconds(std::llround(std::min(seconds, most) * 1'000)));
}

} // namespace

live_report parse_live_report(std::string_view report_json)
{
    live_report r;
    error_code ec;
    json::value const parsed = json::parse(report_json, ec);
    json::object const* const o = parsed.if_object();
    if (o == nullptr) return r;
    r.state = text(*o, "state");
    r.updated_at = text(*o, "updated_at");
    if (json::object const* const now = object(*o, "now")) {
        r.limiting = text(*now, "limiting");
        r.documents_per_second = number(*now, "documents_per_second");
    }
    if (json::object const* const eta = object(*o, "eta")) {
        r.seconds_left = number(*eta, "seconds");
        r.low = number(*eta, "low");
        r.high = number(*eta, "high");
    }
    return r;
}

std::string activity_line(live_report const& r, std::optional<std::string> const& process, bool open)
{
    if (!process && r.state == "running")
        return fmt::format(
            "no process works on them: the last run was killed, or ended without a report after "
            "{}; to continue, give the same run command again\n",
            r.updated_at);
    if (!process)
        return open ? "no process works on them; to continue, give the same run command again\n" : "";
    std::string out = *process + " works on them";
    if (r.state == "running") {
        if (r.documents_per_second)
            out += fmt::format(": {:.3g} documents a second", *r.documents_per_second);
        if (r.seconds_left) {
            out += fmt::format(", {} left", time_of(*r.seconds_left));
            if (r.low && r.high) out += fmt::format(" ({} to {})", time_of(*r.low), time_of(*r.high));
        }
        if (!r.limiting.empty()) out += fmt::format(", limited by: {}", r.limiting);
        out += fmt::format("; as of {}", r.updated_at);
    }
    return out + "\n";
}

} // namespace ocrpipe::cli
