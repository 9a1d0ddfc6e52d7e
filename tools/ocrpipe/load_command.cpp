#include <ocrpipe/load.hpp>

#include "commands.hpp"
#include "file_limit.hpp"
#include "interruption.hpp"
#include "load_display.hpp"
#include "load_documents.hpp"
#include "load_outcome.hpp"
#include "load_records.hpp"
#include "load_search.hpp"
#include "metrics_option.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"
#include "text_units.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

constexpr std::chrono::milliseconds redraw_interval{500};
constexpr std::chrono::seconds report_interval{5};

/// A log must not grow with the number of documents.
constexpr std::uint64_t most_shown = 50;

std::size_t terminal_width() noexcept
{
    ::winsize w{};
    std::size_t const columns = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
    return columns - 1;
}

double cpu_seconds() noexcept
{
    std::timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// Why the records of the test are not kept.
std::string unrecorded(error_code const& ec)
{
    if (ec == boost::system::errc::no_such_file_or_directory)
        return "jobs.jsonl or accepted.jsonl was removed or changed while the test was running";
    return fmt::format("the records of the test cannot be written: {}", ec.message());
}

/// Runs load tests one after the other, each with a client of its own, and keeps their records.
class tester
{
public:
    tester(load_plan const& p, client_options const& options, logger& log)
        : plan_(p), options_(options), log_(log), documents_(open_documents(p, log))
    {
    }

    load_documents const& documents() const noexcept { return documents_; }
    exit_code signal() const noexcept { return signal_; }
    bool could_be_shown() const noexcept { return !show_failed_; }

    load_records& records() noexcept { return records_; }

    /// Nothing if the report cannot be shown at the address of --metrics; the reason was logged.
    std::optional<load_outcome> run(arrival_plan const& arrivals);

private:
    /// Documents that cost money must not be sent if they leave no record.
    void stop_if_unwritable(load_run& run)
    {
        if (!records_.failed() || std::exchange(unwritable_told_, true)) return;
        log_.write(message(
            level::error, "unwritable",
            fmt::format("{}: {}: no further document is sent; waiting for {} documents for at most {}",
                        plan_.directory, unrecorded(records_.failed()), run.statistics().in_flight(),
                        format_duration(plan_.drain_timeout))));
        run.end_arrivals();
    }

    void show_failure(char const* event, std::string what, failure const& f)
    {
        if (shown_++ >= most_shown) return;
        log_.write(describe(level::warn, event, std::move(what), f));
        if (shown_ == most_shown)
            log_.write(message(level::warn, "complaints_cut", "further failures are only in jobs.jsonl"));
    }

    load_plan const& plan_;
    client_options const& options_;
    logger& log_;
    load_documents documents_;
    load_records records_;
    std::uint64_t numbers_ = 0; ///< of documents made by earlier tests
    std::uint64_t shown_ = 0;
    bool report_missed_ = false;
    bool unwritable_told_ = false;
    bool show_failed_ = false;
    exit_code signal_ = exit_code::all_done;
};

std::optional<load_outcome> tester::run(arrival_plan const& arrivals)
{
    asio::io_context ioc(1);
    client c(ioc, options_);
    bool has_ended = false;
    std::string line;
    load_options how;
    how.arrivals = arrivals;
    how.drain_timeout = plan_.drain_timeout;
    how.document = [this](std::uint64_t number) { return documents_.make(numbers_ + number); };
    how.on_accepted = [&](std::string_view document, std::string_view request_id) {
        records_.accepted(document, request_id);
    };
    how.on_job = [&](job_record const& r, std::string_view document, std::string_view request_id) {
        line.clear();
        append_json_line(line, r, document, request_id);
        records_.ended(line);
    };
    how.on_failure = [&](std::string_view document, failure const& f) {
        show_failure("document_failed", std::string(document), f);
    };
    how.parts = plan_.parts;
    how.on_part_failure = [&](std::string_view document, result_part const& p, failure const& f) {
        show_failure("part_failed", fmt::format("{}: {} {}", document, name(p.kind), p.sub_id), f);
    };
    how.on_end = [&] { has_ended = true; };
    load_run run(ioc, c, how);
    unwritable_told_ = false;

    interruption signals(ioc, [&](int times) {
        log_.write(message(
            level::warn, times == 1 ? "stopping" : "leaving",
            times == 1 ? fmt::format("stopping: waiting for {} documents for at most {}; interrupt "
                                     "again to end at once",
                                     run.statistics().in_flight(), format_duration(plan_.drain_timeout))
                       : std::string("ending: unfinished documents keep their request_id in "
                                     "jobs.jsonl")));
        run.stop();
    });
    auto const started_at = std::chrono::system_clock::now();
    auto const so_far = [&] {
        client_statistics const traffic = c.statistics();
        run_report r = counts_of(run, traffic, started_at);
        r.measured =
            report_members(run.measurements(), report_facts_of(plan_, options_, traffic, r, "running"));
        return r;
    };
    std::unique_ptr<report_server> shown_at;
    if (plan_.metrics) {
        shown_at = open_report_server(ioc, *plan_.metrics, [&] { return to_json(so_far()); }, log_);
        show_failed_ = !shown_at;
        if (show_failed_) return std::nullopt;
    }
    double const cpu_before = cpu_seconds();
    auto const cpu_at = clock::now();
    {
        load_display shown(run, log_, terminal_width());
        status_signal asked(ioc, [&] { shown.show(); });
        detail::timer redraw(ioc);
        std::function<void()> const tick = [&] {
            redraw.expires_after(redraw_interval);
            redraw.async_wait([&](error_code ec) {
                if (ec) return;
                shown.show();
                records_.flush();
                tick();
            });
        };
        tick();
        detail::timer rewrite(ioc);
        std::function<void()> const report = [&] {
            rewrite.expires_after(report_interval);
            rewrite.async_wait([&](error_code ec) {
                if (ec) return;
                if (error_code const failed = write_load_report(plan_.directory, so_far());
                    failed && !std::exchange(report_missed_, true))
                    log_.write(
                        message(level::warn, "report_not_written",
                                fmt::format("the report of the test so far cannot be written to {}: {}",
                                            plan_.directory, failed.message())));
                report();
            });
        };
        report();
        run.start();
        while (!has_ended && ioc.run_one() != 0)
            stop_if_unwritable(run);
    }
    double const cpu = cpu_seconds() - cpu_before;
    double const wall = std::chrono::duration<double>(clock::now() - cpu_at).count();
    signal_ = worst(signal_, signals.code());

    numbers_ += run.jobs().size();
    load_outcome out =
        outcome_of(run, plan_, options_, c.statistics(), started_at, wall > 0 ? cpu / wall : 0);
    if (records_.failed() && out.counts.ended_by.empty()) {
        out.counts.end = run_end::failed;
        out.counts.ended_by = unrecorded(records_.failed());
        out.facts.state = "stopped";
    }
    return out;
}

/// The measured part of report.json.
std::string report_of(load_outcome const& t, load_facts const& facts)
{
    report_facts shown = t.facts;
    shown.verdict = verdict_of(t.summary, facts);
    return report_members(t.measured, shown) + ",\n  " + load_member(t.summary, facts);
}

void announce(load_plan const& p, client_options const& options, logger& log)
{
    auto const most = most_documents(p.arrivals);
    double const length = length_of(p.arrivals);
    std::string const number =
        p.find_capacity
            ? (p.arrivals.max_documents > 0 ? fmt::format("at most {} documents", p.arrivals.max_documents)
                                            : std::string("an unlimited number of documents"))
        : most ? fmt::format("at most {} documents", *most)
               : std::string("an unlimited number of documents");
    std::string const time =
        std::isfinite(length)
            ? fmt::format(" in {}", format_duration(std::chrono::milliseconds(std::llround(length * 1'000))))
            : std::string();
    log.write(message(level::info, "load_started",
                      fmt::format("sending {}{} to {} ({})", number, time, options.endpoint.base_url,
                                  p.find_capacity ? "searching for the capacity" : p.arrivals_text),
                      {{"max_documents", most.value_or(0)},
                       {"base_url", options.endpoint.base_url},
                       {"arrivals", p.arrivals_text}}));
}

/// As the exit code of a run: refused, or the service does not answer.
exit_code exit_code_of_end(failure const& f)
{
    exit_code const code = cli::exit_code_of(f);
    return code == exit_code::refused ? code : exit_code::failure_budget_used_up;
}

/// Names the documents that were paid for and are in no file.
void tell_lost(std::string_view lines, logger& log)
{
    std::uint64_t told = 0;
    for (std::size_t end; (end = lines.find('\n')) != lines.npos; lines.remove_prefix(end + 1)) {
        if (told++ == most_shown) break;
        log.write(message(level::error, "not_recorded",
                          fmt::format("accepted, but not recorded: {}", lines.substr(0, end))));
    }
}

} // namespace

exit_code carry_out(load_plan const& p, client_options const& options, logger& log)
{
    if (auto const m = file_limit_message(raise_file_limit(options.pool))) log.write(*m);
    tester tests(p, options, log);
    if (!tests.documents().make) {
        log.write(message(level::error, "usage", "no document was found in the inputs"));
        return exit_code::inputs_unreadable;
    }
    error_code const not_opened = tests.records().open(p.directory);
    if (not_opened == boost::system::errc::file_exists) {
        log.write(
            message(level::error, "usage",
                    fmt::format("--out: {} has the files of another load test or of a run, which would be "
                                "lost: give another directory",
                                p.directory)));
        return exit_code::usage;
    }
    if (not_opened) {
        log.write(
            message(level::error, "unwritable", fmt::format("{}: {}", p.directory, not_opened.message())));
        return exit_code::disk_error;
    }
    announce(p, options, log);
    std::optional<load_outcome> last;
    std::optional<capacity_search> searched;
    if (p.find_capacity) {
        capacity_search_options how;
        how.start = p.arrivals.stages.front().from;
        searched.emplace(how);
        last = search_capacity(
            p, [&tests](arrival_plan const& step) { return tests.run(step); }, *searched, log);
        if (!last) {
            tests.records().discard();
            if (tests.could_be_shown())
                log.write(
                    message(level::error, "usage",
                            "no step fits into --max-documents or --duration: raise them, or give a lower "
                            "--rate or a shorter --step"));
            return exit_code::usage;
        }
    } else {
        last = tests.run(p.arrivals);
        if (!last) {
            tests.records().discard();
            return exit_code::usage;
        }
    }
    error_code const incomplete = tests.records().finish();
    if (incomplete) tell_lost(tests.records().lost(), log);

    load_facts facts = facts_of(p, *last);
    if (searched) {
        facts.capacity = searched->found();
        facts.steps = searched->steps();
    }
    last->counts.measured = report_of(*last, facts);
    error_code const unreported = write_load_report(p.directory, last->counts);
    if (incomplete)
        log.write(message(level::error, "unwritable",
                          fmt::format("{}: {}: jobs.jsonl does not have all documents of the test",
                                      p.directory, unrecorded(incomplete))));
    if (unreported)
        log.write(message(level::error, "unwritable",
                          fmt::format("{}: the report of the test cannot be written: {}{}", p.directory,
                                      unreported.message(),
                                      incomplete ? "" : ": jobs.jsonl has all its documents")));
    if (!incomplete && !unreported) tests.records().complete();

    exit_code code = tests.signal();
    std::string const bottleneck = bottleneck_of(facts.generator);
    load_summary const& s = last->summary;
    if (!searched && s.failed + s.unfinished + s.parts_failures() + s.parts_wanted > 0)
        code = worst(code, exit_code::documents_failed);
    // In a search, the last step may have failed on purpose.
    if (searched)
        code = worst(code, exit_code_of(*searched));
    else if (misses(facts))
        code = worst(code, exit_code::threshold_missed);
    if (last->ended_by) code = worst(code, exit_code_of_end(*last->ended_by));
    if (!bottleneck.empty()) code = worst(code, exit_code::generator_bottleneck);
    if (tests.documents().unreadable_inputs > 0) code = worst(code, exit_code::inputs_unreadable);
    if (tests.records().failed() || unreported) code = worst(code, exit_code::disk_error);
    std::string verdict = verdict_of(last->summary, facts);
    log.write(message(code == exit_code::all_done ? level::info : level::warn, "load_finished",
                      std::move(verdict),
                      {{"documents", last->summary.documents},
                       {"done", last->summary.done},
                       {"failed", last->summary.failed},
                       {"unfinished", last->summary.unfinished},
                       {"throughput", last->summary.throughput},
                       {"send_delay_p99", facts.generator.send_delay_p99},
                       {"cpu_share", facts.generator.cpu_share}}));
    if (unreported) return code;
    return worst(code, deliver(p.directory + "/report.json\n", "-", "the report's path", log));
}

} // namespace ocrpipe::cli
