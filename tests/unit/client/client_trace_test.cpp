#include "client_fixture.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace client_tests;

namespace
{

std::string const callers = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

std::shared_ptr<trace_context const> callers_span()
{
    return std::make_shared<trace_context const>(trace_context::parse(callers, "congo=t61rcWkgMzE").value());
}

/// The spans of all exchanges.
struct spans final : client_observer {
    void on_exchange(exchange_event const& e) override
    {
        if (e.trace) seen.push_back(*e.trace);
    }
    std::vector<trace_context> seen;
};

/// Whether each request has a span of its own in the caller's trace.
void check_children(std::vector<seen_request> const& log)
{
    std::set<std::string> span_ids{callers.substr(36, 16)};
    for (seen_request const& r : log) {
        CAPTURE(r.traceparent);
        CHECK(r.traceparent.size() == 55);
        CHECK(r.traceparent.substr(0, 36) == callers.substr(0, 36));
        CHECK(r.traceparent.substr(52) == "-01");
        CHECK(span_ids.insert(r.traceparent.substr(36, 16)).second);
    }
}

} // namespace

TEST_CASE_FIXTURE(fixture,
                  "client: a traced document -> each attempt and each poll is a child of the caller's span")
{
    auto const observer = std::make_shared<spans>();
    client_options o = quick();
    o.observer = observer;
    int polls = 0;
    client c = make(
        [&](seen_request const& r) {
            if (r.method != http_method::post) return t::json(200, ++polls == 3 ? finished : pending);
            if (log.size() == 1) return t::fails(errc::connect_failed, bytes_sent::none);
            return t::json(201, accepted);
        },
        o);
    submit_request traced = invoice();
    traced.trace = callers_span();
    bool done = false;
    c.async_recognize(std::move(traced), [&](result<ocr_result> r) { done = r.has_value(); });
    ioc.run();
    CHECK(done);
    REQUIRE(log.size() == 5);
    check_children(log);
    REQUIRE(observer->seen.size() == 5);
    for (std::size_t i = 0; i != 5; ++i) {
        CHECK(observer->seen[i].traceparent() == log[i].traceparent);
        CHECK(observer->seen[i].parent_id() == "b7ad6b7169203331");
        CHECK(observer->seen[i].tracestate() == "congo=t61rcWkgMzE");
    }
}

TEST_CASE_FIXTURE(fixture, "client: a traced wait and a traced part -> likewise")
{
    client c = make([](seen_request const&) { return t::json(200, finished); });
    wait_request wait("r-1");
    wait.trace = callers_span();
    c.async_wait(std::move(wait), [](result<ocr_result>) {});
    part_request part(operation::table, "r-1", "d-1");
    part.trace = callers_span();
    c.async_part(std::move(part), [](result<part_data>) {});
    ioc.run();
    CHECK(log.size() == 2);
    check_children(log);
}

TEST_CASE_FIXTURE(fixture, "client: not asked for -> no traceparent, and none in the events")
{
    auto const observer = std::make_shared<spans>();
    client_options o = quick();
    o.observer = observer;
    client c = make(
        [](seen_request const& r) {
            return r.method == http_method::post ? t::json(201, accepted) : t::json(200, finished);
        },
        o);
    c.async_recognize(invoice(), [](result<ocr_result>) {});
    ioc.run();
    REQUIRE(log.size() == 2);
    for (seen_request const& r : log)
        CHECK(r.traceparent.empty());
    CHECK(observer->seen.empty());
}
