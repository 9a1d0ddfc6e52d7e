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

namespace ocrpipe::detail
{

/// What is known about the service, and how fast requests may be sent to it. Belongs to one client, or to
/// several that share it. All waits are for points in time, so no client ever needs to wake another.
class pace_state
{
public:
    pace_state(pace_options const& options, bool needs_lock)
        : submit_rate(options.rates.submits_per_second)
        , poll_rate(options.rates.polls_per_second)
        , byte_rate(options.rates.bytes_per_second)
        , health(options)
        , needs_lock_(needs_lock)
    {
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
    lock_type lock() const { return needs_lock_ ? lock_type(mutex_) : lock_type(); }

    gcra submit_rate;
    gcra poll_rate;
    gcra byte_rate;
    ocrpipe::origin_gate origin_gate;
    service_health health;
    doc_type_gate doc_types;
    ocrpipe::settle_window settle_window;
    bool result_route_succeeded = false;
    std::uint32_t throttled = 0; ///< answers that asked to slow down; may wrap around

private:
    bool const needs_lock_;
    mutable std::recursive_mutex mutex_;
};

} // namespace ocrpipe::detail

#endif
