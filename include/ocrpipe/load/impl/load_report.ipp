#ifndef OCRPIPE_LOAD_IMPL_LOAD_REPORT_IPP
#define OCRPIPE_LOAD_IMPL_LOAD_REPORT_IPP

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/load/detail/time_text.hpp>
#include <ocrpipe/load/load_report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// null for infinity.
inline std::string json_number(double n)
{
    return std::isfinite(n) ? fmt::format("{:.9g}", n) : std::string("null");
}

inline std::string json_text(std::string_view text)
{
    std::string out;
    append_json_string(out, text);
    return out;
}

inline std::string json_percentiles(survival const& s)
{
    std::string out = fmt::format(R"({{"count":{},"censored":{})", s.count(), s.censored());
    for (double const p : {50.0, 90.0, 95.0, 99.0}) {
        censored_percentile const q = s.count() == 0 ? censored_percentile{NAN, NAN, NAN} : s.percentile(p);
        fmt::format_to(std::back_inserter(out), R"(,"p{:.0f}":{{"low":{},"estimate":{},"high":{}}})", p,
                       json_number(q.low), json_number(q.estimate), json_number(q.high));
    }
    return out + '}';
}

inline std::string json_histogram(latency_histogram const& h)
{
    std::string out;
    append_json(out, h);
    return out;
}

inline std::string percentile_text(survival const& s, double p)
{
    censored_percentile const q = s.percentile(p);
    if (std::isfinite(q.high)) return time_text(q.high);
    return fmt::format("at least {} ({:.1f} % unfinished)", time_text(q.low),
                       100.0 * static_cast<double>(s.censored()) / static_cast<double>(s.count()));
}

/// Empty without parts.
inline std::string parts_text(load_summary const& s)
{
    if (s.parts + s.parts_failures() + s.parts_wanted == 0) return {};
    std::string out = fmt::format(" {} parts were fetched", s.parts);
    if (s.parts_failures() > 0) out += fmt::format(", {} failed", s.parts_failures());
    if (s.parts_wanted > 0) out += fmt::format(", {} were not fetched before the end", s.parts_wanted);
    return out + '.';
}

inline std::string missed_text(load_facts const& facts)
{
    std::string out;
    for (auto const& [t, judged] : facts.thresholds)
        if (!judged.holds) out += fmt::format(" Missed: {} ({}).", t.text, judged.seen);
    return out;
}

