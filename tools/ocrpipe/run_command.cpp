#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/ledger/ledger_source.hpp>
#include <ocrpipe/bulk/run/run_configuration.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>

#include "commands.hpp"
#include "file_limit.hpp"
#include "interruption.hpp"
#include "load_records.hpp"
#include "metrics_option.hpp"
#include "progress.hpp"
#include "remedy.hpp"
#include "report_page.hpp"
#include "run_ledger.hpp"
#include "standard_output.hpp"
#include "text_units.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

/// Twice a second is calm on a terminal; a log needs it less often.
constexpr std::chrono::milliseconds redraw_interval{500};
constexpr std::chrono::milliseconds report_interval{2'000};

/// Maximum number of failures and problems shown individually; the rest is only in failures.jsonl. A log must
/// not grow with the number of documents.
constexpr std::uint64_t most_shown = 200;

std::size_t terminal_width() noexcept
{
    ::winsize w{};
    std::size_t const columns = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
    // A full last column would wrap on some terminals, and the line could not be erased.
    return columns - 1;
}

/// Shows a pipeline's progress until it is destroyed.
class display
{
public:
    display(asio::io_context& ioc, pipeline const& p, logger& log) : timer_(ioc), pipeline_(p), log_(log)
    {
        tick();
    }
    ~display() { log_.clear_status(); }

    /// Prints a whole line immediately.
    void say() { log_.write(progress_message(pipeline_.statistics(), rate_.per_second())); }

private:
    void tick()
    {
        timer_.expires_after(log_.how().status_line ? redraw_interval : report_interval);
        timer_.async_wait([this](error_code ec) {
            if (ec) return;
            show();
            tick();
        });
    }

    void show()
    {
        pipeline_statistics const s = pipeline_.statistics();
        rate_.sample(s.elapsed, s.finished_now);
        note_outage(s);
        if (log_.how().status_line)
            log_.set_status(progress_line(s, rate_.per_second(), terminal_width(), log_.how().color));
        else
            log_.write(progress_message(s, rate_.per_second()));
    }

    void note_outage(pipeline_statistics const& s)
    {
        if (s.outage.empty() == outage_.empty()) return;
        outage_ = s.outage;
        if (outage_.empty())
            log_.write(message(level::info, "outage_over", "the service can be used again"));
        else
            log_.write(message(level::warn, "outage",
                               fmt::format("paused until the service can be used again: {}", outage_),
                               {{"reason", outage_}}));
    }

    detail::timer timer_;
    pipeline const& pipeline_;
    logger& log_;
    rate_meter rate_;
    std::string outage_; ///< as reported last; empty if there is none
};

/// Reports failures as they happen, up to a limit.
class failure_log
{
public:
    explicit failure_log(logger& log) : log_(log) {}

    void failed(ledger_document const& d, failure const& f)
    {
        // The request_id may not be recorded anywhere else.
        if (!f.is(errc::ledger_failed) && !may_show()) return;
        message m = describe(level::warn, "document_failed", d.path, f);
        m.fields.push_back({"path", d.path});
        m.fields.push_back({"id", d.id});
        log_.write(m);
    }

    void part_failed(ledger_document const& d, missing_part const& p, failure const& f)
    {
        if (!may_show()) return;
        message m =
            describe(level::warn, "part_failed", fmt::format("{}: {} {}", d.path, name(p.kind), p.sub_id), f);
        m.fields.push_back({"path", d.path});
        m.fields.push_back({"id", d.id});
        log_.write(m);
    }

    void unreadable(input_problem const& p)
    {
        if (!may_show()) return;
        log_.write(describe(p));
    }

    void changed(ledger_document const& d)
    {
        if (!may_show()) return;
        log_.write(message(level::warn, "file_changed",
                           fmt::format("{}: modified after it was read, so the result may be incomplete: the "
                                       "next run reads it again",
                                       d.path),
                           {{"path", d.path}, {"id", d.id}}));
    }

private:
    bool may_show()
    {
        if (++shown_ <= most_shown) return true;
        if (shown_ == most_shown + 1)
            log_.write(message(level::warn, "complaints_cut",
                               "further failures are listed only in failures.jsonl, and further changed "
                               "files are marked only in results-*.jsonl"));
        return false;
    }

    logger& log_;
    std::uint64_t shown_ = 0;
};

std::unique_ptr<source> open_inputs(run_plan const& p, std::shared_ptr<source_notes> notes)
{
    input_options how;
    how.follow_links = p.follow_links;
    how.min_age = p.min_age;
    how.notes = std::move(notes);
    how.nul_separated = p.null_separated;
    how.skip_directory = p.pipeline.directory;
    std::vector<std::unique_ptr<source>> parts;
    for (std::string const& i : p.inputs)
        parts.push_back(open_input(i, how));
    return std::make_unique<chained_source>(std::move(parts));
}

/// Returns a problem with a column name of a manifest; empty if there is none.
std::string misnamed_column(run_plan const& p)
{
    for (std::string const& i : p.inputs)
        if (auto const format = manifest_format_of(i); format && i != "-")
            if (std::string wrong = misnamed_column_in(i, *format); !wrong.empty()) return wrong;
    return {};
}

/// Returns a problem with an INPUT that the run would write to; empty if there is none.
std::string read_and_written(run_plan const& p)
{
    namespace fs = std::filesystem;
    std::error_code ec;
    fs::path const out(p.pipeline.directory);
    for (std::string const& given : p.inputs) {
        std::string const i = detail::path_on_disk(given);
        // The run's own directory is skipped, so nothing in it would be read.
        if (i != "-" && fs::is_directory(i, ec) && fs::equivalent(i, out, ec))
            return fmt::format("INPUT {} is the same folder as --out {}: give --out a folder of its own; a "
                               "folder inside INPUT is fine and is skipped",
                               i, out.string());
        // The run would append a line to it for each row that cannot be read.
        if (i != "-" && fs::equivalent(i, out / "failures.jsonl", ec))
            return fmt::format("INPUT {} is written by this run: send its documents again with ocrpipe retry "
                               "{}, or give another --out",
                               i, out.string());
    }
    return {};
}

/// The settings of the client that report.json shows; no secrets.
std::map<std::string, std::string> settings_of(client_options const& o)
{
    auto const number = [](auto n) { return fmt::format("{}", n); };
    auto const rate = [](double n) { return n == 0 ? std::string("unlimited") : fmt::format("{}", n); };
    return {{"submits_per_second", rate(o.rates.submits_per_second)},
            {"polls_per_second", rate(o.rates.polls_per_second)},
            {"bytes_per_second", rate(o.rates.bytes_per_second)},
            {"submit_connections", number(o.pool.submit_connections)},
            {"poll_connections", number(o.pool.poll_connections)},
            {"part_connections", number(o.pool.part_connections)},
            {"max_attempts", number(o.retry.max_attempts)},
            {"deadline", format_duration(o.job_deadline)}};
}

exit_code exit_code_of(run_report const& r)
{
    auto code = exit_code::all_done;
    if (r.end == run_end::document_limit || r.end == run_end::time_limit) code = exit_code::stopped_by_limit;
    if (r.end == run_end::failure_budget) code = exit_code::failure_budget_used_up;
    if (r.unreadable + r.too_young + r.empty_inputs > 0) code = worst(code, exit_code::inputs_unreadable);
    if (r.failed + r.unfinished + r.not_sent + r.to_ask_again + r.parts_failed + r.parts_wanted > 0)
        code = worst(code, exit_code::documents_failed);
    return code;
}

/// The resources that are open during a run, and its progress display.
exit_code carry_out_run(run_plan const& p, client_options const& options, asio::io_context& ioc,
                        std::shared_ptr<ledger> const& l, std::unique_ptr<source> inputs,
                        pipeline_options how, logger& log)
{
    if (auto const m = file_limit_message(raise_file_limit(options.pool))) log.write(*m);
    client c(ioc, options);
    failure_log failures(log);
    how.on_failure = [&](ledger_document const& d, failure const& f) { failures.failed(d, f); };
    how.on_part_failure = [&](ledger_document const& d, missing_part const& p, failure const& f) {
        failures.part_failed(d, p, f);
    };
    how.on_unreadable = [&](input_problem const& problem) { failures.unreadable(problem); };
    how.remedy = [](std::string_view failure_class) {
        auto const e = errc_named(failure_class);
        return e ? remedy(*e) : std::string_view();
    };
    how.shown_settings = settings_of(options);
    how.on_changed = [&](ledger_document const& d) { failures.changed(d); };
    how.on_notice = [&](std::string_view event, std::string_view text) {
        log.write(message(level::warn, event, std::string(text)));
    };
    bool page_missed = false;
    how.on_report = [&](std::string_view json) {
        error_code const ec = write_report_page(how.directory, json);
        // A page that cannot be written does not end the run: report.json has the same figures.
        if (ec && !std::exchange(page_missed, true))
            log.write(
                message(level::warn, "page_not_written",
                        fmt::format("{}/report.html could not be written: {}", how.directory, ec.message())));
        if (!ec) page_missed = false;
    };
    pipeline work(ioc, c, std::move(inputs), how, l);
    std::unique_ptr<report_server> shown_at;
    if (p.metrics) {
        shown_at = open_report_server(ioc, *p.metrics, [&work] { return work.report_so_far(); }, log);
        if (!shown_at) return exit_code::usage;
    }

    interruption signals(ioc, [&](int times) {
        auto const s = work.statistics();
        if (times == 1)
            log.write(message(level::warn, "stopping",
                              fmt::format("stopping: finishing {} documents under way for at most {}; "
                                          "interrupt again to exit at once",
                                          s.submitting + s.waiting + s.fetching_parts,
                                          format_duration(how.drain_timeout))));
        else
            log.write(message(level::warn, "leaving", "exiting: unfinished documents are in the ledger"));
        work.stop();
    });

    log.write(message(
        level::info, "run_started",
        fmt::format("writing to {}, with at most {} documents under way", how.directory, how.max_in_flight),
        {{"directory", how.directory},
         {"base_url", options.endpoint.base_url},
         {"portal_user_id", options.endpoint.portal_user_id},
         {"max_inflight", std::uint64_t(how.max_in_flight)}}));

    std::optional<result<run_report>> outcome;
    std::exception_ptr thrown;
    {
        display shown(ioc, work, log);
        status_signal asked(ioc, [&] { shown.say(); });
        asio::co_spawn(ioc, work.run(), [&](std::exception_ptr e, result<run_report> r) {
            thrown = e;
            outcome.emplace(std::move(r));
        });
        // Not run(), which would also wait for timers, idle connections and signals.
        while (!outcome && ioc.run_one() != 0) {
        }
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!outcome) throw std::logic_error("the run came to a standstill");

    if (how.notes)
        for (message const& m : skipped_messages(*how.notes, p.min_age))
            log.write(m);
    client_statistics const traffic = c.statistics();
    log.write(
        message(level::debug, "traffic",
                fmt::format("{} submits, {} polls, {} part requests, {} throttled, {} transport failures",
                            traffic.submits, traffic.polls, traffic.part_reads, traffic.throttled,
                            traffic.transport_failures),
                {{"submits", traffic.submits},
                 {"polls", traffic.polls},
                 {"part_reads", traffic.part_reads},
                 {"throttled", traffic.throttled},
                 {"transport_failures", traffic.transport_failures}}));

    exit_code code = signals.code();
    bool incomplete = true;
    if (*outcome) {
        run_report const& r = **outcome;
        log.write(summary_message(r, how.directory));
        if (p.inputs.empty() && r.submits + r.polls + r.unreadable + traffic.part_reads == 0)
            log.write(
                message(level::info, "nothing_to_retry",
                        fmt::format("nothing to send again in {}{}", how.directory,
                                    r.failed > 0 ? ": the failed documents might be billed twice, or failed "
                                                   "with other classes; name a class with --class"
                                                 : "")));
        code = worst(code, exit_code_of(r));
        incomplete = r.end != run_end::complete;
    } else {
        failure const& f = outcome->error();
        // An existing report belongs to another run.
        if (f.is(errc::invalid_argument) || f.is(errc::configuration_changed))
            return refuse(f, "the run was not started", log);
        auto const s = work.statistics();
        message m = describe(level::error, "run_failed", "the run ended early", f);
        m.fields.push_back({"done", s.done});
        m.fields.push_back({"failed", s.failed});
        log.write(m);
        code = worst(code, cli::exit_code_of(f));
    }
    if (incomplete)
        log.write(message(level::warn, "resume", "continue with: " + p.resume_command,
                          {{"command", p.resume_command}}));
    std::string const report = report_path(how.directory);
    if (::access(report.c_str(), F_OK) != 0) return code;
    return worst(code, deliver(report + "\n", "-", "the report's path", log));
}

/// An earlier ledger failure has already been reported.
exit_code close(ledger& l, exit_code code, logger& log)
{
    bool const failed_before = l.broken().has_value();
    if (!l.close()) return code;
    if (std::optional<failure> const f = l.broken(); f && !failed_before)
        log.write(describe(level::error, "ledger_not_closed",
                           "everything was recorded, but the ledger could not be closed cleanly", *f));
    return worst(code, exit_code::disk_error);
}

} // namespace

