// What an embedding program brings itself: keys that change, a TLS context, a resolver, header fields.
#include <ocrpipe/http/tcp_types.hpp>

#include "support/http_fixture.hpp"
#include "support/trusted_certificates.hpp"

#include <boost/asio/ssl/context.hpp>

#include <openssl/ssl.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// Answers 401 unless the request has one of the keys that are valid at this time.
class guarded
{
public:
    scripted_server::script script()
    {
        return [this](scripted_peer& p) -> task<void> {
            for (;;) {
                std::string const request = co_await p.read_request();
                if (request.empty()) break;
                seen.push_back(request);
                bool const good = request.find("\r\nAuthorization: Bearer " + valid + "\r\n") != request.npos;
                std::string const said = good ? answer("ok") : answer("bad key", {}, "401 Unauthorized");
                co_await p.write(said);
            }
        };
    }

    std::string valid = "first-key";
    std::vector<std::string> seen;
};

/// A provider that gives one key after the other, the last one for ever.
struct key_list {
    std::vector<std::string> keys;
    int calls = 0;

    std::function<task<result<secret>>()> provider()
    {
        return [this]() -> task<result<secret>> {
            std::size_t const i = std::min(static_cast<std::size_t>(calls++), keys.size() - 1);
            secret key(keys[i]);
            co_return key;
        };
    }
};

std::function<task<result<secret>>()> failing(failure f)
{
    return [f]() -> task<result<secret>> {
        result<secret> out = f;
        co_return out;
    };
}

bool has_field(std::string const& request, std::string const& field)
{
    std::string const head = request.substr(0, request.find("\r\n\r\n") + 2);
    return head.find("\r\n" + field + "\r\n") != head.npos;
}

} // namespace

TEST_CASE("http_transport: a key provider and no key -> asked once, before the first request")
{
    guarded service;
    key_list keys{{"first-key"}};
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret();
    f.options.endpoint.api_key_provider = keys.provider();
    f.run([&]() -> task<void> {
        for (int i = 0; i != 3; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            CHECK(r->status == 200);
        }
    });
    CHECK(keys.calls == 1);
    CHECK(service.seen.size() == 3);
}

TEST_CASE(
    "http_transport: the key changes while requests run -> asked after the 401, and sent again, body and all")
{
    guarded service;
    key_list keys{{"second-key", "third-key"}};
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret("first-key");
    f.options.endpoint.api_key_provider = keys.provider();
    f.run([&]() -> task<void> {
        exchange_result const before = co_await f.get();
        CHECK(before->status == 200);
        for (char const* const next : {"second-key", "third-key"}) {
            service.valid = next;
            test_body body("the document");
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
            CHECK(r->status == 200);
            CHECK(body.rewinds == 1);
            CHECK(service.seen.back().ends_with("the document"));
        }
    });
    CHECK(keys.calls == 2);
    CHECK(service.seen.size() == 5);
}

TEST_CASE(
    "http_transport: the provider has no other key -> the 401 is the answer, and the request is sent once")
{
    guarded service;
    service.valid = "another-key";
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret("first-key");
    key_list same{{"first-key"}};
    SUBCASE("the same key") { f.options.endpoint.api_key_provider = same.provider(); }
    SUBCASE("it fails")
    {
        f.options.endpoint.api_key_provider = failing(failure(errc::connect_failed, phase::none, ""));
    }
    exchange_result const r = f.run_get();
    REQUIRE(r.has_value());
    CHECK(r->status == 401);
    CHECK(service.seen.size() == 1);
}

TEST_CASE("http_transport: the new key is refused, too -> asked once a request, not for ever")
{
    guarded service;
    service.valid = "nobody-has-it";
    key_list keys{{"second-key", "third-key", "fourth-key"}};
    http_fixture f(service.script());
    f.options.endpoint.api_key_provider = keys.provider();
    exchange_result const r = f.run_get();
    REQUIRE(r.has_value());
    CHECK(r->status == 401);
    CHECK(keys.calls == 1);
    CHECK(service.seen.size() == 2);
}

