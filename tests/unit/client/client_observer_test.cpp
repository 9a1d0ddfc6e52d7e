#include <ocrpipe/testing/manual_clock.hpp>

#include "client_fixture.hpp"

#include <boost/asio/redirect_error.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace client_tests;

namespace
{

/// Keeps what it is told. The strings are copies, because the events are valid during the call only.
class recorder final : public client_observer
{
public:
    void on_exchange(exchange_event const& e) override
    {
        exchanges.push_back(e);
        ids.emplace_back(e.request_id);
    }
    void on_pause(pause_event const& e) override { pauses.push_back(e); }

    std::vector<exchange_event> exchanges;
    std::vector<std::string> ids;
    std::vector<pause_event> pauses;
};

bool in_order(exchange_event const& e)
{
    return is_known(e.due) && e.due <= e.turn && e.turn <= e.allowed && e.allowed <= e.handed &&
           e.handed <= e.sent && e.sent <= e.answered;
}

/// A schedule with one interval.
class every final : public poll_schedule
{
public:
    explicit every(std::chrono::milliseconds interval) : interval_(interval) {}
    std::chrono::milliseconds next_delay(poll_context const&, double) const override { return interval_; }

private:
    std::chrono::milliseconds interval_;
};

task<error_code> wait_a_little(asio::io_context& ioc)
{
    detail::timer t(ioc.get_executor(), std::chrono::milliseconds(2));
    error_code ec;
    co_await t.async_wait(asio::redirect_error(detail::use_task, ec));
    co_return ec;
}

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "client_observer: a document -> its submit and each of its polls, with times in order")
{
    auto const seen = std::make_shared<recorder>();
    client_options o = quick();
    o.observer = seen;
    int polls = 0;
    client c = make(
        [&](seen_request const& r) {
            if (r.method == http_method::post) return t::json(201, accepted);
            return t::json(200, ++polls == 3 ? finished : pending);
        },
        o);
    std::optional<result<ocr_result>> got;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { got = std::move(r); });
    ioc.run();
    REQUIRE(got.value().has_value());
    REQUIRE(seen->exchanges.size() == 4);
    CHECK(seen->pauses.empty());
    CHECK(seen->ids == std::vector<std::string>{"", "r-1", "r-1", "r-1"});
    for (std::size_t i = 0; i != 4; ++i) {
        exchange_event const& e = seen->exchanges[i];
        CHECK_MESSAGE(in_order(e), i);
        CHECK(e.what == (i == 0 ? operation::submit : operation::result));
        CHECK(e.status == (i == 0 ? 201 : 200));
        CHECK_FALSE(e.error.failed());
        CHECK(e.attempt == (i == 0 ? 1 : static_cast<int>(i)));
        CHECK(e.not_yet == (i == 1 || i == 2));
        CHECK(e.bytes_up == log[i].body.size());
    }
    CHECK(seen->exchanges[0].bytes_up > 0);
    CHECK(seen->exchanges[0].bytes_down == accepted.size());
    CHECK(seen->exchanges[3].bytes_down == finished.size());
    job_times const& times = got->value().times();
    CHECK(times.polls == 3);
    CHECK(times.first_pending <= seen->exchanges[1].answered);
    CHECK(times.last_pending <= seen->exchanges[2].answered);
    CHECK(times.ready == seen->exchanges[3].answered);
}

TEST_CASE_FIXTURE(fixture,
                  "client_observer: attempts that fail -> one event each, with the error or the status")
{
    auto const seen = std::make_shared<recorder>();
    client c = make([&](seen_request const&) {
        if (log.size() == 1) return t::fails(errc::connect_failed, bytes_sent::none);
        if (log.size() == 2) return t::fails(errc::write_failed, bytes_sent::some);
        return t::json(400, "{}");
    });
    c.observe(seen);
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    REQUIRE(got.value().has_error());
    REQUIRE(seen->exchanges.size() == 3);
    CHECK(seen->exchanges[0].error == errc::connect_failed);
    CHECK_FALSE(is_known(seen->exchanges[0].sent));
    CHECK(seen->exchanges[0].bytes_up == 0);
    CHECK(seen->exchanges[1].error == errc::write_failed);
    CHECK(is_known(seen->exchanges[1].sent));
    CHECK(seen->exchanges[1].bytes_up == 0);
    CHECK(seen->exchanges[2].status == 400);
    CHECK(seen->exchanges[2].attempt == 3);
    CHECK(got->error().times.sent == seen->exchanges[2].sent);
}

