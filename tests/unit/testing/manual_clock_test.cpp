#include <ocrpipe/testing.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;
using testing::manual_clock;
using testing::seen_request;
using t = testing::scripted_transport;

namespace
{

std::string const accepted = R"({"data":{"request_id":"r-1"}})";
std::string const pending =
    R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";
std::string const finished =
    R"({"data":{"status":"COMPLETED","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[)"
    R"({"document_id":"d-1","status":"SUCCESS","ocr_data":[{"name":"total","value":["12"]}]}]}})";

struct world {
    manual_clock time;
    asio::io_context ioc{1};
    std::vector<seen_request> log;
    clock::time_point const begin = clock::now();

    client make(t::script script)
    {
        client_options o;
        o.endpoint.portal_user_id = "1";
        o.endpoint.api_key = secret("key");
        return client(ioc, std::move(o), std::make_unique<t>(std::move(script), log));
    }
    clock::duration passed() const { return clock::now() - begin; }
};

} // namespace

TEST_CASE("manual_clock: stands still, and moves as far as it is told")
{
    manual_clock time;
    clock::time_point const begin = clock::now();
    CHECK(clock::now() == begin);
    time.advance(90min);
    CHECK(clock::now() == begin + 90min);
}

TEST_CASE("manual_clock: gone -> the clock is the real one again")
{
    clock::time_point const before = clock::now();
    {
        manual_clock time;
        time.advance(24h);
    }
    CHECK(clock::now() >= before);
    CHECK(clock::now() < before + 1h);
}

TEST_CASE("manual_clock: a second one -> an error")
{
    manual_clock time;
    CHECK_THROWS_AS(manual_clock(), std::logic_error);
}

TEST_CASE("manual_clock: run() moves to each timer in turn")
{
    world w;
    std::vector<std::pair<int, clock::duration>> fired;
    detail::timer later(w.ioc, w.begin + 2h), sooner(w.ioc, w.begin + 1s);
    later.async_wait([&](error_code) { fired.emplace_back(2, w.passed()); });
    sooner.async_wait([&](error_code) { fired.emplace_back(1, w.passed()); });
    CHECK(w.time.run(w.ioc) == 2);
    CHECK(fired == std::vector<std::pair<int, clock::duration>>{{1, 1s}, {2, 2h}});
}

TEST_CASE("manual_clock: run_for() goes no further")
{
    world w;
    int fired = 0;
    detail::timer first(w.ioc, w.begin + 1s), second(w.ioc, w.begin + 10s);
    first.async_wait([&](error_code) { ++fired; });
    second.async_wait([&](error_code) { ++fired; });
    w.time.run_for(w.ioc, 5s);
    CHECK(fired == 1);
    CHECK(w.passed() == 5s);
    w.time.run_for(w.ioc, 5s);
    CHECK(fired == 2);
    CHECK(w.passed() == 10s);
}

TEST_CASE("manual_clock: a job that takes minutes is polled as ever, in no time")
{
    world w;
    client c = w.make([&](seen_request const& r) {
        if (r.lane == lane::submit) return t::json(201, accepted);
        return t::json(200, w.passed() < 25min ? pending : finished);
    });
    std::optional<result<ocr_result>> answer;
    submit_request request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "INVOICE");
    c.async_recognize(std::move(request), [&](result<ocr_result> r) { answer = std::move(r); });
    w.time.run(w.ioc);
    REQUIRE(answer);
    CHECK(answer->has_value());
    CHECK(w.passed() >= 25min);
    CHECK(w.passed() < 26min);
    CHECK(w.log.size() > 100);
}

TEST_CASE("manual_clock: backoff, Retry-After and the deadline cost no real time")
{
    world w;
    client c = w.make([&](seen_request const&) {
        exchange_result busy = t::json(503, "");
        busy->retry_after = "600";
        return busy;
    });
    std::optional<result<ocr_result>> answer;
    wait_request wanted("r-1");
    wanted.deadline = 30min;
    c.async_wait(std::move(wanted), [&](result<ocr_result> r) { answer = std::move(r); });
    w.time.run(w.ioc);
    REQUIRE(answer);
    CHECK(answer->error().is(errc::still_processing));
    CHECK(w.passed() >= 30min);
}

TEST_CASE("manual_clock: a hundred thousand documents in more than an hour leave nothing behind")
{
    world w;
    client c = w.make([&](seen_request const& r) {
        if (r.lane != lane::submit) return t::json(200, finished);
        return t::json(201, R"({"data":{"request_id":"r-)" + std::to_string(w.log.size()) + R"("}})");
    });
    constexpr int documents = 100'000;
    int done = 0;
    int begun = 0;
    // Fifty at a time.
    auto const next = [&](auto const& self) -> void {
        if (begun == documents) return;
        ++begun;
        submit_request request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "INVOICE");
        c.async_recognize(std::move(request), [&, self](result<ocr_result> r) {
            if (r) ++done;
            self(self);
        });
    };
    for (int i = 0; i != 50; ++i)
        next(next);
    w.time.run(w.ioc);
    CHECK(done == documents);
    CHECK(w.passed() > 1h);
    client_statistics const s = c.statistics();
    CHECK(s.accepted == documents);
    CHECK(s.waiting_jobs + s.active_submits + s.active_polls == 0);
}
