#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/load.hpp>
#include <ocrpipe/measure/report_members.hpp>

#include "commands.hpp"
#include "load_outcome.hpp"
#include "load_records.hpp"
#include "output_file.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"
#include "stored_load_test.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

using std::chrono::system_clock;

/// Feeds the records to the measurements in the order of time, so that the series and latencies are those of
/// one test.
run_measurements replay(stored_load_test const& all)
{
    struct event {
        job_record::time at;
        enum { due, accepted, ended, parts_done } what;
        std::size_t job;
    };
    std::vector<job_line> const& jobs = all.jobs;
    auto const sample = [&all](std::string kind, errc e) {
        auto const found = all.messages.find({std::move(kind), std::string(name(e))});
        return found == all.messages.end() ? std::string(name(e)) : found->second;
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
    run_measurements out(begin, all.started_at);
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
                    out.failed("part", name(error), j.document, sample("part", error));
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
                out.failed(name(r.error), j.document, sample("document", r.error), now);
            }
        }
        out.gauges(in_flight, backlog, now);
    }
    for (auto const op : {operation::submit, operation::result, operation::table, operation::signature,
                          operation::stamp, operation::image})
        for (auto const& [what, n] : all.statuses) {
            if (what.first != name(op)) continue;
            auto const e = errc_named(what.second);
            int const status = e ? -static_cast<int>(*e) : std::atoi(what.second.c_str());
            if (status != 0) out.add_statuses(op, status, n);
        }
    return out;
}

std::chrono::nanoseconds nanoseconds_of(double seconds)
{
    return std::chrono::nanoseconds(std::llround(std::clamp(seconds, 0.0, 3.2e9) * 1e9));
}

/// What tells a document from all others: its request_id, or when it was due in which test.
std::string identity_of(stored_load_test const& t, job_line const& j)
{
    if (!j.request_id.empty()) return j.request_id;
    auto const due = std::chrono::duration_cast<std::chrono::nanoseconds>(t.started_at.time_since_epoch());
    return fmt::format("{} {}", (due + j.record.due).count(), j.document);
}

/// Whether the test has a document that is known already; adds those that it has.
bool shares_documents(stored_load_test const& t, std::unordered_set<std::string>& known)
{
    bool shares = false;
    for (job_line const& j : t.jobs)
        shares |= !known.insert(identity_of(t, j)).second;
    return shares;
}

} // namespace

