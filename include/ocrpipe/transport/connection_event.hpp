#ifndef OCRPIPE_TRANSPORT_CONNECTION_EVENT_HPP
#define OCRPIPE_TRANSPORT_CONNECTION_EVENT_HPP

#include <ocrpipe/core/clock.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace ocrpipe
{

/// What happened to a pooled connection.
enum class connection_step {
    opened,
    failed, ///< it could not be opened
    reused, ///< it was idle, and carries another exchange
    closed,
};

/// Why a connection was closed.
enum class close_reason {
    none,      ///< it is open
    exchange,  ///< its exchange failed or was cancelled, or the answer said that no other may follow
    by_peer,   ///< the peer had closed it while it was idle
    suspect,   ///< it received data while it was idle, or another idle connection was found dead
    idle,      ///< it was idle for as long as it may be
    age,       ///< it was open for as long as it may be
    exchanges, ///< it has carried as many exchanges as it may
    shutdown,  ///< the client was closed
};
inline constexpr std::size_t close_reason_count = 8;

/// The enumerator's own name.
constexpr std::string_view name(close_reason why) noexcept
{
    constexpr std::string_view names[] = {"none", "exchange", "by_peer",   "suspect",
                                          "idle", "age",      "exchanges", "shutdown"};
    return names[static_cast<std::size_t>(why)];
}

/// A step in the life of a pooled connection. Times that were not reached are time_point().
struct connection_event {
    connection_step what = connection_step::opened;
    std::uint32_t id = 0;          ///< of the connection; that of a closed one is used again. 0 if it failed
    enum lane lane = lane::submit; ///< of the exchange for which it was opened or reused; not for `closed`
    std::uint32_t exchanges = 0;   ///< carried so far
    close_reason why = close_reason::none;
    error_code error; ///< if it failed; an ocrpipe::errc

    clock::time_point at{};

    // For `opened` and `failed`, in ascending order.
    clock::time_point began{};     ///< the name was looked up
    clock::time_point resolved{};  ///< the addresses were known
    clock::time_point connected{}; ///< TCP was connected
    clock::time_point tunnelled{}; ///< the proxy had connected to the origin, if there is such a proxy
    clock::time_point secured{};   ///< TLS was established, if there is TLS
};

/// Receives the events of a transport's connections, on its executor. It must not throw, must not block, and
/// must not use the transport.
using connection_observer = std::function<void(connection_event const&)>;

} // namespace ocrpipe

#endif
