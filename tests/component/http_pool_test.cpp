#include "support/http_fixture.hpp"

#include <list>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// A server whose scripts wait, once they have a request, for the test to say go.
class gate
{
public:
    scripted_server::script script()
    {
        return [this](scripted_peer& p) -> task<void> {
            for (;;) {
                std::string const request = co_await p.read_request();
                if (p.ended()) co_return;
                requests.push_back(request);
                peers.push_back(&p);
                int const mine = ++arrived;
                auto const token = asio::use_awaitable_t<scripted_peer::executor>();
                while (released < mine && p.socket().is_open())
                    co_await asio::post(p.socket().get_executor(), token);
                co_await p.write(answer(std::to_string(mine)));
            }
        };
    }

    int arrived = 0;
    int released = 0;
    std::vector<std::string> requests;
    std::vector<scripted_peer*> peers;
};

std::size_t waiting(http_fixture const& f, enum lane l)
{
    return f.transport->statistics().waiting[static_cast<std::size_t>(l)];
}

} // namespace

TEST_CASE("http_transport: exchanges one after another -> one connection")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        for (int i = 0; i < 20; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
        }
        pool_statistics const s = f.transport->statistics();
        CHECK(s.exchanges == 20);
        CHECK(s.connects == 1);
        CHECK(s.reuses == 19);
        CHECK(s.open == 1);
        CHECK(s.idle == 1);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: an idle connection -> does not keep the io_context running")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
    });
    auto made = http_transport::make(f.ioc, f.options);
    f.transport = std::move(made.value());
    bool answered = false;
    run_coro(f.ioc, [&]() -> task<void> {
        exchange_result const r = co_await f.get();
        answered = r.has_value();
        f.server.stop_listening();
    });
    CHECK(answered);
    CHECK(f.transport->statistics().idle == 1);
}

TEST_CASE("http_transport: the server closed an idle connection -> noticed before anything is sent, POST "
          "goes on a new one")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
    });
    f.run([&]() -> task<void> {
        for (int i = 0; i < 3; ++i) {
            test_body body("document");
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
            // The server's close must have arrived; it was sent in the same step as the answer.
            auto const closed = [&f, i] { return f.server.closed() == i + 1; };
            co_await until(closed);
        }
        CHECK(f.transport->statistics().stale_closed == 2);
        CHECK(f.transport->statistics().repeats == 0);
    });
    CHECK(f.server.accepted() == 3);
}

TEST_CASE("http_transport: bytes that nobody asked for on an idle connection -> not reused")
{
    int written = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        co_await turns(10); // the answer is taken, the connection idle
        co_await p.write(answer("unasked"));
        ++written;
        co_await p.until_closed();
    });
    f.run([&]() -> task<void> {
        for (int i = 0; i < 2; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->body == "ok");
            auto const spoken = [&written, i] { return written == i + 1; };
            co_await until(spoken);
        }
    });
    CHECK(f.server.accepted() == 2);
}

TEST_CASE("http_transport: a reused connection dies under a GET -> sent once more on a fresh one; under a "
          "POST -> reported")
{
    auto const script = [](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        co_await p.read_request(); // the second request is read and never answered
    };
    http_fixture f(script);
    f.run([&]() -> task<void> {
        exchange_result const first = co_await f.get();
        REQUIRE(first.has_value());
        exchange_result const second = co_await f.get();
        CHECK(second.has_value());
        CHECK(f.transport->statistics().repeats == 1);
    });
    CHECK(f.server.accepted() == 2);

    http_fixture away([&away](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        away.server.stop_listening();
        co_await p.read_request();
    });
    away.run([&]() -> task<void> {
        exchange_result const first = co_await away.get();
        REQUIRE(first.has_value());
        exchange_result const second = co_await away.get();
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::connect_failed);
        CHECK(second.error().sent == bytes_sent::all);
    });

    http_fixture g(script);
    g.run([&]() -> task<void> {
        test_body body("document");
        exchange_result const first = co_await g.post(body);
        REQUIRE(first.has_value());
        test_body again("document");
        exchange_result const second = co_await g.post(again);
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::connection_closed);
        CHECK(second.error().sent == bytes_sent::all);
        CHECK(again.rewinds == 0);
    });
    CHECK(g.server.accepted() == 1);
}

