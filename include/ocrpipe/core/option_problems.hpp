#ifndef OCRPIPE_CORE_OPTION_PROBLEMS_HPP
#define OCRPIPE_CORE_OPTION_PROBLEMS_HPP

#include <ocrpipe/core/clock.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// Checks options and collects each problem as "option: what is wrong: remedy". Used by all layers.
class option_problems
{
public:
    void add(std::string problem) { found_.push_back(std::move(problem)); }
    void check(bool fine, std::string problem)
    {
        if (!fine) add(std::move(problem));
    }

    /// Requires a positive duration.
    void positive(std::chrono::milliseconds d, char const* what)
    {
        check(d.count() > 0 && d <= longest_time,
              fmt::format("{}: {} ms is out of range: more than zero, at most ten years", what, d.count()));
    }

    /// Requires a valid rate per second.
    void rate(double r, char const* what)
    {
        check(std::isfinite(r) && r >= 0,
              fmt::format("{}: {} is out of range: zero (no limit) or more", what, r));
    }

    std::vector<std::string> take() noexcept { return std::move(found_); }

private:
    std::vector<std::string> found_;
};

} // namespace ocrpipe::detail

#endif
