#include <ocrpipe/bulk/open_input.hpp>

#include "commands.hpp"
#include "file_limit.hpp"
#include "interruption.hpp"
#include "progress.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <exception>
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

/// Twice a second is calm to look at; a log needs it less often.
constexpr std::chrono::milliseconds redraw_interval{500};
constexpr std::chrono::milliseconds report_interval{2'000};

/// Failures and problems shown one by one; the rest stands in failures.jsonl only. A log must not grow with
/// the number of documents.
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

    double per_second() const noexcept { return rate_.per_second(); }

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
        rate_.sample(s.elapsed, s.done + s.failed);
        if (log_.how().status_line)
            log_.set_status(progress_line(s, rate_.per_second(), terminal_width(), log_.how().color));
        else
            log_.write(progress_message(s, rate_.per_second()));
    }

    asio::basic_waitable_timer<clock> timer_;
    pipeline const& pipeline_;
    logger& log_;
    rate_meter rate_;
};

/// Says what goes wrong as it happens, up to a bound.
class complaints
{
public:
    explicit complaints(logger& log) : log_(log) {}

    void failed(input_item const& item, failure const& f)
    {
        if (!may_show()) return;
        message m = describe(level::warn, "document_failed", item.path, f);
        m.fields.push_back({"path", item.path});
        m.fields.push_back({"id", item.id});
        log_.write(m);
    }

    void unreadable(input_problem const& p)
    {
        if (!may_show()) return;
        log_.write(message(level::warn, "input_problem",
                           fmt::format("{}{}: {}", p.where.empty() ? "" : p.where + ": ", p.path,
                                       p.message.empty() ? p.code.message() : p.message),
                           {{"path", p.path}, {"where", p.where}, {"reason", p.message}}));
    }

private:
    bool may_show()
    {
        if (++shown_ <= most_shown) return true;
        if (shown_ == most_shown + 1)
            log_.write(
                message(level::warn, "complaints_cut", "further failures are listed in failures.jsonl only"));
        return false;
    }

    logger& log_;
    std::uint64_t shown_ = 0;
};

std::unique_ptr<source> open_inputs(run_plan const& p)
{
    input_options how;
    how.nul_separated = p.null_separated;
    how.skip_directory = p.pipeline.directory;
    std::vector<std::unique_ptr<source>> parts;
    for (std::string const& i : p.inputs)
        parts.push_back(open_input(i, how));
    return std::make_unique<chained_source>(std::move(parts));
}

std::string report_path(run_plan const& p)
{
    return p.pipeline.directory + (p.pipeline.directory.ends_with('/') ? "" : "/") + "report.json";
}

exit_code exit_code_of(run_report const& r)
{
    auto code = exit_code::all_done;
    if (r.unreadable > 0) code = worst(code, exit_code::inputs_unreadable);
    if (r.failed > 0 || r.not_sent > 0) code = worst(code, exit_code::documents_failed);
    return code;
}

} // namespace

exit_code carry_out(run_plan const& p, client_options const& options, logger& log)
{
    if (auto const m = file_limit_message(raise_file_limit(options.pool))) log.write(*m);

    asio::io_context ioc(1);
    client c(ioc, options);
    complaints complain(log);
    pipeline_options how = p.pipeline;
    how.on_failure = [&](input_item const& item, failure const& f) { complain.failed(item, f); };
    how.on_unreadable = [&](input_problem const& problem) { complain.unreadable(problem); };
    pipeline work(ioc, c, open_inputs(p), how);

    interruption signals(ioc, [&](int times) {
        auto const s = work.statistics();
        if (times == 1)
            log.write(message(
                level::warn, "stopping",
                fmt::format("stopping: finishing {} documents under way, interrupt again to leave at once",
                            s.submitting + s.waiting + s.fetching_parts)));
        else
            log.write(message(level::warn, "leaving",
                              "leaving: the request ids of unfinished documents are in failures.jsonl"));
        work.stop();
    });

    log.write(message(level::info, "run_started",
                      fmt::format("reading into {}, with at most {} documents under way",
                                  p.pipeline.directory, p.pipeline.max_in_flight),
                      {{"directory", p.pipeline.directory},
                       {"base_url", options.endpoint.base_url},
                       {"portal_user_id", options.endpoint.portal_user_id},
                       {"max_inflight", std::uint64_t(p.pipeline.max_in_flight)}}));

    std::optional<result<run_report>> outcome;
    std::exception_ptr thrown;
    {
        display shown(ioc, work, log);
        asio::co_spawn(ioc, work.async_run(), [&](std::exception_ptr e, result<run_report> r) {
            thrown = e;
            outcome.emplace(std::move(r));
        });
        // Not run(): timers, idle connections and the wait for signals are no reason to stay.
        while (!outcome && ioc.run_one() != 0) {
        }
    }
    if (thrown) std::rethrow_exception(thrown);
    if (!outcome) throw std::logic_error("the run came to a standstill");

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
    if (*outcome) {
        run_report const& r = **outcome;
        log.write(summary_message(r, p.pipeline.directory));
        code = worst(code, exit_code_of(r));
    } else {
        failure const& f = outcome->error();
        auto const s = work.statistics();
        message m = describe(level::error, "run_failed", "the run ended early", f);
        m.fields.push_back({"done", s.done});
        m.fields.push_back({"failed", s.failed});
        log.write(m);
        code = worst(code, cli::exit_code_of(f));
        // Nothing was begun: a report that is there belongs to another run.
        if (f.is(errc::invalid_argument)) return code;
        if (::access(report_path(p).c_str(), F_OK) != 0) return code;
    }
    return worst(code, deliver(report_path(p) + "\n", "-", "the report's path", log));
}

} // namespace ocrpipe::cli
