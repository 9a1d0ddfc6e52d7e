#ifndef OCRPIPE_MEASURE_TIME_SERIES_HPP
#define OCRPIPE_MEASURE_TIME_SERIES_HPP

#include <ocrpipe/measure/latency_histogram.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ocrpipe
{

/// What happened in each interval of a run: at most 720 points, however long the run is. The first interval
/// is a second. When there would be more points, the interval doubles and neighbours are added up.
///
/// Thread safety: none.
/// Cost: about 3 KiB for a point in which documents finished.
class time_series
{
public:
    static constexpr std::size_t most_points = 720;

    struct point {
        std::uint64_t submitted = 0;
        std::uint64_t accepted = 0;
        std::uint64_t finished = 0;
        std::uint64_t failed = 0;
        std::uint64_t bytes = 0; ///< of the documents accepted
        std::uint64_t polls = 0;
        std::uint64_t in_flight = 0; ///< at the end of the interval; likewise backlog
        std::uint64_t backlog = 0;
        latency_histogram end_to_end; ///< of the documents that finished in the interval

        /// Adds the interval that follows this one.
        point& operator+=(point const& next)
        {
            submitted += next.submitted;
            accepted += next.accepted;
            finished += next.finished;
            failed += next.failed;
            bytes += next.bytes;
            polls += next.polls;
            in_flight = next.in_flight;
            backlog = next.backlog;
            end_to_end += next.end_to_end;
            return *this;
        }
    };

    explicit time_series(clock::time_point start) : start_(start) {}

    /// The point of the current interval; valid until the next call. A time before the last point counts to
    /// that.
    point& at(clock::time_point now)
    {
        if (!points_.empty() && now < end_) return points_.back();
        auto index = static_cast<std::size_t>(std::max(now - start_, clock::duration::zero()) / interval_);
        for (; index >= most_points; index /= 2)
            halve();
        while (points_.size() <= index) {
            point next;
            if (!points_.empty()) {
                next.in_flight = points_.back().in_flight;
                next.backlog = points_.back().backlog;
            }
            points_.push_back(std::move(next));
        }
        end_ = start_ + interval_ * static_cast<std::int64_t>(points_.size());
        return points_.back();
    }

    clock::time_point start() const noexcept { return start_; }
    std::chrono::seconds interval() const noexcept { return interval_; }
    std::vector<point> const& points() const noexcept { return points_; }

private:
    void halve()
    {
        interval_ *= 2;
        for (std::size_t i = 0; i != (points_.size() + 1) / 2; ++i) {
            if (i != 0) points_[i] = std::move(points_[2 * i]);
            if (2 * i + 1 < points_.size()) points_[i] += points_[2 * i + 1];
        }
        points_.resize((points_.size() + 1) / 2);
    }

    clock::time_point start_;
    clock::time_point end_{}; ///< of the last point
    std::chrono::seconds interval_{1};
    std::vector<point> points_;
};

} // namespace ocrpipe

#endif
