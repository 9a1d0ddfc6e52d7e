#ifndef OCRPIPE_CLIENT_DETAIL_PACE_STATE_HPP
#define OCRPIPE_CLIENT_DETAIL_PACE_STATE_HPP

#include <ocrpipe/client/detail/service_health.hpp>
#include <ocrpipe/client/shared_pace.hpp>
#include <ocrpipe/pace/doc_type_gate.hpp>
#include <ocrpipe/pace/gcra.hpp>
#include <ocrpipe/pace/origin_gate.hpp>
#include <ocrpipe/pace/settle_window.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace ocrpipe::detail
{

/// How fast requests may be sent to the service, and the pauses that it asks for.
struct pace_limits {
    pace_limits(pace_options const& options, bool with_lock)
        : submit_rate(options.rates.submits_per_second)
        , poll_rate(options.rates.polls_per_second)
        , byte_rate(options.rates.bytes_per_second)
        , needs_lock(with_lock)
    {
    }

    gcra submit_rate;
    gcra poll_rate;
    gcra byte_rate;
    ocrpipe::origin_gate origin_gate;
    std::uint32_t throttled = 0; ///< answers that asked to slow down; may wrap around
    bool const needs_lock;
    std::recursive_mutex mutex;
};

/// What is known about the service for one account, and the limits. Belongs to one client, or to several
/// that share it; accounts may share the limits. All waits are for points in time, so no client ever needs
/// to wake another.
class pace_state
{
public:
    pace_state(pace_options const& options, bool needs_lock)
        : pace_state(options, std::make_shared<pace_limits>(options, needs_lock))
    {
    }

    pace_state(pace_options const& of, std::shared_ptr<pace_limits> limits)
        : limits_(std::move(limits))
        , submit_rate(limits_->submit_rate)
        , poll_rate(limits_->poll_rate)
        , byte_rate(limits_->byte_rate)
        , origin_gate(limits_->origin_gate)
        , throttled(limits_->throttled)
        , health(of)
    {
    }

    /// The state of another account.
    std::shared_ptr<pace_state> for_tenant(pace_options const& of) const
    {
        return std::make_shared<pace_state>(of, limits_);
    }

    /// The state of `shared`, or a new one for a single client if `shared` is null.
    static std::shared_ptr<pace_state> of(std::shared_ptr<shared_pace> const& shared,
                                          pace_options const& options, bool needs_lock)
    {
        return shared ? shared->state_ : std::make_shared<pace_state>(options, needs_lock);
    }

    /// Hold it while you use the members, but never across a co_await. It is recursive, because a decision
    /// under the lock may refuse a request, and the refusal locks again to return the reservations.
    using lock_type = std::unique_lock<std::recursive_mutex>;
    lock_type lock() const { return limits_->needs_lock ? lock_type(limits_->mutex) : lock_type(); }

private:
    std::shared_ptr<pace_limits> const limits_;

public:
    gcra& submit_rate;
    gcra& poll_rate;
    gcra& byte_rate;
    ocrpipe::origin_gate& origin_gate;
    std::uint32_t& throttled;
    service_health health;
    doc_type_gate doc_types;
    ocrpipe::settle_window settle_window;
    bool result_route_succeeded = false;
};

} // namespace ocrpipe::detail

#endif
