#ifndef OCRPIPE_HTTP_TCP_TYPES_HPP
#define OCRPIPE_HTTP_TCP_TYPES_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

namespace ocrpipe
{
namespace detail
{

using tcp = asio::ip::tcp;
using tcp_socket = tcp::socket;

/// The completion token of this layer: errors are values, because a disconnecting peer is not exceptional.
inline auto await_into(error_code& ec) { return asio::redirect_error(use_task, ec); }

inline bool is_cancelled(asio::cancellation_state const& state) noexcept
{
    return state.cancelled() != asio::cancellation_type::none;
}

} // namespace detail
} // namespace ocrpipe

#endif
