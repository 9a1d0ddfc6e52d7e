#ifndef OCRPIPE_LOAD_CAPACITY_SEARCH_HPP
#define OCRPIPE_LOAD_CAPACITY_SEARCH_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace ocrpipe
{

/// What a load test at a constant rate has shown.
struct capacity_step {
    double rate = 0;       ///< documents per second asked for
    bool passed = false;   ///< the backlog does not grow, and all thresholds hold
    double throughput = 0; ///< documents per second that the service finished, after the warm-up
    bool backlog_grows = false;
    std::string why;     ///< why it did not pass; empty if it passed
    bool missed = false; ///< the backlog grows or a threshold does not hold
};

struct capacity_search_options {
    double start = 1;        ///< documents per second of the first step
    double highest = 100000; ///< never ask for more
    double precision = 0.03; ///< stop when the interval is no wider than this share of its middle
    std::size_t max_steps = 30;
};

/// What the service can take, in documents per second.
///
/// The interval contains two rates: the lowest that did not pass, and the highest below it that passed. Steps
/// of this length cannot tell rates inside the interval apart. If the estimate is the throughput of the steps
/// in which the backlog grew, the interval contains each of these throughputs, too. They vary, and may lie
/// beyond a rate that passed or failed by chance.
struct service_capacity {
    double estimate = 0; ///< 0 if no rate passed and the backlog grew in no step
    double low = 0;    ///< 0 if no rate passed
    double high = 0;   ///< infinity if no rate failed
    std::string limit; ///< why the step at `high` did not pass; empty if none failed
};

/// Searches the highest rate that the service sustains: doubles the rate until a step fails, then divides the
/// interval between the highest rate that passed and the lowest that failed.
///
/// A step in which the backlog grows shows the rate at which a busy service works. The next step is just
/// below it or just above it, so that a few steps enclose it; without such a step the interval is halved.
/// Pure: it asks for steps and is told their outcome.
class capacity_search
{
public:
    explicit capacity_search(capacity_search_options how) : how_(how) {}

    /// The rate of the next step; nothing if the search has ended.
    std::optional<double> next_rate() const;

    void record(capacity_step step);

    service_capacity found() const;
    std::vector<capacity_step> const& steps() const noexcept { return steps_; }

private:
    capacity_step const* best() const noexcept;    ///< the highest that passed
    capacity_step const* failing() const noexcept; ///< the lowest that failed
    double
    busy_throughput() const noexcept; ///< mean of the steps in which the backlog grew; 0 if there are none

    capacity_search_options how_;
    std::vector<capacity_step> steps_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/capacity_search.ipp>
#endif

#endif
