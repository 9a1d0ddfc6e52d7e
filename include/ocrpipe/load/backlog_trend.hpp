#ifndef OCRPIPE_LOAD_BACKLOG_TREND_HPP
#define OCRPIPE_LOAD_BACKLOG_TREND_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <span>

namespace ocrpipe
{

/// By how many jobs a second the number of unfinished jobs changes, and the interval in which that lies with
/// 95 % confidence.
struct backlog_trend {
    double slope = 0;
    double low = 0;
    double high = 0;

    /// Whether the backlog grows beyond doubt: the service does not keep up.
    bool grows() const noexcept { return low > 0; }
};

/// The trend in the time from `from` to `to`, in seconds.
///
/// The slope is the change over the whole time. Its variance comes from batch means: the time is divided into
/// batches, whose changes are compared. Successive changes of a queue are correlated, so this is done with
/// 10, 20 and 40 batches, and the widest interval counts. If the service keeps up, changes even out and the
/// interval is wider than necessary, which errs on the side of "does not grow".
///
/// `arrived` and `ended`: ascending times at which jobs began and ended. Without enough time or jobs, the
/// interval is infinite. Source: Law, Simulation Modeling and Analysis, 9.5.3 (batch means).
OCRPIPE_DECL backlog_trend trend_of(std::span<double const> arrived, std::span<double const> ended,
                                    double from, double to);

/// The quantile of Student's t distribution for an interval with 95 % confidence.
OCRPIPE_DECL double student_t_95(std::size_t degrees_of_freedom) noexcept;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/backlog_trend.ipp>
#endif

#endif
