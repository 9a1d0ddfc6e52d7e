// Idle connections: when they are used again, and what happens if one turns out to be dead.
#include "support/http_fixture.hpp"

using namespace ocrpipe;

TEST_CASE("http_transport: exchanges one after another -> one connection")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        for (int i = 0; i < 20; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
        }
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: an idle connection -> does not keep the io_context running")
{
    http_fixture f(once_and_close(answer()));
    f.transport = std::move(http_transport::make(f.ioc.get_executor(), f.options).value());
    bool answered = false;
    run_coro(f.ioc, [&]() -> task<void> {
        exchange_result const r = co_await f.get();
        answered = r.has_value();
        f.server.stop_listening();
    });
    CHECK(answered);
}

TEST_CASE("http_transport: the server closed an idle connection -> noticed before anything is sent, POST "
          "goes on a new one")
{
    http_fixture f(once_and_close(answer()));
    f.run([&]() -> task<void> {
        for (int i = 1; i <= 3; ++i) {
            test_body body("document");
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
            CHECK(body.rewinds == 0);
            // The server's close must have arrived; it was sent in the same step as the answer.
            co_await f.async_closed(i);
        }
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

TEST_CASE("http_transport: Connection: close, HTTP/1.0, surplus bytes -> each exchange its own connection")
{
    for (std::string const& bytes :
         std::vector<std::string>{answer("ok", "Connection: close\r\n"),
                                  "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", answer() + "surplus"}) {
        http_fixture f(always(bytes));
        f.run([&]() -> task<void> {
            for (int i = 1; i <= 3; ++i) {
                exchange_result const r = co_await f.get();
                REQUIRE(r.has_value());
                co_await f.async_closed(i);
            }
        });
        CHECK(f.server.accepted() == 3);
    }
}

namespace
{

/// Answers the first request of a connection, and closes it after the second.
scripted_server::script dies_at_second_request(std::string last_words = {})
{
    return [last_words = std::move(last_words)](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        co_await p.read_request();
        co_await p.write(last_words);
    };
}

} // namespace

TEST_CASE("http_transport: a reused connection dies under a GET -> sent once more on a fresh one")
{
    http_fixture f(dies_at_second_request());
    f.run([&]() -> task<void> {
        for (int i = 0; i < 2; ++i) {
            exchange_result const r = co_await f.get();
            CHECK(r.has_value());
        }
    });
    CHECK(f.server.accepted() == 2);
}

TEST_CASE("http_transport: a GET is sent once more and fails again -> that failure, but all was sent before")
{
    http_fixture f([&f](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        f.server.stop_listening();
        co_await p.read_request();
    });
    f.run([&]() -> task<void> {
        exchange_result const first = co_await f.get();
        REQUIRE(first.has_value());
        exchange_result const second = co_await f.get();
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::connect_failed);
        CHECK(second.error().sent == bytes_sent::all);
    });
}

TEST_CASE("http_transport: a reused connection dies under a POST -> reported, not repeated")
{
    http_fixture f(dies_at_second_request());
    f.run([&]() -> task<void> {
        test_body body("document");
        exchange_result const first = co_await f.post(body);
        REQUIRE(first.has_value());
        test_body again("document");
        exchange_result const second = co_await f.post(again);
        REQUIRE(second.has_error());
        CHECK(second.error().code == errc::connection_closed);
        CHECK(second.error().sent == bytes_sent::all);
        CHECK(again.rewinds == 0);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: a new connection dies under a GET -> reported, not repeated")
{
    http_fixture f(once_and_close(""));
    CHECK(failure_of(f.run_get()).code == errc::connection_closed);
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: a reused connection dies after the answer began -> reported, not repeated")
{
    http_fixture f(dies_at_second_request("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1"));
    f.run([&]() -> task<void> {
        exchange_result const first = co_await f.get();
        REQUIRE(first.has_value());
        exchange_result const second = co_await f.get();
        CHECK(failure_of(second).code == errc::truncated_answer);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE(
    "http_transport: a server that closes after so many requests and does not say so -> no POST is lost")
{
    for (int const most : {1, 2, 5}) {
        CAPTURE(most);
        http_fixture f([most](scripted_peer& p) -> task<void> {
            for (int i = 0; i != most; ++i) {
                co_await p.read_request();
                if (p.ended()) co_return;
                co_await p.write(answer());
            }
        });
        f.run([&]() -> task<void> {
            for (int i = 0; i != 30; ++i) {
                test_body body("document");
                exchange_result const r = co_await f.post(body);
                REQUIRE(r.has_value());
                CHECK(body.rewinds == 0);
            }
        });
        CHECK(f.server.accepted() == 30 / most);
    }
}

TEST_CASE(
    "http_transport: a server that closes some time after so many requests -> no more than the first POSTs "
    "are lost")
{
    int lost = 0;
    http_fixture f([](scripted_peer& p) -> task<void> {
        for (int i = 0; i != 3; ++i) {
            co_await p.read_request();
            if (p.ended()) co_return;
            co_await p.write(answer());
        }
        co_await p.read_request(); // takes it and closes
    });
    f.run([&]() -> task<void> {
        for (int i = 0; i != 30; ++i) {
            test_body body("document");
            exchange_result const r = co_await f.post(body);
            if (!r) ++lost;
        }
    });
    CHECK(lost == 1);
}

TEST_CASE("http_transport: Keep-Alive with max -> the connection is not used beyond it")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        for (int left = 3; left >= 0; --left) {
            co_await p.read_request();
            if (p.ended()) co_return;
            if (left == 0) p.reset(); // the request that no client should send
            co_await p.write(answer("ok", "Keep-Alive: timeout=5, max=" + std::to_string(left - 1) + "\r\n"));
        }
    });
    f.run([&]() -> task<void> {
        for (int i = 0; i != 12; ++i) {
            test_body body("document");
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
        }
    });
}

TEST_CASE("http_transport: an answer 503 or 421 -> its connection is not used again")
{
    for (char const* status : {"503 Busy", "421 Misdirected Request"}) {
        http_fixture f(always(answer("", {}, status)));
        f.run([&]() -> task<void> {
            for (int i = 0; i != 3; ++i) {
                exchange_result const r = co_await f.get();
                REQUIRE(r.has_value());
            }
        });
        CHECK(f.server.accepted() == 3);
    }
}
