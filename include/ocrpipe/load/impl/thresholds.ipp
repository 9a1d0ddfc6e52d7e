#ifndef OCRPIPE_LOAD_IMPL_THRESHOLDS_IPP
#define OCRPIPE_LOAD_IMPL_THRESHOLDS_IPP

#include <ocrpipe/load/detail/time_text.hpp>
#include <ocrpipe/load/thresholds.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

namespace ocrpipe
{
namespace detail
{

enum class threshold_unit { time, share, number };

struct threshold_metric {
    std::string_view name;
    threshold_unit unit;
    bool has_percentile;
};

inline constexpr std::array threshold_metrics{
    threshold_metric{"e2e", threshold_unit::time, true},
    threshold_metric{"ready", threshold_unit::time, true},
    threshold_metric{"submit", threshold_unit::time, true},
    threshold_metric{"send_delay", threshold_unit::time, true},
    threshold_metric{"error_rate", threshold_unit::share, false},
    threshold_metric{"unfinished_rate", threshold_unit::share, false},
    threshold_metric{"backlog_slope", threshold_unit::number, false},
    threshold_metric{"throughput", threshold_unit::number, false},
    threshold_metric{"polls_per_document", threshold_unit::number, false},
};

inline threshold_metric const* find_threshold_metric(std::string_view name)
{
    auto const found = std::find_if(threshold_metrics.begin(), threshold_metrics.end(),
                                    [&](threshold_metric const& m) { return m.name == name; });
    return found == threshold_metrics.end() ? nullptr : &*found;
}

inline std::string_view without_spaces(std::string_view text)
{
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

/// A number with one of the unit's suffixes.
inline std::optional<double> parse_limit(std::string_view text, threshold_unit unit)
{
    double value = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || !std::isfinite(value)) return std::nullopt;
    std::string_view const suffix = without_spaces(text.substr(static_cast<std::size_t>(end - text.data())));
    switch (unit) {
    case threshold_unit::time:
        if (suffix == "us") return value / 1e6;
        if (suffix == "ms") return value / 1e3;
        if (suffix == "s") return value;
        if (suffix == "m") return value * 60;
        if (suffix == "h") return value * 3600;
        break;
    case threshold_unit::share:
        if (suffix == "%" && value <= 100) return value / 100;
        if (suffix.empty() && value < 1) return value; // 1 may mean 1 % or 100 %
        break;
    case threshold_unit::number:
        if (suffix.empty() || suffix == "/s") return value;
        break;
    }
    return std::nullopt;
}

inline std::optional<double> parse_percentile(std::string_view text)
{
    if (text == "mean") return 0;
    if (text == "max") return 100;
    double value = 0;
    if (text.empty() || text.front() != 'p') return std::nullopt;
    auto const [end, ec] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= 100))
        return std::nullopt;
    return value;
}

inline failure bad_threshold(std::string_view text, std::string why)
{
    return failure(errc::invalid_argument, phase::none,
                   fmt::format("\"{}\": {}", printable_excerpt(text, 64), why));
}

inline result<threshold> parse_threshold(std::string_view text)
{
    auto const at = text.find_first_of("<>");
    if (at == std::string_view::npos)
        return bad_threshold(text, "there is no comparison: give one such as e2e.p95<30s");
    bool const or_equal = at + 1 < text.size() && text[at + 1] == '=';
    threshold out;
    using enum threshold::comparison;
    out.text = std::string(text);
    out.how = text[at] == '<' ? (or_equal ? at_most : below) : (or_equal ? at_least : above);
    std::string_view const left = without_spaces(text.substr(0, at));
    auto const dot = left.find('.');
    out.metric = std::string(left.substr(0, dot));
    threshold_metric const* const metric = find_threshold_metric(out.metric);
    if (metric == nullptr) {
        std::string names;
        for (threshold_metric const& m : threshold_metrics)
            names += fmt::format("{}{}", names.empty() ? "" : ", ", m.name);
        return bad_threshold(text, fmt::format("there is no such metric: take one of {}", names));
    }
    if (metric->has_percentile != (dot != std::string_view::npos))
        return bad_threshold(
            text, metric->has_percentile
                      ? fmt::format("say which: {0}.p95, {0}.mean or {0}.max", out.metric)
                      : fmt::format("{} has no percentiles: leave out what follows the dot", out.metric));
    if (metric->has_percentile) {
        auto const p = parse_percentile(left.substr(dot + 1));
        if (!p) return bad_threshold(text, "after the dot, give mean, max, or p50 to p100");
        out.percentile = *p;
    }
    auto const limit = parse_limit(without_spaces(text.substr(at + (or_equal ? 2 : 1))), metric->unit);
    if (!limit)
        return bad_threshold(
            text, metric->unit == threshold_unit::time    ? "the limit must be a time such as 30s or 500ms"
                  : metric->unit == threshold_unit::share ? "the limit must be a share: give a percentage "
                                                            "such as 5%, or a fraction below 1 such as 0.05"
                                                          : "the limit must be a number such as 20 or 20/s");
    out.limit = *limit;
    return out;
}