exit_code carry_out(load_merge_plan const& p, client_options const&, logger& log)
{
    if (p.directories.size() < 2) {
        log.write(message(level::error, "usage", "give at least two directories of load tests after OUT"));
        return exit_code::usage;
    }
    std::error_code not_there;
    std::vector<std::filesystem::path> seen{std::filesystem::weakly_canonical(p.output, not_there)};
    std::vector<stored_load_test> tests;
    std::unordered_set<std::string> request_ids;
    for (std::string const& d : p.directories) {
        auto t = load_test_of(d);
        if (!t) return refuse_input(t.error(), log);
        std::filesystem::path const place = std::filesystem::weakly_canonical(d, not_there);
        if (std::find(seen.begin(), seen.end(), place) != seen.end()) {
            log.write(message(level::error, "usage", fmt::format("{}: it is given twice", d)));
            return exit_code::usage;
        }
        seen.push_back(place);
        if (shares_documents(*t, request_ids)) {
            log.write(message(level::error, "usage",
                              fmt::format("{}: another of the tests has the same documents: it is a copy of "
                                          "this one, or was merged from it",
                                          d)));
            return exit_code::usage;
        }
        if (t->was_generator_late)
            return refuse_input(
                unreadable(d, "its generator was the bottleneck, so its figures are not about the service"),
                log);
        if (!t->ended_by.empty())
            log.write(
                message(level::warn, "ended_early", fmt::format("{}: it ended early: {}", d, t->ended_by)));
        if (t->has_thresholds)
            log.write(message(level::warn, "thresholds_not_checked",
                              fmt::format("{}: its thresholds are not checked for the joint report", d)));
        tests.push_back(std::move(*t));
    }
    if (holds_results(p.output)) {
        log.write(
            message(level::error, "usage",
                    fmt::format("{} has the files of a load test or of a run, which would be lost: give "
                                "another directory",
                                p.output)));
        return exit_code::usage;
    }
    auto const earliest = std::min_element(
        tests.begin(), tests.end(), [](auto const& a, auto const& b) { return a.started_at < b.started_at; });
    system_clock::time_point const start = earliest->started_at;
    stored_load_test all;
    all.started_at = start;
    double offered_seconds = 0; // until one more document would be due
    for (stored_load_test& t : tests) {
        auto const ended = [](stored_load_test const& of) {
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
        if (t.offered > 0)
            offered_seconds =
                std::max(offered_seconds, seconds + static_cast<double>(t.jobs.size()) / t.offered);
        all.possible_duplicates += t.possible_duplicates;
        all.held_back += t.held_back;
        all.paused += t.paused;
        all.throttled += t.throttled;
        if (!t.ended_by.empty()) all.ended_by += (all.ended_by.empty() ? "" : "; ") + t.ended_by;
        for (auto const& [what, n] : t.statuses)
            all.statuses[what] += n;
        all.messages.merge(t.messages);
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

    load_summary s = summarize(records, all.arrival_seconds, all.total_seconds);
    if (offered_seconds > 0) s.offered = static_cast<double>(s.documents) / offered_seconds;
    load_facts facts;
    facts.arrivals = all.arrivals;
    facts.generator.send_delay_bound = 1e9; // each generator has judged itself
    facts.generator.held_back = all.held_back / static_cast<double>(std::max<std::size_t>(1, records.size()));
    facts.generator.paused = all.paused / static_cast<double>(std::max<std::size_t>(1, records.size()));
    facts.ended_by = all.ended_by;
    run_measurements const measured = replay(all);
    run_report r;
    r.started_at = start;
    r.finished_at = start + std::chrono::milliseconds(std::llround(all.total_seconds * 1'000));
    r.source_exhausted = true;
    r.ended_by = all.ended_by;
    r.throttled = all.throttled;
    enter(s, r);
    for (job_record const& j : records) {
        r.submits += j.submits;
        r.polls += j.polls;
    }
    report_facts f;
    f.kind = "load";
    f.state = all.ended_by.empty() ? "finished" : "stopped";
    f.waited_for_submit_rate = nanoseconds_of(all.held_back);
    f.waited_for_pause = nanoseconds_of(all.paused);
    f.now = measured.start() + std::chrono::milliseconds(std::llround(all.total_seconds * 1'000));
    f.updated_at = system_clock::now();
    f.done = s.done;
    f.failed = s.failed;
    f.left = s.unfinished;
    f.total_known = true;
    f.in_doubt = s.errors.contains(errc::ambiguous_submit) ? s.errors.at(errc::ambiguous_submit) : 0;
    f.possible_duplicates = all.possible_duplicates;
    f.remedy = remedy_of_class;
    f.configuration = {{"arrivals", all.arrivals}, {"generators", std::to_string(tests.size())}};
    f.verdict = verdict_of(s, facts);
    r.measured = report_members(measured, f) + ",\n  " + load_member(s, facts);
    if (!ec) ec = write_load_report(p.output, r);
    if (ec) {
        log.write(message(level::error, "unwritable", fmt::format("{}: {}", p.output, ec.message())));
        return exit_code::disk_error;
    }
    bool const is_complete = s.failed + s.unfinished + s.parts_failures() + s.parts_wanted == 0;
    log.write(message(is_complete ? level::info : level::warn, "load_merged", f.verdict));
    exit_code const code = is_complete ? exit_code::all_done : exit_code::documents_failed;
    return worst(code, deliver(p.output + "/report.json\n", "-", "the report's path", log));
}

} // namespace ocrpipe::cli
