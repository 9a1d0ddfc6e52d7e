#include <ocrpipe/client.hpp>
#include <ocrpipe/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace ocrpipe;
using testing::seen_request;
using t = testing::scripted_transport;

namespace
{

/// A schedule that never waits.
class at_once final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override
    {
        return std::chrono::milliseconds(0);
    }
};

submit_request invoice() { return submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "INVOICE"); }

struct fixture {
    asio::io_context ioc{1};
    std::vector<seen_request> log;

    client make(t::script script, client_options o)
    {
        return client(ioc, std::move(o), std::make_unique<t>(std::move(script), log));
    }
};

std::string const key = "sk-0123456789/ABCDEFGHIJ";
std::string const password = "open/sesame";
/// What a service or a proxy may make of the request's header.
std::string const echo = "Authorization: Bearer " + key +
                         "; authorization=Bearer%20sk-0123456789%2FABCDEFGHIJ "
                         "Proxy-Authorization: Basic bWU6b3Blbi9zZXNhbWU= (me:open\\/sesame) ";

client_options with_secrets()
{
    client_options o;
    o.endpoint.portal_user_id = "1";
    o.schedule = std::make_shared<at_once>();
    o.retry.base = o.retry.throttled_base = o.retry.cap = std::chrono::milliseconds(1);
    o.seed = 7;
    o.endpoint.api_key = secret(key);
    o.proxy.url = "http://me:open%2Fsesame@127.0.0.1:9";
    o.retry.max_attempts = 2;
    o.max_auth_refusals = 2;
    o.profile.settle_time = std::chrono::seconds(0);
    o.job_deadline = std::chrono::milliseconds(20);
    return o;
}

bool is_clean(failure const& f)
{
    std::string const said = to_string(f) + f.reason + f.excerpt;
    for (char const* needle : {"0123456789", "ABCDEFGHIJ", "sesame", "bWU6b3Blbi"})
        if (said.find(needle) != std::string::npos) return false;
    return true;
}

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "client: any answer that echoes the key and the proxy's password -> a failure without them")
{
    std::vector<std::string> const bodies{echo,
                                          "<html>" + echo + "</html>",
                                          "{\"message\":\"" + echo + "\"}",
                                          std::string(500, 'x') + echo,
                                          "{\"data\":{\"status\":\"FAILED\",\"message\":\"" + echo + "\"}}",
                                          "{\"data\":{\"a\":" + echo};
    int failures = 0;
    auto const check = [&](auto const& r) {
        if (r) return;
        ++failures;
        CHECK_MESSAGE(is_clean(r.error()), to_string(r.error()));
    };
    for (int const status :
         {200, 201, 302, 400, 401, 402, 403, 404, 408, 409, 410, 413, 415, 422, 429, 500, 502, 503})
        for (std::string const& body : bodies) {
            ioc.restart();
            client c = make(
                [&](seen_request const&) {
                    exchange_result r = t::json(status, body);
                    r->content_type = body.starts_with('{') ? "application/json" : "text/html";
                    r->location = "http://" + key + "/";
                    return r;
                },
                with_secrets());
            submit_request request = invoice();
            request.deadline = std::chrono::milliseconds(20);
            c.async_submit(std::move(request), check);
            c.async_wait("r-1", check);
            c.async_table("r-1", "d-1", check);
            ioc.run();
        }
    CHECK(failures > 250);
}

TEST_CASE_FIXTURE(fixture,
                  "client: a transport that quotes the peer -> a failure without the key and the password")
{
    int failures = 0;
    auto const check = [&](auto const& r) {
        REQUIRE_FALSE(r.has_value());
        ++failures;
        CHECK_MESSAGE(is_clean(r.error()), to_string(r.error()));
        CHECK(r.error().reason.find("Bearer ***") != std::string::npos);
    };
    for (errc const code : {errc::proxy_refused, errc::unsupported_encoding, errc::malformed_answer,
                            errc::redirect_refused, errc::connection_closed, errc::certificate_invalid}) {
        ioc.restart();
        client c = make(
            [&](seen_request const&) {
                transport_failure f = t::fails(code, bytes_sent::all).error();
                f.detail = f.begun_body = echo;
                return exchange_result(std::move(f));
            },
            with_secrets());
        c.async_submit(invoice(), check);
        c.async_table("r-1", "d-1", check);
        ioc.run();
    }
    CHECK(failures == 12);
}
