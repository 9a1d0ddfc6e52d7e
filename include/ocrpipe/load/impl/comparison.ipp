#ifndef OCRPIPE_LOAD_IMPL_COMPARISON_IPP
#define OCRPIPE_LOAD_IMPL_COMPARISON_IPP

#include <ocrpipe/load/comparison.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// Reorders `values`.
inline double statistic_of(std::vector<double>& values, double percentile)
{
    if (values.empty()) return 0;
    double const n = static_cast<double>(values.size());
    if (percentile <= 0) return std::accumulate(values.begin(), values.end(), 0.0) / n;
    auto const rank = static_cast<std::size_t>(std::max(1.0, std::ceil(percentile / 100 * n - 1e-9 * n)));
    auto const at = values.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

/// Blocks of neighbours from random places; the end continues at the beginning.
inline void resample(std::span<double const> values, std::vector<double>& out, std::mt19937_64& random)
{
    std::size_t const n = values.size();
    std::size_t const block = std::max<std::size_t>(1, n / 20);
    out.clear();
    while (out.size() < n) {
        std::size_t const from = random() % n;
        for (std::size_t i = 0; i != block && out.size() < n; ++i)
            out.push_back(values[(from + i) % n]);
    }
}

} // namespace detail

OCRPIPE_DECL difference compare(std::span<double const> before, std::span<double const> after,
                                double percentile, std::uint64_t seed)
{
    constexpr std::size_t resamples = 1000;
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    std::vector<double> a(before.begin(), before.end());
    std::vector<double> b(after.begin(), after.end());
    difference out{detail::statistic_of(a, percentile), detail::statistic_of(b, percentile), -unlimited,
                   unlimited};
    // Less than a block for each twentieth.
    if (before.size() < 20 || after.size() < 20) return out;
    std::mt19937_64 random(seed);
    std::vector<double> changes;
    for (std::size_t i = 0; i != resamples; ++i) {
        detail::resample(before, a, random);
        detail::resample(after, b, random);
        changes.push_back(detail::statistic_of(b, percentile) - detail::statistic_of(a, percentile));
    }
    std::sort(changes.begin(), changes.end());
    out.low = changes[resamples / 40];
    out.high = changes[resamples - 1 - resamples / 40];
    return out;
}

} // namespace ocrpipe

#endif
