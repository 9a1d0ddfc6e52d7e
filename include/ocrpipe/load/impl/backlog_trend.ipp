#ifndef OCRPIPE_LOAD_IMPL_BACKLOG_TREND_IPP
#define OCRPIPE_LOAD_IMPL_BACKLOG_TREND_IPP

#include <ocrpipe/load/backlog_trend.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace ocrpipe
{
namespace detail
{

/// The number of times in [from, to).
inline double count_between(std::span<double const> times, double from, double to) noexcept
{
    return static_cast<double>(std::lower_bound(times.begin(), times.end(), to) -
                               std::lower_bound(times.begin(), times.end(), from));
}

} // namespace detail

OCRPIPE_DECL double student_t_95(std::size_t degrees_of_freedom) noexcept
{
    constexpr std::array table{12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228};
    if (degrees_of_freedom == 0) return std::numeric_limits<double>::infinity();
    if (degrees_of_freedom <= table.size()) return table[degrees_of_freedom - 1];
    // Cornish and Fisher's expansion about the normal quantile; within 0.001 from 10 degrees on.
    constexpr double z = 1.959964;
    double const n = static_cast<double>(degrees_of_freedom);
    double const z3 = z * z * z;
    return z + (z3 + z) / (4 * n) + (5 * z3 * z * z + 16 * z3 + 3 * z) / (96 * n * n);
}

OCRPIPE_DECL backlog_trend trend_of(std::span<double const> arrived, std::span<double const> ended,
                                    double from, double to)
{
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    backlog_trend out{0, -unlimited, unlimited};
    double const length = to - from;
    double const jobs = detail::count_between(arrived, from, to);
    if (!(length > 0) || jobs < 20) return out;
    out.slope = (jobs - detail::count_between(ended, from, to)) / length;
    double half = 0;
    for (std::size_t const batches : {10u, 20u, 40u}) {
        // A batch of less than two jobs says nothing.
        if (batches > 10 && jobs < 2.0 * static_cast<double>(batches)) break;
        double const n = static_cast<double>(batches);
        double squares = 0;
        for (std::size_t i = 0; i != batches; ++i) {
            double const a = from + length * static_cast<double>(i) / n;
            double const b = from + length * static_cast<double>(i + 1) / n;
            double const change = detail::count_between(arrived, a, b) - detail::count_between(ended, a, b);
            double const off = change * n / length - out.slope;
            squares += off * off;
        }
        half = std::max(half, student_t_95(batches - 1) * std::sqrt(squares / (n - 1) / n));
    }
    out.low = out.slope - half;
    out.high = out.slope + half;
    return out;
}

} // namespace ocrpipe

#endif
