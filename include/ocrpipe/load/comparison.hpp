#ifndef OCRPIPE_LOAD_COMPARISON_HPP
#define OCRPIPE_LOAD_COMPARISON_HPP

#include <ocrpipe/core/config.hpp>

#include <cstdint>
#include <span>

namespace ocrpipe
{

/// The difference of a statistic between two tests, and the interval in which it lies with 95 % confidence.
struct difference {
    double before = 0;
    double after = 0;
    double low = 0; ///< of after - before
    double high = 0;

    double change() const noexcept { return after - before; }
    bool beyond_noise() const noexcept { return low > 0 || high < 0; }
};

/// Compares a percentile of two samples, or with `percentile` 0 their mean.
///
/// The interval comes from 1000 resamples in blocks. Documents that were due one after the other waited in
/// the same queue and are alike, so that resampling them one by one would make the interval too narrow. The
/// values must be in the order of arrival; a block is a twentieth of them. Pure: the seed decides the
/// resamples. Source: Kuensch, The Jackknife and the Bootstrap for General Stationary Observations, 1989.
OCRPIPE_DECL difference compare(std::span<double const> before, std::span<double const> after,
                                double percentile, std::uint64_t seed = 1);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/comparison.ipp>
#endif

#endif
