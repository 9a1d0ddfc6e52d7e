// Large answers on several connections: received one at a time, so that together they stay in memory.
#include "support/deflated.hpp"
#include "support/http_fixture.hpp"

#include <list>
#include <string>
#include <vector>

using namespace ocrpipe;

namespace
{

constexpr std::size_t limit = 150'000;
std::string const large(140'000, 'x'); // more than a connection's share, which is 64 KiB

void small_limit(http_fixture& f)
{
    f.options.limits.max_answer_bytes = limit;
    f.options.pool.poll_connections = 8;
}

/// Answers with `large`. The first answer stops in the middle until the test says so.
struct stopping_server {
    scripted_server::script script()
    {
        return [this](scripted_peer& p) -> task<void> {
            co_await p.read_request();
            bool const first = requests++ == 0;
            std::string const bytes = answer(large);
            co_await p.write(bytes.substr(0, 100'000));
            ++half_sent;
            if (first) {
                auto const may_go_on = [this, &p] { return go_on || !p.socket().is_open(); };
                co_await until(may_go_on);
            }
            co_await p.write(bytes.substr(100'000));
            co_await p.until_closed();
        };
    }
    task<void> async_half_sent(int n)
    {
        auto const all = [this, n] { return half_sent == n; };
        co_await until(all);
        co_await turns(100);
    }

    int requests = 0;
    int half_sent = 0;
    bool go_on = false;
};

} // namespace

TEST_CASE("http_transport: several large answers at once -> one at a time is received whole, in their order")
{
    stopping_server server;
    http_fixture f(server.script());
    small_limit(f);
    std::vector<int> order;
    f.run([&]() -> task<void> {
        std::list<background_exchange> running;
        running.emplace_back(f, f.get()).on_done = [&] { order.push_back(0); };
        co_await server.async_half_sent(1);
        for (int i = 1; i != 4; ++i) {
            running.emplace_back(f, f.get()).on_done = [&order, i] { order.push_back(i); };
            co_await server.async_half_sent(i + 1);
        }
        CHECK(order.empty());
        server.go_on = true;
        for (background_exchange& e : running) {
            co_await e.async_done();
            REQUIRE(e.result().has_value());
            CHECK((e.result()->body == large));
        }
    });
    CHECK(order == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("http_transport: small answers while a large one is received -> they do not wait for it")
{
    stopping_server server;
    scripted_server::script const slow = server.script();
    int connections = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        if (connections++ == 0)
            co_await slow(p);
        else
            co_await once(answer(std::string(60'000, 'y')))(p);
    });
    small_limit(f);
    f.run([&]() -> task<void> {
        background_exchange first(f, f.get());
        co_await server.async_half_sent(1);
        exchange_result const small = co_await f.get();
        CHECK(small.has_value());
        CHECK_FALSE(first.done());
        server.go_on = true;
        co_await first.async_done();
        CHECK(first.result().has_value());
    });
}

TEST_CASE("http_transport: cancelled while it waits for its turn to receive a large answer -> ends, and the next "
          "has its turn")
{
    stopping_server server;
    http_fixture f(server.script());
    small_limit(f);
    f.run([&]() -> task<void> {
        background_exchange first(f, f.get());
        co_await server.async_half_sent(1);
        background_exchange second(f, f.get());
        co_await server.async_half_sent(2);
        background_exchange third(f, f.get());
        co_await server.async_half_sent(3);
        second.cancel();
        co_await second.async_done();
        CHECK(failure_of(second.result()).code == errc::cancelled);
        CHECK_FALSE(third.done());
        server.go_on = true;
        co_await third.async_done();
        CHECK(first.done());
        CHECK(third.result().has_value());
    });
}

TEST_CASE("http_transport: large answers compressed, in chunks, or until the end -> whole")
{
    std::string const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n222e0\r\n" + large + "\r\n0\r\n\r\n";
    std::string const gzip = answer(deflated(large, 31), "Content-Encoding: gzip\r\n");
    std::string const until_close = "HTTP/1.1 200 OK\r\n\r\n" + large;
    for (auto const& script : {once(chunked), once(gzip), once_and_close(until_close)}) {
        http_fixture f(script);
        small_limit(f);
        exchange_result const r = f.run_get();
        REQUIRE(r.has_value());
        CHECK((r->body == large));
    }
}
