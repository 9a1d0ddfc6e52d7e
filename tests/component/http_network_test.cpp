#include <ocrpipe/http/connector.hpp>

#include "support/http_fixture.hpp"
#include "support/temp_directory.hpp"

#include <deque>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// An authority that the client trusts, and a server's certificate of it.
struct certificates {
    temp_directory directory;
    test_identity authority = make_test_identity("test authority");
    test_identity server = make_test_identity("server", "IP:127.0.0.1,DNS:localhost", &authority);
    std::string ca_file = directory.write("ca.pem", authority.certificate_pem()).string();
};

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

/// A proxy's side of CONNECT: reads the head, answers, and goes on as the origin under TLS.
scripted_server::script connect_proxy(std::string& seen, std::string reply)
{
    return [&seen, reply = std::move(reply)](scripted_peer& p) -> task<void> {
        seen = co_await p.read_head();
        co_await p.write(reply);
        p.begin_tls();
        bool const ready = co_await p.handshake();
        if (!ready) co_return;
        for (;;) {
            std::string const request = co_await p.read_request();
            if (p.ended()) co_return;
            co_await p.write(answer("through the tunnel"));
        }
    };
}

} // namespace

TEST_CASE("http_transport: TLS -> answered, connection reused, handshakes after the first resumed")
{
    certificates c;
    http_fixture f(always(answer("ok", "Connection: close\r\n")), c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        for (int i = 0; i < 5; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->body == "ok");
        }
        CHECK(f.transport->statistics().handshakes == 5);
        CHECK(f.transport->statistics().resumptions == 4);
    });

    http_fixture g(always(answer()), c.server);
    g.options.tls.ca_file = c.ca_file;
    g.run([&]() -> task<void> {
        for (int i = 0; i < 5; ++i) {
            exchange_result const r = co_await g.get();
            REQUIRE(r.has_value());
        }
        CHECK(g.transport->statistics().handshakes == 1);
        CHECK(g.transport->statistics().reuses == 4);
    });
}

TEST_CASE("http_transport: TLS, bodies of several megabytes both ways -> whole")
{
    certificates c;
    std::string seen;
    std::string const big(5'000'000, 'q');
    http_fixture f(
        [&](scripted_peer& p) -> task<void> {
            seen = co_await p.read_request();
            co_await p.write(answer(big));
            co_await p.until_closed();
        },
        c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        test_body body(big);
        exchange_result const r = co_await f.post(body);
        REQUIRE(r.has_value());
        CHECK((r->body == big));
    });
    CHECK((seen.substr(seen.find("\r\n\r\n") + 4) == big));
}

TEST_CASE("http_transport: TLS, 413 during an upload, then close -> seen as 413, every time")
{
    certificates c;
    http_fixture f(
        [](scripted_peer& p) -> task<void> {
            co_await p.read_head();
            co_await p.write(answer("too large", {}, "413 Content Too Large"));
        },
        c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        for (int i = 0; i < 20; ++i) {
            test_body body(std::string(5'000'000, 'x'));
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
            CHECK(r->status == 413);
        }
    });
}

TEST_CASE("http_transport: TLS, a body until the end of the stream -> whole with close_notify, "
          "truncated_answer without")
{
    certificates c;
    for (bool const goodbye : {true, false}) {
        CAPTURE(goodbye);
        http_fixture f(
            [&](scripted_peer& p) -> task<void> {
                co_await p.read_request();
                co_await p.write("HTTP/1.1 200 OK\r\n\r\nuntil the end");
                if (goodbye) co_await p.say_goodbye();
            },
            c.server);
        f.options.tls.ca_file = c.ca_file;
        f.run([&]() -> task<void> {
            exchange_result const r = co_await f.get();
            CHECK(r.has_value() == goodbye);
            if (goodbye)
                CHECK(r->body == "until the end");
            else
                CHECK(r.error().code == errc::truncated_answer);
        });
    }
}

TEST_CASE("http_transport: TLS, an answer of known length and an end without close_notify -> whole")
{
    certificates c;
    http_fixture f(
        [](scripted_peer& p) -> task<void> {
            co_await p.read_request();
            co_await p.write(answer());
        },
        c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        CHECK(r.has_value());
    });
}

TEST_CASE("http_transport: a certificate for another host, or of nobody trusted -> certificate_invalid, no "
          "request sent")
{
    certificates c;
    test_identity const other = make_test_identity("other", "DNS:other.test", &c.authority);
    for (bool const wrong_host : {true, false}) {
        CAPTURE(wrong_host);
        bool asked = false;
        http_fixture f(
            [&](scripted_peer& p) -> task<void> {
                std::string const request = co_await p.read_request();
                asked = !request.empty();
            },
            wrong_host ? other : c.server);
        if (wrong_host) f.options.tls.ca_file = c.ca_file;
        f.run([&]() -> task<void> {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_error());
            CHECK(r.error().code == errc::certificate_invalid);
            CHECK(r.error().where == phase::tls);
            CHECK(r.error().sent == bytes_sent::none);
            CHECK(r.error().detail.find("127.0.0.1") == 0);
            CHECK(f.transport->statistics().connect_failures == 1);
            CHECK(f.transport->statistics().open == 0);
        });
        CHECK_FALSE(asked);
    }
}

