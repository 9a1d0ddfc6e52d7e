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
                  "client: recognize -> one submit, polls until the result is there, its JSON unchanged")
{
    int polls = 0;
    client c = make([&](seen_request const& r) {
        if (r.method == http_method::post) return t::json(201, accepted);
        return t::json(200, ++polls < 3 ? pending : finished);
    });
    std::optional<result<ocr_result>> got;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { got = std::move(r); });
    CHECK_FALSE(got.has_value());
    ioc.run();
    REQUIRE(got.has_value());
    REQUIRE(got->has_value());
    CHECK((*got)->raw() == finished);
    CHECK((*got)->text() == "12");
    CHECK(posts() == 1);
    CHECK(log.size() == 4);
    CHECK(log[0].target == "ingest");
    CHECK(log[0].body.find("%PDF-1.4 x") != std::string::npos);
    CHECK(log[1].target == "ingest/r-1");
    CHECK(c.statistics().pending_answers == 2);
    CHECK(c.statistics().waiting_jobs == 0);
}

TEST_CASE_FIXTURE(fixture, "client: recognize, sent again after an answer was lost -> the result says so")
{
    client_options o = quick();
    o.retry.resubmit_ambiguous = true;
    client c = make(
        [this](seen_request const& r) {
            if (r.method == http_method::get) return t::json(200, finished);
            return posts() == 1 ? t::fails(errc::read_timeout, bytes_sent::all) : t::json(201, accepted);
        },
        o);
    std::optional<bool> duplicate;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { duplicate = r.value().possible_duplicate(); });
    ioc.run();
    CHECK(duplicate == true);
    c.async_wait("r-2", [&](result<ocr_result> r) { duplicate = r.value().possible_duplicate(); });
    ioc.restart();
    ioc.run();
    CHECK(duplicate == false);
}

TEST_CASE_FIXTURE(fixture, "client: recognize, once the submit is answered -> the document is let go")
{
    auto bytes = std::make_shared<std::string const>("%PDF-1.4 x");
    std::weak_ptr<std::string const> const held = bytes;
    bool held_while_polled = true;
    client c = make([&](seen_request const& r) {
        if (r.method == http_method::post) {
            CHECK_FALSE(held.expired());
            return t::json(201, accepted);
        }
        held_while_polled = !held.expired();
        return t::json(200, finished);
    });
    bool done = false;
    c.async_recognize(submit_request(document::from_bytes(std::move(bytes), "a.pdf"), "INVOICE"),
                      [&](result<ocr_result> r) { done = r.has_value(); });
    ioc.run();
    CHECK(done);
    CHECK_FALSE(held_while_polled);
}

TEST_CASE_FIXTURE(fixture,
                  "client: the same operation by co_await, future, deferred and callback -> the same outcome")
{
    client c = make([&](seen_request const&) { return t::json(200, finished); });
    run_coro(ioc, [&]() -> task<void> {
        result<ocr_result> const r = co_await c.async_wait("r-1", asio::use_awaitable);
        CHECK(r.has_value());
    });
    {
        std::future<result<ocr_result>> f = c.async_wait("r-1", asio::use_future);
        ioc.restart();
        ioc.run();
        CHECK(f.get().has_value());
    }
    bool done = false;
    auto operation = c.async_wait("r-1", asio::deferred);
    std::move(operation)([&](result<ocr_result> r) { done = r.has_value(); });
    ioc.restart();
    ioc.run();
    CHECK(done);
}

TEST_CASE_FIXTURE(fixture, "client: a handler bound to another executor -> completes there, and that "
                           "executor is kept busy until then")
{
    client c = make([&](seen_request const&) { return t::json(201, accepted); });
    asio::thread_pool pool(1);
    std::thread::id ran_on;
    c.async_submit(invoice(), asio::bind_executor(pool, [&](result<submitted_job> r) {
                       CHECK(r.has_value());
                       ran_on = std::this_thread::get_id();
                   }));
    std::thread runner([this] { ioc.run(); });
    pool.join(); // would return at once if the operation did not count as the pool's work
    runner.join();
    CHECK(ran_on != std::thread::id());
    CHECK(ran_on != std::this_thread::get_id());
}

