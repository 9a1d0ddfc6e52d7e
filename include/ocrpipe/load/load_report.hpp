#ifndef OCRPIPE_LOAD_LOAD_REPORT_HPP
#define OCRPIPE_LOAD_LOAD_REPORT_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/load/capacity_search.hpp>
#include <ocrpipe/load/load_summary.hpp>
#include <ocrpipe/load/thresholds.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Whether the generator kept to its plan.
struct generator_health {
    double send_delay_p99 = 0;   ///< seconds
    double send_delay_bound = 0; ///< seconds
    bool limited = false;        ///< limits of the client were on; then only start_delay counts
    double start_delay_p99 = 0;  ///< seconds
    double cpu_share = 0;        ///< of one core; the generator has one thread
    std::uint64_t descriptors_gone = 0;
    /// The mean time in seconds that a document waited for the client's own rate limits.
    double held_back = 0;
    double paused = 0; ///< likewise, because the service asked to wait
};

/// What limits the throughput.
enum class load_limit { own_rates, throttled, service };
OCRPIPE_DECL load_limit limit_of(generator_health const& g) noexcept;
/// The same, as the end of a sentence about the service.
OCRPIPE_DECL std::string_view text(load_limit l) noexcept;

/// What makes the generator the bottleneck, with the remedy; empty if it is not. Its measurements are then
/// about itself.
OCRPIPE_DECL std::string bottleneck_of(generator_health const& g);

/// What a report of a load test says beside its summary.
struct load_facts {
    std::string arrivals;        ///< for people
    std::size_t concurrency = 0; ///< of a closed loop; otherwise 0
    bool stopped = false;        ///< by a signal
    std::string ended_by;        ///< why the test ended early, without a full stop; empty if it did not
    generator_health generator;
    std::optional<double> sampled_in_flight; ///< the other side of Little's law
    std::vector<std::pair<threshold, threshold_outcome>> thresholds;
    std::optional<service_capacity> capacity; ///< of --find-capacity; the summary is that of its last step
    std::vector<capacity_step> steps;
};

/// One to three sentences: what was sent, whether the service kept up, how long a document took.
OCRPIPE_DECL std::string verdict_of(load_summary const& s, load_facts const& facts);

/// The member `load` of report.json, as docs/report.md describes it, from its name on.
OCRPIPE_DECL std::string load_member(load_summary const& s, load_facts const& facts);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/load_report.ipp>
#endif

#endif
