#include "load_outcome.hpp"

#include "remedy.hpp"
#include "report_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace ocrpipe::cli
{

run_report counts_of(load_run const& run, client_statistics const& traffic,
                     std::chrono::system_clock::time_point started_at)
{
    load_statistics const s = run.statistics();
    run_report r;
    r.started_at = started_at;
    r.source_exhausted = true;
    r.found = s.due;
    r.done = r.done_now = s.done;
    r.failed = s.failed;
    for (auto const& [what, failures] : run.measurements().errors())
        if (what.first == "document")
            r.failed_by_class[what.second] += failures.count;
        else if (what.first == "part")
            r.parts_failed_by_class[what.second] += failures.count;
    r.parts = s.parts;
    r.parts_failed = s.parts_failed;
    r.unfinished = s.due - s.done - s.failed;
    r.bytes = traffic.bytes_uploaded;
    r.submits = traffic.submits;
    r.polls = traffic.polls;
    r.throttled = traffic.throttled;
    r.transport_failures = traffic.transport_failures;
    return r;
}

void enter(load_summary const& s, run_report& r)
{
    auto const by_class = [](std::map<errc, std::uint64_t> const& counts) {
        std::map<std::string, std::uint64_t> out;
        for (auto const& [e, n] : counts)
            out[std::string(name(e))] = n;
        return out;
    };
    r.found = s.documents;
    r.done = r.done_now = s.done;
    r.failed = s.failed;
    r.failed_by_class = by_class(s.errors);
    r.unfinished = s.unfinished;
    r.bytes = s.bytes;
    r.parts = s.parts;
    r.parts_wanted = s.parts_wanted;
    r.parts_failed = s.parts_failures();
    r.parts_failed_by_class = by_class(s.parts_failed);
}

std::string_view remedy_of_class(std::string_view failure_class)
{
    auto const e = errc_named(failure_class);
    return e ? remedy(*e) : std::string_view();
}

report_facts report_facts_of(load_plan const& p, client_options const& options,
                             client_statistics const& traffic, run_report const& counts,
                             std::string_view state)
{
    report_facts f;
    f.kind = "load";
    f.state = state;
    f.now = clock::now();
    f.updated_at = std::chrono::system_clock::now();
    f.done = counts.done;
    f.failed = counts.failed;
    f.left = counts.unfinished;
    auto const in_doubt = counts.failed_by_class.find(std::string(name(errc::ambiguous_submit)));
    f.in_doubt = in_doubt == counts.failed_by_class.end() ? 0 : in_doubt->second;
    f.waited_for_submit_rate = traffic.waited_for_submit_rate;
    f.waited_for_poll_rate = traffic.waited_for_poll_rate;
    f.waited_for_bytes = traffic.waited_for_bytes;
    f.waited_for_pause = traffic.waited_for_pause;
    f.remedy = remedy_of_class;
    f.configuration = {{"base_url", options.endpoint.base_url},
                       {"arrivals", p.arrivals_text},
                       {"seed", std::to_string(p.seed)},
                       {"documents", p.inputs.empty() ? fmt::format("generated, {} bytes", p.sizes.median)
                                                      : fmt::format("{} inputs", p.inputs.size())},
                       {"submit_connections", std::to_string(options.pool.submit_connections)},
                       {"poll_connections", std::to_string(options.pool.poll_connections)}};
    f.verdict = fmt::format("{} documents have been due so far; {} have their result, {} failed.",
                            counts.found, counts.done, counts.failed);
    return f;
}

load_outcome outcome_of(load_run const& run, load_plan const& p, client_options const& options,
                        client_statistics const& traffic, std::chrono::system_clock::time_point started_at,
                        double cpu_share)
{
    load_summary summary = summarize(run.jobs(), run.arrival_seconds(), run.total_seconds());
    summary.offered = run.offered_per_second();
    // A closed loop of one or two rounds has no steady part.
    if (summary.documents <= 2 * p.arrivals.concurrency && summary.total_seconds > 0) {
        summary.throughput = static_cast<double>(summary.done) / summary.total_seconds;
        summary.bytes_per_second = static_cast<double>(summary.bytes) / summary.total_seconds;
    }
    generator_health g;
    g.send_delay_p99 = summary.send_delay.percentile(99).count();
    g.start_delay_p99 = summary.start_delay.percentile(99).count();
    g.send_delay_bound = p.send_delay;
    // In a closed loop, a document is due when there is room for it.
    g.limited = p.limited || p.arrivals.closed();
    g.cpu_share = cpu_share;
    g.descriptors_gone = run.descriptors_gone();
    auto const each = [&summary](std::chrono::nanoseconds waited) {
        return std::chrono::duration<double>(waited).count() /
               static_cast<double>(std::max<std::uint64_t>(1, summary.documents));
    };
    g.held_back =
        each(traffic.waited_for_submit_rate + traffic.waited_for_poll_rate + traffic.waited_for_bytes);
    // Refused credentials pause, too, but that is not the service's wish.
    if (traffic.throttled > 0) g.paused = each(traffic.waited_for_pause);

    run_report r = counts_of(run, traffic, started_at);
    r.finished_at = std::chrono::system_clock::now();
    r.end = run.stopped() ? run_end::stopped : run_end::complete;
    if (run.stopped()) r.ended_by = "stopped by a signal";
    if (run.ended_by()) {
        r.end = run_end::failed;
        r.ended_by = to_string(*run.ended_by());
    }
    enter(summary, r);
    report_facts facts =
        report_facts_of(p, options, traffic, r, r.end == run_end::complete ? "finished" : "stopped");
    facts.total_known = true;
    return load_outcome{std::move(summary),      g,
                        run.sampled_in_flight(), run.stopped(),
                        run.ended_by(),          std::move(r),
                        run.measurements(),      std::move(facts)};
}

load_facts facts_of(load_plan const& p, load_outcome const& t)
{
    load_facts f;
    f.arrivals = p.arrivals_text;
    f.concurrency = p.arrivals.concurrency;
    f.stopped = t.stopped;
    if (!t.stopped) f.ended_by = t.counts.ended_by;
    f.generator = t.generator;
    f.sampled_in_flight = t.sampled_in_flight;
    for (threshold const& one : p.thresholds)
        f.thresholds.emplace_back(one, judge(one, t.summary));
    return f;
}

bool misses(load_facts const& f)
{
    return std::any_of(f.thresholds.begin(), f.thresholds.end(),
                       [](auto const& t) { return !t.second.holds; });
}

error_code write_load_report(std::string const& folder, run_report const& r)
{
    error_code const ec = write_report(folder, r);
    return ec ? ec : write_report_page(folder, to_json(r));
}

} // namespace ocrpipe::cli
