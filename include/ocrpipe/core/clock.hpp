#ifndef OCRPIPE_CORE_CLOCK_HPP
#define OCRPIPE_CORE_CLOCK_HPP

#include <chrono>

namespace ocrpipe
{

/// The engine's clock: monotonic, never the wall clock.
using clock = std::chrono::steady_clock;

/// Upper limit of every duration in options and requests; a longer one in a request is clamped to it.
inline constexpr std::chrono::hours longest_time{10 * 365 * 24};

} // namespace ocrpipe

#endif
