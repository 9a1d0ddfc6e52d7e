#ifndef OCRPIPE_HTTP_HTTP_TRANSPORT_HPP
#define OCRPIPE_HTTP_HTTP_TRANSPORT_HPP

#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <array>
#include <cstdint>
#include <memory>

namespace ocrpipe
{

/// What a transport's connections did and do.
struct pool_statistics {
    // Since the transport was made; these never fall.
    std::uint64_t exchanges = 0; ///< requests that were given a connection, repeats and redirects included
    std::uint64_t connects = 0;  ///< connections opened, with tunnel and handshake
    std::uint64_t connect_failures = 0; ///< attempts to open one that failed
    std::uint64_t reuses = 0;           ///< exchanges on a connection that had served one before
    std::uint64_t handshakes = 0;       ///< TLS handshakes, resumed ones included
    std::uint64_t resumptions = 0;      ///< TLS handshakes that resumed a session
    std::uint64_t stale_closed = 0;     ///< idle connections that the probe found dead
    std::uint64_t repeats = 0;          ///< requests sent again because a reused connection died under them
    std::uint64_t waits = 0;            ///< operations that had to wait for a connection

    // Now.
    std::size_t open = 0;                          ///< connections, in use and idle
    std::size_t idle = 0;                          ///< connections
    std::array<std::size_t, lane_count> in_use{};  ///< slots by lane, those being connected included
    std::array<std::size_t, lane_count> waiting{}; ///< operations by lane
    std::chrono::milliseconds idle_limit{0}; ///< after which an idle connection is not trusted, as learned
};

/// HTTP/1.1 over pooled TCP or TLS connections to one origin.
///
/// Thread safety: none; everything happens on the thread that runs the io_context.
/// Lifetime: the transport must be destroyed before its io_context. Exchanges under way keep what they need
/// of it.
/// Cost: a connection holds 16 KiB for the beginning of an answer; an exchange holds at most 64 KiB of its
/// request, twice that under TLS. Nothing is pending while nothing is in use: io_context::run() returns, and
/// idle connections that are over are closed when the next exchange looks at them.
class http_transport final : public transport
{
public:
    /// Reads certificates and checks the options; does no network input or output.
    ///
    /// Errors: errc::invalid_argument, with a reason that names each option that is wrong and the remedy.
    static result<std::unique_ptr<http_transport>> make(asio::io_context& ioc, http_options const& options);

    ~http_transport() override;

    /// As transport::async_exchange(). One exception to "never repeats": a GET that was sent on a reused
    /// connection which ended before a byte of the answer is sent once more, on a fresh connection.
    ///
    /// Errors: those of error.hpp from cancelled to redirect_refused; invalid_argument for a target that is
    /// not percent-encoded; what the body source reports.
    /// Cancellation: terminal. Waiting: the place in the queue is left and no connection is lost. Connecting,
    /// sending, receiving: the connection is closed.
    task<exchange_result> async_exchange(http_request request) override;

    void close() override;

    pool_statistics statistics() const;

private:
    class impl;

    explicit http_transport(std::shared_ptr<impl> i);

    std::shared_ptr<impl> impl_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/http_transport.ipp>
#endif

#endif