TEST_CASE("http_transport: many requests need a key at the same time -> they share one call")
{
    guarded service;
    int calls = 0;
    asio::steady_timer* waiting = nullptr;
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret();
    asio::steady_timer gate(f.ioc, asio::steady_timer::time_point::max());
    waiting = &gate;
    f.options.endpoint.api_key_provider = [&]() -> task<result<secret>> {
        ++calls;
        error_code ec;
        co_await waiting->async_wait(detail::await_into(ec));
        secret key("first-key");
        co_return key;
    };
    f.run([&]() -> task<void> {
        std::vector<std::unique_ptr<background_exchange>> all;
        for (int i = 0; i != 5; ++i)
            all.push_back(std::make_unique<background_exchange>(f, f.get()));
        // One of them gives up meanwhile.
        co_await turns(20);
        all[0]->cancel();
        co_await all[0]->async_done();
        CHECK(failure_of(all[0]->result()).code == errc::cancelled);
        CHECK(service.seen.empty());
        gate.cancel();
        for (std::size_t i = 1; i != all.size(); ++i) {
            co_await all[i]->async_done();
            REQUIRE(all[i]->result().has_value());
            CHECK(all[i]->result()->status == 200);
        }
    });
    CHECK(calls == 1);
}

TEST_CASE(
    "http_transport: the provider fails before the first request -> nothing is sent, and its reason is told")
{
    guarded service;
    std::function<task<result<secret>>()> provider;
    errc code = errc::connect_failed;
    std::string why = "the vault is sealed";
    SUBCASE("a failure") { provider = failing(failure(errc::connect_failed, phase::none, why)); }
    SUBCASE("an exception")
    {
        code = errc::invalid_argument;
        provider = [why]() -> task<result<secret>> {
            throw std::runtime_error(why);
            co_return secret();
        };
    }
    SUBCASE("no key")
    {
        code = errc::invalid_argument;
        why = "the key is empty";
        provider = []() -> task<result<secret>> {
            secret none;
            co_return none;
        };
    }
    SUBCASE("a key that would end the header field")
    {
        code = errc::invalid_argument;
        why = "blank, control";
        provider = []() -> task<result<secret>> {
            secret bad("key\r\nX: y");
            co_return bad;
        };
    }
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret();
    f.options.endpoint.api_key_provider = provider;
    transport_failure const failed = failure_of(f.run_get());
    CHECK(failed.code == code);
    CHECK(failed.sent == bytes_sent::none);
    CHECK(failed.detail.find("api_key_provider: ") == 0);
    CHECK(failed.detail.find(why) != failed.detail.npos);
    CHECK(service.seen.empty());
}

TEST_CASE("http_transport: a provider that never answers -> acquire_timeout, and nothing is sent")
{
    guarded service;
    http_fixture f(service.script());
    f.options.endpoint.api_key = secret();
    f.options.timeouts.acquire = 10ms;
    asio::steady_timer never(f.ioc, asio::steady_timer::time_point::max());
    f.options.endpoint.api_key_provider = [&never]() -> task<result<secret>> {
        error_code ec;
        co_await never.async_wait(detail::await_into(ec));
        secret late("late-key");
        co_return late;
    };
    f.also_stop = [&never] { never.cancel(); };
    CHECK(failure_of(f.run_get()).code == errc::acquire_timeout);
    CHECK(service.seen.empty());
}

TEST_CASE("http_transport: user agent and header fields -> sent with every request, and masked")
{
    std::vector<std::string> seen;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        for (int i = 0; i != 2; ++i) {
            seen.push_back(co_await p.read_request());
            co_await p.write(answer());
        }
        co_await p.until_closed();
    });
    f.options.endpoint.user_agent = "archive/2.1 (batch)";
    f.options.endpoint.header_fields = {{"X-Gateway-Key", secret("gateway-secret-1")},
                                        {"X-Team", secret("scans")}};
    f.run([&]() -> task<void> {
        exchange_result const got = co_await f.get();
        REQUIRE(got.has_value());
        test_body body("bytes");
        exchange_result const posted = co_await f.post(body);
        REQUIRE(posted.has_value());
    });
    REQUIRE(seen.size() == 2);
    for (std::string const& request : seen) {
        CHECK(request.find("\r\nUser-Agent: archive/2.1 (batch) ocrpipe/") != request.npos);
        CHECK(has_field(request, "X-Gateway-Key: gateway-secret-1"));
        CHECK(has_field(request, "X-Team: scans"));
    }
    CHECK(f.options.secrets().masked("you sent gateway-secret-1") == "you sent ***");
}