exit_code carry_out(run_plan const& p, client_options const& options, logger& log)
{
    if (std::string wrong = read_and_written(p); !wrong.empty()) {
        log.write(message(level::error, "usage", std::move(wrong)));
        return exit_code::usage;
    }
    if (std::string wrong = misnamed_column(p); !wrong.empty()) {
        log.write(message(level::error, "usage", "the run was not started: " + std::move(wrong)));
        return exit_code::usage;
    }
    if (holds_load_test(p.pipeline.directory)) {
        log.write(message(
            level::error, "usage",
            fmt::format("{} has the records of a load test: give another directory", p.pipeline.directory)));
        return exit_code::usage;
    }
    asio::io_context ioc(1);
    auto const l = open_run_ledger(ioc, p.pipeline.directory, ledger_use::begin_or_go_on);
    if (!l) return refuse(l.error(), "the run was not started", log);
    pipeline_options how = p.pipeline;
    how.inputs = p.inputs;
    how.notes = std::make_shared<source_notes>();
    exit_code const code = carry_out_run(p, options, ioc, *l, open_inputs(p, how.notes), how, log);
    return close(**l, code, log);
}

exit_code carry_out(retry_plan const& p, client_options const& options, logger& log)
{
    asio::io_context ioc(1);
    auto const l = open_run_ledger(ioc, p.run.pipeline.directory, ledger_use::go_on);
    if (!l) return refuse(l.error(), "the run was not started", log);
    pipeline_options how = p.run.pipeline;
    if (result<void> same = run_configuration::restore(**l, how); !same)
        return refuse(same.error(), "the run was not started", log);

    auto const named = [&p](errc e) {
        return std::find(p.classes.begin(), p.classes.end(), e) != p.classes.end();
    };
    how.resubmit_ambiguous = how.resubmit_ambiguous || named(errc::ambiguous_submit);
    how.ask_again_for_all = true;
    how.resend = [classes = p.classes](ledger_row const& row) {
        auto const failed_with = errc_named(row.failure_class).value_or(errc::ok);
        if (!classes.empty()) return std::find(classes.begin(), classes.end(), failed_with) != classes.end();
        return row.state == document_state::failed;
    };
    auto const wanted = [how](ledger_row const& row) {
        if (row.state == document_state::found) return true;
        return row.state == document_state::ambiguous ? how.resubmit_ambiguous : how.resend(row);
    };
    document_states const candidates{document_state::found, document_state::failed, document_state::ambiguous,
                                     document_state::expired, document_state::lost};
    exit_code const code = carry_out_run(p.run, options, ioc, *l,
                                         std::make_unique<ledger_source>(*l, candidates, wanted), how, log);
    return close(**l, code, log);
}

} // namespace ocrpipe::cli
