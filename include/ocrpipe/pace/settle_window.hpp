#ifndef OCRPIPE_PACE_SETTLE_WINDOW_HPP
#define OCRPIPE_PACE_SETTLE_WINDOW_HPP

#include <algorithm>
#include <chrono>

namespace ocrpipe
{

/// The settle window: how long a finished job without content is read again before it counts as empty. It
/// grows with the longest time that the content of a job came after its end.
///
/// Thread safety: none; a window belongs to one thread.
class settle_window
{
public:
    /// The window never becomes longer than this many usual ones, however late content came.
    static constexpr int most_windows = 6;

    /// The content of a job came this long after the job had ended.
    void content_came_after(std::chrono::milliseconds delay) noexcept { longest_ = std::max(longest_, delay); }

    std::chrono::milliseconds longest_delay() const noexcept { return longest_; }

    /// The window for the next jobs: a quarter longer than the longest delay, and at least `usual`, the
    /// profile's settle_time.
    std::chrono::milliseconds length(std::chrono::milliseconds usual) const noexcept
    {
        std::chrono::milliseconds const most = usual * most_windows;
        // Compared first, because a delay may be years: the sum must not overflow.
        if (longest_ >= most) return most;
        return std::clamp(longest_ + longest_ / 4, usual, most);
    }

private:
    std::chrono::milliseconds longest_{0};
};

} // namespace ocrpipe

#endif
