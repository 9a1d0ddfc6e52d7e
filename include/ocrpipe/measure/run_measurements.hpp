#ifndef OCRPIPE_MEASURE_RUN_MEASUREMENTS_HPP
#define OCRPIPE_MEASURE_RUN_MEASUREMENTS_HPP

#include <ocrpipe/core/job_times.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/measure/exchange_event.hpp>
#include <ocrpipe/measure/latency_histogram.hpp>
#include <ocrpipe/measure/pause_totals.hpp>
#include <ocrpipe/measure/rate_forecast.hpp>
#include <ocrpipe/measure/time_series.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// The periods of time that are measured; see docs/report.md.
enum class measured_phase {
    wait_for_turn,
    wait_for_rate,
    wait_for_ledger,
    wait_for_connection,
    submit,
    poll,
    part,
    time_to_ready_low,
    time_to_ready_high,
    end_to_end,
    parts,
};
inline constexpr std::size_t measured_phase_count = 11;

/// The enumerator's own name.
OCRPIPE_DECL std::string_view name(measured_phase p) noexcept;

/// A document that got its result.
struct measured_document {
    std::string_view id;
    std::string_view request_id;
    clock::time_point from{}; ///< when its end-to-end time begins; time_point() if that is not known
    job_times times;
    std::uint64_t bytes = 0;
};

/// Collects what a run or a load test measures. Pure: all times are arguments. Memory is bounded.
///
/// Thread safety: none.
/// Cost: less than 4 MiB; about 0.3 microseconds for an exchange.
class run_measurements
{
public:
    /// `started_at` is the wall clock at `start`.
    run_measurements(clock::time_point start, std::chrono::system_clock::time_point started_at);

    // Events.

    void add(exchange_event const& e);
    void add(pause_event const& e) { pauses_.add(e); }
    /// Counts exchanges of other measurements; `status`: as in statuses().
    void add_statuses(operation what, int status, std::uint64_t count)
    {
        statuses_[static_cast<std::size_t>(what)][status] += count;
    }
    void accepted(std::uint64_t bytes, clock::time_point now);
    void finished(measured_document const& d, clock::time_point now);
    /// All parts of a document ended; `ready`: its result was read.
    void parts_done(clock::time_point ready, clock::time_point now);
    /// A document ended without a result.
    void failed(std::string_view failure_class, std::string_view id, std::string_view message,
                clock::time_point now);
    /// Another failure. `kind`: "part" or "input".
    void failed(std::string_view kind, std::string_view failure_class, std::string_view id,
                std::string_view message);
    /// Sets the gauges. Call it when one of them has grown.
    void gauges(std::uint64_t in_flight, std::uint64_t backlog, clock::time_point now);
    /// Call it once a second. `limiting`: what limits the run.
    void sample(std::string_view limiting, clock::time_point now);

    // What was measured.

    latency_histogram const& latency(measured_phase p) const noexcept
    {
        return latencies_[static_cast<std::size_t>(p)];
    }
    time_series const& series() const noexcept { return series_; }
    rate_forecast const& forecast() const noexcept { return forecast_; }

    /// Exchanges by HTTP status, or by the negative value of the errc if there was no answer.
    std::map<int, std::uint64_t> const& statuses(operation what) const noexcept
    {
        return statuses_[static_cast<std::size_t>(what)];
    }

    struct error_summary {
        std::uint64_t count = 0;
        std::string id; ///< of the first; likewise `message`
        std::string message;
    };
    /// By kind and class.
    std::map<std::pair<std::string, std::string>, error_summary> const& errors() const noexcept
    {
        return errors_;
    }

    /// The total time for each value of `limiting` that was given to sample().
    std::map<std::string, clock::duration, std::less<>> const& limiting() const noexcept { return limiting_; }

    using pauses = pause_totals::totals;
    pauses paused(pause_kind k, clock::time_point now) const noexcept { return pauses_.of(k, now); }

    struct slow_document {
        std::string id;
        std::string request_id;
        job_times times;
        clock::duration end_to_end{};
        std::uint64_t bytes = 0;
    };
    /// The ten documents with the longest end-to-end time, slowest first.
    std::vector<slow_document> const& slowest() const noexcept { return slowest_; }

    struct peak {
        std::uint64_t value = 0;
        clock::time_point at{};
    };
    peak const& peak_in_flight() const noexcept { return peak_in_flight_; }
    peak const& peak_backlog() const noexcept { return peak_backlog_; }
    std::uint64_t in_flight() const noexcept { return in_flight_; }
    std::uint64_t backlog() const noexcept { return backlog_; }

    std::uint64_t accepted() const noexcept { return accepted_; }
    std::uint64_t finished() const noexcept { return finished_; }
    std::uint64_t failed() const noexcept { return failed_; }

    /// Polls of the documents that finished: element n is the number of documents that needed n polls.
    /// Element most_counted_polls also counts the documents that needed more.
    std::vector<std::uint64_t> const& document_polls() const noexcept { return document_polls_; }
    std::uint64_t most_polls() const noexcept { return most_polls_; }

    clock::time_point start() const noexcept { return series_.start(); }
    /// The wall clock at `t`, provided that it was not set since the start.
    std::chrono::system_clock::time_point wall_clock(clock::time_point t) const noexcept
    {
        return started_at_ +
               std::chrono::duration_cast<std::chrono::system_clock::duration>(t - series_.start());
    }

    static constexpr std::size_t most_slow = 10;
    static constexpr std::size_t most_counted_polls = 1000;

private:
    void record(measured_phase p, clock::time_point from, clock::time_point to);
    void keep_if_slow(measured_document const& d, clock::duration end_to_end);

    std::chrono::system_clock::time_point started_at_;
    time_series series_;
    rate_forecast forecast_;
    std::array<latency_histogram, measured_phase_count> latencies_;
    std::array<std::map<int, std::uint64_t>, 6> statuses_; ///< by operation
    std::map<std::pair<std::string, std::string>, error_summary> errors_;
    std::map<std::string, clock::duration, std::less<>> limiting_;
    pause_totals pauses_;
    std::vector<slow_document> slowest_;
    std::vector<std::uint64_t> document_polls_;
    std::uint64_t most_polls_ = 0;
    peak peak_in_flight_;
    peak peak_backlog_;
    std::uint64_t in_flight_ = 0;
    std::uint64_t backlog_ = 0;
    std::uint64_t accepted_ = 0;
    std::uint64_t finished_ = 0;
    std::uint64_t failed_ = 0;
    clock::time_point sampled_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/measure/impl/run_measurements.ipp>
#endif

#endif
