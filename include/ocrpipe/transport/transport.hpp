#ifndef OCRPIPE_TRANSPORT_TRANSPORT_HPP
#define OCRPIPE_TRANSPORT_TRANSPORT_HPP

#include <ocrpipe/core/task.hpp>
#include <ocrpipe/core/trace_context.hpp>
#include <ocrpipe/transport/connection_event.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace ocrpipe
{

/// One HTTP request as the engine describes it; the transport adds the base URL, credentials and framing.
///
/// A class with a constructor, not an aggregate: g++ 12 destroys aggregates twice in a full expression that
/// contains co_await.
class http_request
{
public:
    http_request(enum lane l, http_method m, std::string path) : target(std::move(path)), lane_(l), method_(m)
    {
    }

    enum lane lane() const noexcept { return lane_; }
    http_method method() const noexcept { return method_; }

    std::string target;          ///< path below the base URL, percent-encoded, without a leading slash
    std::string content_type;    ///< content type of the body; not sent if there is no body
    body_source* body = nullptr; ///< not owned; must outlive the exchange
    /// For the whole exchange, including the wait for a connection. It does not end a POST whose connection
    /// is open: the service might carry out what was sent. timeout_options does.
    clock::time_point deadline = clock::time_point::max();
    /// The span of this request, which the headers traceparent and tracestate carry; null: send neither. Not
    /// owned; must outlive the exchange.
    trace_context const* trace = nullptr;

private:
    enum lane lane_;
    http_method method_;
};

/// Interface between the protocol logic and the sockets. Tests, yours and ours, can implement it without a
/// server.
class transport
{
public:
    virtual ~transport() = default;

    /// Sends one request and reads the response, whatever its status. Never repeats a request once any of its
    /// bytes were sent.
    ///
    /// Errors: in the result; throws only std::bad_alloc.
    /// Cancellation: terminal, at any point; the connection in use is closed unless the response was
    /// complete.
    /// Thread safety: the client calls it on one executor, and never from two threads at once.
    virtual task<exchange_result> send(http_request request) = 0;

    /// Closes idle connections, and fails waiting and later exchanges with errc::client_closed. Exchanges in
    /// progress run to completion.
    virtual void close() = 0;

    /// From now on, passes the events of its connections to `observer`, if it has connections. An empty
    /// function ends this.
    virtual void observe_connections(connection_observer observer) { (void)observer; }
};

} // namespace ocrpipe

#endif
