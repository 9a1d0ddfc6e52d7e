#include "client_fixture.hpp"
#include "support/run_coro.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <thread>

using namespace client_tests;
TEST_CASE_FIXTURE(fixture,
                  "client: the refusal stands in the body of a 200, again and again -> it counts as one")
{
    client_options o = quick();
    o.max_auth_refusals = 2;
    client c = make([](seen_request const&) { return t::json(200, R"({"code":403,"message":"no"})"); }, o);
    std::optional<failure> f;
    c.async_wait("r-1", [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::unauthorized));
    CHECK(log.size() == 2);
}

TEST_CASE_FIXTURE(fixture, "client: the last job cannot be read -> given up only if a known result can be")
{
    client_options o = quick();
    o.retry.max_attempts = 2;
    o.job_deadline = std::chrono::seconds(4);
    bool is_service_down = false;
    client c = make(
        [&](seen_request const& r) {
            bool const fails = r.target == "ingest/last" || is_service_down;
            return fails ? t::json(503, "storage is down") : t::json(200, finished);
        },
        o);
    std::optional<failure> f;
    SUBCASE("it can") {}
    SUBCASE("it cannot") { is_service_down = true; }
    service_knowledge known;
    known.finished_job = "known";
    c.remember(known);
    c.async_wait("last", [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(is_service_down ? errc::still_processing : errc::service_error));
}

TEST_CASE_FIXTURE(fixture,
                  "client: one job is refused while others are read -> it alone ends, with the status")
{
    client_options o = quick();
    o.retry.max_attempts = 2;
    o.schedule =
        std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(20), std::chrono::milliseconds(20));
    bool others_go_on = true;
    client c = make(
        [&](seen_request const& r) {
            if (r.target == "ingest/refused") return t::json(403, "Forbidden");
            return t::json(200, others_go_on ? pending : finished);
        },
        o);
    std::optional<failure> f;
    bool other_done = false;
    c.async_wait("other", [&](result<ocr_result> r) { other_done = r.has_value(); });
    c.async_wait("refused", [&](result<ocr_result> r) {
        f = r.error();
        others_go_on = false;
    });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::rejected));
    CHECK(f->http_status == 403);
    CHECK(f->request_id == "refused");
    CHECK(other_done);
}

TEST_CASE_FIXTURE(fixture, "client: a job whose reads are refused -> ends at its deadline")
{
    client c = make([](seen_request const&) { return t::json(403, "Forbidden"); });
    wait_request w("r-1");
    w.deadline = std::chrono::milliseconds(300);
    std::optional<failure> f;
    c.async_wait(w, [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::still_processing));
}

TEST_CASE_FIXTURE(fixture,
                  "client: 500s for a doc_type with 429 in between -> the doc_type is stopped all the same")
{
    int posts = 0;
    client c =
        make([&](seen_request const&) { return ++posts % 2 == 0 ? t::json(429, "") : t::json(500, ""); });
    int rejected = 0;
    std::function<void(int)> const submit = [&](int left) {
        c.async_submit(invoice(), [&, left](result<submitted_job> r) {
            rejected += r.error().is(errc::rejected);
            if (left > 1) submit(left - 1);
        });
    };
    submit(6);
    ioc.run();
    CHECK(rejected == 3);
}

TEST_CASE_FIXTURE(fixture, "client: nobody may wait, and nobody has to -> recognized")
{
    client_options o = quick();
    o.pool.max_waiting = 0;
    client c = make(
        [](seen_request const& r) {
            return r.method == http_method::post ? t::json(201, accepted) : t::json(200, finished);
        },
        o);
    bool done = false;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { done = r.has_value(); });
    ioc.run();
    CHECK(done);
}

TEST_CASE_FIXTURE(fixture, "client: a deadline beyond all time -> one in ten years")
{
    client c = make([](seen_request const&) { return t::json(200, finished); });
    wait_request w("r-1");
    w.deadline = std::chrono::milliseconds::max();
    bool done = false;
    c.async_wait(w, [&](result<ocr_result> r) { done = r.has_value(); });
    ioc.run();
    CHECK(done);
    client_options o = quick();
    o.job_deadline = std::chrono::milliseconds::max();
    CHECK_FALSE(o.validate().empty());
}