TEST_CASE("http_transport: a server that offers TLS 1.1 at most, or speaks no TLS -> tls_failed")
{
    certificates c;
    http_fixture f(always(answer()), c.server);
    ::SSL_CTX_set_security_level(f.server.tls().native_handle(), 0);
    ::SSL_CTX_set_max_proto_version(f.server.tls().native_handle(), TLS1_1_VERSION);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::tls_failed);
    });

    http_fixture g(
        [](scripted_peer& p) -> task<void> { co_await p.write(answer("", {}, "400 Bad Request")); });
    g.options.endpoint.base_url = "https://127.0.0.1:" + g.server.port();
    g.run([&]() -> task<void> {
        exchange_result const r = co_await g.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::tls_failed);
        CHECK(r.error().sent == bytes_sent::none);
    });
}

TEST_CASE("http_transport: a server silent in the handshake -> tls_timeout; cancelled there -> cancelled, "
          "nothing sent")
{
    auto const silent = [](scripted_peer& p) -> task<void> { co_await p.until_closed(); };
    http_fixture f(silent);
    f.options.endpoint.base_url = "https://127.0.0.1:" + f.server.port();
    f.options.timeouts.tls = 20ms;
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::tls_timeout);
        CHECK(r.error().where == phase::tls);
    });

    http_fixture g(silent);
    g.options.endpoint.base_url = "https://127.0.0.1:" + g.server.port();
    g.run([&]() -> task<void> {
        background_exchange e(g, g.get());
        auto const accepted = [&] { return g.server.accepted() == 1; };
        co_await until(accepted);
        co_await turns(20);
        e.cancel();
        auto const done = [&] { return e.done(); };
        co_await until(done);
        CHECK(e.result().error().code == errc::cancelled);
        CHECK(e.result().error().where == phase::tls);
        CHECK(e.result().error().sent == bytes_sent::none);
        CHECK(g.transport->statistics().open == 0);
    });
}

TEST_CASE("http_transport: nobody listens -> connect_failed; a host without an address -> resolve_failed")
{
    http_fixture f(always(answer()));
    refusing_port const gone(f.ioc);
    std::string const at = "127.0.0.1:" + std::to_string(gone.endpoint().port());
    f.options.endpoint.base_url = "http://" + at;
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::connect_failed);
        CHECK(r.error().cause == asio::error::connection_refused);
        CHECK(r.error().where == phase::connect);
        CHECK(r.error().sent == bytes_sent::none);
        CHECK(r.error().detail == at);
    });

    http_fixture g(always(answer()));
    g.options.endpoint.base_url = "http://" + std::string(64, 'a') + ".test"; // a label too long for any DNS
    g.options.endpoint.allow_plain_http = true;
    g.run([&]() -> task<void> {
        exchange_result const r = co_await g.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::resolve_failed);
        CHECK(r.error().where == phase::resolve);
    });
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
        auto const done = [&] { return a.done() && b.done(); };
        co_await until(done);
        CHECK(a.result().has_value());
        CHECK(b.result().has_value());
        exchange_result const cached = co_await f.get();
        CHECK(cached.has_value());
    });
    CHECK(f.server.accepted() == 3);
}

