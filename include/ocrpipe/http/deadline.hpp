#ifndef OCRPIPE_HTTP_DEADLINE_HPP
#define OCRPIPE_HTTP_DEADLINE_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/error.hpp>

namespace ocrpipe
{
namespace detail
{

/// `t + d` without overflow: a deadline may be time_point::max().
inline clock::time_point later(clock::time_point t, clock::duration d) noexcept
{
    return t > clock::time_point::max() - d ? clock::time_point::max() : t + d;
}

/// What a time-out is called: the caller's own deadline comes before that of a phase.
inline errc timeout_code(errc of_phase, clock::time_point now, clock::time_point deadline) noexcept
{
    return now >= deadline ? errc::deadline_exceeded : of_phase;
}

} // namespace detail
} // namespace ocrpipe

#endif
