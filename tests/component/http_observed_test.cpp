// What the observer of a transport is told about its connections.
#include "support/http_fixture.hpp"
#include "support/trusted_certificates.hpp"

#include <algorithm>
#include <vector>

using namespace ocrpipe;
using enum connection_step;

namespace
{

using events = std::vector<connection_event>;

connection_observer into(events& seen)
{
    return [&seen](connection_event const& e) { seen.push_back(e); };
}

std::vector<connection_step> steps_of(events const& seen)
{
    std::vector<connection_step> all;
    for (connection_event const& e : seen)
        all.push_back(e.what);
    return all;
}

} // namespace

TEST_CASE(
    "http_transport: exchanges on one connection -> opened with its times, reused, closed with the client")
{
    http_fixture f(always(answer()));
    events seen;
    f.run([&]() -> task<void> {
        f.transport->observe_connections(into(seen));
        for (int i = 0; i < 3; ++i) {
            exchange_result const r = co_await f.get("ingest/1", i == 1 ? lane::submit : lane::poll);
            REQUIRE(r.has_value());
        }
    });
    REQUIRE(steps_of(seen) == std::vector{opened, reused, reused, closed});
    connection_event const& first = seen[0];
    CHECK(is_known(first.began));
    CHECK(first.began <= first.resolved);
    CHECK(first.resolved <= first.connected);
    CHECK(first.connected <= first.at);
    CHECK_FALSE(is_known(first.secured));
    CHECK_FALSE(is_known(first.tunnelled));
    CHECK(first.lane == lane::poll);
    CHECK(first.exchanges == 0);
    CHECK(seen[1].lane == lane::submit);
    CHECK(seen[1].exchanges == 1);
    CHECK(seen[2].exchanges == 2);
    CHECK(seen[3].why == close_reason::shutdown);
    CHECK(seen[3].exchanges == 3);
    CHECK(name(seen[3].why) == "shutdown");
    for (connection_event const& e : seen)
        CHECK(e.id == first.id);
    CHECK(std::is_sorted(seen.begin(), seen.end(),
                         [](connection_event const& a, connection_event const& b) { return a.at < b.at; }));
}

TEST_CASE("http_transport: TLS -> its time is after that of TCP")
{
    trusted_certificates c;
    http_fixture f(always(answer()), c.server);
    f.options.tls.ca_file = c.ca_file;
    events seen;
    f.run([&]() -> task<void> {
        f.transport->observe_connections(into(seen));
        exchange_result const r = co_await f.get();
        REQUIRE(r.has_value());
    });
    REQUIRE(steps_of(seen) == std::vector{opened, closed});
    CHECK(seen[0].connected < seen[0].secured);
    CHECK(seen[0].secured <= seen[0].at);
}

TEST_CASE("http_transport: the server closes an idle connection, or asks to close one -> closed, and why")
{
    int served = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer("ok", ++served == 2 ? "Connection: close\r\n" : ""));
    });
    events seen;
    f.run([&]() -> task<void> {
        f.transport->observe_connections(into(seen));
        for (int i = 1; i <= 2; ++i) {
            exchange_result const r = co_await f.get();
            REQUIRE(r.has_value());
            co_await f.async_closed(i);
        }
    });
    REQUIRE(steps_of(seen) == std::vector{opened, closed, opened, closed});
    CHECK(seen[1].why == close_reason::by_peer);
    CHECK(seen[3].why == close_reason::exchange);
}

TEST_CASE("http_transport: nobody listens -> failed, as far as it came")
{
    http_fixture f(always(answer()));
    events seen;
    f.run([&]() -> task<void> {
        f.transport->observe_connections(into(seen));
        f.server.stop_listening();
        exchange_result const r = co_await f.get();
        CHECK(r.has_error());
    });
    REQUIRE(steps_of(seen) == std::vector{failed});
    CHECK(seen[0].error == errc::connect_failed);
    CHECK(is_known(seen[0].resolved));
    CHECK_FALSE(is_known(seen[0].connected));
}

TEST_CASE("http_transport: no longer observed -> silent")
{
    http_fixture f(always(answer()));
    events seen;
    f.run([&]() -> task<void> {
        f.transport->observe_connections(into(seen));
        f.transport->observe_connections({});
        exchange_result const r = co_await f.get();
        CHECK(r.has_value());
    });
    CHECK(seen.empty());
}