TEST_CASE("http_transport: a connection that never comes up -> connect_timeout; cancelled there -> cancelled")
{
    http_fixture f(always(answer()));
    stuck_listener stuck(f.ioc);
    f.options.endpoint.base_url = "http://127.0.0.1:" + std::to_string(stuck.endpoint().port());
    f.options.timeouts.connect = 30ms;
    f.also_stop = [&] { stuck.stop(); };
    f.run([&]() -> task<void> {
        co_await turns(10);
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::connect_timeout);
        CHECK(r.error().where == phase::connect);
    });

    http_fixture g(always(answer()));
    stuck_listener again(g.ioc);
    g.options.endpoint.base_url = "http://127.0.0.1:" + std::to_string(again.endpoint().port());
    g.also_stop = [&] { again.stop(); };
    g.run([&]() -> task<void> {
        co_await turns(10);
        background_exchange e(g, g.get());
        co_await turns(10);
        e.cancel();
        auto const done = [&] { return e.done(); };
        co_await until(done);
        CHECK(e.result().error().code == errc::cancelled);
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
            auto const socket = co_await detail::async_connect_any(f.ioc, to, clock::now() + 10min, ec);
            CHECK_FALSE(ec);
            REQUIRE(socket.has_value());
            CHECK(socket->remote_endpoint() == f.server.endpoint());
        }
        std::vector<asio::ip::tcp::endpoint> const none{gone.endpoint(), gone.endpoint()};
        auto const refused = co_await detail::async_connect_any(f.ioc, none, clock::now() + 10min, ec);
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

TEST_CASE(
    "http_transport: redirects on the same origin -> followed, POST with its body again for 307 and 308")
{
    for (char const* status : {"301 M", "302 F", "303 S", "307 T", "308 P"}) {
        CAPTURE(status);
        std::vector<std::string> seen;
        http_fixture f([&](scripted_peer& p) -> task<void> {
            for (;;) {
                std::string const request = co_await p.read_request();
                if (p.ended()) co_return;
                seen.push_back(request);
                if (seen.size() == 1)
                    co_await p.write(answer("moved", "Location: /new/path?q=1\r\n", status));
                else
                    co_await p.write(answer("there"));
            }
        });
        f.run([&]() -> task<void> {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->body == "there");
            CHECK(r->location.empty());
        });
        REQUIRE(seen.size() == 2);
        CHECK(seen[1].find("GET /new/path?q=1 HTTP/1.1\r\n") == 0);
        CHECK(seen[1].find("Authorization: Bearer top-secret\r\n") != std::string::npos);

        seen.clear();
        bool const keeps_method = status[1] == '0' && (status[2] == '7' || status[2] == '8');
        http_fixture g([&](scripted_peer& p) -> task<void> {
            for (;;) {
                std::string const request = co_await p.read_request();
                if (p.ended()) co_return;
                seen.push_back(request);
                if (seen.size() == 1)
                    co_await p.write(answer("moved", "Location: /new\r\n", status));
                else
                    co_await p.write(answer("there"));
            }
        });
        test_body body("document");
        g.run([&]() -> task<void> {
            exchange_result const r = co_await g.post(body);
            bool const carried_out = status == std::string_view("303 S");
            REQUIRE(r.has_value() == (keeps_method || carried_out));
            if (carried_out) CHECK(r->status == 303);
            if (r.has_error()) CHECK(r.error().code == errc::redirect_refused);
        });
        CHECK(body.rewinds == (keeps_method ? 1 : 0));
        REQUIRE(seen.size() == (keeps_method ? 2u : 1u));
        if (keeps_method) CHECK(seen[1].ends_with("\r\n\r\ndocument"));
    }
}

TEST_CASE("http_transport: 304, and a redirect status without Location -> answers")
{
    for (char const* status : {"304 Not Modified", "302 Found"}) {
        http_fixture f(always(answer("", {}, status)));
        f.run([&]() -> task<void> {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->status == std::atoi(status));
        });
    }
}

TEST_CASE("http_transport: a redirect to another origin -> refused with its name, and not a byte goes there")
{
    http_fixture f([&](scripted_peer&) -> task<void> { co_return; });
    scripted_server other(f.ioc, [](scripted_peer& p) -> task<void> { co_await p.until_closed(); });
    std::string const location = other.url() + "/maas/steal?x=1";
    scripted_server redirecting(
        f.ioc, always(answer("", "Location: " + location + "\r\n", "307 Temporary Redirect")));
    f.options.endpoint.base_url = redirecting.url();
    f.also_stop = [&] {
        redirecting.stop();
        other.stop();
    };
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::redirect_refused);
        CHECK(r.error().detail.find(other.url()) != std::string::npos);
        CHECK(r.error().detail.find("steal") == std::string::npos);
        test_body body("document");
        exchange_result const posted = co_await f.post(body);
        REQUIRE(posted.has_error());
        CHECK(posted.error().code == errc::redirect_refused);
        co_await turns(20);
    });
    CHECK(other.accepted() == 0);
}

TEST_CASE("http_transport: redirects in a circle -> refused after three")
{
    int requests = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        for (;;) {
            co_await p.read_request();
            if (p.ended()) co_return;
            ++requests;
            co_await p.write(answer("", "Location: /again\r\n", "302 Found"));
        }
    });
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::redirect_refused);
    });
    CHECK(requests == 4);
}

TEST_CASE("http_transport: https through a proxy -> CONNECT with the proxy's credentials, the key only "
          "inside the tunnel")
{
    certificates c;
    std::string seen;
    http_fixture f(connect_proxy(seen, "HTTP/1.1 200 Connection established\r\n\r\n"));
    f.server.identify(c.server);
    f.options.tls.ca_file = c.ca_file;
    f.options.endpoint.base_url = "https://localhost:4443";
    f.options.proxy.url = "http://us%65r:pass@127.0.0.1:" + f.server.port();
    f.run([&]() -> task<void> {
        for (int i = 0; i < 2; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE_MESSAGE(r.has_value(), r.error().code.message(), r.error().detail);
            CHECK(r->body == "through the tunnel");
        }
    });
    CHECK(f.server.accepted() == 1);
    CHECK(seen.find("CONNECT localhost:4443 HTTP/1.1\r\nHost: localhost:4443\r\n") == 0);
    CHECK(seen.find("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") != std::string::npos);
    CHECK(seen.find("top-secret") == std::string::npos);
}

