#ifndef OCRPIPE_PACE_ORIGIN_GATE_HPP
#define OCRPIPE_PACE_ORIGIN_GATE_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>

namespace ocrpipe
{

/// A pause of all requests to one origin. A Retry-After applies to the whole origin.
///
/// Thread safety: none; a gate belongs to one thread.
class origin_gate
{
public:
    /// Allows no request before `t`. Has no effect if a later pause is already in force.
    void pause_until(clock::time_point t) noexcept { open_at_ = std::max(open_at_, t); }

    /// When the next request may be sent; in the past when there is no pause.
    clock::time_point open_at() const noexcept { return open_at_; }

private:
    clock::time_point open_at_ = clock::time_point::min();
};

} // namespace ocrpipe

#endif
