#ifndef OCRPIPE_CORE_CLOCK_HPP
#define OCRPIPE_CORE_CLOCK_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace ocrpipe
{

namespace detail
{

/// The time of the installed testing::manual_clock, in nanoseconds; 0 without one.
inline std::atomic<std::int64_t> manual_time{0};
/// Under a manual clock: when the next timer of the engine is due, as the event loop last asked.
inline std::atomic<std::int64_t> next_manual_timer{0};

} // namespace detail

/// The engine's clock: monotonic, never the wall clock. It is std::chrono::steady_clock, unless a test has
/// installed a testing::manual_clock. Its timers are basic_waitable_timers.
struct clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept
    {
        std::int64_t const shown = detail::manual_time.load(std::memory_order_relaxed);
        if (shown != 0) return time_point(duration(shown));
        return time_point(std::chrono::steady_clock::now().time_since_epoch());
    }
};

namespace detail
{

/// How long the event loop may sleep before it looks at `clock` again. Under a manual clock, not at all.
struct clock_wait_traits {
    static clock::duration to_wait_duration(clock::duration d) noexcept
    {
        std::int64_t const shown = manual_time.load(std::memory_order_relaxed);
        if (shown == 0) return d;
        next_manual_timer.store(shown + d.count(), std::memory_order_relaxed);
        return clock::duration::zero();
    }
    static clock::duration to_wait_duration(clock::time_point t) noexcept
    {
        return to_wait_duration(t - clock::now());
    }
};

} // namespace detail

/// A monotonic clock that, unlike `clock`, goes on while the machine is suspended: CLOCK_BOOTTIME. Use it for
/// what ages at the other end of a connection. Cost: that of `clock`; no system call since Linux 5.3.
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock>;
    static constexpr bool is_steady = true;

    static time_point now() noexcept
    {
        std::timespec t{};
        ::clock_gettime(CLOCK_BOOTTIME, &t);
        return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
    }
};

/// Upper limit of every duration in options and requests; a longer one in a request is clamped to it.
inline constexpr std::chrono::hours longest_time{10 * 365 * 24};

} // namespace ocrpipe

#endif
