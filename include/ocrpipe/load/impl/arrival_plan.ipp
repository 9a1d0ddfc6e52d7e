#ifndef OCRPIPE_LOAD_IMPL_ARRIVAL_PLAN_IPP
#define OCRPIPE_LOAD_IMPL_ARRIVAL_PLAN_IPP

#include <ocrpipe/load/arrival_plan.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Documents due in the first `seconds` of `s`.
inline double arrivals_in(arrival_stage const& s, double seconds) noexcept
{
    // A constant rate may have no end, and zero times infinity is not a number.
    if (s.to == s.from) return s.from == 0 ? 0 : s.from * seconds;
    double const slope = (s.to - s.from) / s.seconds;
    return seconds * (s.from + slope * seconds / 2);
}

/// Seconds into `s` at which `count` documents are due; the stage has at least as many.
inline double time_of(arrival_stage const& s, double count) noexcept
{
    if (s.to == s.from) return count / s.from;
    double const slope = (s.to - s.from) / s.seconds;
    // The stable form of the root of slope/2 t^2 + from t - count = 0.
    double const root = std::sqrt(std::max(0.0, s.from * s.from + 2 * slope * count));
    return count == 0 ? 0 : std::min(s.seconds, 2 * count / (s.from + root));
}

/// Times of more than thirty years are cut, because they would overflow.
inline std::chrono::nanoseconds nanoseconds_of(double seconds) noexcept
{
    return std::chrono::nanoseconds(std::llround(std::clamp(seconds, 0.0, 1e9) * 1e9));
}

} // namespace detail

OCRPIPE_DECL double rate_at(arrival_plan const& plan, double seconds) noexcept
{
    if (plan.max_seconds > 0 && seconds >= plan.max_seconds) return 0;
    for (arrival_stage const& s : plan.stages) {
        if (seconds < s.seconds)
            return s.to == s.from ? s.from : s.from + (s.to - s.from) * seconds / s.seconds;
        seconds -= s.seconds;
    }
    return 0;
}

OCRPIPE_DECL double length_of(arrival_plan const& plan) noexcept
{
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    double all = plan.closed() ? unlimited : 0;
    for (arrival_stage const& s : plan.stages)
        all += s.seconds;
    return plan.max_seconds > 0 ? std::min(all, plan.max_seconds) : all;
}

OCRPIPE_DECL std::optional<std::uint64_t> most_documents(arrival_plan const& plan)
{
    double mean = 0;
    double left = length_of(plan);
    for (arrival_stage const& s : plan.stages) {
        double const in_stage = std::min(left, s.seconds);
        if (in_stage > 0) mean += detail::arrivals_in(s, in_stage);
        left -= in_stage;
    }
    std::optional<std::uint64_t> most;
    if (!plan.closed() && std::isfinite(mean))
        most = static_cast<std::uint64_t>(std::ceil(plan.poisson ? mean + 5 * std::sqrt(mean) + 1 : mean));
    if (plan.max_documents > 0) most = std::min(plan.max_documents, most.value_or(plan.max_documents));
    return most;
}

OCRPIPE_DECL arrival_times::arrival_times(arrival_plan plan)
    : plan_(std::move(plan)), most_(most_documents(plan_)), random_(plan_.seed)
{
}

OCRPIPE_DECL std::optional<std::chrono::nanoseconds> arrival_times::next()
{
    if (most_ && given_ == *most_) return std::nullopt;
    // The distributions of the standard library differ between implementations; this one does not.
    if (plan_.poisson)
        target_ += -std::log1p(-static_cast<double>(random_() >> 11) * 0x1.0p-53);
    else
        target_ = static_cast<double>(given_);
    for (; stage_ != plan_.stages.size(); ++stage_) {
        arrival_stage const& s = plan_.stages[stage_];
        double const all = detail::arrivals_in(s, s.seconds);
        // The end belongs to the next stage. Rounding must not give one more document than most_documents().
        if (std::isinf(all) || target_ - stage_area_ < all - 1e-9 * (1 + all)) break;
        stage_area_ += all;
        stage_start_ += s.seconds;
    }
    if (stage_ == plan_.stages.size()) return std::nullopt;
    double const at =
        stage_start_ + detail::time_of(plan_.stages[stage_], std::max(0.0, target_ - stage_area_));
    if (plan_.max_seconds > 0 && at >= plan_.max_seconds * (1 - 1e-12)) return std::nullopt;
    ++given_;
    return detail::nanoseconds_of(at);
}

} // namespace ocrpipe

#endif
