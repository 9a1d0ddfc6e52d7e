#include "client_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

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
    for (int const status : {401, 403, 404}) {
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
