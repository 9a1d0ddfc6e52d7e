#ifndef OCRPIPE_LOAD_IMPL_SURVIVAL_IPP
#define OCRPIPE_LOAD_IMPL_SURVIVAL_IPP

#include <ocrpipe/load/survival.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL survival::survival(std::vector<lifetime> all) : all_(std::move(all))
{
    std::sort(all_.begin(), all_.end(), [](lifetime const& a, lifetime const& b) {
        return a.seconds != b.seconds ? a.seconds < b.seconds : a.censored < b.censored;
    });
    censored_ = static_cast<std::size_t>(
        std::count_if(all_.begin(), all_.end(), [](lifetime const& l) { return l.censored; }));
}

OCRPIPE_DECL censored_percentile survival::percentile(double p) const
{
    if (all_.empty()) return {};
    constexpr double never = std::numeric_limits<double>::infinity();
    double const n = static_cast<double>(all_.size());
    // 0.95 * 100 is above 95 in floating point.
    double const wanted = std::max(1.0, std::ceil(p / 100 * n - 1e-9 * n));
    censored_percentile out{all_[static_cast<std::size_t>(wanted) - 1].seconds, never, never};
    double alive = 1;
    double at_risk = n;
    double ended = 0;
    for (lifetime const& l : all_) {
        if (!l.censored) {
            alive *= (at_risk - 1) / at_risk;
            ended += 1;
            if (out.estimate == never && alive <= 1 - p / 100 + 1e-9) out.estimate = l.seconds;
            if (out.high == never && ended >= wanted) out.high = l.seconds;
        }
        at_risk -= 1;
    }
    return out;
}

OCRPIPE_DECL censored_percentile survival::mean() const
{
    if (all_.empty()) return {};
    double sum = 0;
    for (lifetime const& l : all_)
        sum += l.seconds;
    double const low = sum / static_cast<double>(all_.size());
    double const high = censored_ == 0 ? low : std::numeric_limits<double>::infinity();
    return {low, high, high};
}

} // namespace ocrpipe

#endif
