// TLS: handshakes, certificates, the end of a stream.
#include "support/http_fixture.hpp"
#include "support/trusted_certificates.hpp"

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE("http_transport: TLS, a connection for each exchange -> handshakes after the first are resumed")
{
    trusted_certificates c;
    int resumed = 0;
    http_fixture f(
        [&](scripted_peer& p) -> task<void> {
            resumed += p.resumed() ? 1 : 0;
            co_await p.read_request();
            co_await p.write(answer("ok", "Connection: close\r\n"));
        },
        c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        for (int i = 0; i < 5; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->body == "ok");
        }
    });
    CHECK(f.server.accepted() == 5);
    CHECK(resumed == 4);
}

TEST_CASE("http_transport: TLS, exchanges one after another -> one connection")
{
    trusted_certificates c;
    http_fixture f(always(answer()), c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        for (int i = 0; i < 5; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
        }
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: TLS, bodies of several megabytes both ways -> whole")
{
    trusted_certificates c;
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
    test_body body(big);
    exchange_result const r = f.run_post(body);
    REQUIRE(r.has_value());
    CHECK((r->body == big));
    CHECK((seen.substr(seen.find("\r\n\r\n") + 4) == big));
}

TEST_CASE("http_transport: TLS, 413 during an upload, then close -> seen as 413, every time")
{
    trusted_certificates c;
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
    trusted_certificates c;
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
        exchange_result const r = f.run_get();
        if (goodbye) {
            REQUIRE(r.has_value());
            CHECK(r->body == "until the end");
        } else {
            CHECK(failure_of(r).code == errc::truncated_answer);
        }
    }
}

TEST_CASE("http_transport: TLS, an answer of known length and an end without close_notify -> whole")
{
    trusted_certificates c;
    http_fixture f(once_and_close(answer()), c.server);
    f.options.tls.ca_file = c.ca_file;
    CHECK(f.run_get().has_value());
}

TEST_CASE("http_transport: a certificate for another host, or of nobody trusted -> certificate_invalid, no "
          "request sent")
{
    trusted_certificates c;
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
        exchange_result const r = f.run_get();
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::certificate_invalid);
        CHECK(r.error().where == phase::tls);
        CHECK(r.error().sent == bytes_sent::none);
        CHECK(r.error().detail.find("127.0.0.1") == 0);
        CHECK_FALSE(asked);
    }
}

TEST_CASE("http_transport: a server that offers TLS 1.1 at most -> tls_failed")
{
    trusted_certificates c;
    http_fixture f(always(answer()), c.server);
    ::SSL_CTX_set_security_level(f.server.tls().native_handle(), 0);
    ::SSL_CTX_set_max_proto_version(f.server.tls().native_handle(), TLS1_1_VERSION);
    f.options.tls.ca_file = c.ca_file;
    CHECK(failure_of(f.run_get()).code == errc::tls_failed);
}

TEST_CASE("http_transport: a server that speaks no TLS -> tls_failed, nothing sent")
{
    http_fixture f(
        [](scripted_peer& p) -> task<void> { co_await p.write(answer("", {}, "400 Bad Request")); });
    f.options.endpoint.base_url = "https://127.0.0.1:" + f.server.port();
    exchange_result const r = f.run_get();
    CHECK(failure_of(r).code == errc::tls_failed);
    CHECK(r.error().sent == bytes_sent::none);
}

namespace
{

task<void> silent(scripted_peer& p) { co_await p.until_closed(); }

} // namespace

TEST_CASE("http_transport: a server silent in the handshake -> tls_timeout")
{
    http_fixture f(silent);
    f.options.endpoint.base_url = "https://127.0.0.1:" + f.server.port();
    f.options.timeouts.tls = 20ms;
    exchange_result const r = f.run_get();
    CHECK(failure_of(r).code == errc::tls_timeout);
    CHECK(r.error().where == phase::tls);
}

TEST_CASE("http_transport: cancelled in the handshake -> cancelled, nothing sent, connection closed")
{
    http_fixture f(silent);
    f.options.endpoint.base_url = "https://127.0.0.1:" + f.server.port();
    f.run([&]() -> task<void> {
        background_exchange e(f, f.get());
        auto const accepted = [&] { return f.server.accepted() == 1; };
        co_await until(accepted);
        co_await turns(20);
        e.cancel();
        co_await e.async_done();
        CHECK(failure_of(e.result()).code == errc::cancelled);
        CHECK(e.result().error().where == phase::tls);
        CHECK(e.result().error().sent == bytes_sent::none);
        co_await f.async_closed(1);
    });
}

