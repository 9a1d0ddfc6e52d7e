#ifndef OCRPIPE_HTTP_HTTP_TRANSPORT_HPP
#define OCRPIPE_HTTP_HTTP_TRANSPORT_HPP

#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <memory>

namespace ocrpipe
{

/// HTTP/1.1 over pooled TCP or TLS connections to one origin.
///
/// Thread safety: none; everything happens on its executor, which must run one handler at a time: a strand,
/// or an executor whose context is run by one thread.
/// Lifetime: the transport must be destroyed before its execution context. Exchanges in progress keep the
/// state they need alive.
/// Cost: a connection holds 16 KiB for the start of an answer; an exchange buffers at most 64 KiB of its
/// request, twice that with TLS. While no exchange is in progress nothing is pending: run() of its context
/// returns, and expired idle connections are closed by the next exchange.
class http_transport final : public transport
{
public:
    /// Loads certificates and checks the options; does no network I/O.
    ///
    /// Errors: errc::invalid_argument, with a reason that names each invalid option and its remedy.
    static result<std::unique_ptr<http_transport>> make(executor const& ex, http_options const& options);

    ~http_transport() override;

    /// A transport for another user of the same service, on the same executor, that shares the connections.
    /// Of `tenant`, base_url is not used: the connections decide. They are closed when all transports that
    /// share them are.
    std::unique_ptr<http_transport> for_tenant(endpoint_options const& tenant) const;

    /// See transport::send(). One exception to "never repeats": if a GET was sent on a reused
    /// connection that closed before the first byte of the answer, it is sent once more on a fresh
    /// connection.
    ///
    /// Errors: those of error.hpp from cancelled to redirect_refused; invalid_argument for a target that is
    /// not percent-encoded; those of the body source.
    /// Cancellation: terminal. While waiting: leaves the queue, and no connection is lost. While connecting,
    /// sending or receiving: closes the connection.
    task<exchange_result> send(http_request request) override;

    void close() override;

    void observe_connections(connection_observer observer) override;

private:
    class connections;
    class impl;

    explicit http_transport(std::shared_ptr<impl> i);

    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/http_transport.ipp>
#endif

#endif
