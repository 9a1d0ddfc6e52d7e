#ifndef OCRPIPE_PACE_WAIT_ESTIMATE_HPP
#define OCRPIPE_PACE_WAIT_ESTIMATE_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace ocrpipe
{

/// Estimates how long a new operation will wait in a queue, from the pace at which operations have ended
/// recently.
class wait_estimate
{
public:
    /// Call it when an operation enters an empty queue: the pace is measured from then on.
    void begins(clock::time_point now) noexcept { last_ = now; }

    /// One operation has ended. The mean interval follows a change within about ten of them.
    void ended(clock::time_point now) noexcept
    {
        auto const interval = std::chrono::duration<double>(now - last_);
        interval_ += (interval - interval_) * (count_ < 10 ? 1.0 / ++count_ : 0.1);
        last_ = now;
    }

    /// The time until `ahead` operations have ended: at least a second, and at most a minute.
    std::chrono::seconds until(std::size_t ahead) const noexcept
    {
        double const seconds = interval_.count() * static_cast<double>(ahead) + 0.999;
        return std::chrono::seconds(static_cast<int>(std::clamp(seconds, 1.0, 60.0)));
    }

private:
    clock::time_point last_{};
    std::chrono::duration<double> interval_{};
    int count_ = 0;
};

} // namespace ocrpipe

#endif
