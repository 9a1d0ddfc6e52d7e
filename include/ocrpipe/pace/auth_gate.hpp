#ifndef OCRPIPE_PACE_AUTH_GATE_HPP
#define OCRPIPE_PACE_AUTH_GATE_HPP

#include <ocrpipe/core/clock.hpp>

#include <algorithm>
#include <chrono>

namespace ocrpipe
{

/// The state of a lane (endpoint, tenant, key) whose credentials may be refused: one refusal pauses
/// everything, then one probe at a time goes out, so that a million documents do not fail one by one for one
/// bad key.
///
/// Probes are an interval apart that grows from 1 s by doubling to 30 s, plus up to a quarter of jitter.
///
/// Thread safety: none; a gate belongs to one thread.
class auth_gate
{
public:
    /// What a request may do that asks.
    enum class passage {
        open,    ///< go
        probe,   ///< go, as the only one; its outcome must be told to the gate
        wait,    ///< ask again at next_probe() or when the gate changed
        refused, ///< never: the credentials were refused as often as is allowed
    };

    /// `max_refusals`: refusals in a row, the first one included, after which the lane is refused for good;
    /// at least 1.
    explicit auth_gate(int max_refusals) noexcept : max_refusals_(std::max(max_refusals, 1)) {}

    passage ask(clock::time_point now) noexcept
    {
        if (is_refused()) return passage::refused;
        if (refusals_ == 0) return passage::open;
        if (probing_ || now < next_probe_) return passage::wait;
        probing_ = true;
        // A probe that ends without a verdict is followed by the next one no sooner than an interval after it
        // began.
        next_probe_ = now + interval();
        return passage::probe;
    }

    /// A request was answered 401, 402 or 403. `random` is uniform in [0, 1).
    ///
    /// Requests that were on their way when the lane closed are refused too, one after another; before the
    /// next probe they say nothing new and do not count.
    void refused(clock::time_point now, double random) noexcept
    {
        if (is_refused() || (refusals_ != 0 && !probing_)) return;
        probing_ = false;
        ++refusals_;
        auto const jitter = static_cast<double>(interval().count()) * random / 4;
        next_probe_ =
            now + interval() + std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(jitter));
    }

    /// A request was answered, and its credentials were accepted: the lane is open. A lane refused for good
    /// stays so.
    void succeeded() noexcept
    {
        if (is_refused()) return;
        refusals_ = 0;
        probing_ = false;
    }

    /// The probe ended without a verdict: transport error, cancellation. Another one may go.
    void probe_ended() noexcept { probing_ = false; }

    /// When ask() may next give a probe; meaningful while the lane is paused.
    clock::time_point next_probe() const noexcept { return next_probe_; }

    bool is_refused() const noexcept { return refusals_ >= max_refusals_; }

    /// Refusals in a row that counted.
    int refusals() const noexcept { return refusals_; }

    /// Whether a refusal has paused the lane, for good or until a probe succeeds.
    bool is_paused() const noexcept { return refusals_ != 0; }

private:
    std::chrono::milliseconds interval() const noexcept
    {
        // 2^5 s is beyond the cap already; more would overflow in the end.
        int const doublings = std::min(std::max(refusals_ - 1, 0), 5);
        return std::min(std::chrono::milliseconds(1'000 << doublings), std::chrono::milliseconds(30'000));
    }

    int max_refusals_;
    int refusals_ = 0; ///< in a row; 0 while the lane is open
    bool probing_ = false;
    clock::time_point next_probe_{};
};

} // namespace ocrpipe

#endif
