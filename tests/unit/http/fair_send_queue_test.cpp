#include <ocrpipe/http/fair_send_queue.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace ocrpipe;
namespace asio = boost::asio;

namespace
{

constexpr int uploads = 16;
constexpr int chunks = 3;

/// Notes its number in each of its turns.
task<void> upload(detail::fair_send_queue& queue, int number, std::vector<int>& log)
{
    for (int i = 0; i != chunks; ++i) {
        co_await queue.async_turn();
        log.push_back(number);
    }
}

} // namespace

TEST_CASE("fair_send_queue: many uploads -> one chunk each in turn")
{
    asio::io_context ioc(1);
    detail::fair_send_queue queue(ioc.get_executor());
    std::vector<int> log;
    for (int i = 0; i != uploads; ++i)
        asio::co_spawn(ioc, upload(queue, i, log), asio::detached);
    ioc.run();
    std::vector<int> expected;
    for (int i = 0; i != uploads * chunks; ++i)
        expected.push_back(i % uploads);
    CHECK(log == expected);
}

TEST_CASE(
    "fair_send_queue: the first chunk brings an answer -> it is seen two chunks later, with others queued")
{
    constexpr int answer = -1;
    asio::io_context ioc(1);
    detail::fair_send_queue queue(ioc.get_executor());
    asio::local::stream_protocol::socket ours(ioc), peers(ioc);
    asio::local::connect_pair(ours, peers);
    std::vector<int> log;
    ours.async_wait(asio::local::stream_protocol::socket::wait_read,
                    [&](error_code ec) { log.push_back(ec ? -2 : answer); });
    auto first = [&]() -> task<void> {
        co_await queue.async_turn();
        log.push_back(0);
        asio::write(peers, asio::buffer("x", 1));
        co_await upload(queue, 0, log);
    };
    asio::co_spawn(ioc, first(), asio::detached);
    for (int i = 1; i != uploads; ++i)
        asio::co_spawn(ioc, upload(queue, i, log), asio::detached);
    ioc.run();
    CHECK(log.size() == uploads * chunks + 2);
    auto const seen = std::find(log.begin(), log.end(), answer);
    REQUIRE(seen != log.end());
    CHECK(seen - log.begin() <= 3);
}

TEST_CASE("fair_send_queue: the io_context ends with uploads queued -> they end with it")
{
    auto const alive = std::make_shared<int>(0);
    {
        asio::io_context ioc(1);
        auto const queue = std::make_shared<detail::fair_send_queue>(ioc.get_executor());
        // As in a transport: what waits keeps alive what it waits in.
        auto waits = [](std::shared_ptr<detail::fair_send_queue> q, std::shared_ptr<int>) -> task<void> {
            co_await q->async_turn();
        };
        for (int i = 0; i != 3; ++i)
            asio::co_spawn(ioc, waits(queue, alive), asio::detached);
        for (int i = 0; i != 3; ++i)
            ioc.run_one();
        CHECK(alive.use_count() == 4);
    }
    CHECK(alive.use_count() == 1);
}
