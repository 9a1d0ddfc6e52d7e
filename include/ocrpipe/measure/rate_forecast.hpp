#ifndef OCRPIPE_MEASURE_RATE_FORECAST_HPP
#define OCRPIPE_MEASURE_RATE_FORECAST_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace ocrpipe
{

/// The rate of the recent past, and how long the rest will take at that rate. The interval of the forecast
/// comes from how much the rate varied between windows: at most 30 of them, of 2 seconds at first and of 64
/// at last.
///
/// Thread safety: none.
class rate_forecast
{
public:
    /// What is left will take `seconds`; it lies between `low` and `high` with about 95 % confidence.
    struct estimate {
        double seconds = 0;
        double low = 0;
        std::optional<double> high; ///< nullopt if the rate may be zero
    };

    /// `total`: finished so far. Call it about once a second.
    void sample(clock::time_point now, std::uint64_t total);

    /// Finished a second; nullopt before the first window is complete.
    std::optional<double> per_second() const noexcept;

    /// nullopt before three windows are complete, and if nothing finished in them.
    std::optional<estimate> time_for(std::uint64_t left) const noexcept;

private:
    static constexpr std::size_t most_windows = 30;
    static constexpr std::chrono::seconds widest{64};

    double mean() const noexcept;

    std::deque<double> windows_; ///< finished in each
    std::chrono::seconds width_{2};
    clock::time_point since_{}; ///< the start of the window that is not complete
    std::uint64_t total_then_ = 0;
    bool begun_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/measure/impl/rate_forecast.ipp>
#endif

#endif
