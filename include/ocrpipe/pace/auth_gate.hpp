#ifndef OCRPIPE_PACE_AUTH_GATE_HPP
#define OCRPIPE_PACE_AUTH_GATE_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>

namespace ocrpipe
{

/// The state of the credentials (endpoint, tenant, key), which may be refused: one refusal pauses all
/// requests, then one probe at a time is sent. So a bad key does not make a million documents fail one by
/// one.
///
/// The interval between probes doubles from 1 s to 30 s, plus up to 25 % of jitter.
///
/// Thread safety: none; a gate belongs to one thread.
class auth_gate
{
public:
    /// What a request may do now.
    enum class decision {
        open,    ///< send
        probe,   ///< send, as the only request; report its outcome to the gate
        wait,    ///< ask again at next_probe() or when the gate changed
        refused, ///< do not send: the credentials were refused `max_refusals` times
    };

    /// `max_refusals`: number of refusals in a row, the first included, after which they are refused for
    /// good; at least 1.
    explicit auth_gate(int max_refusals) noexcept : max_refusals_(std::max(max_refusals, 1)) {}

    decision ask(clock::time_point now) noexcept
    {
        if (is_refused()) return decision::refused;
        if (refusals_ == 0) return decision::open;
        if (probing_ || now < next_probe_) return decision::wait;
        probing_ = true;
        // If a probe ends without a verdict, the next one starts at least one interval after it began.
        next_probe_ = now + interval();
        return decision::probe;
    }

    /// A request was answered 401, 402 or 403. `random` is uniform in [0, 1).
    ///
    /// Requests that were in flight when the pause began are refused too. Until the next probe these
    /// refusals are not counted.
    void refused(clock::time_point now, double random) noexcept
    {
        if (is_refused() || (refusals_ != 0 && !probing_)) return;
        probing_ = false;
        ++refusals_;
        auto const jitter = static_cast<double>(interval().count()) * random / 4;
        next_probe_ =
            now + interval() + std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(jitter));
    }

    /// A request was answered and its credentials were accepted: ends the pause, unless they were refused for
    /// good.
    void succeeded() noexcept
    {
        if (is_refused()) return;
        refusals_ = 0;
        probing_ = false;
    }

    /// The probe ended without a verdict (transport error, cancellation). Another one may be sent.
    void probe_ended() noexcept { probing_ = false; }

    /// When ask() may next return `probe`; meaningful only during a pause.
    clock::time_point next_probe() const noexcept { return next_probe_; }

    bool is_refused() const noexcept { return refusals_ >= max_refusals_; }

    /// Counted refusals in a row.
    int refusals() const noexcept { return refusals_; }

    /// Whether a refusal has paused all requests, for good or until a probe succeeds.
    bool is_paused() const noexcept { return refusals_ != 0; }

private:
    std::chrono::milliseconds interval() const noexcept
    {
        // 2^5 s already exceeds the cap; an unbounded shift could overflow.
        int const doublings = std::min(std::max(refusals_ - 1, 0), 5);
        return std::min(std::chrono::milliseconds(1'000 << doublings), std::chrono::milliseconds(30'000));
    }

    int max_refusals_;
    int refusals_ = 0; ///< in a row; 0 while requests may be sent
    bool probing_ = false;
    clock::time_point next_probe_{};
};

} // namespace ocrpipe

#endif
