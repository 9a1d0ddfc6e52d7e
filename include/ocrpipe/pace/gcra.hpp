#ifndef OCRPIPE_PACE_GCRA_HPP
#define OCRPIPE_PACE_GCRA_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace ocrpipe
{

/// A rate limit by the generic cell rate algorithm: a token bucket whose state is one time point. It returns
/// the exact time to send and needs no refill timer.
///
/// First come, first served by construction: each reservation starts where the previous one ends. A cost
/// above the burst is allowed; later reservations wait for it.
///
/// Thread safety: none; a limiter belongs to one thread.
/// Source: ITU-T I.371; state and wake time as in virtual scheduling.
class gcra
{
public:
    /// `per_second`: units of cost per second; 0 or less means no limit. `burst`: units that may be sent at
    /// once after an idle period, at least 1.
    explicit gcra(double per_second, double burst = 1) noexcept
        : per_second_(per_second > 0 ? per_second : 0), tolerance_(interval(std::max(burst, 1.0) - 1))
    {
    }

    bool unlimited() const noexcept { return per_second_ == 0; }

    /// Reserves the next free slot and returns the time at which the caller may send; `now` means
    /// immediately.
    clock::time_point reserve(clock::time_point now, double cost = 1) noexcept
    {
        if (unlimited()) return now;
        clock::time_point const from = std::max(arrival_, now);
        clock::time_point const start = std::max(now, from - tolerance_);
        arrival_ = std::min(from + interval(cost), now + horizon);
        return start;
    }

    /// Whether a reserved slot has passed unused. The caller then needs another slot. If it used the old one,
    /// all requests that something else had delayed beyond their slots would be sent at once.
    bool has_passed(clock::time_point start, clock::time_point now, double cost = 1) const noexcept
    {
        return !unlimited() && start + tolerance_ + interval(cost) < now;
    }

    /// Returns a reservation that was abandoned before `start`, the time that reserve() returned for this
    /// `cost`.
    ///
    /// Only the newest reservation can be returned, because later ones already have their times.
    /// Returns whether it was.
    bool cancel_last(clock::time_point start, double cost = 1) noexcept
    {
        if (unlimited() || start + tolerance_ + interval(cost) != arrival_) return false;
        arrival_ -= interval(cost);
        return true;
    }

private:
    /// Bounds the times to prevent overflow; no real queue is this long.
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
    /// Theoretical arrival time of the next unit.
    clock::time_point arrival_ = clock::time_point::min() + 2 * horizon;
};

} // namespace ocrpipe

#endif
