#ifndef OCRPIPE_LOAD_THRESHOLDS_HPP
#define OCRPIPE_LOAD_THRESHOLDS_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/load/load_summary.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{

/// A condition on what a load test measures, such as `e2e.p95<30s`.
struct threshold {
    enum class comparison { below, at_most, above, at_least };

    std::string text;      ///< as the user wrote it
    std::string metric;    ///< e2e, ready, submit, send_delay, or one without a percentile
    double percentile = 0; ///< of the first four; 0 is the mean
    comparison how = comparison::below;
    double limit = 0; ///< seconds, a share, or documents per second
};

/// Reads `e2e.p95<30s,error_rate<1%,backlog_slope<=0`.
///
/// Metrics: e2e, ready, submit and send_delay with .p50, .p95, .p99.9, .max or .mean; error_rate,
/// unfinished_rate, backlog_slope, throughput, polls_per_document. Comparisons: < <= > >=. Errors:
/// errc::invalid_argument; the reason names the condition and the remedy.
OCRPIPE_DECL result<std::vector<threshold>> parse_thresholds(std::string_view text);

struct threshold_outcome {
    bool holds = false;
    double value = 0; ///< NaN if it is not known
    std::string seen; ///< the value for people, such as ">= 108 s (7.0 % unfinished)"
};

/// A condition on a value that is not known does not hold. If jobs are unfinished, a percentile is judged by
/// its least favourable bound, so that a condition never holds just because the test ended too early.
/// backlog_slope is judged by its most favourable bound, because the slope of a service that keeps up varies
/// around zero.
OCRPIPE_DECL threshold_outcome judge(threshold const& t, load_summary const& s);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/thresholds.ipp>
#endif

#endif
