#ifndef OCRPIPE_LOAD_IMPL_CAPACITY_SEARCH_IPP
#define OCRPIPE_LOAD_IMPL_CAPACITY_SEARCH_IPP

#include <ocrpipe/load/capacity_search.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL capacity_step const* capacity_search::failing() const noexcept
{
    capacity_step const* out = nullptr;
    for (capacity_step const& s : steps_)
        if (!s.passed && (out == nullptr || s.rate < out->rate)) out = &s;
    return out;
}

OCRPIPE_DECL capacity_step const* capacity_search::best() const noexcept
{
    // A step above one that failed passed by chance.
    capacity_step const* const limit = failing();
    capacity_step const* out = nullptr;
    for (capacity_step const& s : steps_)
        if (s.passed && (limit == nullptr || s.rate < limit->rate) && (out == nullptr || s.rate > out->rate))
            out = &s;
    return out;
}

OCRPIPE_DECL double capacity_search::busy_throughput() const noexcept
{
    double sum = 0;
    std::size_t n = 0;
    for (capacity_step const& s : steps_)
        if (s.backlog_grows) {
            sum += s.throughput;
            ++n;
        }
    return n == 0 ? 0 : sum / static_cast<double>(n);
}

OCRPIPE_DECL std::optional<double> capacity_search::next_rate() const
{
    if (steps_.empty()) return std::min(how_.start, how_.highest);
    if (steps_.size() >= how_.max_steps) return std::nullopt;
    capacity_step const* const top = best();
    capacity_step const* const limit = failing();
    if (limit == nullptr) {
        if (top->rate >= how_.highest) return std::nullopt;
        return std::min(2 * top->rate, how_.highest);
    }
    double const low = top == nullptr ? 0 : top->rate;
    double const high = limit->rate;
    if (high - low <= how_.precision * (high + low) / 2) return std::nullopt;
    // Nothing passed, and the service does next to nothing.
    if (top == nullptr && high < how_.start / 1000) return std::nullopt;
    double const busy = busy_throughput();
    double const third = how_.precision / 3;
    // A step close above the capacity may pass by chance; the last two then enclose it without going far.
    for (double const candidate :
         {busy * (1 - third), busy * (1 + third), busy * (1 + 3 * third), busy * (1 + 6 * third)})
        if (candidate > low + third * (high - low) / 2 && candidate < high - third * (high - low) / 2 &&
            candidate > low * (1 + third / 2) && candidate < high * (1 - third / 2))
            return candidate;
    return (low + high) / 2;
}

OCRPIPE_DECL void capacity_search::record(capacity_step step) { steps_.push_back(std::move(step)); }

OCRPIPE_DECL service_capacity capacity_search::found() const
{
    capacity_step const* const top = best();
    capacity_step const* const limit = failing();
    service_capacity out;
    out.low = top == nullptr ? 0 : top->rate;
    out.high = limit == nullptr ? std::numeric_limits<double>::infinity() : limit->rate;
    if (limit == nullptr) {
        out.estimate = out.low;
        return out;
    }
    out.limit = limit->why;
    double const busy = busy_throughput();
    // A step just above the capacity may pass by chance, and one just below may fail. The busy throughput is
    // the better estimate, unless the service becomes slower in overload.
    double const doubt = 2 * how_.precision;
    bool const fits = busy > out.low * (1 - doubt) && busy < out.high * (1 + doubt);
    out.estimate = fits ? busy : top == nullptr ? 0 : (out.low + out.high) / 2;
    if (!fits || top == nullptr) return out;
    for (capacity_step const& s : steps_)
        if (s.backlog_grows) {
            out.low = std::min(out.low, s.throughput);
            out.high = std::max(out.high, s.throughput);
        }
    return out;
}

} // namespace ocrpipe

#endif
