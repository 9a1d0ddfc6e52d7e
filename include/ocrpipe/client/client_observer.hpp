#ifndef OCRPIPE_CLIENT_CLIENT_OBSERVER_HPP
#define OCRPIPE_CLIENT_CLIENT_OBSERVER_HPP

#include <ocrpipe/measure/exchange_event.hpp>
#include <ocrpipe/transport/connection_event.hpp>

namespace ocrpipe
{

/// Sees every HTTP exchange of a client, its connections and its pauses, for metrics, tracing or a log.
/// Override what you need. client_metrics is one that counts.
///
/// The functions are called one at a time, on the executor where the client keeps its state, before the
/// handler of the operation. They must not throw, must not block, and must not call the client. The events
/// and the views in them are valid during the call.
/// Thread safety: if several clients have the same observer, their threads may call it at the same time.
/// Cost: a client without observers takes no times for them.
class client_observer
{
public:
    virtual ~client_observer() = default;

    /// An exchange, which is an attempt of an operation or a poll of a job, has ended. A request that was
    /// refused before it reached the transport is no exchange.
    virtual void on_exchange(exchange_event const&) {}

    /// A connection was opened, could not be opened, was reused, or was closed.
    virtual void on_connection(connection_event const&) {}

    virtual void on_pause(pause_event const&) {}
};

} // namespace ocrpipe

#endif
