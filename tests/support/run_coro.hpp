#ifndef OCRPIPE_TESTS_SUPPORT_RUN_CORO_HPP
#define OCRPIPE_TESTS_SUPPORT_RUN_CORO_HPP

#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/co_spawn.hpp>

#include <doctest/doctest.h>

#include <exception>
#include <functional>

/// Runs one coroutine to its end on `ioc`, rethrows what it threw, and fails the test when it never
/// completed.
inline void run_coro(boost::asio::io_context& ioc, std::function<ocrpipe::task<void>()> const& body)
{
    std::exception_ptr thrown;
    bool completed = false;
    boost::asio::co_spawn(ioc, body(), [&](std::exception_ptr e) {
        thrown = e;
        completed = true;
    });
    ioc.restart();
    ioc.run();
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(completed);
}

inline void run_coro(std::function<ocrpipe::task<void>()> const& body)
{
    boost::asio::io_context ioc(1);
    run_coro(ioc, body);
}

#endif
