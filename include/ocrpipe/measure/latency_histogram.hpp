#ifndef OCRPIPE_MEASURE_LATENCY_HISTOGRAM_HPP
#define OCRPIPE_MEASURE_LATENCY_HISTOGRAM_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>

#include <boost/json/fwd.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ocrpipe
{

/// Durations in logarithmic bins from 100 microseconds to 24 hours, from which percentiles can be read within
/// 1 %. Mean, minimum and maximum are exact. Shorter and longer durations are counted in one bin each.
///
/// Thread safety: none; a histogram belongs to one thread.
/// Cost: 1 to 8 KiB once something was recorded, by the largest count of a bin. record() does not allocate,
/// except when a bin outgrows its type.
class latency_histogram
{
public:
    using seconds = std::chrono::duration<double>;

    /// Of a percentile, unless the duration is beyond the bins.
    static constexpr double relative_error = 0.01;

    latency_histogram() noexcept;
    latency_histogram(latency_histogram const& other);
    latency_histogram(latency_histogram&& other) noexcept;
    latency_histogram& operator=(latency_histogram other) noexcept;
    ~latency_histogram();

    /// Counts `d`, as if it had been seen `times` times. A negative duration counts as zero.
    void record(clock::duration d, std::uint64_t times = 1);

    latency_histogram& operator+=(latency_histogram const& other);

    std::uint64_t count() const noexcept { return count_; }
    bool empty() const noexcept { return count_ == 0; }

    // Zero if nothing was recorded.
    seconds mean() const noexcept;
    seconds min() const noexcept { return seconds(count_ == 0 ? 0 : min_); }
    seconds max() const noexcept { return seconds(max_); }

    /// The smallest duration that at least `p` percent of the recorded ones do not exceed. `p`: 0 to 100.
    /// Returns zero if nothing was recorded.
    seconds percentile(double p) const;

    /// Durations of at least `lower` and less than `upper`, in seconds.
    struct bucket {
        double lower = 0;
        double upper = 0;
        std::uint64_t count = 0;
    };

    /// The bins that are not empty, shortest first. The bounds are the same for all histograms, except that
    /// the last bin ends at the maximum.
    std::vector<bucket> buckets() const;

    /// Reads what append_json() wrote.
    ///
    /// Errors: errc::invalid_argument if `v` is anything else, or has other bins.
    static result<latency_histogram> parse(boost::json::value const& v);

private:
    struct bins;

    std::unique_ptr<bins> bins_; ///< null if nothing was recorded
    std::uint64_t count_ = 0;
    double sum_ = 0;
    double min_ = 0;
    double max_ = 0;
};

/// Appends the histogram as one line of JSON, as docs/report.md describes it.
OCRPIPE_DECL void append_json(std::string& out, latency_histogram const& h);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/measure/impl/latency_histogram.ipp>
#endif

#endif