TEST_CASE_FIXTURE(fixture,
                  "client_observer: a hook before the submit -> its time is between allowed and handed")
{
    auto const seen = std::make_shared<recorder>();
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    c.observe(seen);
    submit_hooks hooks;
    hooks.before_sending = [this] { return wait_a_little(ioc); };
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), hooks, [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    REQUIRE(got.value().has_value());
    REQUIRE(seen->exchanges.size() == 1);
    exchange_event const& e = seen->exchanges[0];
    CHECK(in_order(e));
    CHECK(e.handed - e.allowed >= std::chrono::milliseconds(2));
    CHECK(got->value().times.sent == e.sent);
    CHECK(got->value().times.accepted == e.answered);
}

TEST_CASE_FIXTURE(fixture,
                  "client_observer: a wait for a connection -> between due and turn; for a rate -> after it")
{
    auto const seen = std::make_shared<recorder>();
    client_options o = quick();
    o.observer = seen;
    o.pool.submit_connections = 1;
    client one_connection = make([](seen_request const&) { return t::json(201, accepted); }, o);
    o.pool.submit_connections = 2;
    o.rates.submits_per_second = 4;
    client slow = make([](seen_request const&) { return t::json(201, accepted); }, o);
    int ended = 0;
    for (client* const c : {&one_connection, &slow}) {
        c->async_submit(invoice(), [&](result<submitted_job>) { ++ended; });
        c->async_submit(invoice(), [&](result<submitted_job>) { ++ended; });
        ioc.restart();
        ioc.run();
    }
    CHECK(ended == 4);
    REQUIRE(seen->exchanges.size() == 4);
    for (exchange_event const& e : seen->exchanges)
        CHECK(in_order(e));
    CHECK(seen->exchanges[1].turn > seen->exchanges[1].due);
    CHECK(seen->exchanges[3].allowed > seen->exchanges[3].turn);
}

