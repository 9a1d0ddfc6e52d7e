#ifndef OCRPIPE_CORE_CLOCK_HPP
#define OCRPIPE_CORE_CLOCK_HPP

#include <chrono>
#include <ctime>

namespace ocrpipe
{

/// The engine's clock: monotonic, never the wall clock.
using clock = std::chrono::steady_clock;

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