TEST_CASE("http_transport: a proxy that refuses, closes, babbles or is silent -> proxy_refused or "
          "connect_timeout, nothing sent")
{
    struct row {
        std::string reply;
        bool close;
        errc code;
    };
    for (row const& r :
         std::vector<row>{{"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno", true,
                           errc::proxy_refused},
                          {"", true, errc::proxy_refused},
                          {"HTTP/1.1 200 OK\r\n\r\nbabble", true, errc::proxy_refused},
                          {"SSH-2.0-OpenSSH_9.2\r\n", true, errc::proxy_refused},
                          {"", false, errc::connect_timeout}}) {
        CAPTURE(r.reply);
        http_fixture f([&](scripted_peer& p) -> task<void> {
            co_await p.read_head();
            co_await p.write(r.reply);
            if (!r.close) co_await p.until_closed();
        });
        f.options.endpoint.base_url = "https://localhost:4443";
        f.options.proxy.url = "http://user:hunter2@127.0.0.1:" + f.server.port();
        if (!r.close) f.options.timeouts.connect = 50ms;
        f.run([&]() -> task<void> {
            exchange_result const got = co_await f.get();
            REQUIRE(got.has_error());
            CHECK(got.error().code == r.code);
            CHECK(got.error().where == phase::connect);
            CHECK(got.error().sent == bytes_sent::none);
            CHECK(got.error().detail.find("proxy 127.0.0.1:") == 0);
            CHECK(got.error().detail.find("hunter2") == std::string::npos);
        });
    }
}

TEST_CASE("http_transport: http through a proxy -> absolute form with both credentials")
{
    std::string seen;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        seen = co_await p.read_request();
        co_await p.write(answer());
        co_await p.until_closed();
    });
    f.options.endpoint.base_url = "http://ocr.test:8080";
    f.options.endpoint.allow_plain_http = true;
    f.options.proxy.url = "http://user:pass@127.0.0.1:" + f.server.port();
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        CHECK(r.has_value());
    });
    CHECK(seen.find("GET http://ocr.test:8080/maas/user-42/greennode/idp/v1/ocr/ingest/1 HTTP/1.1\r\nHost: "
                    "ocr.test:8080\r\n") == 0);
    CHECK(seen.find("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") != std::string::npos);
    CHECK(seen.find("Authorization: Bearer top-secret\r\n") != std::string::npos);
}

TEST_CASE("http_transport: a host that no_proxy names -> direct")
{
    http_fixture f(always(answer()));
    f.options.proxy.url = "http://127.0.0.1:1";
    f.options.proxy.no_proxy = "localhost,127.0.0.1";
    f.run([&]() -> task<void> {
        exchange_result const r = co_await f.get();
        CHECK(r.has_value());
    });
}

TEST_CASE(
    "http_transport::make: options that are wrong -> invalid_argument that names the option and no secret")
{
    asio::io_context ioc(1);
    http_options good;
    good.endpoint.base_url = "https://ocr.test";
    good.endpoint.portal_user_id = "42";
    good.endpoint.api_key = secret("top-secret");
    CHECK(http_transport::make(ioc, good).has_value());
    auto const reason = [&](auto change) {
        http_options o = good;
        change(o);
        auto const made = http_transport::make(ioc, o);
        REQUIRE(made.has_error());
        CHECK(made.error().is(errc::invalid_argument));
        CHECK(made.error().where == phase::prepare);
        CHECK(made.error().reason.find("top-secret") == std::string::npos);
        return made.error().reason;
    };
    CHECK(reason([](http_options& o) { o.endpoint.base_url = "http://ocr.test"; }).find("base_url") == 0);
    CHECK(reason([](http_options& o) { o.endpoint.base_url = "https://ocr.test/path"; }).find("base_url") ==
          0);
    CHECK(reason([](http_options& o) {
              o.endpoint.api_key = secret("top-secret\r\nX: y");
          }).find("api_key") == 0);
    CHECK(reason([](http_options& o) { o.endpoint.portal_user_id = "4\n2"; }).find("portal_user_id") == 0);
    CHECK(reason([](http_options& o) { o.proxy.url = "ftp://proxy"; }).find("proxy") == 0);
    CHECK(reason([](http_options& o) { o.tls.ca_file = "/nowhere"; }).find("ca_file") == 0);
    CHECK(reason([](http_options& o) { o.timeouts.connect = 0ms; }).find("timeouts.connect") == 0);
}
