#ifndef OCRPIPE_LOAD_ARRIVAL_PLAN_HPP
#define OCRPIPE_LOAD_ARRIVAL_PLAN_HPP

#include <ocrpipe/core/config.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace ocrpipe
{

/// A time in which the rate of arrivals changes linearly.
struct arrival_stage {
    double from = 0; ///< documents per second at the start
    double to = 0;   ///< and at the end
    double seconds = 0;
};

/// When documents of a load test are due. Arrivals follow this plan and never wait for answers.
struct arrival_plan {
    std::vector<arrival_stage> stages; ///< one after the other; empty with `concurrency`
    /// Whether the times between arrivals are exponentially distributed. Otherwise they are even.
    bool poisson = false;
    std::uint64_t seed = 1; ///< of the Poisson process
    /// Documents in flight in a closed loop: one is due when another one ends. 0 for open arrivals.
    std::size_t concurrency = 0;
    std::uint64_t max_documents = 0; ///< 0 is no limit
    double max_seconds = 0;          ///< for arrivals; 0 is no limit

    bool closed() const noexcept { return concurrency != 0; }
};

/// Documents per second that `plan` asks for at `seconds`; 0 after its end.
OCRPIPE_DECL double rate_at(arrival_plan const& plan, double seconds) noexcept;

/// Seconds until the last arrival may be due; infinity if only `max_documents` ends the plan.
OCRPIPE_DECL double length_of(arrival_plan const& plan) noexcept;

/// The largest number of documents that the arrivals may submit. With Poisson arrivals and no
/// `max_documents`, it is 5 standard deviations above the mean, and arrival_times ends there. Empty if there
/// is no limit, as in a closed loop without `max_documents`.
OCRPIPE_DECL std::optional<std::uint64_t> most_documents(arrival_plan const& plan);

/// The times at which documents are due, one after the other. Pure: the plan and its seed decide all of them.
///
/// The first document of even arrivals is due at once. The others are due when the integral of the rate
/// reaches the next whole number, with Poisson arrivals the sum of exponentially distributed numbers.
class arrival_times
{
public:
    explicit arrival_times(arrival_plan plan);

    /// The next time, since the start; nothing after the end of the plan. Must not be called for a closed
    /// loop.
    std::optional<std::chrono::nanoseconds> next();

private:
    arrival_plan plan_;
    std::optional<std::uint64_t> most_;
    std::mt19937_64 random_;
    std::uint64_t given_ = 0;
    double target_ = 0; ///< integral of the rate at the next arrival
    std::size_t stage_ = 0;
    double stage_start_ = 0; ///< seconds
    double stage_area_ = 0;  ///< integral of the rate until then
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/arrival_plan.ipp>
#endif

#endif
