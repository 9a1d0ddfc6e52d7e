#ifndef OCRPIPE_TOOLS_PROGRESS_HPP
#define OCRPIPE_TOOLS_PROGRESS_HPP

#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>

#include "message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace ocrpipe::cli
{

/// Documents per second over a sliding window. Time is an argument; memory is bounded by the number of
/// samples per window.
class rate_meter
{
public:
    explicit rate_meter(std::chrono::milliseconds window = std::chrono::milliseconds(15'000)) noexcept
        : window_(window)
    {
    }

    /// `finished` is the total at `at`, both since the run's start and never falling.
    void sample(std::chrono::milliseconds at, std::uint64_t finished);

    double per_second() const noexcept;

private:
    struct point {
        std::chrono::milliseconds at{0};
        std::uint64_t finished = 0;
    };
    std::chrono::milliseconds window_;
    std::deque<point> points_;
};

/// Time until the last document is finished; nothing if the total or the rate is unknown.
std::optional<std::chrono::milliseconds> time_left(pipeline_statistics const& s, double per_second) noexcept;

/// One line of at most `width` columns; less important parts are dropped if it does not fit.
std::string progress_line(pipeline_statistics const& s, double per_second, std::size_t width, bool color);

/// The same facts for machines.
message progress_message(pipeline_statistics const& s, double per_second);

/// The message at the end of a run.
message summary_message(run_report const& r, std::string const& directory);

/// Messages about inputs that a run skipped, one per kind, with the number and the remedy.
std::vector<message> skipped_messages(source_notes const& notes, std::chrono::milliseconds min_age);

} // namespace ocrpipe::cli

#endif
