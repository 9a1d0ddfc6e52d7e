#include "client_fixture.hpp"

#include <boost/asio/post.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace client_tests;

namespace
{

task<error_code> ends_with(error_code ec, std::vector<std::string>& events)
{
    events.push_back("hook");
    co_return ec;
}

} // namespace

TEST_CASE_FIXTURE(fixture, "submit_hook: runs once, before the first byte, also if the submit is repeated")
{
    std::vector<std::string> events;
    client c = make([&](seen_request const&) {
        events.push_back("sent");
        if (events.size() == 2) return t::fails(errc::connect_failed, bytes_sent::none);
        return t::json(201, accepted);
    });
    submit_hook const hook = [&] { return ends_with({}, events); };
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), hook, [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    CHECK(got.value().value().request_id == "r-1");
    CHECK(events == std::vector<std::string>{"hook", "sent", "sent"});
}

TEST_CASE_FIXTURE(fixture, "submit_hook: ends with an error -> nothing is sent, and the connection is free again")
{
    client_options o = quick();
    o.pool.submit_connections = 1;
    client c = make([](seen_request const&) { return t::json(201, accepted); }, o);
    std::vector<std::string> events;
    submit_hook const hook = [&] { return ends_with(make_error_code(errc::ledger_failed), events); };
    std::optional<result<submitted_job>> refused;
    std::optional<result<submitted_job>> sent;
    c.async_submit(invoice(), hook, [&](result<submitted_job> r) { refused = std::move(r); });
    c.async_submit(invoice(), [&](result<submitted_job> r) { sent = std::move(r); });
    ioc.run();
    CHECK(refused.value().error().is(errc::cancelled));
    CHECK(sent.value().has_value());
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(fixture, "submit_hook: all connections for submits are busy -> it runs when one is free")
{
    client_options o = quick();
    o.pool.submit_connections = 2;
    std::vector<std::string> events;
    bool is_first = true;
    client c = make(
        [&](seen_request const&) {
            return std::exchange(is_first, false) ? t::json(201, accepted) : t::hold();
        },
        o);
    // The others follow when the first one was answered.
    c.async_submit(invoice(), [](result<submitted_job> r) { CHECK(r.has_value()); });
    ioc.run();
    ioc.restart();
    log.clear();
    submit_hook const hook = [&] { return ends_with({}, events); };
    int ended = 0;
    for (int i = 0; i != 5; ++i)
        c.async_submit(invoice(), hook, [&](result<submitted_job> r) {
            CHECK_FALSE(r.has_value());
            ++ended;
        });
    ioc.poll();
    CHECK(events.size() == 2);
    CHECK(posts() == 2);

    // Those that wait for a connection are not sent after the stop.
    c.stop_submits();
    ioc.restart();
    ioc.poll();
    CHECK(ended == 3);
    CHECK(posts() == 2);
    CHECK(events.size() == 2);
    c.close();
    ioc.restart();
    ioc.run();
    CHECK(ended == 5);
}

TEST_CASE_FIXTURE(fixture, "client: a submit waits for a connection beyond its deadline -> deadline_exceeded")
{
    client_options o = quick();
    o.pool.submit_connections = 1;
    client c = make([](seen_request const&) { return t::hold(); }, o);
    c.async_submit(invoice(), [](result<submitted_job>) {});
    submit_request late = invoice();
    late.deadline = std::chrono::milliseconds(1);
    c.async_submit(late, [&](result<submitted_job> r) {
        CHECK(r.error().is(errc::deadline_exceeded));
        c.close();
    });
    ioc.run();
    CHECK(posts() == 1);
}
