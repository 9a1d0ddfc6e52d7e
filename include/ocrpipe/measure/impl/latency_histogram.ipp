#ifndef OCRPIPE_MEASURE_IMPL_LATENCY_HISTOGRAM_IPP
#define OCRPIPE_MEASURE_IMPL_LATENCY_HISTOGRAM_IPP

#include <ocrpipe/measure/latency_histogram.hpp>

#include <boost/histogram/axis/regular.hpp>
#include <boost/histogram/histogram.hpp>
#include <boost/histogram/make_histogram.hpp>
#include <boost/histogram/unlimited_storage.hpp>
#include <boost/histogram/weight.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline constexpr double shortest_binned = 1e-4;
inline constexpr double longest_binned = 86'400;

/// A percentile is a bin's geometric middle, so a bin is about twice as wide as the error.
inline int bin_count()
{
    double const width = 2 * std::log1p(latency_histogram::relative_error);
    return static_cast<int>(std::ceil(std::log(longest_binned / shortest_binned) / width));
}

inline auto make_bins()
{
    namespace bh = boost::histogram;
    return bh::make_histogram_with(
        bh::unlimited_storage<>(),
        bh::axis::regular<double, bh::axis::transform::log>(bin_count(), shortest_binned, longest_binned));
}

} // namespace detail

struct latency_histogram::bins {
    decltype(detail::make_bins()) counts = detail::make_bins();

    /// The bins' numbers: -1 for what is too short, size() for what is too long.
    int size() const { return counts.axis().size(); }
    std::uint64_t count(int i) const { return static_cast<std::uint64_t>(double(counts.at(i))); }
    double lower(int i) const { return i < 0 ? 0 : counts.axis().value(i); }
    double upper(int i) const { return counts.axis().value(i + 1); }
};

OCRPIPE_DECL latency_histogram::latency_histogram() noexcept = default;
OCRPIPE_DECL latency_histogram::latency_histogram(latency_histogram const& other)
    : bins_(other.bins_ ? std::make_unique<bins>(*other.bins_) : nullptr)
    , count_(other.count_)
    , sum_(other.sum_)
    , min_(other.min_)
    , max_(other.max_)
{
}
OCRPIPE_DECL latency_histogram::latency_histogram(latency_histogram&& other) noexcept
    : bins_(std::move(other.bins_))
    , count_(std::exchange(other.count_, 0))
    , sum_(std::exchange(other.sum_, 0))
    , min_(std::exchange(other.min_, 0))
    , max_(std::exchange(other.max_, 0))
{
}
OCRPIPE_DECL latency_histogram& latency_histogram::operator=(latency_histogram other) noexcept
{
    std::swap(bins_, other.bins_);
    count_ = other.count_;
    sum_ = other.sum_;
    min_ = other.min_;
    max_ = other.max_;
    return *this;
}
OCRPIPE_DECL latency_histogram::~latency_histogram() = default;

OCRPIPE_DECL void latency_histogram::record(clock::duration d, std::uint64_t times)
{
    if (times == 0) return;
    if (!bins_) bins_ = std::make_unique<bins>();
    double const s = std::max(0.0, seconds(d).count());
    bins_->counts(boost::histogram::weight(times), s);
    min_ = count_ == 0 ? s : std::min(min_, s);
    max_ = std::max(max_, s);
    sum_ += s * static_cast<double>(times);
    count_ += times;
}

OCRPIPE_DECL latency_histogram& latency_histogram::operator+=(latency_histogram const& other)
{
    if (other.empty()) return *this;
    if (empty()) return *this = other;
    bins_->counts += other.bins_->counts;
    min_ = std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
    count_ += other.count_;
    return *this;
}

OCRPIPE_DECL latency_histogram::seconds latency_histogram::mean() const noexcept
{
    return seconds(empty() ? 0 : sum_ / static_cast<double>(count_));
}

