#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/load.hpp>
#include <ocrpipe/measure/report_members.hpp>

#include "commands.hpp"
#include "load_outcome.hpp"
#include "output_file.hpp"
#include "standard_output.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

using std::chrono::system_clock;

/// What a load test left in its directory.
struct stored_test {
    std::vector<job_line> jobs; ///< in the order of arrival
    system_clock::time_point started_at{};
    double arrival_seconds = 0;
    double total_seconds = 0;
    std::string arrivals;
    bool was_generator_late = false; ///< its figures are then not about the service
    bool has_thresholds = false;
};

failure unreadable(std::string const& directory, std::string_view why)
{
    return failure(errc::unreadable_file, phase::none,
                   fmt::format("{}: {}: give the --out directory of a load test", directory, why));
}

result<stored_test> load_test_of(std::string const& directory)
{
    stored_test out;
    std::ifstream report(directory + "/report.json", std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(report), {}};
    boost::system::error_code ec;
    auto const parsed = boost::json::parse(text, ec);
    if (ec || !parsed.is_object()) return unreadable(directory, "report.json cannot be read");
    auto const* const member = parsed.get_object().if_contains("load");
    auto const* const started = parsed.get_object().if_contains("started_at");
    if (member == nullptr || !member->is_object() || started == nullptr || !started->is_string())
        return unreadable(directory, "report.json is not that of a load test");
    auto const& load = member->get_object();
    auto const number = [&](std::string_view key) {
        auto const* const v = load.if_contains(key);
        return v != nullptr && v->is_number() ? v->to_number<double>() : 0.0;
    };
    out.arrival_seconds = number("arrival_seconds");
    out.total_seconds = number("total_seconds");
    if (auto const* const a = load.if_contains("arrivals"); a != nullptr && a->is_string())
        out.arrivals = std::string(a->get_string());
    if (auto const* const c = load.if_contains("capacity"); c != nullptr && !c->is_null())
        return unreadable(directory,
                          "--find-capacity made several tests, which cannot be compared or joined");
    auto const started_at = detail::parse_time(std::string(started->get_string()));
    if (!started_at) return unreadable(directory, "report.json has no valid started_at");
    out.started_at = *started_at;
    if (auto const* const g = load.if_contains("generator"); g != nullptr && g->is_object()) {
        auto const* const why = g->get_object().if_contains("bottleneck");
        out.was_generator_late = why != nullptr && why->is_string();
    }
    if (auto const* const t = load.if_contains("thresholds"); t != nullptr && t->is_array())
        out.has_thresholds = !t->get_array().empty();
    std::ifstream jobs(directory + "/jobs.jsonl", std::ios::binary);
    if (!jobs) return unreadable(directory, "jobs.jsonl cannot be read");
    for (std::string line; std::getline(jobs, line);) {
        auto job = parse_job_line(line);
        if (!job) return unreadable(directory, job.error().reason);
        out.jobs.push_back(std::move(*job));
    }
    double due = 0;
    if (auto const* const o = load.if_contains("outcomes"); o != nullptr && o->is_object())
        if (auto const* const n = o->get_object().if_contains("due"); n != nullptr && n->is_number())
            due = n->to_number<double>();
    if (static_cast<double>(out.jobs.size()) != due)
        return unreadable(directory, fmt::format("jobs.jsonl has {} documents, but report.json has {:.0f}",
                                                 out.jobs.size(), due));
    std::stable_sort(out.jobs.begin(), out.jobs.end(),
                     [](job_line const& a, job_line const& b) { return a.record.due < b.record.due; });
    return out;
}

exit_code refuse_input(failure const& f, logger& log)
{
    log.write(message(level::error, "unreadable", f.reason));
    return exit_code::inputs_unreadable;
}

double seconds_of(job_record::time t) { return static_cast<double>(t.count()) / 1e9; }

/// A row of the comparison: which values, and which statistic of them.
struct compared {
    std::string_view label;
    double percentile; ///< 0 is the mean
    double scale;
    std::string_view unit;
    std::function<std::optional<double>(job_record const&, double total_seconds)> value;
};

std::vector<double> values_of(stored_test const& t, compared const& c)
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

