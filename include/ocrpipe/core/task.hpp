#ifndef OCRPIPE_CORE_TASK_HPP
#define OCRPIPE_CORE_TASK_HPP

#include <ocrpipe/core/clock.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ocrpipe
{

namespace asio = boost::asio;

/// A coroutine of the engine. The executor type is concrete: this saves a third of the cost of a dispatch
/// compared with any_io_executor.
template<class T>
using task = asio::awaitable<T, asio::io_context::executor_type>;

namespace detail
{

/// A timer and a token on the engine's concrete executor.
using timer = asio::basic_waitable_timer<clock, clock_wait_traits, asio::io_context::executor_type>;
inline constexpr asio::use_awaitable_t<asio::io_context::executor_type> use_task{};

} // namespace detail
} // namespace ocrpipe

#endif