TEST_CASE(
    "http_transport: a new connection dies under a GET, or after the answer began -> reported, not repeated")
{
    http_fixture f([](scripted_peer& p) -> task<void> { co_await p.read_request(); });
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::connection_closed);
    });
    CHECK(f.server.accepted() == 1);

    http_fixture g([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        co_await p.read_request();
        co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1");
    });
    g.run([&]() -> task<void> {
        exchange_result const first = co_await g.get();
        REQUIRE(first.has_value());
        exchange_result const second = co_await g.get();
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::truncated_answer);
    });
    CHECK(g.server.accepted() == 1);
}

TEST_CASE("http_transport: Connection: close, HTTP/1.0, surplus bytes -> each exchange its own connection")
{
    for (std::string const& bytes :
         std::vector<std::string>{answer("ok", "Connection: close\r\n"),
                                  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", answer() + "surplus"}) {
        http_fixture f(always(bytes));
        f.run([&]() -> task<void> {
            for (int i = 0; i < 3; ++i) {
                exchange_result const r = co_await f.get();
                REQUIRE(r.has_value());
            }
            CHECK(f.transport->statistics().open == 0);
        });
        CHECK(f.server.accepted() == 3);
    }
}

TEST_CASE("http_transport: more exchanges than connections -> first come, first served, on the connections "
          "there are")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 2;
    std::vector<std::string> finished;
    f.run([&]() -> task<void> {
        std::list<background_exchange> running;
        for (int i = 0; i < 10; ++i) {
            auto& e = running.emplace_back(f, f.get("ingest/" + std::to_string(i)));
            e.on_done = [&finished, i] { finished.push_back(std::to_string(i)); };
        }
        auto const queued = [&] { return g.arrived == 2 && waiting(f, lane::poll) == 8; };
        co_await until(queued);
        CHECK(f.transport->statistics().open == 2);
        for (g.released = 1; g.released <= 10; ++g.released) {
            auto const step = [&] { return finished.size() == static_cast<std::size_t>(g.released); };
            co_await until(step);
        }
        for (auto& e : running)
            CHECK(e.result().has_value());
        CHECK(f.transport->statistics().waits == 8);
        CHECK(f.transport->statistics().connects == 2);
    });
    REQUIRE(g.requests.size() == 10);
    for (std::size_t i = 2; i < 10; ++i)
        CHECK(g.requests[i].find("ingest/" + std::to_string(i) + " ") != std::string::npos);
}

TEST_CASE("http_transport: a lane full of uploads -> polls and parts still go out")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.submit_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange submit(f, f.get("ingest", lane::submit));
        background_exchange blocked(f, f.get("ingest", lane::submit));
        background_exchange poll(f, f.get("ingest/1", lane::poll));
        background_exchange part(f, f.get("ingest/table/1/2", lane::part));
        auto const arrived = [&] { return g.arrived == 3; };
        co_await until(arrived);
        CHECK(waiting(f, lane::submit) == 1);
        g.released = 100;
        auto const done = [&] { return submit.done() && blocked.done() && poll.done() && part.done(); };
        co_await until(done);
    });
}

TEST_CASE("http_transport: more wait for a connection than may -> too_many_waiting at once, nothing sent")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    f.options.pool.max_waiting = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange waiter(f, f.get());
        auto const queued = [&] { return g.arrived == 1 && waiting(f, lane::poll) == 1; };
        co_await until(queued);
        exchange_result const refused = co_await f.get();
        REQUIRE(refused.has_error());
        CHECK(refused.error().code == errc::too_many_waiting);
        CHECK(refused.error().where == phase::acquire);
        CHECK(refused.error().sent == bytes_sent::none);
        g.released = 100;
        auto const done = [&] { return holder.done() && waiter.done(); };
        co_await until(done);
        CHECK(waiter.result().has_value());
    });
}

TEST_CASE("http_transport: nobody gives a connection back in time -> acquire_timeout, nothing sent or lost")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    f.options.timeouts.acquire = 20ms;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        auto const held = [&] { return g.arrived == 1; };
        co_await until(held);
        exchange_result const late = co_await f.get();
        REQUIRE(late.has_error());
        CHECK(late.error().code == errc::acquire_timeout);
        CHECK(late.error().where == phase::acquire);
        CHECK(late.error().sent == bytes_sent::none);
        g.released = 100;
        auto const done = [&] { return holder.done(); };
        co_await until(done);
        CHECK(holder.result().has_value());
        CHECK(f.transport->statistics().idle == 1);
    });
}