TEST_CASE_FIXTURE(
    fixture,
    "client: an unsupported document -> refused before anything is sent, never inside the initiating call")
{
    client c = make([&](seen_request const&) { return t::json(201, accepted); });
    std::optional<failure> f;
    submit_request const request(document::from_bytes("plain text", "a.txt"), "INVOICE");
    c.async_submit(request, [&](result<submitted_job> r) { f = r.error(); });
    CHECK_FALSE(f.has_value());
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::unsupported_file_type));
    CHECK(log.empty());
}

TEST_CASE_FIXTURE(fixture,
                  "client: the answer to a submit is lost after the body went out -> ambiguous, sent once")
{
    client c = make([&](seen_request const&) { return t::fails(errc::connection_closed, bytes_sent::all); });
    std::optional<failure> f;
    c.async_submit(invoice(), [&](result<submitted_job> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::ambiguous_submit));
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(
    fixture,
    "client: a lost answer and permission to submit again -> accepted, marked as a possible duplicate")
{
    client_options o = quick();
    o.retry.resubmit_ambiguous = true;
    client c = make(
        [&](seen_request const&) {
            return log.size() == 1 ? t::fails(errc::connection_closed, bytes_sent::all)
                                   : t::json(201, accepted);
        },
        o);
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    REQUIRE(got.has_value());
    REQUIRE(got->has_value());
    CHECK((*got)->possible_duplicate);
    CHECK(posts() == 2);
    CHECK(log[0].body == log[1].body);
}

TEST_CASE_FIXTURE(
    fixture, "client: cancelled while the submit's answer is awaited -> ambiguous, never plainly cancelled")
{
    client c = make([&](seen_request const&) { return t::hold(); });
    asio::cancellation_signal stop;
    std::optional<failure> f;
    c.async_submit(invoice(), asio::bind_cancellation_slot(stop.slot(),
                                                           [&](result<submitted_job> r) { f = r.error(); }));
    while (log.empty())
        ioc.run_one();
    stop.emit(asio::cancellation_type::terminal);
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::ambiguous_submit));
}

TEST_CASE_FIXTURE(fixture, "client: cancelled before the first byte -> cancelled, nothing sent")
{
    client c = make([&](seen_request const&) { return t::json(201, accepted); });
    asio::cancellation_signal stop;
    std::optional<failure> f;
    auto take = [&](result<submitted_job> r) {
        if (!r) f = r.error();
    };
    client_options slow = quick();
    slow.rates.submits_per_second = 0.001;
    client paced = make([&](seen_request const&) { return t::json(201, accepted); }, slow);
    paced.async_submit(invoice(), take); // takes the only token
    paced.async_submit(invoice(), asio::bind_cancellation_slot(stop.slot(), take));
    while (log.empty())
        ioc.run_one();
    ioc.poll();
    stop.emit(asio::cancellation_type::total);
    ioc.restart();
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::cancelled));
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(
    fixture, "client: cancelled while the job waits -> cancelled with its request_id, to be taken up later")
{
    client_options o = quick();
    o.schedule = std::make_shared<fixed_poll_schedule>(std::chrono::hours(1), std::chrono::hours(1));
    client c = make([&](seen_request const&) { return t::json(200, pending); }, o);
    asio::cancellation_signal stop;
    std::optional<failure> f;
    c.async_wait("r-9",
                 asio::bind_cancellation_slot(stop.slot(), [&](result<ocr_result> r) { f = r.error(); }));
    while (log.empty())
        ioc.run_one();
    ioc.poll();
    CHECK(c.statistics().waiting_jobs == 1);
    stop.emit(asio::cancellation_type::terminal);
    ioc.restart();
    ioc.run(); // returns: no timer is left behind
    REQUIRE(f.has_value());
    CHECK(f->is(errc::cancelled));
    CHECK(f->request_id == "r-9");
    CHECK(c.statistics().waiting_jobs == 0);
}

