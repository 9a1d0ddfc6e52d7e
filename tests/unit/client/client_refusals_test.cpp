#include "client_fixture.hpp"

#include <boost/asio/steady_timer.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace client_tests;

namespace
{

/// Sends so many documents and counts those that end with `expected`.
int submit_all(client& c, asio::io_context& ioc, int count, errc expected)
{
    int ended = 0;
    for (int i = 0; i != count; ++i)
        c.async_submit(invoice(), [&ended, expected](result<submitted_job> r) {
            ended += !r && r.error().is(expected);
        });
    ioc.restart();
    ioc.run();
    return ended;
}

service_knowledge a_result()
{
    service_knowledge known;
    known.finished_job = "r-0";
    return known;
}

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "client: documents are refused, and a known result is read -> only they are rejected")
{
    for (int const status : {401, 403}) {
        CAPTURE(status);
        log.clear();
        client c = make([status](seen_request const& r) {
            return r.method == http_method::post ? t::json(status, "Forbidden") : t::json(200, finished);
        });
        c.remember(a_result());
        CHECK(submit_all(c, ioc, 5, errc::rejected) == 5);
        CHECK(posts() == 10);
        CHECK(log.size() > 10);
        for (seen_request const& r : log)
            if (r.method == http_method::get) CHECK(r.target == "ingest/r-0");
    }
}

TEST_CASE_FIXTURE(fixture, "client: a document is refused, and so is a known result -> the credentials are")
{
    client c = make([](seen_request const&) { return t::json(403, "Forbidden"); });
    c.remember(a_result());
    CHECK(submit_all(c, ioc, 5, errc::unauthorized) == 5);
    CHECK(posts() == 1);
    CHECK(log.size() == 3);
}

TEST_CASE_FIXTURE(fixture,
                  "client: a job is refused while a result that was read can be read again -> it alone ends")
{
    client c = make([](seen_request const& r) {
        return r.target == "ingest/refused" ? t::json(403, "Forbidden") : t::json(200, finished);
    });
    bool is_rejected = false;
    c.async_wait("good", [&](result<ocr_result> r) {
        REQUIRE(r.has_value());
        c.async_wait("refused", [&](result<ocr_result> other) {
            is_rejected = !other && other.error().is(errc::rejected);
        });
    });
    ioc.run();
    CHECK(is_rejected);
    CHECK(std::count_if(log.begin(), log.end(),
                        [](seen_request const& r) { return r.target == "ingest/refused"; }) == 2);
}

TEST_CASE_FIXTURE(fixture,
                  "client: a part is refused while the result of its job can be read -> it alone ends")
{
    client c = make([](seen_request const& r) {
        return r.target == "ingest/table/r-1/d-1" ? t::json(403, "Forbidden") : t::json(200, finished);
    });
    bool is_rejected = false;
    bool other_is_read = false;
    c.async_wait("r-1", [&](result<ocr_result>) {
        c.async_table("r-1", "d-1",
                      [&](result<part_data> p) { is_rejected = !p && p.error().is(errc::rejected); });
        c.async_table("r-1", "d-2", [&](result<part_data> p) { other_is_read = p.has_value(); });
    });
    ioc.run();
    CHECK(is_rejected);
    CHECK(other_is_read);
}

TEST_CASE_FIXTURE(fixture,
                  "client: every connection is reset for a while -> costs patient operations nothing")
{
    client_options o = quick();
    o.retry.max_attempts = 5;
    int resets = 5;
    client c = make(
        [&](seen_request const& r) {
            if (log.size() > 1 && resets-- > 0)
                return exchange_result(
                    transport_failure(errc::connection_closed, phase::body, bytes_sent::some));
            return r.method == http_method::post ? t::json(201, accepted) : t::json(200, finished);
        },
        o);
    int accepted_now = 0;
    for (int i = 0; i != 5; ++i) {
        submit_request request = invoice();
        request.patient = true;
        c.async_submit(std::move(request), [&](result<submitted_job> r) { accepted_now += r.has_value(); });
    }
    ioc.run();
    CHECK(accepted_now == 5);
}

