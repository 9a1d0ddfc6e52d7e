#ifndef OCRPIPE_HTTP_TCP_TYPES_HPP
#define OCRPIPE_HTTP_TCP_TYPES_HPP

#include <ocrpipe/transport/http_message.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ocrpipe
{
namespace detail
{

using io_executor = asio::io_context::executor_type;
using tcp = asio::ip::tcp;
using tcp_socket = asio::basic_stream_socket<tcp, io_executor>;
using steady_timer = asio::basic_waitable_timer<clock, asio::wait_traits<clock>, io_executor>;

/// The completion token of this layer: errors are values, because a disconnecting peer is not exceptional.
inline auto await_into(error_code& ec)
{
    return asio::redirect_error(asio::use_awaitable_t<io_executor>(), ec);
}

inline bool is_cancelled(asio::cancellation_state const& state) noexcept
{
    return state.cancelled() != asio::cancellation_type::none;
}

} // namespace detail
} // namespace ocrpipe

#endif
