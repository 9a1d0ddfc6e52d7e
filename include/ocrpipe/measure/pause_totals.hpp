#ifndef OCRPIPE_MEASURE_PAUSE_TOTALS_HPP
#define OCRPIPE_MEASURE_PAUSE_TOTALS_HPP

#include <ocrpipe/measure/exchange_event.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ocrpipe
{

/// The number of the pauses of each kind, and their total time.
///
/// Thread safety: none.
class pause_totals
{
public:
    struct totals {
        std::uint64_t count = 0;
        clock::duration total{0};
    };

    void add(pause_event const& e)
    {
        state& p = states_[static_cast<std::size_t>(e.what)];
        if (e.what == pause_kind::throttled) {
            // An event during a pause extends it.
            if (e.at > p.until || p.past.count == 0) {
                ++p.past.count;
                p.past.total += p.until - p.since;
                p.since = e.at;
                p.until = e.until;
            }
            p.until = std::max(p.until, e.until);
        } else if (e.begins && !p.is_open) {
            ++p.past.count;
            p.is_open = true;
            p.since = e.at;
        } else if (!e.begins && p.is_open) {
            p.is_open = false;
            p.past.total += e.at - p.since;
        }
    }

    /// Includes a pause that has not ended.
    totals of(pause_kind k, clock::time_point now) const noexcept
    {
        state const& p = states_[static_cast<std::size_t>(k)];
        totals all = p.past;
        if (p.is_open) all.total += now - p.since;
        if (k == pause_kind::throttled) all.total += std::min(now, p.until) - p.since;
        return all;
    }

private:
    struct state {
        totals past;
        bool is_open = false;
        clock::time_point since{};
        clock::time_point until{}; ///< of throttling
    };

    std::array<state, pause_kind_count> states_;
};

} // namespace ocrpipe

#endif
