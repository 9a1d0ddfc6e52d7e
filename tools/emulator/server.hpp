#ifndef OCRPIPE_EMULATOR_SERVER_HPP
#define OCRPIPE_EMULATOR_SERVER_HPP

#include "emulator/emulator_options.hpp"
#include "emulator/service.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace ocrpipe::emulator
{

/// Sockets in front of a service: HTTP/1.1 over TCP or TLS. All of it runs in the thread of the io_context.
///
/// Lifetime: connections live in the io_context, which must be destroyed before the service and after the
/// server.
class server
{
public:
    /// Binds, and listens unless a fault says to refuse connections at first. Throws std::system_error when
    /// it cannot, and when a PEM file cannot be used.
    server(boost::asio::io_context& ioc, emulator_options const& options, service& s);
    ~server();

    unsigned short port() const noexcept;

    /// Closes the listener, so that connections are refused while the port stays ours; or listens again.
    void refuse_connections(bool refuse);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace ocrpipe::emulator

#endif