TEST_CASE(
    "http_transport: a waiting exchange is cancelled -> its place goes to the next, no connection is lost")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange cancelled(f, f.get());
        background_exchange next(f, f.get());
        auto const queued = [&] { return g.arrived == 1 && waiting(f, lane::poll) == 2; };
        co_await until(queued);
        cancelled.cancel();
        auto const gone = [&] { return cancelled.done(); };
        co_await until(gone);
        REQUIRE(cancelled.result().has_error());
        CHECK(cancelled.result().error().code == errc::cancelled);
        CHECK(cancelled.result().error().where == phase::acquire);
        CHECK(cancelled.result().error().sent == bytes_sent::none);
        g.released = 100;
        auto const done = [&] { return holder.done() && next.done(); };
        co_await until(done);
        CHECK(next.result().has_value());
        CHECK(f.transport->statistics().idle == 1);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: cancelled in the moment in which it is given a connection -> the connection goes "
          "to the next")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange cancelled(f, f.get());
        background_exchange next(f, f.get());
        auto const queued = [&] { return g.arrived == 1 && waiting(f, lane::poll) == 2; };
        co_await until(queued);
        holder.on_done = [&] {
            cancelled.cancel();
        }; // the hand-off has been decided, and not yet been noticed
        g.released = 100;
        auto const done = [&] { return holder.done() && cancelled.done() && next.done(); };
        co_await until(done);
        REQUIRE(cancelled.result().has_error());
        CHECK(cancelled.result().error().code == errc::cancelled);
        CHECK(cancelled.result().error().sent == bytes_sent::none);
        CHECK(next.result().has_value());
        CHECK(f.transport->statistics().in_use[1] == 0);
        CHECK(f.transport->statistics().idle == 1);
    });
    CHECK(f.server.accepted() == 1);
    CHECK(g.arrived == 2);
}

TEST_CASE("http_transport: cancelled while it sends, waits and reads -> cancelled, with what was sent, "
          "connection closed")
{
    enum class when { writing, waiting, reading };
    for (when const w : {when::writing, when::waiting, when::reading}) {
        CAPTURE(static_cast<int>(w));
        bool ready = false;
        http_fixture f([&](scripted_peer& p) -> task<void> {
            if (w == when::writing) {
                co_await p.read_head();
            } else {
                co_await p.read_request();
                if (w == when::reading) co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1");
            }
            ready = true;
            co_await p.hold();
        });
        f.run([&]() -> task<void> {
            test_body body(std::string(w == when::writing ? 50'000'000 : 100, 'x'));
            background_exchange e(f, f.post(body));
            auto const started = [&] { return ready; };
            co_await until(started);
            co_await turns(100);
            e.cancel();
            auto const done = [&] { return e.done(); };
            co_await until(done);
            REQUIRE(e.result().has_error());
            CHECK(e.result().error().code == errc::cancelled);
            CHECK(e.result().error().sent == (w == when::writing ? bytes_sent::some : bytes_sent::all));
            CHECK(f.transport->statistics().open == 0);
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
        auto const done = [&] { return e.done(); };
        co_await until(done);
        REQUIRE(e.result().has_error());
        CHECK(e.result().error().code == errc::cancelled);
        CHECK(e.result().error().sent == bytes_sent::some);
        CHECK(f.transport->statistics().open == 0);
    });
    CHECK(read < size / 2);
}

TEST_CASE("http_transport: cancelled before it begins -> cancelled, nothing sent")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        background_exchange e(f, f.get());
        e.cancel();
        auto const done = [&] { return e.done(); };
        co_await until(done);
        REQUIRE(e.result().has_error());
        CHECK(e.result().error().sent == bytes_sent::none);
        CHECK(e.result().error().code == errc::cancelled);
    });
}

TEST_CASE("http_transport: close -> waiters and later exchanges fail, those under way end by themselves")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    f.run([&]() -> task<void> {
        g.released = 1;
        exchange_result const warm = co_await f.get("ingest/0", lane::part);
        CHECK(warm.has_value());
        CHECK(f.transport->statistics().idle == 1);
        background_exchange running(f, f.get());
        background_exchange waiter(f, f.get());
        auto const queued = [&] { return g.arrived == 2 && waiting(f, lane::poll) == 1; };
        co_await until(queued);
        f.transport->close();
        CHECK(f.transport->statistics().idle == 0);
        auto const refused = [&] { return waiter.done(); };
        co_await until(refused);
        REQUIRE(waiter.result().has_error());
        CHECK(waiter.result().error().code == errc::client_closed);
        exchange_result const later = co_await f.get();
        REQUIRE(later.has_error());
        CHECK(later.error().code == errc::client_closed);
        g.released = 100;
        auto const done = [&] { return running.done(); };
        co_await until(done);
        CHECK(running.result().has_value());
        CHECK(f.transport->statistics().open == 0);
    });
}