inline bool compares(double value, threshold const& t) noexcept
{
    switch (t.how) {
    case threshold::comparison::below:
        return value < t.limit;
    case threshold::comparison::at_most:
        return value <= t.limit;
    case threshold::comparison::above:
        return value > t.limit;
    case threshold::comparison::at_least:
        return value >= t.limit;
    }
    return false;
}

inline bool wants_less(threshold const& t) noexcept
{
    return t.how == threshold::comparison::below || t.how == threshold::comparison::at_most;
}

inline threshold_outcome judge_time(threshold const& t, survival const& s)
{
    threshold_outcome out;
    // The mean of censored times is known only from below.
    double const p = t.percentile;
    censored_percentile const q = p > 0 ? s.percentile(p) : s.mean();
    double const unfavourable = wants_less(t) ? q.high : q.low;
    out.holds = s.count() > 0 && compares(unfavourable, t);
    out.value = s.count() == 0 ? NAN : q.low;
    out.seen = s.count() == 0 ? std::string("unknown: no document was done")
               : std::isinf(q.high)
                   ? fmt::format(">= {} ({:.1f} % unfinished)", time_text(q.low),
                                 100.0 * static_cast<double>(s.censored()) / static_cast<double>(s.count()))
                   : time_text(q.high);
    return out;
}

inline threshold_outcome judge_time(threshold const& t, latency_histogram const& h)
{
    double const value = h.empty() ? NAN : (t.percentile > 0 ? h.percentile(t.percentile) : h.mean()).count();
    return {!h.empty() && compares(value, t), value,
            h.empty() ? std::string("unknown: no document was accepted") : time_text(value)};
}

} // namespace detail

OCRPIPE_DECL result<std::vector<threshold>> parse_thresholds(std::string_view text)
{
    std::vector<threshold> out;
    while (!text.empty()) {
        auto const comma = std::min(text.find(','), text.size());
        auto const one = detail::without_spaces(text.substr(0, comma));
        if (one.empty())
            return detail::bad_threshold(text, "a condition is empty: give one such as e2e.p95<30s");
        auto parsed = detail::parse_threshold(one);
        if (!parsed) return parsed.error();
        out.push_back(std::move(*parsed));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

OCRPIPE_DECL threshold_outcome judge(threshold const& t, load_summary const& s)
{
    if (t.metric == "e2e") return detail::judge_time(t, s.end_to_end);
    if (t.metric == "ready") return detail::judge_time(t, s.ready_high);
    if (t.metric == "submit") return detail::judge_time(t, s.submit);
    if (t.metric == "send_delay") return detail::judge_time(t, s.send_delay);
    if (t.metric == "backlog_slope") {
        backlog_trend const& b = s.backlog;
        if (!std::isfinite(b.low) || !std::isfinite(b.high))
            return {false, NAN, "unknown: too few documents"};
        return {detail::compares(detail::wants_less(t) ? b.low : b.high, t), b.slope,
                fmt::format("{:+.3g} documents a second, from {:+.3g} to {:+.3g}", b.slope, b.low, b.high)};
    }
    if (t.metric == "polls_per_document" ? s.done == 0 : s.documents == 0)
        return {false, NAN,
                s.documents == 0 ? "unknown: no document was due" : "unknown: no document was done"};
    bool const share = t.metric == "error_rate" || t.metric == "unfinished_rate";
    double const value = t.metric == "error_rate"        ? s.error_rate()
                         : t.metric == "unfinished_rate" ? s.unfinished_rate()
                         : t.metric == "throughput"      ? s.throughput
                                                         : s.polls_per_document;
    return {detail::compares(value, t), value,
            share ? fmt::format("{:.3g} %", value * 100) : fmt::format("{:.4g}", value)};
}

} // namespace ocrpipe

#endif