/// The failures by class, the most frequent first.
inline std::string failures_text(load_summary const& s)
{
    std::vector<std::pair<errc, std::uint64_t>> counts(s.errors.begin(), s.errors.end());
    // Equal counts are ordered by class. Not std::stable_sort: that of libstdc++ 12 calls
    // std::get_temporary_buffer, which is deprecated, so clang 19 warns.
    std::sort(counts.begin(), counts.end(), [](auto const& a, auto const& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    std::string out;
    for (auto const& [e, n] : counts)
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", n, name(e));
    return out;
}

inline std::string capacity_text(service_capacity const& c, load_summary const& last)
{
    if (c.low <= 0 && !std::isfinite(c.high)) return "No step came to its end.";
    if (c.low <= 0 && last.failed > 0)
        return fmt::format(
            "No rate passed: {:.4g} documents a second was the lowest, and {}. In the last step, {} "
            "of {} documents failed ({}).",
            c.high, c.limit, last.failed, last.documents, failures_text(last));
    if (!std::isfinite(c.high))
        return fmt::format("The service sustains at least {:.4g} documents a second; no step failed.", c.low);
    if (c.low <= 0)
        return fmt::format("No rate passed: {:.4g} documents a second was the lowest, and {}.", c.high,
                           c.limit);
    return fmt::format(
        "The service sustains {:.4g} documents a second (between {:.4g} and {:.4g}); above that, {}.",
        c.estimate, c.low, c.high, c.limit);
}

} // namespace detail

OCRPIPE_DECL load_limit limit_of(generator_health const& g) noexcept
{
    constexpr double noticeable = 0.1; // seconds
    if (g.held_back > noticeable && g.held_back >= g.paused) return load_limit::own_rates;
    if (g.paused > noticeable) return load_limit::throttled;
    return load_limit::service;
}

OCRPIPE_DECL std::string_view text(load_limit l) noexcept
{
    switch (l) {
    case load_limit::own_rates:
        return "the client's own rate limits are the limit";
    case load_limit::throttled:
        return "it asked to wait (429, or 503 with Retry-After)";
    case load_limit::service:
        return "the service is the limit";
    }
    return {};
}

OCRPIPE_DECL std::string bottleneck_of(generator_health const& g)
{
    if (g.descriptors_gone > 0)
        return fmt::format("{} requests failed because this process cannot open more files: raise ulimit -n, "
                           "or give fewer --connections",
                           g.descriptors_gone);
    bool const late = g.start_delay_p99 > g.send_delay_bound;
    // One thread sends; what is left of a core is not enough for bursts.
    if (g.cpu_share > 0.95 || (late && g.cpu_share > 0.8))
        return fmt::format(
            "the generator used {:.0f} % of a core: give a lower rate, or several generators and "
            "ocrpipe load merge",
            100 * g.cpu_share);
    if (late)
        return fmt::format(
            "1 % of the documents were handed over more than {} after they were due, though the "
            "generator used only {:.0f} % of a core: this machine is too busy",
            detail::time_text(g.start_delay_p99), 100 * g.cpu_share);
    bool const by_service = g.paused > g.held_back && g.paused > g.send_delay_bound / 10;
    if (!g.limited && !by_service && g.send_delay_p99 > g.send_delay_bound)
        return fmt::format(
            "1 % of the documents left more than {} after they were due: give more --connections, "
            "or a larger --send-delay if connecting takes that long",
            detail::time_text(g.send_delay_p99));
    return {};
}

OCRPIPE_DECL std::string verdict_of(load_summary const& s, load_facts const& facts)
{
    std::string out;
    if (std::string const why = bottleneck_of(facts.generator); !why.empty())
        out = fmt::format(
            "The generator was the bottleneck, so this is not a measurement of the service: {}. ", why);
    if (!facts.ended_by.empty()) out += fmt::format("The test ended early: {}. ", facts.ended_by);
    if (facts.capacity) return out + detail::capacity_text(*facts.capacity, s);
    out += facts.concurrency > 0
               ? fmt::format("{} documents, at most {} at a time, in {} ({:.4g} a second): ", s.documents,
                             facts.concurrency, detail::time_text(s.total_seconds), s.offered)
               : fmt::format("{} documents were due in {} ({:.4g} a second): ", s.documents,
                             detail::time_text(s.arrival_seconds), s.offered);
    if (s.all_failed()) {
        // A backlog of documents that fail says nothing about the service's speed.
        out += fmt::format("all of them failed ({}).", detail::failures_text(s));
        return out + detail::missed_text(facts);
    }
    out += fmt::format("{} done", s.done);
    if (s.failed > 0) out += fmt::format(", {} failed ({})", s.failed, detail::failures_text(s));
    if (s.unfinished > 0) out += fmt::format(", {} unfinished", s.unfinished);
    out += '.';
    if (s.backlog.grows())
        out += fmt::format(
            " The backlog grew by {:.3g} documents a second ({:.3g} to {:.3g}): the service finished "
            "{:.4g} a second; {}.",
            s.backlog.slope, s.backlog.low, s.backlog.high, s.throughput, text(limit_of(facts.generator)));
    else if (std::isfinite(s.backlog.low))
        out += fmt::format(" The backlog did not grow ({:+.3g} documents a second, {:+.3g} to {:+.3g}).",
                           s.backlog.slope, s.backlog.low, s.backlog.high);
    else
        out += " Too few documents for a statement about the backlog.";
    if (load_limit const l = limit_of(facts.generator); l != load_limit::service && !s.backlog.grows())
        out += fmt::format(" Documents had to wait: {}.", text(l));
    if (s.end_to_end.count() > 0)
        out += fmt::format(" 95 % of the documents took {} or less from when they were due.",
                           detail::percentile_text(s.end_to_end, 95));
    return out + detail::parts_text(s) + detail::missed_text(facts);
}

OCRPIPE_DECL std::string load_member(load_summary const& s, load_facts const& facts)
{
    using detail::json_number;
    using detail::json_text;
    std::string out = "\"load\": {";
    auto member = [&, first = true](std::string_view key, std::string const& value) mutable {
        fmt::format_to(std::back_inserter(out), "{}\n    \"{}\": {}", first ? "" : ",", key, value);
        first = false;
    };
    auto const number = [&](std::string_view key, double n) { member(key, json_number(n)); };
    member("arrivals", json_text(facts.arrivals));
    number("arrival_seconds", s.arrival_seconds);
    number("total_seconds", s.total_seconds);
    number("warm_up_seconds", s.warm_up_seconds);
    member("outcomes", fmt::format(R"({{"due":{},"accepted":{},"done":{},"failed":{},"unfinished":{}}})",
                                   s.documents, s.accepted, s.done, s.failed, s.unfinished));
    number("offered_per_second", s.offered);
    number("throughput_per_second", s.throughput);
    number("bytes_per_second", s.bytes_per_second);
    number("error_rate", s.error_rate());
    number("polls_per_document", s.polls_per_document);
    member("end_to_end", detail::json_percentiles(s.end_to_end));
    member("time_to_ready_low", detail::json_percentiles(s.ready_low));
    member("time_to_ready_high", detail::json_percentiles(s.ready_high));
    if (s.time_to_parts.count() > 0) member("time_to_parts", detail::json_percentiles(s.time_to_parts));
    member("completed_only", detail::json_percentiles(s.completed_only));
    member("backlog",
           fmt::format(R"({{"slope":{},"low":{},"high":{},"grows":{}}})", json_number(s.backlog.slope),
                       json_number(s.backlog.low), json_number(s.backlog.high), s.backlog.grows()));
    member("little",
           fmt::format(R"({{"sampled_in_flight":{},"rate_times_time":{}}})",
                       facts.sampled_in_flight ? json_number(*facts.sampled_in_flight) : std::string("null"),
                       json_number(s.little)));
    generator_health const& g = facts.generator;
    std::string const why = bottleneck_of(g);
    member("generator",
           fmt::format(
               R"({{"bottleneck":{},"cpu_share":{},"send_delay_bound":{},"start_delay":{},"send_delay":{}}})",
               why.empty() ? std::string("null") : json_text(why), json_number(g.cpu_share),
               json_number(g.send_delay_bound), detail::json_histogram(s.start_delay),
               detail::json_histogram(s.send_delay)));
    std::string list = "[";
    for (auto const& [t, judged] : facts.thresholds)
        fmt::format_to(std::back_inserter(list), R"({}{{"condition":{},"value":{},"seen":{},"holds":{}}})",
                       list.size() > 1 ? "," : "", json_text(t.text), json_number(judged.value),
                       json_text(judged.seen), judged.holds);
    member("thresholds", list + "]");
    if (facts.capacity) {
        service_capacity const& c = *facts.capacity;
        list =
            fmt::format(R"({{"estimate":{},"low":{},"high":{},"limit":{},"steps":[)", json_number(c.estimate),
                        json_number(c.low), json_number(c.high), json_text(c.limit));
        for (std::size_t i = 0; i != facts.steps.size(); ++i) {
            capacity_step const& step = facts.steps[i];
            fmt::format_to(std::back_inserter(list),
                           R"({}{{"rate":{},"passed":{},"throughput":{},"backlog_grows":{},"why":{}}})",
                           i == 0 ? "" : ",", json_number(step.rate), step.passed,
                           json_number(step.throughput), step.backlog_grows, json_text(step.why));
        }
        member("capacity", list + "]}");
    } else {
        member("capacity", "null");
    }
    return out + "\n  }";
}

} // namespace ocrpipe

#endif