namespace
{

/// Makes the server demand a certificate of `authority`.
void demand_certificate(scripted_server& server, test_identity const& authority, int version)
{
    ::SSL_CTX* const ctx = server.tls().native_handle();
    ::SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(ctx), authority.certificate.get());
    ::SSL_CTX_set_min_proto_version(ctx, version);
    ::SSL_CTX_set_max_proto_version(ctx, version);
}

} // namespace

TEST_CASE(
    "http_transport: the server demands a client certificate and gets none, or a strange one -> said so, "
    "nothing was sent")
{
    trusted_certificates c;
    test_identity const stranger = make_test_identity("stranger");
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (bool const given : {false, true})
            for (std::size_t const size : {std::size_t(0), std::size_t(100), std::size_t(20'000'000)}) {
                CAPTURE(version);
                CAPTURE(given);
                CAPTURE(size);
                int asked = 0;
                http_fixture f(
                    [&](scripted_peer&) -> task<void> {
                        ++asked;
                        co_return;
                    },
                    c.server);
                demand_certificate(f.server, c.authority, version);
                f.options.tls.ca_file = c.ca_file;
                if (given) {
                    f.options.tls.client_cert =
                        c.directory.write("stranger.pem", stranger.certificate_pem()).string();
                    f.options.tls.client_key = c.directory.write("stranger.key", stranger.key_pem()).string();
                }
                test_body body(std::string(size, 'x'));
                exchange_result const r = size == 0 ? f.run_get() : f.run_post(body);
                REQUIRE(r.has_error());
                CHECK(r.error().code == errc::client_certificate_refused);
                CHECK(r.error().where == phase::tls);
                CHECK(r.error().sent == bytes_sent::none);
                CHECK(r.error().detail.find(given ? "refuses the client certificate"
                                                  : "requires a client certificate") != std::string::npos);
                CHECK(asked == 0);
                CHECK(body.rewinds == 0);
            }
}

TEST_CASE("http_transport: the server demands a client certificate and gets it -> served")
{
    trusted_certificates c;
    test_identity const known = make_test_identity("known", {}, &c.authority);
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        http_fixture f(always(answer()), c.server);
        demand_certificate(f.server, c.authority, version);
        f.options.tls.ca_file = c.ca_file;
        f.options.tls.client_cert = c.directory.write("known.pem", known.certificate_pem()).string();
        f.options.tls.client_key = c.directory.write("known.key", known.key_pem()).string();
        CHECK(f.run_get().has_value());
    }
}

TEST_CASE("http_transport: handshake failures that concern no client certificate -> tls_failed")
{
    trusted_certificates c;
    http_fixture f(always(answer()), c.server);
    ::SSL_CTX_set_max_proto_version(f.server.tls().native_handle(), TLS1_2_VERSION);
    REQUIRE(::SSL_CTX_set_cipher_list(f.server.tls().native_handle(), "AES128-SHA") == 1);
    ::SSL_CTX_set_security_level(f.server.tls().native_handle(), 0);
    f.options.tls.ca_file = c.ca_file;
    exchange_result const r = f.run_get(); // the server's key is no RSA key: no common cipher
    REQUIRE(r.has_error());
    CHECK(r.error().code == errc::tls_failed);
}

TEST_CASE("http_transport: TLS, the server asks for new keys while an upload waits -> every byte arrives")
{
    trusted_certificates c;
    std::string const big(8'000'000, 'q');
    std::string seen;
    http_fixture f(
        [&](scripted_peer& p) -> task<void> {
            std::string const head = co_await p.read_head();
            for (int i = 0; i != 3; ++i) {
                co_await turns(200); // the client sends until the socket's buffer is full
                p.update_keys();
                co_await p.write("HTTP/1.1 102 Processing\r\n\r\n");
            }
            co_await turns(200);
            while (seen.size() < big.size() && !p.ended())
                seen += co_await p.read_available();
            co_await p.write(answer());
            co_await p.read_request();
            co_await p.write(answer("again"));
            co_await p.until_closed();
        },
        c.server);
    f.options.tls.ca_file = c.ca_file;
    f.run([&]() -> task<void> {
        test_body body(big);
        exchange_result const r = co_await f.post(body);
        REQUIRE(r.has_value());
        CHECK((seen == big));
        exchange_result const next = co_await f.get();
        REQUIRE(next.has_value());
        CHECK(next->body == "again");
    });
    CHECK(f.server.accepted() == 1);
}
