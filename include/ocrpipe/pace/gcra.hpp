#ifndef OCRPIPE_PACE_GCRA_HPP
#define OCRPIPE_PACE_GCRA_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ocrpipe
{

/// A rate limit by the generic cell rate algorithm: one time point of state, the exact moment to go, no timer
/// that drips tokens.
///
/// First come, first served by construction: each reservation starts where the one before ends. A cost above
/// the burst is allowed; those that come after wait for it.
///
/// Thread safety: none; a limiter belongs to one thread.
/// Source: ITU-T I.371; state and wake time as in virtual scheduling.
class gcra
{
public:
    /// `per_second`: units of cost a second; 0 or less means no limit. `burst`: how much may go at once after
    /// a pause, at least 1.
    explicit gcra(double per_second, double burst = 1) noexcept
        : per_second_(per_second > 0 ? per_second : 0), tolerance_(interval(std::max(burst, 1.0) - 1))
    {
    }

    bool unlimited() const noexcept { return per_second_ == 0; }

    /// Takes the next free place; returns when the caller may go, `now` when at once.
    clock::time_point reserve(clock::time_point now, double cost = 1) noexcept
    {
        if (unlimited()) return now;
        clock::time_point const from = std::max(arrival_, now);
        clock::time_point const start = std::max(now, from - tolerance_);
        arrival_ = std::min(from + interval(cost), now + horizon);
        return start;
    }

    /// Gives back a reservation whose owner gave up before `start`, the time that reserve() returned for this
    /// `cost`.
    ///
    /// Only the newest reservation can be given back: those behind it have been told their times already.
    /// Returns whether it was.
    bool cancel_last(clock::time_point start, double cost = 1) noexcept
    {
        if (unlimited() || start + tolerance_ + interval(cost) != arrival_) return false;
        arrival_ -= interval(cost);
        return true;
    }

private:
    /// Keeps times far from overflow: a queue as long as this is not a queue that anybody waits in.
    static constexpr clock::duration horizon = std::chrono::hours(24 * 365);

    clock::duration interval(double cost) const noexcept
    {
        if (per_second_ == 0) return clock::duration::zero();
        using fine = std::chrono::duration<double, clock::period>;
        double const ticks = fine(std::chrono::duration<double>(cost / per_second_)).count();
        double const limit = static_cast<double>(horizon.count());
        return clock::duration(static_cast<clock::rep>(std::llround(std::clamp(ticks, 0.0, limit))));
    }

    double per_second_;
    clock::duration tolerance_;
    clock::time_point arrival_ =
        clock::time_point::min() + 2 * horizon; ///< theoretical arrival time of the next unit
};

} // namespace ocrpipe

#endif
