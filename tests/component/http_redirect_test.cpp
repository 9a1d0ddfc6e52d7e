// Redirects: which are followed, and how.
#include "support/http_fixture.hpp"

using namespace ocrpipe;

namespace
{

/// Redirects the first request to `to`, and answers those after it.
scripted_server::script redirecting(std::vector<std::string>& seen, std::string to, std::string status)
{
    return [&seen, to = std::move(to), status = std::move(status)](scripted_peer& p) -> task<void> {
        for (;;) {
            std::string const request = co_await p.read_request();
            if (p.ended()) co_return;
            seen.push_back(request);
            if (seen.size() == 1)
                co_await p.write(answer("moved", "Location: " + to + "\r\n", status));
            else
                co_await p.write(answer("there"));
        }
    };
}

} // namespace

TEST_CASE("http_transport: a GET is redirected on the same origin -> followed")
{
    for (char const* status : {"301 M", "302 F", "303 S", "307 T", "308 P"}) {
        CAPTURE(status);
        std::vector<std::string> seen;
        http_fixture f(redirecting(seen, "/new/path?q=1", status));
        exchange_result const r = f.run_get();
        REQUIRE(r.has_value());
        CHECK(r->body == "there");
        CHECK(r->location.empty());
        REQUIRE(seen.size() == 2);
        CHECK(seen[1].find("GET /new/path?q=1 HTTP/1.1\r\n") == 0);
        CHECK(seen[1].find("Authorization: Bearer top-secret\r\n") != std::string::npos);
    }
}

TEST_CASE("http_transport: a POST is redirected with 307 or 308 -> followed with its body again")
{
    for (char const* status : {"307 T", "308 P"}) {
        CAPTURE(status);
        std::vector<std::string> seen;
        http_fixture f(redirecting(seen, "/new", status));
        test_body body("document");
        CHECK(f.run_post(body).has_value());
        CHECK(body.rewinds == 1);
        REQUIRE(seen.size() == 2);
        CHECK(seen[1].ends_with("\r\n\r\ndocument"));
    }
}

TEST_CASE("http_transport: a POST is redirected with 301, 302 or 303 -> an answer; not followed")
{
    for (char const* status : {"301 M", "302 F", "303 S"}) {
        CAPTURE(status);
        std::vector<std::string> seen;
        http_fixture f(redirecting(seen, "http://localhost:1/new", status));
        test_body body("document");
        exchange_result const r = f.run_post(body);
        REQUIRE(r.has_value());
        CHECK(r->status == std::atoi(status));
        CHECK(body.rewinds == 0);
        CHECK(seen.size() == 1);
    }
}

TEST_CASE("http_transport: 304, and a redirect status without Location -> answers")
{
    for (char const* status : {"304 Not Modified", "302 Found"}) {
        http_fixture f(always(answer("", {}, status)));
        exchange_result const r = f.run_get();
        REQUIRE(r.has_value());
        CHECK(r->status == std::atoi(status));
    }
}

TEST_CASE("http_transport: a redirect to another origin -> refused with its name, and not a byte goes there")
{
    http_fixture f([&](scripted_peer&) -> task<void> { co_return; });
    scripted_server other(f.ioc, [](scripted_peer& p) -> task<void> { co_await p.until_closed(); });
    std::string const location = other.url() + "/maas/steal?x=1";
    scripted_server from(f.ioc,
                         always(answer("", "Location: " + location + "\r\n", "307 Temporary Redirect")));
    f.options.endpoint.base_url = from.url();
    f.also_stop = [&] {
        from.stop();
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
    CHECK(failure_of(f.run_get()).code == errc::redirect_refused);
    CHECK(requests == 4);
}
