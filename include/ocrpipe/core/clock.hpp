#ifndef OCRPIPE_CORE_CLOCK_HPP
#define OCRPIPE_CORE_CLOCK_HPP

#include <chrono>

namespace ocrpipe
{

/// All time inside the engine: monotonic, never the wall clock.
using clock = std::chrono::steady_clock;

/// No time that an option or a request names is longer; what a request asks for beyond it is cut down to it.
inline constexpr std::chrono::hours longest_time{10 * 365 * 24};

} // namespace ocrpipe

#endif
