#ifndef OCRPIPE_LOAD_SURVIVAL_HPP
#define OCRPIPE_LOAD_SURVIVAL_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <vector>

namespace ocrpipe
{

/// How long a job took, or, if it is censored, how long it was watched without coming to its end.
struct lifetime {
    double seconds = 0;
    bool censored = false;
};

/// A percentile in the presence of censored lifetimes. Infinity means that no end is known.
struct censored_percentile {
    /// The percentile is at least this, whatever becomes of the unfinished jobs: each ends at once.
    double low = 0;
    /// The Kaplan-Meier estimate. It assumes that an unfinished job is no slower than others that have taken
    /// as long; in overload later jobs are slower, and the estimate is too low.
    double estimate = 0;
    /// And at most this: no unfinished job ever ends. Infinity if too many are unfinished.
    double high = 0;
};

/// A sample of lifetimes that may be right-censored. Without censoring, the three values of a percentile are
/// equal.
///
/// Source: Kaplan and Meier, Nonparametric Estimation from Incomplete Observations, 1958.
class survival
{
public:
    explicit survival(std::vector<lifetime> all);

    std::size_t count() const noexcept { return all_.size(); }
    std::size_t censored() const noexcept { return censored_; }

    /// The smallest time by which at least `p` percent of the jobs have ended. `p`: above 0, up to 100.
    /// Zero if there is no job.
    censored_percentile percentile(double p) const;

    /// The mean. If there are censored lifetimes, it is known only from below.
    censored_percentile mean() const;

private:
    std::vector<lifetime> all_; ///< ascending; ends before censorings at the same time
    std::size_t censored_ = 0;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/survival.ipp>
#endif

#endif