TEST_CASE("http_transport: an own resolver -> asked for names only, its addresses tried in order, then kept")
{
    int calls = 0;
    std::string asked;
    http_fixture f(always(answer()));
    std::string const url = f.server.url();
    f.options.endpoint.base_url = "http://ocr.nowhere.test" + url.substr(url.rfind(':'));
    f.options.endpoint.allow_plain_http = true;
    f.options.resolver = [&](std::string host) -> task<result<std::vector<asio::ip::address>>> {
        ++calls;
        asked = host;
        std::vector<asio::ip::address> found{asio::ip::make_address("127.0.0.1")};
        co_return found;
    };
    f.run([&]() -> task<void> {
        for (int i = 0; i != 2; ++i) {
            exchange_result const r = co_await f.get();
            CHECK(r.has_value());
        }
    });
    CHECK(calls == 1);
    CHECK(asked == "ocr.nowhere.test");
}

TEST_CASE("http_transport: an own resolver that finds nothing, fails or throws -> resolve_failed")
{
    http_fixture f(always(answer()));
    f.options.endpoint.base_url = "http://ocr.nowhere.test:9";
    f.options.endpoint.allow_plain_http = true;
    error_code cause;
    SUBCASE("nothing")
    {
        f.options.resolver = [](std::string) -> task<result<std::vector<asio::ip::address>>> {
            std::vector<asio::ip::address> none;
            co_return none;
        };
    }
    SUBCASE("fails")
    {
        cause = errc::service_unavailable;
        f.options.resolver = [](std::string) -> task<result<std::vector<asio::ip::address>>> {
            result<std::vector<asio::ip::address>> out = failure(errc::service_unavailable, phase::none, "");
            co_return out;
        };
    }
    SUBCASE("throws")
    {
        f.options.resolver = [](std::string) -> task<result<std::vector<asio::ip::address>>> {
            throw std::runtime_error("no");
            co_return std::vector<asio::ip::address>();
        };
    }
    transport_failure const failed = failure_of(f.run_get());
    CHECK(failed.code == errc::resolve_failed);
    CHECK(failed.cause == cause);
    CHECK(failed.sent == bytes_sent::none);
}

TEST_CASE("http_transport: an own TLS context -> its certificates are trusted, and sessions are resumed")
{
    trusted_certificates c;
    auto const context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    context->load_verify_file(c.ca_file);
    int resumed = 0;
    for (int client = 0; client != 2; ++client) {
        http_fixture f(
            [&](scripted_peer& p) -> task<void> {
                resumed += p.resumed() ? 1 : 0;
                co_await p.read_request();
                co_await p.write(answer("ok", "Connection: close\r\n"));
            },
            c.server);
        f.options.tls.context = context;
        f.run([&]() -> task<void> {
            for (int i = 0; i != 3; ++i) {
                exchange_result const r = co_await f.get();
                CHECK(r.has_value());
            }
        });
    }
    // The context is shared, the sessions are not: the second client is another one.
    CHECK(resumed == 4);
}

TEST_CASE("http_transport: an own TLS context that verifies nothing and allows old versions -> verified all "
          "the same")
{
    trusted_certificates c;
    auto const context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    context->set_verify_mode(asio::ssl::verify_none);
    ::SSL_CTX_set_min_proto_version(context->native_handle(), 0);
    bool asked = false;
    http_fixture f(
        [&](scripted_peer& p) -> task<void> {
            std::string const request = co_await p.read_request();
            asked = !request.empty();
        },
        c.server);
    f.options.tls.context = context;
    CHECK(failure_of(f.run_get()).code == errc::certificate_invalid);
    CHECK_FALSE(asked);
}
