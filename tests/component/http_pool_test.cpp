// Waiting for a connection: order, lanes, limits, the connect rate, close.
#include "support/held_answers.hpp"

#include <list>

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE("http_transport: more exchanges than connections -> first come, first served, on the connections "
          "there are")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 2;
    int finished = 0;
    f.run([&]() -> task<void> {
        std::list<background_exchange> running;
        for (int i = 0; i < 10; ++i)
            running.emplace_back(f, f.get("ingest/" + std::to_string(i))).on_done = [&] { ++finished; };
        co_await server.async_arrived(2);
        for (server.released = 1; server.released <= 10; ++server.released) {
            auto const step = [&] { return finished == server.released; };
            co_await until(step);
        }
        for (auto& e : running)
            CHECK(e.result().has_value());
    });
    CHECK(f.server.accepted() == 2);
    REQUIRE(server.requests.size() == 10);
    for (std::size_t i = 2; i < 10; ++i)
        CHECK(server.requests[i].find("ingest/" + std::to_string(i) + " ") != std::string::npos);
}

TEST_CASE("http_transport: a lane full of uploads -> polls and parts still go out")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.submit_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange submit(f, f.get("ingest", lane::submit));
        background_exchange blocked(f, f.get("ingest", lane::submit));
        background_exchange poll(f, f.get("ingest/1", lane::poll));
        background_exchange part(f, f.get("ingest/table/1/2", lane::part));
        co_await server.async_arrived(3);
        co_await turns(20);
        CHECK(server.arrived == 3);
        server.release_all();
        for (background_exchange* e : {&submit, &blocked, &poll, &part})
            co_await e->async_done();
    });
}

TEST_CASE("http_transport: more wait for a connection than may -> too_many_waiting at once, nothing sent")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.options.pool.max_waiting = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange waiter(f, f.get());
        co_await server.async_arrived(1);
        exchange_result const refused = co_await f.get();
        CHECK(failure_of(refused).code == errc::too_many_waiting);
        CHECK(refused.error().where == phase::acquire);
        CHECK(refused.error().sent == bytes_sent::none);
        server.release_all();
        co_await holder.async_done();
        co_await waiter.async_done();
        CHECK(waiter.result().has_value());
    });
}

TEST_CASE("http_transport: nobody gives a connection back in time -> acquire_timeout, nothing sent or lost")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.options.timeouts.acquire = 20ms;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        co_await server.async_arrived(1);
        exchange_result const late = co_await f.get();
        CHECK(failure_of(late).code == errc::acquire_timeout);
        CHECK(late.error().where == phase::acquire);
        CHECK(late.error().sent == bytes_sent::none);
        server.release_all();
        co_await holder.async_done();
        CHECK(holder.result().has_value());
        exchange_result const next = co_await f.get();
        CHECK(next.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: close -> waiters and later exchanges fail, those under way end by themselves")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange running(f, f.get());
        background_exchange waiter(f, f.get());
        co_await server.async_arrived(1);
        f.transport->close();
        co_await waiter.async_done();
        CHECK(failure_of(waiter.result()).code == errc::client_closed);
        exchange_result const later = co_await f.get();
        CHECK(failure_of(later).code == errc::client_closed);
        server.release_all();
        co_await running.async_done();
        CHECK(running.result().has_value());
        co_await f.async_closed(1);
    });
}

TEST_CASE("http_transport: close -> idle connections are closed")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        CHECK(r.has_value());
        CHECK(f.server.closed() == 0);
        f.transport->close();
        co_await f.async_closed(1);
    });
}

TEST_CASE("http_transport: destroyed with exchanges under way -> they end by themselves")
{
    held_answers server;
    http_fixture f(server.script());
    f.run([&]() -> task<void> {
        background_exchange running(f, f.get());
        co_await server.async_arrived(1);
        f.transport = std::move(http_transport::make(f.ioc.get_executor(), f.options).value());
        server.release_all();
        co_await running.async_done();
        CHECK(running.result().has_value());
    });
}

TEST_CASE("http_transport: the io_context is destroyed with exchanges in every state -> nothing leaks")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.transport = std::move(http_transport::make(f.ioc.get_executor(), f.options).value());
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(f.ioc, f.get(), asio::detached);
    while (server.arrived == 0)
        f.ioc.run_one();
    f.transport.reset();
    CHECK(server.arrived == 1);
}

TEST_CASE("http_transport: connects faster than allowed -> spread, and an idle connection ends the wait")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.max_connects_per_second = 0.001; // the second would come after a quarter of an hour
    f.run([&]() -> task<void> {
        background_exchange first(f, f.get());
        background_exchange second(f, f.get());
        co_await server.async_arrived(1);
        CHECK_FALSE(second.done());
        server.release_all();
        co_await first.async_done();
        co_await second.async_done();
        CHECK(second.result().has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: the connect rate and nobody gives a connection back -> acquire_timeout, its slot "
          "free again")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.max_connects_per_second = 0.001;
    f.options.pool.poll_connections = 1;
    f.options.timeouts.acquire = 20ms;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get("ingest", lane::submit));
        co_await server.async_arrived(1);
        exchange_result const late = co_await f.get();
        CHECK(failure_of(late).code == errc::acquire_timeout);
        server.release_all();
        co_await holder.async_done();
        exchange_result const next = co_await f.get();
        CHECK(next.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE(
    "http_transport: many exchanges at once, some cancelled, some refused -> slots and connections add up")
{
    constexpr int connections = 4;
    held_answers server;
    server.requests_per_connection = 7; // every connection ends sooner or later, without a word
    server.release_all();
    http_fixture f(server.script());
    f.options.pool.poll_connections = connections;
    f.options.pool.max_waiting = 100;
    f.run([&]() -> task<void> {
        std::list<background_exchange> all;
        for (int i = 0; i < 200; ++i) {
            all.emplace_back(f, f.get("ingest/" + std::to_string(i)));
            if (i % 5 == 0) co_await turns(1);
            if (i % 7 == 0) all.back().cancel();
        }
        int answered = 0;
        for (auto& e : all) {
            co_await e.async_done();
            if (e.result().has_value())
                ++answered;
            else
                CHECK((e.result().error().code == errc::cancelled ||
                       e.result().error().code == errc::too_many_waiting));
        }
        CHECK(answered > 100);
        co_await turns(20); // the server reads what was sent before it was cancelled

        // The lane's slots are all free: as many requests arrive together, and the next one waits.
        int const before = server.released = server.arrived;
        all.clear();
        for (int i = 0; i <= connections; ++i)
            all.emplace_back(f, f.get());
        co_await server.async_arrived(before + connections);
        co_await turns(20);
        CHECK(server.arrived == before + connections);
        server.release_all();
        for (auto& e : all)
            co_await e.async_done();
    });
}
