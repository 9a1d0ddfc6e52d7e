// The way through a proxy.
#include "support/http_fixture.hpp"
#include "support/trusted_certificates.hpp"

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

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

TEST_CASE("http_transport: https through a proxy -> CONNECT with the proxy's credentials, the key only "
          "inside the tunnel")
{
    trusted_certificates c;
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
        exchange_result const got = f.run_get();
        REQUIRE(got.has_error());
        CHECK(got.error().code == r.code);
        CHECK(got.error().where == phase::connect);
        CHECK(got.error().sent == bytes_sent::none);
        CHECK(got.error().detail.find("proxy 127.0.0.1:") == 0);
        CHECK(got.error().detail.find("hunter2") == std::string::npos);
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
    CHECK(f.run_get().has_value());
    CHECK(seen.find("GET http://ocr.test:8080/maas/user-42/greennode/idp/v1/ocr/ingest/1 HTTP/1.1\r\nHost: "
                    "ocr.test:8080\r\n") == 0);
    CHECK(seen.find("Proxy-Authorization: Basic dXNlcjpwYXNz\r\n") != std::string::npos);
    CHECK(seen.find("Authorization: Bearer top-secret\r\n") != std::string::npos);
}

TEST_CASE("http_transport: http, and the proxy refuses its password -> as if it refused a tunnel")
{
    http_fixture f(always("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"));
    f.options.endpoint.base_url = "http://ocr.test:8080";
    f.options.endpoint.allow_plain_http = true;
    f.options.proxy.url = "http://user:hunter2@127.0.0.1:" + f.server.port();
    exchange_result const got = f.run_get();
    REQUIRE(got.has_error());
    CHECK(got.error().code == errc::proxy_refused);
    CHECK(got.error().status == 407);
    CHECK(got.error().where == phase::connect);
    CHECK(got.error().sent == bytes_sent::none);
    CHECK(got.error().detail == "proxy 127.0.0.1:" + f.server.port() + ": it answered 407");
}

TEST_CASE("http_transport: a host that no_proxy names -> direct")
{
    http_fixture f(always(answer()));
    f.options.proxy.url = "http://127.0.0.1:1";
    f.options.proxy.no_proxy = "localhost,127.0.0.1";
    CHECK(f.run_get().has_value());
}
