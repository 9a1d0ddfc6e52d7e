#ifndef OCRPIPE_HTTP_CONNECTOR_HPP
#define OCRPIPE_HTTP_CONNECTOR_HPP

#include <ocrpipe/http/connection.hpp>
#include <ocrpipe/http/host_resolver.hpp>
#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/http/origin.hpp>
#include <ocrpipe/transport/connection_event.hpp>

#include <memory>
#include <optional>
#include <span>

namespace ocrpipe
{
namespace detail
{

/// Connects to the first address that accepts. Starts the next attempt 250 ms after the previous one, or at
/// once if one fails; earlier attempts continue meanwhile.
///
/// Errors: asio::error::timed_out at `deadline`, operation_aborted, or that of the last attempt.
/// Source: RFC 8305, section 5.
OCRPIPE_DECL task<std::optional<tcp_socket>> async_connect_any(executor const& ex,
                                                               std::span<tcp::endpoint const> to,
                                                               clock::time_point deadline, error_code& ec);

/// Opens connections to one origin: name resolution, TCP, a tunnel through the proxy, TLS.
///
/// Thread safety: none.
class connector
{
public:
    connector(executor const& ex, watchdog& dog, shared_io& shared, origin to,
              std::optional<proxy_server> proxy, std::unique_ptr<tls_context> tls,
              http_options const& options);

    /// Returns a connection ready for a request, or null with `failure` set. Sends no part of a request.
    /// `course` gets the times of its steps.
    task<std::unique_ptr<connection>> async_open(clock::time_point deadline, connection_event& course,
                                                 transport_failure& failure);

private:
    task<bool> async_tunnel(connection& c, clock::time_point deadline, transport_failure& failure);
    task<bool> async_handshake(connection& c, clock::time_point deadline, transport_failure& failure);

    executor executor_;
    watchdog& dog_;
    shared_io& shared_;
    origin to_;
    std::optional<proxy_server> proxy_;
    std::unique_ptr<tls_context> tls_;
    timeout_options timeouts_;
    limit_options limits_;
    host_resolver resolver_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/connector.ipp>
#endif

#endif
