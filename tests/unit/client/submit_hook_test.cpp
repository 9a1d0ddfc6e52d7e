#include "client_fixture.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

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

task<void> note(std::vector<std::string>& events, std::string what)
{
    events.push_back(std::move(what));
    co_return;
}

/// Hooks of which the first one ends with `ec`.
submit_hooks first_hook(error_code ec, std::vector<std::string>& events)
{
    submit_hooks hooks;
    hooks.before_sending = [ec, &events] { return ends_with(ec, events); };
    return hooks;
}

task<void> wait_until(detail::timer& t)
{
    error_code ignored;
    co_await t.async_wait(asio::redirect_error(detail::use_task, ignored));
}

} // namespace

TEST_CASE_FIXTURE(fixture, "submit_hooks: runs once, before the first byte, also if the submit is repeated")
{
    std::vector<std::string> events;
    client c = make([&](seen_request const&) {
        events.push_back("sent");
        if (events.size() == 2) return t::fails(errc::connect_failed, bytes_sent::none);
        return t::json(201, accepted);
    });
    submit_hooks const hook = first_hook({}, events);
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), hook, [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    CHECK(got.value().value().request_id == "r-1");
    CHECK(events == std::vector<std::string>{"hook", "sent", "sent"});
}

TEST_CASE_FIXTURE(fixture, "submit_hooks: refused -> set aside before it waits, and announced again")
{
    std::vector<std::string> events;
    client c = make([&](seen_request const&) {
        events.push_back("sent");
        return posts() == 1 ? t::json(403, "Forbidden") : t::json(201, accepted);
    });
    submit_hooks hooks = first_hook({}, events);
    hooks.set_aside = [&] { return note(events, "aside"); };
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), hooks, [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    CHECK(got.value().value().request_id == "r-1");
    CHECK(events == std::vector<std::string>{"hook", "sent", "aside", "hook", "sent"});
}

TEST_CASE_FIXTURE(fixture,
                  "submit_hooks: submits are stopped while it is set aside -> it ends without a wait")
{
    std::vector<std::string> events;
    client c = make([](seen_request const&) { return t::json(403, "Forbidden"); });
    submit_hooks hooks = first_hook({}, events);
    hooks.set_aside = [&] {
        c.stop_submits();
        return note(events, "aside");
    };
    std::optional<result<submitted_job>> got;
    c.async_submit(invoice(), hooks, [&](result<submitted_job> r) { got = std::move(r); });
    ioc.run();
    CHECK(got.value().error().is(errc::cancelled));
    CHECK(events == std::vector<std::string>{"hook", "aside"});
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(fixture,
                  "submit_hooks: ends with an error -> nothing is sent, and the connection is free again")
{
    client_options o = quick();
    o.pool.submit_connections = 1;
    client c = make([](seen_request const&) { return t::json(201, accepted); }, o);
    std::vector<std::string> events;
    submit_hooks const hook = first_hook(make_error_code(errc::ledger_failed), events);
    std::optional<result<submitted_job>> refused;
    std::optional<result<submitted_job>> sent;
    c.async_submit(invoice(), hook, [&](result<submitted_job> r) { refused = std::move(r); });
    c.async_submit(invoice(), [&](result<submitted_job> r) { sent = std::move(r); });
    ioc.run();
    CHECK(refused.value().error().is(errc::cancelled));
    CHECK(sent.value().has_value());
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(fixture, "submit_hooks: all connections for submits are busy -> it runs when one is free")
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
    submit_hooks const hook = first_hook({}, events);
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

TEST_CASE_FIXTURE(fixture, "submit_hooks: the accepted one runs before another submit gets the connection")
{
    client_options o = quick();
    o.pool.submit_connections = 1;
    client c = make([](seen_request const&) { return t::json(201, accepted); }, o);
    detail::timer recorded(ioc, clock::time_point::max());
    std::string id;
    submit_hooks hooks;
    hooks.accepted = [&](submitted_job const& job) {
        id = job.request_id;
        return wait_until(recorded);
    };
    int ended = 0;
    c.async_submit(invoice(), hooks, [&](result<submitted_job> r) { ended += r.has_value(); });
    c.async_submit(invoice(), [&](result<submitted_job> r) { ended += r.has_value(); });
    ioc.poll();
    CHECK(id == "r-1");
    CHECK(ended == 0);
    CHECK(posts() == 1);
    recorded.cancel();
    ioc.restart();
    ioc.run();
    CHECK(ended == 2);
    CHECK(posts() == 2);
}

TEST_CASE_FIXTURE(fixture, "submit_hooks: a submit that is not accepted -> the accepted one does not run")
{
    client c = make([](seen_request const&) { return t::json(400, "no"); });
    submit_hooks hooks;
    bool ran = false;
    detail::timer none(ioc);
    hooks.accepted = [&](submitted_job const&) {
        ran = true;
        return wait_until(none);
    };
    c.async_submit(invoice(), hooks, [](result<submitted_job> r) { CHECK(r.has_error()); });
    ioc.run();
    CHECK_FALSE(ran);
}