TEST_CASE_FIXTURE(fixture,
                  "client: closed with jobs waiting and a submit under way -> each handler is called once")
{
    client_options o = quick();
    o.schedule = std::make_shared<fixed_poll_schedule>(std::chrono::hours(1), std::chrono::hours(1));
    client c = make(
        [&](seen_request const& r) {
            return r.method == http_method::post ? t::hold() : t::json(200, pending);
        },
        o);
    std::vector<error_code> ended;
    for (int i = 0; i != 3; ++i)
        c.async_wait("r-" + std::to_string(i),
                     [&](result<ocr_result> r) { ended.push_back(r.error().code); });
    c.async_submit(invoice(), [&](result<submitted_job> r) { ended.push_back(r.error().code); });
    while (log.size() < 4)
        ioc.run_one();
    ioc.poll();
    c.close();
    ioc.restart();
    ioc.run();
    CHECK(ended.size() == 4);
    CHECK(std::count(ended.begin(), ended.end(), error_code(errc::client_closed)) == 3);
    CHECK(std::count(ended.begin(), ended.end(), error_code(errc::ambiguous_submit)) == 1);
}

TEST_CASE_FIXTURE(
    fixture,
    "client: more recognize operations than may be in flight -> the rest waits its turn, all are served")
{
    client_options o = quick();
    o.rates.max_in_flight = 2;
    std::size_t in_flight = 0;
    std::size_t most = 0;
    client c = make(
        [&](seen_request const& r) {
            if (r.method == http_method::post) {
                most = std::max(most, ++in_flight);
                return t::json(201, accepted);
            }
            --in_flight;
            return t::json(200, finished);
        },
        o);
    int served = 0;
    for (int i = 0; i != 10; ++i)
        c.async_recognize(invoice(), [&](result<ocr_result> r) { served += r.has_value(); });
    ioc.run();
    CHECK(served == 10);
    CHECK(most <= 2);
}

TEST_CASE_FIXTURE(fixture,
                  "client: parts -> one GET each below the operation's own path, ids percent-encoded")
{
    client c = make([&](seen_request const&) { return t::json(200, R"({"data":{"table":[["a"]]}})"); });
    int got = 0;
    c.async_table("r/1", "d 1", [&](result<part_data> r) { got += r.has_value(); });
    c.async_signature("r/1", "d 1", [&](result<part_data> r) { got += r.has_value(); });
    c.async_stamp("r/1", "d 1", [&](result<part_data> r) { got += r.has_value(); });
    ioc.run();
    CHECK(got == 3);
    std::vector<std::string> targets;
    for (seen_request const& r : log)
        targets.push_back(r.target);
    std::sort(targets.begin(), targets.end());
    CHECK(targets == std::vector<std::string>{"ingest/signature/r%2F1/d%201", "ingest/stamp/r%2F1/d%201",
                                              "ingest/table/r%2F1/d%201"});
}

TEST_CASE_FIXTURE(fixture, "client: parts that wait longer for the rate limit than their deadline -> fetched")
{
    client_options o = quick();
    o.job_deadline = std::chrono::milliseconds(5);
    o.rates.polls_per_second = 100;
    client c = make([](seen_request const&) { return t::json(200, R"({"data":{"table":[["a"]]}})"); }, o);
    int got = 0;
    for (int i = 0; i != 20; ++i)
        c.async_table("r-1", "d-" + std::to_string(i), [&](result<part_data> r) { got += r.has_value(); });
    ioc.run();
    CHECK(got == 20);
    CHECK(c.statistics().waited_for_poll_rate > o.job_deadline);
}

TEST_CASE_FIXTURE(fixture,
                  "client: a part that waits longer for a connection or a pause than its deadline -> "
                  "fetched")
{
    client_options o = quick();
    o.job_deadline = std::chrono::milliseconds(5);
    o.retry.throttled_base = o.retry.cap = std::chrono::milliseconds(50);
    o.pool.part_connections = 1;
    int asked = 0;
    client c = make(
        [&](seen_request const&) {
            return ++asked == 1 ? t::json(429, "") : t::json(200, R"({"data":{"table":[["a"]]}})");
        },
        o);
    int got = 0;
    for (int i = 0; i != 3; ++i)
        c.async_table("r-1", "d-" + std::to_string(i), [&](result<part_data> r) { got += r.has_value(); });
    ioc.run();
    CHECK(got == 3);
}