TEST_CASE("http_transport: destroyed with exchanges under way -> they end by themselves")
{
    gate g;
    http_fixture f(g.script());
    f.run([&]() -> task<void> {
        background_exchange running(f, f.get());
        auto const arrived = [&] { return g.arrived == 1; };
        co_await until(arrived);
        auto made = http_transport::make(f.ioc, f.options);
        f.transport = std::move(made.value());
        g.released = 100;
        auto const done = [&] { return running.done(); };
        co_await until(done);
        CHECK(running.result().has_value());
    });
}

TEST_CASE("http_transport: the io_context is destroyed with exchanges in every state -> nothing leaks")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.poll_connections = 1;
    auto made = http_transport::make(f.ioc, f.options);
    f.transport = std::move(made.value());
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(f.ioc, f.get(), asio::detached);
    while (g.arrived == 0)
        f.ioc.run_one();
    f.transport.reset();
    CHECK(g.arrived == 1);
}

TEST_CASE("http_transport: connects faster than allowed -> spread, and an idle connection ends the wait")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.max_connects_per_second = 0.001; // the second would come after a quarter of an hour
    f.run([&]() -> task<void> {
        background_exchange first(f, f.get());
        background_exchange second(f, f.get());
        auto const held = [&] { return g.arrived == 1; };
        co_await until(held);
        CHECK_FALSE(second.done());
        g.released = 100;
        auto const done = [&] { return first.done() && second.done(); };
        co_await until(done);
        CHECK(second.result().has_value());
        CHECK(f.transport->statistics().connects == 1);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: the connect rate and nobody gives a connection back -> acquire_timeout")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.max_connects_per_second = 0.001;
    f.options.timeouts.acquire = 20ms;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        auto const held = [&] { return g.arrived == 1; };
        co_await until(held);
        exchange_result const late = co_await f.get();
        REQUIRE(late.has_error());
        CHECK(late.error().code == errc::acquire_timeout);
        CHECK(f.transport->statistics().in_use[1] == 1);
        g.released = 100;
        auto const done = [&] { return holder.done(); };
        co_await until(done);
    });
}

TEST_CASE("http_transport: cancelled while the connect rate makes it wait -> cancelled, its slot free again")
{
    gate g;
    http_fixture f(g.script());
    f.options.pool.max_connects_per_second = 0.001;
    f.run([&]() -> task<void> {
        background_exchange holder(f, f.get());
        background_exchange cancelled(f, f.get());
        auto const held = [&] { return g.arrived == 1; };
        co_await until(held);
        CHECK(f.transport->statistics().in_use[1] == 2);
        cancelled.cancel();
        auto const gone = [&] { return cancelled.done(); };
        co_await until(gone);
        CHECK(cancelled.result().error().code == errc::cancelled);
        CHECK(cancelled.result().error().where == phase::acquire);
        CHECK(f.transport->statistics().in_use[1] == 1);
        g.released = 100;
        auto const done = [&] { return holder.done(); };
        co_await until(done);
    });
}

TEST_CASE(
    "http_transport: many exchanges at once, some cancelled, some refused -> slots and connections add up")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        for (int i = 0; i < 7; ++i) { // every connection ends sooner or later, without a word
            co_await p.read_request();
            if (p.ended()) co_return;
            co_await p.write(answer(std::string(1000, 'x')));
        }
    });
    f.options.pool.poll_connections = 4;
    f.options.pool.max_waiting = 100;
    f.run([&]() -> task<void> {
        std::list<background_exchange> all;
        for (int i = 0; i < 200; ++i) {
            all.emplace_back(f, f.get("ingest/" + std::to_string(i)));
            if (i % 5 == 0) co_await turns(1);
            if (i % 7 == 0) all.back().cancel();
        }
        auto const done = [&] {
            return std::all_of(all.begin(), all.end(), [](auto const& e) { return e.done(); });
        };
        co_await until(done);
        int answered = 0;
        for (auto& e : all) {
            if (e.result().has_value())
                ++answered;
            else
                CHECK((e.result().error().code == errc::cancelled ||
                       e.result().error().code == errc::too_many_waiting));
        }
        CHECK(answered > 100);
        pool_statistics const s = f.transport->statistics();
        CHECK(s.in_use[1] == 0);
        CHECK(s.waiting[1] == 0);
        CHECK(s.open == s.idle);
    });
}