/// Feeds the records to the measurements in the order of time, so that the series and latencies are those of
/// one test.
run_measurements replay(std::vector<job_line> const& jobs, system_clock::time_point started_at)
{
    struct event {
        job_record::time at;
        enum { due, accepted, ended, parts_done } what;
        std::size_t job;
    };
    std::vector<event> events;
    for (std::size_t i = 0; i != jobs.size(); ++i) {
        job_record const& r = jobs[i].record;
        events.push_back({r.due, event::due, i});
        if (is_known(r.accepted)) events.push_back({r.accepted, event::accepted, i});
        if (is_known(r.ended)) events.push_back({r.ended, event::ended, i});
        if (is_known(r.parts_done)) events.push_back({r.parts_done, event::parts_done, i});
    }
    std::stable_sort(events.begin(), events.end(),
                     [](event const& a, event const& b) { return a.at < b.at; });
    clock::time_point const begin = clock::time_point() + std::chrono::hours(1);
    auto const point = [&](job_record::time t) { return is_known(t) ? begin + t : clock::time_point(); };
    run_measurements out(begin, started_at);
    std::uint64_t in_flight = 0;
    std::uint64_t backlog = 0;
    for (event const& e : events) {
        job_line const& j = jobs[e.job];
        job_record const& r = j.record;
        auto const now = begin + e.at;
        if (e.what == event::due) {
            ++in_flight;
        } else if (e.what == event::accepted) {
            ++backlog;
            out.accepted(r.bytes, now);
        } else if (e.what == event::parts_done) {
            --in_flight;
            out.parts_done(begin + r.ended, now);
        } else {
            if (!has_parts(r)) --in_flight;
            if (is_known(r.accepted)) --backlog;
            for (auto const& [error, count] : r.parts_failed)
                for (std::uint32_t n = 0; n != count; ++n)
                    out.failed("part", name(error), j.document, name(error));
            if (r.outcome == job_outcome::done) {
                measured_document d;
                d.id = j.document;
                d.request_id = j.request_id;
                d.from = begin + r.due;
                d.times = {point(r.sent),         point(r.accepted), point(r.first_pending),
                           point(r.last_pending), point(r.ended),    static_cast<int>(r.polls)};
                d.bytes = r.bytes;
                out.finished(d, now);
            } else {
                out.failed(name(r.error), j.document, std::string(name(r.error)), now);
            }
        }
        out.gauges(in_flight, backlog, now);
    }
    return out;
}

} // namespace

exit_code carry_out(load_compare_plan const& p, client_options const&, logger& log)
{
    auto const before = load_test_of(p.before);
    if (!before) return refuse_input(before.error(), log);
    auto const after = load_test_of(p.after);
    if (!after) return refuse_input(after.error(), log);
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
    for (compared const& c : rows) {
        std::vector<double> const earlier = values_of(*before, c);
        std::vector<double> const later = values_of(*after, c);
        if (earlier.empty() && later.empty()) continue;
        difference const d = compare(earlier, later, c.percentile);
        auto const number = [&](double n) { return fmt::format("{:.4g} {}", n * c.scale, c.unit); };
        std::string const statement =
            !std::isfinite(d.low)
                ? std::string("too few documents")
                : fmt::format("{:+.3g} to {:+.3g} {}: {}", d.low * c.scale, d.high * c.scale, c.unit,
                              d.beyond_noise() ? d.change() > 0 ? "more" : "less" : "within noise");
        out += fmt::format("{:<20} {:>12} {:>12} {:>+12.3g}  {}\n", c.label, number(d.before),
                           number(d.after), d.change() * c.scale, statement);
    }
    return deliver(out, "-", "the comparison", log);
}

