#include <ocrpipe/load.hpp>

#include "commands.hpp"
#include "standard_output.hpp"
#include "stored_load_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

double seconds_of(job_record::time t) { return static_cast<double>(t.count()) / 1e9; }

/// A row of the comparison: which values, and which statistic of them.
struct compared {
    std::string_view label;
    double percentile; ///< 0 is the mean
    double scale;
    std::string_view unit;
    std::function<std::optional<double>(job_record const&, double total_seconds)> value;
};

std::vector<double> values_of(stored_load_test const& t, compared const& c)
{
    std::vector<double> out;
    for (job_line const& j : t.jobs)
        if (auto const v = c.value(j.record, t.total_seconds)) out.push_back(*v);
    return out;
}

/// Unfinished documents count with the time for which they were observed.
std::optional<double> end_to_end(job_record const& j, double total_seconds)
{
    if (j.outcome == job_outcome::failed) return std::nullopt;
    return (j.outcome == job_outcome::done ? seconds_of(j.ended) : total_seconds) - seconds_of(j.due);
}

std::optional<double> submit(job_record const& j, double)
{
    if (!is_known(j.sent) || !is_known(j.accepted)) return std::nullopt;
    return seconds_of(j.accepted - j.sent);
}

/// Parts that were not fetched count with the time that they were watched.
std::optional<double> parts(job_record const& j, double total_seconds)
{
    if (!has_parts(j)) return std::nullopt;
    return (is_known(j.parts_done) ? seconds_of(j.parts_done) : total_seconds) - seconds_of(j.ended);
}

std::optional<double> has_failed(job_record const& j, double) { return j.outcome == job_outcome::failed; }
std::optional<double> is_unfinished(job_record const& j, double)
{
    return j.outcome == job_outcome::unfinished;
}
std::optional<double> polls(job_record const& j, double)
{
    if (j.outcome != job_outcome::done) return std::nullopt;
    return j.polls;
}

/// The rate in each fortieth of the time from `begin` to `end`; empty if nothing happened.
std::vector<double> rates_of(stored_load_test const& t, job_record::time job_record::* when, double begin,
                             double end)
{
    constexpr std::size_t intervals = 40;
    std::vector<double> out(intervals);
    double const length = (end - begin) / intervals;
    bool has_any = false;
    for (job_line const& j : t.jobs) {
        if (when == &job_record::ended && j.record.outcome != job_outcome::done) continue;
        double const at = seconds_of(j.record.*when);
        if (!(at >= begin && at < end)) continue;
        out[std::min(intervals - 1, static_cast<std::size_t>((at - begin) / length))] += 1 / length;
        has_any = true;
    }
    if (!has_any) out.clear();
    return out;
}

std::string value_text(double n, bool is_known, compared const& c)
{
    return is_known ? fmt::format("{:.4g} {}", n * c.scale, c.unit) : std::string("no value");
}

/// A line of the comparison. `before` and `after`: the values, if they are not the statistic of the samples.
std::string line_of(compared const& c, std::vector<double> const& earlier, std::vector<double> const& later,
                    std::optional<double> before = {}, std::optional<double> after = {})
{
    bool const are_known = !earlier.empty() && !later.empty();
    difference const d = compare(earlier, later, c.percentile);
    double const from = before.value_or(d.before);
    double const to = after.value_or(d.after);
    std::string const change = are_known ? fmt::format("{:+.3g}", (to - from) * c.scale) : std::string("-");
    std::string const statement =
        !are_known ? std::string("unknown: one of the tests has no value")
        : !std::isfinite(d.low)
            ? std::string("too few documents")
            : fmt::format("{:+.3g} to {:+.3g} {}: {}", d.low * c.scale, d.high * c.scale, c.unit,
                          d.beyond_noise() ? d.change() > 0 ? "more" : "less" : "within noise");
    return fmt::format("{:<20} {:>12} {:>12} {:>12}  {}\n", c.label, value_text(from, !earlier.empty(), c),
                       value_text(to, !later.empty(), c), change, statement);
}

} // namespace

exit_code carry_out(load_compare_plan const& p, client_options const&, logger& log)
{
    auto const before = load_test_of(p.before);
    if (!before) return refuse_input(before.error(), log);
    auto const after = load_test_of(p.after);
    if (!after) return refuse_input(after.error(), log);
    for (auto const& [test, directory] : {std::pair(&*before, &p.before), std::pair(&*after, &p.after)})
        if (!test->ended_by.empty())
            log.write(message(level::warn, "ended_early",
                              fmt::format("{}: it ended early: {}", *directory, test->ended_by)));
    compared const rows[] = {
        {"end to end p50", 50, 1, "s", end_to_end}, {"end to end p95", 95, 1, "s", end_to_end},
        {"end to end p99", 99, 1, "s", end_to_end}, {"end to end mean", 0, 1, "s", end_to_end},
        {"submit p50", 50, 1e3, "ms", submit},      {"submit p95", 95, 1e3, "ms", submit},
        {"parts p50", 50, 1e3, "ms", parts},        {"parts p95", 95, 1e3, "ms", parts},
        {"failed", 0, 100, "%", has_failed},        {"unfinished", 0, 100, "%", is_unfinished},
        {"polls per document", 0, 1, "", polls},
    };
    std::string out = fmt::format("{:<20} {:>12} {:>12} {:>12}  95 % interval of the change\n", "", "before",
                                  "after", "change");
    compared const offered{"offered", 0, 1, "/s", {}};
    compared const throughput{"throughput", 0, 1, "/s", {}};
    auto const due = [](stored_load_test const& t) {
        return rates_of(t, &job_record::due, 0, t.arrival_seconds);
    };
    auto const done = [](stored_load_test const& t) {
        return rates_of(t, &job_record::ended, t.warm_up_seconds, t.arrival_seconds);
    };
    out += line_of(offered, due(*before), due(*after), before->offered, after->offered);
    out += line_of(throughput, done(*before), done(*after), before->throughput, after->throughput);
    for (compared const& c : rows) {
        std::vector<double> const earlier = values_of(*before, c);
        std::vector<double> const later = values_of(*after, c);
        if (earlier.empty() && later.empty() && c.label.starts_with("parts")) continue;
        out += line_of(c, earlier, later);
    }
    return deliver(out, "-", "the comparison", log);
}

} // namespace ocrpipe::cli
