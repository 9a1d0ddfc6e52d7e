#ifndef OCRPIPE_MEASURE_IMPL_RATE_FORECAST_IPP
#define OCRPIPE_MEASURE_IMPL_RATE_FORECAST_IPP

#include <ocrpipe/measure/rate_forecast.hpp>

#include <algorithm>
#include <cmath>

namespace ocrpipe
{

OCRPIPE_DECL void rate_forecast::sample(clock::time_point now, std::uint64_t total)
{
    if (!begun_) {
        begun_ = true;
        since_ = now;
        total_then_ = total;
        return;
    }
    auto const complete = (now - since_) / width_;
    if (complete <= 0) return;
    // A sample that comes late completes several windows.
    double const each = static_cast<double>(total - total_then_) / static_cast<double>(complete);
    for (auto i = std::min<clock::rep>(complete, most_windows); i != 0; --i)
        windows_.push_back(each);
    since_ += width_ * complete;
    total_then_ = total;
    while (windows_.size() > most_windows && width_ >= widest)
        windows_.pop_front();
    while (windows_.size() > most_windows) {
        width_ *= 2;
        if (windows_.size() % 2 != 0) windows_.pop_front();
        for (std::size_t i = 0; i != windows_.size() / 2; ++i)
            windows_[i] = windows_[2 * i] + windows_[2 * i + 1];
        windows_.resize(windows_.size() / 2);
    }
}

OCRPIPE_DECL double rate_forecast::mean() const noexcept
{
    double sum = 0;
    for (double const n : windows_)
        sum += n;
    return sum / static_cast<double>(windows_.size());
}

OCRPIPE_DECL std::optional<double> rate_forecast::per_second() const noexcept
{
    if (windows_.empty()) return std::nullopt;
    return mean() / static_cast<double>(width_.count());
}

OCRPIPE_DECL std::optional<rate_forecast::estimate> rate_forecast::time_for(std::uint64_t left) const noexcept
{
    if (windows_.size() < 3) return std::nullopt;
    double const m = mean();
    if (m <= 0) return std::nullopt;
    double squares = 0;
    for (double const n : windows_)
        squares += (n - m) * (n - m);
    double const n = static_cast<double>(windows_.size());
    double const freedom = n - 1;
    double const error = std::sqrt(squares / freedom / n);
    // The 97.5 % quantile of Student's distribution, within 3 % from two degrees of freedom on.
    double const quantile = 1.96 + 2.4 / freedom + 4.5 / (freedom * freedom);
    double const work = static_cast<double>(left) * static_cast<double>(width_.count());
    estimate e;
    e.seconds = work / m;
    e.low = work / (m + quantile * error);
    if (m > quantile * error) e.high = work / (m - quantile * error);
    return e;
}

} // namespace ocrpipe

#endif