TEST_CASE_FIXTURE(fixture, "client: the deadline passes -> still_processing with the request_id")
{
    client c = make([&](seen_request const&) { return t::json(200, pending); });
    std::optional<failure> f;
    wait_request request("r-3");
    request.deadline = std::chrono::milliseconds(20);
    c.async_wait(request, [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::still_processing));
    CHECK(f->request_id == "r-3");
    CHECK(f->attempts >= 1);
}

TEST_CASE_FIXTURE(fixture, "client: async_result of a job that is not finished -> one read, still_processing")
{
    client c = make([&](seen_request const&) { return t::json(200, pending); });
    std::optional<failure> f;
    c.async_result("r-4", [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::still_processing));
    CHECK(log.size() == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "client: a Retry-After beyond the deadline -> every job ends at its own, however many wait")
{
    client c = make([&](seen_request const&) {
        exchange_result busy = t::json(429, "");
        busy->retry_after = "3600";
        return busy;
    });
    int stuck = 0;
    for (int i = 0; i != 50; ++i) {
        wait_request request("r-" + std::to_string(i));
        request.deadline = std::chrono::milliseconds(40 + i % 3);
        c.async_wait(request, [&](result<ocr_result> r) {
            REQUIRE(r.has_error());
            stuck += r.error().is(errc::still_processing) && !r.error().request_id.empty();
        });
    }
    ioc.run(); // an hour, or the five minutes that a Retry-After is cut to, would end the test
    CHECK(stuck == 50);
    CHECK(log.size() <= quick().pool.poll_connections);
}

TEST_CASE_FIXTURE(
    fixture, "client: a Retry-After ends an operation whose deadline comes first -> the others wait for it")
{
    client c = make([&](seen_request const&) {
        exchange_result busy = t::json(429, "");
        busy->retry_after = "100";
        return busy;
    });
    std::optional<failure> f;
    submit_request hasty = invoice();
    hasty.deadline = std::chrono::seconds(50);
    SUBCASE("a submit")
    {
        c.async_submit(hasty, [&](result<submitted_job> r) { f = r.error(); });
    }
    SUBCASE("a read at the deadline")
    {
        c.async_result("r-1", [&](result<ocr_result> r) { f = r.error(); });
    }
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(c.statistics().paused_for > std::chrono::seconds(50));
    f.reset();
    c.async_submit(hasty, [&](result<submitted_job> r) { f = r.error(); });
    ioc.restart();
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::deadline_exceeded));
    CHECK(log.size() == 1);
}

TEST_CASE_FIXTURE(fixture, "client: cancelled while it waits for its turn -> the turn is the next one's")
{
    client_options slow = quick();
    slow.rates.submits_per_second = 0.001;
    client c = make([&](seen_request const&) { return t::json(201, accepted); }, slow);
    c.async_submit(invoice(), [](result<submitted_job> r) { CHECK(r.has_value()); }); // takes the first turn
    asio::cancellation_signal stop;
    std::optional<failure> second;
    std::optional<failure> third;
    auto const patient = [](std::chrono::seconds deadline) {
        submit_request r = invoice();
        r.deadline = deadline;
        return r;
    };
    c.async_submit(
        patient(std::chrono::seconds(10'000)),
        asio::bind_cancellation_slot(stop.slot(), [&](result<submitted_job> r) { second = r.error(); }));
    while (log.empty())
        ioc.run_one();
    ioc.poll();
    stop.emit(asio::cancellation_type::terminal);
    ioc.restart();
    ioc.poll();
    REQUIRE(second.has_value());
    CHECK(second->is(errc::cancelled));

    // Enough for the second turn, in a thousand seconds, and not for the third.
    c.async_submit(patient(std::chrono::seconds(1'500)), [&](result<submitted_job> r) { third = r.error(); });
    ioc.restart();
    ioc.poll();
    CHECK_FALSE(third.has_value());
    c.close();
    ioc.restart();
    ioc.run();
    REQUIRE(third.has_value());
    CHECK(third->is(errc::client_closed));
}
