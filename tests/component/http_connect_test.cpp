// Opening connections: name resolution, TCP.
#include <ocrpipe/http/connector.hpp>

#include "support/http_fixture.hpp"

#include <deque>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// Accepts as many connections as its backlog, so that one more neither succeeds nor fails.
class stuck_listener
{
public:
    explicit stuck_listener(asio::io_context& ioc) : acceptor_(ioc)
    {
        acceptor_.open(asio::ip::tcp::v4());
        acceptor_.bind({asio::ip::address_v4::loopback(), 0});
        acceptor_.listen(0);
        for (int i = 0; i < 4; ++i) {
            auto& s = fillers_.emplace_back(ioc);
            s.async_connect(acceptor_.local_endpoint(), [](error_code) {});
        }
    }

    asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }
    void stop()
    {
        fillers_.clear();
        acceptor_.close();
    }

private:
    asio::ip::tcp::acceptor acceptor_;
    std::deque<asio::ip::tcp::socket> fillers_;
};

/// A port that is taken and refuses connections, as a closed one would that another process may take.
class refusing_port
{
public:
    explicit refusing_port(asio::io_context& ioc) : socket_(ioc)
    {
        socket_.open(asio::ip::tcp::v4());
        socket_.bind({asio::ip::address_v4::loopback(), 0});
    }

    asio::ip::tcp::endpoint endpoint() const { return socket_.local_endpoint(); }

private:
    asio::ip::tcp::socket socket_;
};

} // namespace

TEST_CASE("http_transport: nobody listens -> connect_failed")
{
    http_fixture f(always(answer()));
    refusing_port const gone(f.ioc);
    std::string const at = "127.0.0.1:" + std::to_string(gone.endpoint().port());
    f.options.endpoint.base_url = "http://" + at;
    exchange_result const r = f.run_get();
    REQUIRE(r.has_error());
    CHECK(r.error().code == errc::connect_failed);
    CHECK(r.error().cause == asio::error::connection_refused);
    CHECK(r.error().where == phase::connect);
    CHECK(r.error().sent == bytes_sent::none);
    CHECK(r.error().detail == at);
}

TEST_CASE("http_transport: a host without an address -> resolve_failed")
{
    http_fixture f(always(answer()));
    f.options.endpoint.base_url = "http://" + std::string(64, 'a') + ".test"; // a label too long for any DNS
    f.options.endpoint.allow_plain_http = true;
    exchange_result const r = f.run_get();
    CHECK(failure_of(r).code == errc::resolve_failed);
    CHECK(r.error().where == phase::resolve);
}

TEST_CASE("http_transport: a host name -> looked up once for many connections")
{
    http_fixture f(always(answer("ok", "Connection: close\r\n")));
    // To us a name like any other, and one that the system knows even where nobody gave it a localhost.
    f.options.endpoint.base_url = "http://127.1:" + f.server.port();
    f.options.endpoint.allow_plain_http = true;
    f.run([&]() -> task<void> {
        background_exchange a(f, f.get());
        background_exchange b(f, f.get());
        co_await a.async_done();
        co_await b.async_done();
        CHECK(a.result().has_value());
        CHECK(b.result().has_value());
        exchange_result const cached = co_await f.get();
        CHECK(cached.has_value());
    });
    CHECK(f.server.accepted() == 3);
}

TEST_CASE("http_transport: a connection that never comes up -> connect_timeout")
{
    http_fixture f(always(answer()));
    stuck_listener stuck(f.ioc);
    f.options.endpoint.base_url = "http://127.0.0.1:" + std::to_string(stuck.endpoint().port());
    f.options.timeouts.connect = 30ms;
    f.also_stop = [&] { stuck.stop(); };
    f.run([&]() -> task<void> {
        co_await turns(10);
        exchange_result const r = co_await f.get();
        CHECK(failure_of(r).code == errc::connect_timeout);
        CHECK(r.error().where == phase::connect);
    });
}

TEST_CASE("http_transport: cancelled while a connection does not come up -> cancelled")
{
    http_fixture f(always(answer()));
    stuck_listener stuck(f.ioc);
    f.options.endpoint.base_url = "http://127.0.0.1:" + std::to_string(stuck.endpoint().port());
    f.also_stop = [&] { stuck.stop(); };
    f.run([&]() -> task<void> {
        co_await turns(10);
        background_exchange e(f, f.get());
        co_await turns(10);
        e.cancel();
        co_await e.async_done();
        CHECK(failure_of(e.result()).code == errc::cancelled);
        CHECK(e.result().error().where == phase::connect);
    });
}

TEST_CASE("async_connect_any: the first address hangs, or refuses -> the next one is tried")
{
    http_fixture f([](scripted_peer& p) -> task<void> { co_await p.until_closed(); });
    refusing_port const gone(f.ioc);
    stuck_listener stuck(f.ioc);
    f.also_stop = [&] { stuck.stop(); };
    f.run([&]() -> task<void> {
        co_await turns(10);
        error_code ec;
        for (auto const& first : {stuck.endpoint(), gone.endpoint()}) {
            std::vector<asio::ip::tcp::endpoint> const to{first, f.server.endpoint()};
            auto const socket =
                co_await detail::async_connect_any(f.ioc.get_executor(), to, clock::now() + 10min, ec);
            CHECK_FALSE(ec);
            REQUIRE(socket.has_value());
            CHECK(socket->remote_endpoint() == f.server.endpoint());
        }
        std::vector<asio::ip::tcp::endpoint> const none{gone.endpoint(), gone.endpoint()};
        auto const refused =
            co_await detail::async_connect_any(f.ioc.get_executor(), none, clock::now() + 10min, ec);
        CHECK_FALSE(refused.has_value());
        CHECK(ec == asio::error::connection_refused);
    });
}

TEST_CASE("interleave_families: addresses of two families -> alternate, the first one's family first")
{
    auto const at = [](char const* address) {
        return asio::ip::tcp::endpoint(asio::ip::make_address(address), 1);
    };
    std::vector<asio::ip::tcp::endpoint> const in{at("::1"), at("::2"), at("::3"), at("1.1.1.1"),
                                                  at("2.2.2.2")};
    detail::endpoints const want{at("::1"), at("1.1.1.1"), at("::2"), at("2.2.2.2"), at("::3")};
    CHECK(detail::interleave_families(in) == want);
    CHECK(detail::interleave_families({}).empty());
}