TEST_CASE_FIXTURE(fixture,
                  "client: the credentials are refused once and that is the limit -> it says so, not more")
{
    client_options o = quick();
    o.max_auth_refusals = 1;
    client c = make([&](seen_request const&) { return t::json(403, "Forbidden"); }, o);
    std::optional<failure> f;
    std::optional<failure> next;
    c.async_submit(invoice(), [&](result<submitted_job> r) { f = r.error(); });
    ioc.run();
    c.async_submit(invoice(), [&](result<submitted_job> r) { next = r.error(); });
    ioc.restart();
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->reason == "the credentials were refused");
    REQUIRE(next.has_value());
    CHECK(next->reason == "the credentials were refused; nothing was sent");
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(fixture, "client: the probe of refused credentials is throttled -> another one follows")
{
    client_options o = quick();
    client c = make(
        [this](seen_request const&) {
            if (log.size() == 1) return t::json(403, "Forbidden");
            if (log.size() == 2) return t::json(403, R"({"message":"API rate limit exceeded"})");
            return t::json(200, finished);
        },
        o);
    int done = 0;
    for (char const* id : {"r-1", "r-2"})
        c.async_wait(id, [&](result<ocr_result> r) { done += r.has_value(); });
    ioc.run();
    CHECK(done == 2);
}

TEST_CASE_FIXTURE(fixture, "client: jobs wait for a probe -> they do not pause the requests of other kinds")
{
    client c = make([](seen_request const& r) {
        return r.target == "ingest/r-0" ? t::json(403, "Forbidden") : t::json(200, finished);
    });
    int ended = 0;
    int paused = 0;
    for (int i = 0; i != 50; ++i)
        c.async_wait(fmt::format("r-{}", i), [&](result<ocr_result>) { ++ended; });
    asio::steady_timer tick(ioc);
    std::function<void(error_code)> const look = [&](error_code) {
        paused += c.statistics().paused_for.count() != 0; // the service never asked to wait
        if (ended == 50) return;
        tick.expires_after(std::chrono::milliseconds(50));
        tick.async_wait(look);
    };
    look({});
    ioc.run();
    CHECK(ended == 50);
    CHECK(paused == 0);
}

TEST_CASE_FIXTURE(
    fixture,
    "client: the credentials are refused -> one request goes out at a time, then all end with unauthorized")
{
    client_options o = quick();
    o.max_auth_refusals = 2; // one refusal and one probe
    client c = make([&](seen_request const&) { return t::json(403, "Forbidden"); }, o);
    int refused = 0;
    for (int i = 0; i != 20; ++i)
        c.async_submit(invoice(),
                       [&](result<submitted_job> r) { refused += r.error().is(errc::unauthorized); });
    ioc.run();
    CHECK(refused == 20);
    CHECK(posts() < 20);
}

TEST_CASE_FIXTURE(fixture, "client: a bad key and many documents -> one request goes out at a time")
{
    client_options o = quick();
    o.max_auth_refusals = 2;
    client c = make([&](seen_request const&) { return t::json(403, "Forbidden"); }, o);
    int refused = 0;
    for (int i = 0; i != 50; ++i)
        c.async_submit(invoice(),
                       [&](result<submitted_job> r) { refused += r.error().is(errc::unauthorized); });
    ioc.run();
    CHECK(refused == 50);
    CHECK(posts() == 2);
}

TEST_CASE_FIXTURE(fixture,
                  "client: the service refuses one document -> it is rejected, the others are accepted")
{
    for (int const status : {403, 404}) {
        CAPTURE(status);
        log.clear();
        client_options o = quick();
        o.pool.submit_connections = 1;
        client c = make(
            [&](seen_request const& r) {
                return r.body.find("bad.pdf") != r.body.npos ? t::json(status, "Forbidden")
                                                             : t::json(201, accepted);
            },
            o);
        int good = 0;
        std::optional<failure> f;
        for (char const* const name : {"bad.pdf", "a.pdf", "b.pdf", "c.pdf"})
            c.async_submit(submit_request(document::from_bytes("%PDF-1.4 x", name), "INVOICE"),
                           [&](result<submitted_job> r) {
                               good += r.has_value();
                               if (!r) f = r.error();
                           });
        ioc.restart();
        ioc.run();
        CHECK(good == 3);
        REQUIRE(f.has_value());
        CHECK(f->is(errc::rejected));
        CHECK(f->http_status == status);
        CHECK(posts() == (status == 404 ? 4 + o.retry.max_attempts : 5));
    }
}

TEST_CASE_FIXTURE(fixture, "client: an invalid certificate, or a wrong password of the proxy -> sent once")
{
    transport_failure proxy(errc::proxy_refused, phase::connect, bytes_sent::none, "proxy: it answered 407");
    proxy.status = 407;
    transport_failure const certificate(errc::certificate_invalid, phase::tls, bytes_sent::none, "expired");
    for (transport_failure const& broken : {proxy, certificate}) {
        log.clear();
        client c = make([&](seen_request const&) { return exchange_result(broken); });
        int refused = 0;
        for (int i = 0; i != 20; ++i)
            c.async_submit(invoice(),
                           [&](result<submitted_job> r) { refused += r.error().code == broken.code; });
        ioc.restart();
        ioc.run();
        CHECK(refused == 20);
        CHECK(posts() == 1);
    }
}