OCRPIPE_DECL latency_histogram::seconds latency_histogram::percentile(double p) const
{
    if (empty()) return seconds(0);
    double const share = std::clamp(p, 0.0, 100.0) / 100 * static_cast<double>(count_);
    // 100 * 0.07 is a little more than 7.
    auto const rank = static_cast<std::uint64_t>(std::max(1.0, std::ceil(share - 1e-6)));
    if (rank >= count_) return max();
    std::uint64_t seen = 0;
    int i = -1;
    while (i < bins_->size() && (seen += bins_->count(i)) < rank)
        ++i;
    if (i < 0) return min();
    double const middle = i == bins_->size() ? max_ : std::sqrt(bins_->lower(i) * bins_->upper(i));
    return seconds(std::clamp(middle, min_, max_));
}

OCRPIPE_DECL std::vector<latency_histogram::bucket> latency_histogram::buckets() const
{
    std::vector<bucket> all;
    for (int i = -1; !empty() && i <= bins_->size(); ++i)
        if (std::uint64_t const n = bins_->count(i); n != 0)
            all.push_back({bins_->lower(i), i == bins_->size() ? max_ : bins_->upper(i), n});
    return all;
}

OCRPIPE_DECL void append_json(std::string& out, latency_histogram const& h)
{
    auto const to = std::back_inserter(out);
    fmt::format_to(to, "{{\"count\": {}", h.count());
    auto const add = [&](std::string_view name, latency_histogram::seconds s) {
        if (h.empty())
            fmt::format_to(to, ", \"{}\": null", name);
        else
            fmt::format_to(to, ", \"{}\": {:.9g}", name, s.count());
    };
    add("mean", h.mean());
    add("min", h.min());
    add("max", h.max());
    for (int const p : {50, 90, 95, 99})
        add(fmt::format("p{}", p), h.percentile(p));
    fmt::format_to(to, ", \"relative_error\": {}, \"buckets\": [", latency_histogram::relative_error);
    std::string_view separator;
    for (latency_histogram::bucket const& b : h.buckets()) {
        fmt::format_to(to, "{}[{:.9g}, {:.9g}, {}]", separator, b.lower, b.upper, b.count);
        separator = ", ";
    }
    out += "]}";
}

OCRPIPE_DECL result<latency_histogram> latency_histogram::parse(boost::json::value const& v)
{
    failure const wrong(errc::invalid_argument, phase::none, "not a latency histogram of this version");
    auto const* const o = v.if_object();
    if (o == nullptr) return wrong;
    auto const number = [](boost::json::value const* from, double otherwise) {
        error_code ec;
        double const n = from != nullptr ? from->to_number<double>(ec) : otherwise;
        return ec ? otherwise : n;
    };
    auto const* const list = o->if_contains("buckets");
    if (list == nullptr || !list->is_array() || number(o->if_contains("relative_error"), 0) != relative_error)
        return wrong;
    latency_histogram h;
    for (boost::json::value const& one : list->get_array()) {
        auto const* const b = one.if_array();
        if (b == nullptr || b->size() != 3) return wrong;
        double const lower = number(&(*b)[0], -1);
        double const upper = number(&(*b)[1], -1);
        error_code ec;
        auto const n = (*b)[2].to_number<std::uint64_t>(ec);
        if (ec || lower < 0 || upper < lower) return wrong;
        // The middle is in the bin, whatever the rounding of its bounds.
        bool const is_longest = lower >= detail::longest_binned * 0.999;
        double const middle = is_longest ? std::max(lower, upper) : std::sqrt(lower * upper);
        h.record(std::chrono::ceil<clock::duration>(seconds(middle)), n);
    }
    if (h.count_ != static_cast<std::uint64_t>(number(o->if_contains("count"), -1))) return wrong;
    if (h.empty()) return h;
    h.min_ = number(o->if_contains("min"), -1);
    h.max_ = number(o->if_contains("max"), -1);
    h.sum_ = number(o->if_contains("mean"), -1) * static_cast<double>(h.count_);
    if (h.min_ < 0 || h.max_ < h.min_ || h.sum_ < 0) return wrong;
    return h;
}

} // namespace ocrpipe

#endif
