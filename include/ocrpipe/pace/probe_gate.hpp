#ifndef OCRPIPE_PACE_PROBE_GATE_HPP
#define OCRPIPE_PACE_PROBE_GATE_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace ocrpipe
{

/// Pauses requests after a setback that may concern all of them, such as refused credentials or a service
/// that cannot be reached. One probe at a time is then sent, until one succeeds.
///
/// The interval between probes doubles from 1 s to the longest one, plus up to 25 % of jitter. A request that
/// had the setback itself (a suspect) lets others probe first, so that a document which alone is refused
/// stops no other.
///
/// Thread safety: none; a gate belongs to one thread.
class probe_gate
{
public:
    struct limits {
        /// Setbacks in a row, the first included, after which the gate closes for good; 0 means never.
        int setbacks = 0;
        std::chrono::milliseconds longest{30'000}; ///< interval between probes
        /// Whether nothing else is sent until the first request was answered, for at most `first_alone`.
        bool one_first = false;
    };

    /// What a request may do now.
    enum class decision {
        open,   ///< send
        probe,  ///< call begin_probe() and send; report the outcome to the gate
        wait,   ///< ask again at check_at()
        closed, ///< do not send
    };

    static constexpr std::chrono::seconds first_alone{5};
    /// A probe that has had no outcome for this long is lost: its client was destroyed, or its thread no
    /// longer runs.
    static constexpr std::chrono::minutes longest_probe{10};

    explicit probe_gate(limits l) noexcept : limits_(l) {}

    decision ask(clock::time_point now, bool suspect = false) const noexcept
    {
        if (is_closed()) return decision::closed;
        if (is_paused())
            return is_probing(now) || now < first_probe(suspect) ? decision::wait : decision::probe;
        if (is_known_ || !limits_.one_first) return decision::open;
        if (!probing_) return decision::probe;
        return now < probe_began_ + first_alone ? decision::wait : decision::open;
    }

    /// When to ask again after `wait`. While a probe is in progress, its end is unknown: soon.
    clock::time_point check_at(clock::time_point now, bool suspect = false) const noexcept
    {
        return std::max(is_paused() ? first_probe(suspect) : now, now + recheck);
    }

    void begin_probe(clock::time_point now) noexcept
    {
        probing_ = true;
        probe_began_ = now;
        // If a probe ends without a verdict, the next one starts at least one interval after it began.
        next_probe_ = now + interval();
    }

    /// A request had a setback. `random` is uniform in [0, 1). `certain`: another attempt would have it, too,
    /// so the gate closes at once if nothing ever succeeded.
    ///
    /// Requests that were sent before the pause may have setbacks, too. They count as one, and delay no
    /// probe. But if something succeeded before, the gate closes only after enough setbacks of different
    /// requests.
    void failed(clock::time_point now, double random, bool suspect = false, bool certain = false) noexcept
    {
        if (is_closed()) return;
        if (!suspect) ++different_;
        certain_ |= certain && !is_known_;
        if (is_paused() && !probing_) return;
        probing_ = false;
        ++setbacks_;
        auto const jitter = static_cast<double>(interval().count()) * random / 4;
        next_probe_ =
            now + interval() + std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(jitter));
    }

    /// A request succeeded. A probe that does ends the pause, unless the gate has closed; the success of a
    /// request that was sent before the pause does not.
    void succeeded(bool by_probe = true) noexcept
    {
        if (is_closed() || (is_paused() && !by_probe)) return;
        has_succeeded_ = is_known_ = true;
        recoveries_ += is_paused();
        setbacks_ = different_ = 0;
        probing_ = false;
    }

    /// The first probe of this pause needs no interval, because it costs nothing.
    void probe_at_once(clock::time_point now) noexcept
    {
        if (setbacks_ == 1 && !probing_) next_probe_ = now;
    }

    /// All requests are refused for good.
    void close() noexcept
    {
        certain_ = true;
        setbacks_ = std::max(setbacks_, 1);
    }

    /// Something succeeded before this gate was made.
    void assume_success() noexcept { has_succeeded_ = true; }
    bool has_succeeded() const noexcept { return has_succeeded_; }
    /// How many pauses a probe has ended; may wrap around.
    std::uint32_t recoveries() const noexcept { return recoveries_; }

    /// A request was answered without a setback, but did not succeed: the first request no longer goes alone.
    /// A pause goes on.
    void answered() noexcept
    {
        is_known_ |= !is_paused();
        probing_ = false;
    }

    /// The probe ended without a verdict, such as by cancellation. Another one may be sent.
    void probe_ended() noexcept { probing_ = false; }

    /// When ask() may next return `probe`; meaningful only during a pause.
    clock::time_point next_probe() const noexcept { return next_probe_; }

    bool is_closed() const noexcept
    {
        if (certain_) return true;
        bool const enough = limits_.setbacks > 0 && setbacks_ >= limits_.setbacks;
        return enough && (!has_succeeded_ || different_ >= limits_.setbacks);
    }

    /// Counted setbacks in a row.
    int setbacks() const noexcept { return setbacks_; }

    /// Whether a setback has paused the requests, for good or until a probe succeeds.
    bool is_paused() const noexcept { return setbacks_ != 0; }

private:
    static constexpr std::chrono::milliseconds recheck{50};

    bool is_probing(clock::time_point now) const noexcept
    {
        return probing_ && now < probe_began_ + longest_probe;
    }

    clock::time_point first_probe(bool suspect) const noexcept
    {
        return suspect ? next_probe_ + recheck : next_probe_;
    }

    std::chrono::milliseconds interval() const noexcept
    {
        // 2^5 s already exceeds the cap; an unbounded shift could overflow.
        int const doublings = std::min(std::max(setbacks_ - 1, 0), 5);
        return std::min(std::chrono::milliseconds(1'000 << doublings), limits_.longest);
    }

    limits limits_;
    int setbacks_ = 0;  ///< in a row; 0 while requests may be sent
    int different_ = 0; ///< requests that had them
    std::uint32_t recoveries_ = 0;
    bool probing_ = false;
    bool is_known_ = false;      ///< a request was answered without a setback
    bool has_succeeded_ = false; ///< and did what it should
    bool certain_ = false;       ///< closed, however few setbacks there were
    clock::time_point probe_began_{};
    clock::time_point next_probe_{};
};

} // namespace ocrpipe

#endif
