#ifndef OCRPIPE_CORE_TASK_HPP
#define OCRPIPE_CORE_TASK_HPP

#include <ocrpipe/core/clock.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace ocrpipe
{

namespace asio = boost::asio;

/// What the engine runs on: a strand, or an executor whose context is run by one thread.
using executor = asio::any_io_executor;

/// A coroutine of the engine.
template<class T>
using task = asio::awaitable<T>;

namespace detail
{

using timer = asio::basic_waitable_timer<clock, clock_wait_traits>;
inline constexpr asio::use_awaitable_t<> use_task{};

} // namespace detail
} // namespace ocrpipe

#endif
