#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_METRICS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_METRICS_IPP

#include <ocrpipe/client/client_metrics.hpp>

#include <algorithm>

namespace ocrpipe
{

OCRPIPE_DECL metrics_snapshot client_metrics::snapshot() const
{
    std::lock_guard const lock(mutex_);
    metrics_snapshot s = counted_;
    clock::time_point const now = clock::now();
    for (auto const k : {pause_kind::throttled, pause_kind::outage, pause_kind::credentials})
        s.pauses[static_cast<std::size_t>(k)] = pauses_.of(k, now);
    return s;
}

OCRPIPE_DECL void client_metrics::on_exchange(exchange_event const& e)
{
    std::lock_guard const lock(mutex_);
    operation_metrics& m = counted_.operations[static_cast<std::size_t>(e.what)];
    ++m.statuses[e.status != 0 ? e.status : -e.error.value()];
    if (is_known(e.sent)) m.wait.record(e.sent - e.due);
    if (is_known(e.sent) && e.status != 0) m.latency.record(e.answered - e.sent);
    if (is_retried(e)) ++m.retries;
    if (e.not_yet) ++m.not_yet;
    m.bytes_up += e.bytes_up;
    m.bytes_down += e.bytes_down;
}

OCRPIPE_DECL void client_metrics::on_connection(connection_event const& e)
{
    std::lock_guard const lock(mutex_);
    connection_metrics& m = counted_.connections;
    switch (e.what) {
    case connection_step::opened:
        ++m.opened;
        ++m.open;
        m.resolve.record(e.resolved - e.began);
        m.connect.record(e.connected - e.resolved);
        if (is_known(e.secured)) m.tls.record(e.secured - std::max(e.connected, e.tunnelled));
        break;
    case connection_step::failed:
        ++m.failed;
        break;
    case connection_step::reused:
        ++m.reused;
        break;
    case connection_step::closed:
        ++m.closed[static_cast<std::size_t>(e.why)];
        if (m.open > 0) --m.open; // it may have been opened before this observer was added
        break;
    }
}

OCRPIPE_DECL void client_metrics::on_pause(pause_event const& e)
{
    std::lock_guard const lock(mutex_);
    pauses_.add(e);
}

} // namespace ocrpipe

#endif
