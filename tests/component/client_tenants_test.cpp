// Clients of several users at one service, and keys that change.
#include <ocrpipe/client.hpp>
#include <ocrpipe/testing/scripted_transport.hpp>

#include "support/http_fixture.hpp"

#include <optional>

using namespace ocrpipe;

namespace
{

/// Tells the tenants of the requests that a service saw.
std::string tenants_of(std::vector<std::string> const& requests)
{
    std::string out;
    for (std::string const& r : requests) {
        std::string_view const field = "\r\nportal-user-id: ";
        out += r[r.find(field) + field.size()];
    }
    return out;
}

client_options tenant(http_fixture const& f, char const* user, char const* key)
{
    client_options o;
    static_cast<http_options&>(o) = f.options;
    o.endpoint.portal_user_id = user;
    o.endpoint.api_key = secret(key);
    return o;
}

/// A service that answers 401 to the tenants without a good key, and accepts everything else.
scripted_server::script service_of_tenants(std::vector<std::string>& seen)
{
    return [&seen](scripted_peer& p) -> task<void> {
        for (;;) {
            std::string const request = co_await p.read_request();
            if (request.empty()) break;
            seen.push_back(request);
            bool const bad = request.find("Bearer bad-key") != request.npos;
            std::string const said =
                bad ? answer("no", {}, "401 Unauthorized")
                    : answer(R"({"request_id":"r-)" + std::to_string(seen.size()) + R"("})");
            co_await p.write(said);
        }
    };
}

submit_request a_document() { return submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "invoice"); }

} // namespace

TEST_CASE("client: an answer echoes a key that the provider gave -> masked")
{
    std::string const key = "sk-rotated-0123456789";
    http_fixture f([&](scripted_peer& p) -> task<void> {
        for (;;) {
            std::string const request = co_await p.read_request();
            if (request.empty()) break;
            std::string const said = answer("no document for " + key, {}, "400 Bad Request");
            co_await p.write(said);
        }
    });
    client_options o;
    static_cast<http_options&>(o) = f.options;
    o.endpoint.api_key = secret();
    o.endpoint.api_key_provider = [key]() -> task<result<secret>> {
        secret given(key);
        co_return given;
    };
    std::optional<failure> seen;
    client c(f.ioc, o);
    c.async_submit(submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "invoice"),
                   [&](result<submitted_job> r) {
                       if (!r) seen = r.error();
                       f.server.stop();
                       c.close();
                   });
    f.ioc.run();
    REQUIRE(seen);
    CHECK(seen->is(errc::rejected));
    CHECK(to_string(*seen).find("no document for ***") != std::string::npos);
    CHECK(to_string(*seen).find(key) == std::string::npos);
}

TEST_CASE("client: tenants that share connections -> one connection, each with its own user id and key")
{
    std::vector<std::string> seen;
    http_fixture f(service_of_tenants(seen));
    client a(f.ioc, tenant(f, "1", "key-of-1"));
    client b(a, tenant(f, "2", "key-of-2"));
    run_coro(f.ioc, [&]() -> task<void> {
        for (int i = 0; i != 2; ++i) {
            result<submitted_job> const of_a = co_await a.async_submit(a_document(), asio::use_awaitable);
            CHECK(of_a.has_value());
            result<submitted_job> const of_b = co_await b.async_submit(a_document(), asio::use_awaitable);
            CHECK(of_b.has_value());
        }
        // The connections live until the last of them is closed.
        a.close();
        result<submitted_job> const closed = co_await a.async_submit(a_document(), asio::use_awaitable);
        CHECK(closed.error().is(errc::client_closed));
        result<submitted_job> const still = co_await b.async_submit(a_document(), asio::use_awaitable);
        CHECK(still.has_value());
        CHECK(f.server.accepted() == 1);
        b.close();
        co_await f.async_closed(1);
        f.server.stop();
    });
    CHECK(tenants_of(seen) == "12122");
    for (std::string const& r : seen)
        CHECK(r.find("\r\nAuthorization: Bearer key-of-" + tenants_of({r}) + "\r\n") != r.npos);
    CHECK(a.statistics().submits == 2);
    CHECK(b.statistics().submits == 3);
}

TEST_CASE("client: tenants that share limits -> one tenant's refused key does not hold the other")
{
    std::vector<std::string> seen;
    http_fixture f(service_of_tenants(seen));
    client_options of_a = tenant(f, "1", "bad-key");
    of_a.max_auth_refusals = 1;
    of_a.shared = std::make_shared<shared_pace>(of_a);
    client_options of_b = tenant(f, "2", "key-of-2");
    of_b.shared = of_a.shared->for_tenant(of_b);
    client a(f.ioc, of_a);
    client b(a, of_b);
    run_coro(f.ioc, [&]() -> task<void> {
        result<submitted_job> const refused = co_await a.async_submit(a_document(), asio::use_awaitable);
        CHECK(refused.error().is(errc::unauthorized));
        result<submitted_job> const accepted = co_await b.async_submit(a_document(), asio::use_awaitable);
        CHECK(accepted.has_value());
        f.server.stop();
        a.close();
        b.close();
    });
    CHECK(a.statistics().credentials_paused);
    CHECK_FALSE(b.statistics().credentials_paused);
}

TEST_CASE("client: connections of a client with a transport of its own -> refused")
{
    asio::io_context ioc(1);
    client_options o;
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("key");
    std::vector<testing::seen_request> log;
    client const scripted(
        ioc, o,
        std::make_unique<testing::scripted_transport>(
            [](testing::seen_request const&) { return testing::scripted_transport::json(200, "{}"); }, log));
    CHECK_THROWS_AS(client(scripted, o), error);
}
