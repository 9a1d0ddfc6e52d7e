// Cancellation in each phase of an exchange.
#include "support/held_answers.hpp"

using namespace ocrpipe;

TEST_CASE("http_transport: cancelled before it begins -> cancelled, nothing sent")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        background_exchange e(f, f.get());
        e.cancel();
        co_await e.async_done();
        CHECK(failure_of(e.result()).code == errc::cancelled);
        CHECK(e.result().error().sent == bytes_sent::none);
    });
}

TEST_CASE(
    "http_transport: a waiting exchange is cancelled -> its place goes to the next, no connection is lost")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange cancelled(f, f.get());
        background_exchange next(f, f.get());
        co_await server.async_arrived(1);
        cancelled.cancel();
        co_await cancelled.async_done();
        CHECK(failure_of(cancelled.result()).code == errc::cancelled);
        CHECK(cancelled.result().error().where == phase::acquire);
        CHECK(cancelled.result().error().sent == bytes_sent::none);
        server.release_all();
        co_await holder.async_done();
        co_await next.async_done();
        CHECK(next.result().has_value());
        exchange_result const last = co_await f.get();
        CHECK(last.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: cancelled in the moment in which it is given a connection -> the connection goes "
          "to the next")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange cancelled(f, f.get());
        background_exchange next(f, f.get());
        co_await server.async_arrived(1);
        holder.on_done = [&] {
            cancelled.cancel();
        }; // the hand-off has been decided, and not yet been noticed
        server.release_all();
        co_await holder.async_done();
        co_await cancelled.async_done();
        co_await next.async_done();
        CHECK(failure_of(cancelled.result()).code == errc::cancelled);
        CHECK(cancelled.result().error().sent == bytes_sent::none);
        CHECK(next.result().has_value());
        CHECK(server.arrived == 2);
        exchange_result const last = co_await f.get();
        CHECK(last.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: cancelled while the connect rate makes it wait -> cancelled, its slot free again")
{
    held_answers server;
    http_fixture f(server.script());
    f.options.pool.max_connects_per_second = 0.001;
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get("ingest", lane::submit));
        background_exchange cancelled(f, f.get());
        co_await server.async_arrived(1);
        CHECK_FALSE(cancelled.done());
        cancelled.cancel();
        co_await cancelled.async_done();
        CHECK(failure_of(cancelled.result()).code == errc::cancelled);
        CHECK(cancelled.result().error().where == phase::acquire);
        server.release_all();
        co_await holder.async_done();
        exchange_result const next = co_await f.get();
        CHECK(next.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: cancelled while it sends, waits and reads -> cancelled, with what was sent, "
          "connection closed")
{
    enum class when { writing, waiting, reading };
    for (when const w : {when::writing, when::waiting, when::reading}) {
        CAPTURE(static_cast<int>(w));
        bool ready = false;
        bool cancelled = false;
        http_fixture f([&](scripted_peer& p) -> task<void> {
            if (w == when::writing)
                co_await p.read_head();
            else
                co_await p.read_request();
            if (w == when::reading) co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1");
            ready = true;
            auto const is_cancelled = [&cancelled] { return cancelled; };
            co_await until(is_cancelled);
            co_await p.until_closed();
        });
        f.run([&]() -> task<void> {
            test_body body(std::string(w == when::writing ? 50'000'000 : 100, 'x'));
            background_exchange e(f, f.post(body));
            auto const started = [&] { return ready; };
            co_await until(started);
            co_await turns(100);
            e.cancel();
            co_await e.async_done();
            cancelled = true;
            CHECK(failure_of(e.result()).code == errc::cancelled);
            CHECK(e.result().error().sent == (w == when::writing ? bytes_sent::some : bytes_sent::all));
            co_await f.async_closed(1);
        });
    }
}

TEST_CASE("http_transport: an upload that never has to wait is cancelled -> no more of it is sent")
{
    constexpr std::size_t size = 200'000'000;
    std::size_t read = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        for (;;) {
            std::string const piece = co_await p.read_available();
            if (piece.empty()) break;
            read += piece.size();
        }
    });
    f.run([&]() -> task<void> {
        test_body body(std::string(size, 'x'));
        background_exchange e(f, f.post(body));
        auto const begun = [&] { return read > 1'000'000; };
        co_await until(begun);
        e.cancel();
        co_await e.async_done();
        CHECK(failure_of(e.result()).code == errc::cancelled);
        CHECK(e.result().error().sent == bytes_sent::some);
        co_await f.async_closed(1);
    });
    CHECK(read < size / 2);
}