TEST_CASE_FIXTURE(fixture,
                  "client: more parts than may wait -> those beyond fail at once, and nothing of them is "
                  "sent")
{
    client_options o = quick();
    o.pool.part_connections = 2;
    o.pool.max_waiting = 3;
    client c = make([](seen_request const&) { return t::hold(); }, o);
    int refused = 0;
    int closed = 0;
    for (int i = 0; i != 8; ++i)
        c.async_table("r-1", "d-1", [&](result<part_data> r) {
            refused += r.error().is(errc::too_many_waiting);
            closed += r.error().is(errc::client_closed) || r.error().is(errc::cancelled);
        });
    while (refused + static_cast<int>(log.size()) < 5 && ioc.run_one() != 0) {
    }
    c.close();
    ioc.run();
    CHECK(refused == 3);
    CHECK(closed == 5);
    CHECK(log.size() == 2);
}

TEST_CASE("client: wrong options -> the constructor throws and names each")
{
    asio::io_context ioc;
    try {
        client const c(ioc, client_options());
        FAIL("no exception");
    } catch (error const& e) {
        CHECK(e.facts().is(errc::invalid_argument));
        CHECK(std::string(e.what()).find("portal_user_id") != std::string::npos);
        CHECK(std::string(e.what()).find("api_key") != std::string::npos);
    }
}

TEST_CASE_FIXTURE(fixture,
                  "client: documents of a second's bandwidth each -> the second one waits for a second")
{
    client_options o = quick();
    std::optional<errc> second;
    std::string const bytes = "%PDF-1.4 " + std::string(1'000'000, 'x');
    o.rates.bytes_per_second = 1'000'000;
    client c = make([](seen_request const&) { return t::json(201, accepted); }, o);
    for (int i = 0; i != 2; ++i) {
        submit_request request(document::from_bytes(bytes, "a.pdf"), "INVOICE");
        request.deadline = std::chrono::milliseconds(400);
        c.async_submit(std::move(request), [&, i](result<submitted_job> r) {
            CHECK(r.has_value() == (i == 0));
            if (i == 1 && !r) second = static_cast<errc>(r.error().code.value());
        });
    }
    ioc.run();
    CHECK(posts() == 1);
    CHECK(second == errc::deadline_exceeded);
}

TEST_CASE_FIXTURE(fixture,
                  "client: an outage -> patient operations lose nothing, however many probes it takes")
{
    client_options o = quick();
    o.retry.max_attempts = 1;
    client c = make(
        [&](seen_request const& r) {
            if (log.size() <= 2)
                return exchange_result(
                    transport_failure(errc::connect_failed, phase::connect, bytes_sent::none));
            return r.method == http_method::post ? t::json(201, accepted) : t::json(200, finished);
        },
        o);
    int done = 0;
    for (int i = 0; i != 10; ++i) {
        submit_request request = invoice();
        request.patient = true;
        c.async_submit(std::move(request), [&](result<submitted_job> r) { done += r.has_value(); });
    }
    wait_request job("r-1");
    job.patient = true;
    job.deadline = std::chrono::milliseconds(1);
    c.async_wait(job, [&](result<ocr_result> r) { done += r.has_value(); });
    ioc.run();
    CHECK(done == 11);
    CHECK(log.size() == 13);
}

TEST_CASE_FIXTURE(fixture, "client: an outage that lasts for too long -> nothing was sent, and it says why")
{
    client_options o = quick();
    o.max_outage = std::chrono::milliseconds(1);
    client c = make(
        [&](seen_request const&) {
            return exchange_result(
                transport_failure(errc::connect_failed, phase::connect, bytes_sent::none, "x:1"));
        },
        o);
    int ended = 0;
    submit_request request = invoice();
    request.patient = true;
    c.async_submit(std::move(request), [&](result<submitted_job> r) {
        REQUIRE(r.has_error());
        CHECK(r.error().is(errc::service_unavailable));
        CHECK(r.error().reason.find("x:1") != std::string::npos);
        ++ended;
    });
    wait_request job("r-1");
    job.patient = true;
    c.async_wait(job, [&](result<ocr_result> r) {
        REQUIRE(r.has_error());
        CHECK(r.error().is(errc::service_unavailable));
        CHECK(r.error().request_id == "r-1");
        ++ended;
    });
    ioc.run();
    CHECK(ended == 2);
    CHECK(c.statistics().outage.find("x:1") != std::string::npos);
}
