#ifndef OCRPIPE_HTTP_DEADLINE_HPP
#define OCRPIPE_HTTP_DEADLINE_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/error.hpp>

#include <chrono>

namespace ocrpipe
{
namespace detail
{

/// `t + d` without overflow: a deadline may be time_point::max().
template<class Clock>
std::chrono::time_point<Clock> later(std::chrono::time_point<Clock> t, clock::duration d) noexcept
{
    return t > t.max() - d ? t.max() : t + d;
}

/// What a time-out is called: the caller's own deadline comes before that of a phase.
inline errc timeout_code(errc of_phase, clock::time_point now, clock::time_point deadline) noexcept
{
    return now >= deadline ? errc::deadline_exceeded : of_phase;
}

} // namespace detail
} // namespace ocrpipe

#endif