exit_code carry_out(load_merge_plan const& p, client_options const&, logger& log)
{
    if (p.directories.size() < 2) {
        log.write(message(level::error, "usage", "give at least two directories of load tests after OUT"));
        return exit_code::usage;
    }
    std::error_code not_there;
    std::vector<std::filesystem::path> seen{std::filesystem::weakly_canonical(p.output, not_there)};
    std::vector<stored_test> tests;
    for (std::string const& d : p.directories) {
        auto t = load_test_of(d);
        if (!t) return refuse_input(t.error(), log);
        std::filesystem::path const place = std::filesystem::weakly_canonical(d, not_there);
        if (std::find(seen.begin(), seen.end(), place) != seen.end()) {
            log.write(message(level::error, "usage", fmt::format("{}: it is given twice", d)));
            return exit_code::usage;
        }
        seen.push_back(place);
        if (t->was_generator_late)
            return refuse_input(
                unreadable(d, "its generator was the bottleneck, so its figures are not about the service"),
                log);
        if (t->has_thresholds)
            log.write(message(level::warn, "thresholds_not_checked",
                              fmt::format("{}: its thresholds are not checked for the joint report", d)));
        tests.push_back(std::move(*t));
    }
    auto const earliest = std::min_element(
        tests.begin(), tests.end(), [](auto const& a, auto const& b) { return a.started_at < b.started_at; });
    system_clock::time_point const start = earliest->started_at;
    stored_test all;
    all.started_at = start;
    for (stored_test& t : tests) {
        auto const ended = [](stored_test const& of) {
            return of.started_at + std::chrono::milliseconds(std::llround(of.arrival_seconds * 1'000));
        };
        if (t.started_at > ended(*earliest))
            log.write(
                message(level::warn, "not_at_the_same_time",
                        "the tests did not run at the same time: the joint report counts the time between "
                        "them as a time without arrivals"));
        // Clocks of several machines agree as far as they are synchronized.
        auto const shift = std::chrono::duration_cast<std::chrono::nanoseconds>(t.started_at - start);
        double const seconds = static_cast<double>(shift.count()) / 1e9;
        all.arrival_seconds = std::max(all.arrival_seconds, seconds + t.arrival_seconds);
        all.total_seconds = std::max(all.total_seconds, seconds + t.total_seconds);
        all.arrivals += (all.arrivals.empty() ? "" : " + ") + t.arrivals;
        for (job_line& j : t.jobs) {
            job_record& r = j.record;
            for (auto* const time : {&r.due, &r.started, &r.sent, &r.accepted, &r.first_pending,
                                     &r.last_pending, &r.ended, &r.parts_done})
                if (is_known(*time)) *time += shift;
            all.jobs.push_back(std::move(j));
        }
    }
    std::stable_sort(all.jobs.begin(), all.jobs.end(),
                     [](job_line const& a, job_line const& b) { return a.record.due < b.record.due; });

    std::error_code made;
    std::filesystem::create_directories(p.output, made);
    output_file lines;
    error_code ec = lines.open(p.output + "/jobs.jsonl");
    std::vector<job_record> records;
    for (job_line const& j : all.jobs) {
        std::string line;
        append_json_line(line, j.record, j.document, j.request_id);
        if (!ec) ec = lines.append(line);
        records.push_back(j.record);
    }
    if (!ec) ec = lines.finish();

    load_summary const s = summarize(records, all.arrival_seconds, all.total_seconds);
    load_facts facts;
    facts.arrivals = all.arrivals;
    facts.generator.send_delay_bound = 1e9; // each generator has judged itself
    run_measurements const measured = replay(all.jobs, start);
    run_report r;
    r.started_at = start;
    r.finished_at = start + std::chrono::milliseconds(std::llround(all.total_seconds * 1'000));
    r.source_exhausted = true;
    enter(s, r);
    for (job_record const& j : records) {
        r.submits += j.submits;
        r.polls += j.polls;
    }
    report_facts f;
    f.kind = "load";
    f.state = "finished";
    f.now = measured.start() + std::chrono::milliseconds(std::llround(all.total_seconds * 1'000));
    f.updated_at = system_clock::now();
    f.done = s.done;
    f.failed = s.failed;
    f.left = s.unfinished;
    f.total_known = true;
    f.configuration = {{"arrivals", all.arrivals}, {"generators", std::to_string(tests.size())}};
    f.verdict = verdict_of(s, facts);
    r.measured = report_members(measured, f) + ",\n  " + load_member(s, facts);
    if (!ec) ec = write_load_report(p.output, r);
    if (ec) {
        log.write(message(level::error, "unwritable", fmt::format("{}: {}", p.output, ec.message())));
        return exit_code::disk_error;
    }
    log.write(message(level::info, "load_merged", f.verdict));
    return deliver(p.output + "/report.json\n", "-", "the report's path", log);
}

} // namespace ocrpipe::cli