TEST_CASE_FIXTURE(fixture, "client_observer: throttled, refused and unreachable -> the pauses begin, and end")
{
    auto const seen = std::make_shared<recorder>();
    client_options o = quick();
    o.observer = seen;
    o.retry.throttled_base = o.retry.cap = std::chrono::milliseconds(20);
    client c = make(
        [&](seen_request const&) {
            switch (log.size()) {
            case 1:
                return t::json(429, "");
            case 2:
                return t::json(403, "Forbidden");
            case 3:
                return t::fails(errc::connect_failed, bytes_sent::none);
            default:
                return t::json(201, accepted);
            }
        },
        o);
    submit_request patient = invoice();
    patient.patient = true;
    std::optional<result<submitted_job>> got;
    c.async_submit(std::move(patient), [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    REQUIRE(got.value().has_value());
    REQUIRE(seen->pauses.size() == 5);
    auto const is = [&](std::size_t i, pause_kind what, bool begins) {
        return seen->pauses[i].what == what && seen->pauses[i].begins == begins;
    };
    CHECK(is(0, pause_kind::throttled, true));
    CHECK(seen->pauses[0].until > seen->pauses[0].at);
    CHECK(is(1, pause_kind::credentials, true));
    CHECK(is(2, pause_kind::outage, true));
    CHECK(is(3, pause_kind::outage, false));
    CHECK(is(4, pause_kind::credentials, false));
    CHECK(name(pause_kind::throttled) == "throttled");
    CHECK(name(pause_kind::outage) == "outage");
    CHECK(name(pause_kind::credentials) == "credentials");
}

TEST_CASE_FIXTURE(fixture, "client_observer: a part -> its own operation")
{
    auto const seen = std::make_shared<recorder>();
    client c = make([](seen_request const&) { return t::json(200, "{}"); });
    c.observe(seen);
    c.observe(nullptr);
    bool ended = false;
    c.async_stamp("r-9", "d-1", [&](result<part_data>) { ended = true; });
    ioc.run();
    CHECK(ended);
    REQUIRE_FALSE(seen->exchanges.empty());
    CHECK(seen->exchanges[0].what == operation::stamp);
    CHECK(seen->ids[0] == "r-9");
    CHECK(in_order(seen->exchanges[0]));
}

TEST_CASE("client_observer: a document under a manual clock -> each time to the microsecond")
{
    using namespace std::chrono_literals;
    testing::manual_clock time;
    fixture f;
    auto const seen = std::make_shared<recorder>();
    client_options o = quick();
    o.observer = seen;
    o.schedule = std::make_shared<every>(2s);
    o.retry.base = o.retry.cap = 1s;
    clock::time_point const begin = clock::now();
    client c = f.make(
        [&](seen_request const& r) -> exchange_result {
            time.advance(137us); // until the answer
            if (r.method != http_method::post) return t::json(200, f.log.size() == 3 ? pending : finished);
            if (f.log.size() == 2) return t::json(201, accepted);
            return t::fails(errc::connect_failed, bytes_sent::none);
        },
        o);
    std::optional<result<ocr_result>> got;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { got = std::move(r); });
    time.run(f.ioc);
    REQUIRE(got.value().has_value());
    REQUIRE(seen->exchanges.size() == 4);
    auto const& e = seen->exchanges;
    CHECK(e[0].due == begin);
    CHECK(e[0].answered == begin + 137us);
    CHECK(e[0].again_at > e[0].answered);
    CHECK(e[0].again_at <= e[0].answered + 1s);
    CHECK(is_retried(e[0]));
    CHECK(e[1].sent == e[0].again_at);
    CHECK(e[1].attempt == 2);
    CHECK(e[1].answered - e[1].sent == 137us);
    CHECK_FALSE(is_known(e[1].again_at));
    CHECK(e[2].due == e[1].answered + 2s);
    CHECK(e[2].sent >= e[2].due); // the timer of the jobs has ticks of 5 ms
    CHECK(e[2].sent < e[2].due + 5ms);
    CHECK(e[2].not_yet);
    CHECK(e[2].again_at == e[2].answered + 2s);
    CHECK_FALSE(is_retried(e[2]));
    CHECK(e[3].due == e[2].again_at);
    CHECK_FALSE(is_known(e[3].again_at));
    CHECK(got->value().times().ready == e[3].answered);
}

TEST_CASE_FIXTURE(fixture,
                  "client_observer: connections of the transport -> passed on, until the client is gone")
{
    struct observed_transport final : transport {
        task<exchange_result> send(http_request) override { co_return t::json(200, "{}"); }
        void close() override {}
        void observe_connections(connection_observer o) override { *observer = std::move(o); }
        std::shared_ptr<connection_observer> observer = std::make_shared<connection_observer>();
    };
    struct counter final : client_observer {
        void on_connection(connection_event const& e) override { ids.push_back(e.id); }
        std::vector<std::uint32_t> ids;
    };
    auto transport = std::make_unique<observed_transport>();
    auto const tell = transport->observer;
    auto const first = std::make_shared<counter>();
    auto const second = std::make_shared<counter>();
    {
        client c(ioc, quick(), std::move(transport));
        ioc.run();
        CHECK_FALSE(*tell); // costs nothing
        c.observe(first);
        c.observe(second);
        ioc.restart();
        ioc.run();
        REQUIRE(*tell);
        connection_event e;
        e.id = 7;
        (*tell)(e);
    }
    ioc.restart();
    ioc.run();
    CHECK_FALSE(*tell);
    CHECK(first->ids == std::vector<std::uint32_t>{7});
    CHECK(second->ids == first->ids);
}
