#include <ocrpipe/pace/auth_gate.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;
using decision = auth_gate::decision;

namespace
{

clock::time_point const start = clock::time_point(1'000h);

} // namespace

TEST_CASE("auth_gate: nothing refused -> open")
{
    auth_gate gate(3);
    for (int i = 0; i != 10; ++i) CHECK(gate.ask(start) == decision::open);
    gate.succeeded();
    CHECK(gate.ask(start) == decision::open);
}

TEST_CASE("auth_gate: one refusal -> all wait, and one probe goes after an interval")
{
    auth_gate gate(3);
    gate.refused(start, 0);
    CHECK(gate.ask(start) == decision::wait);
    CHECK(gate.next_probe() == start + 1s);
    CHECK(gate.ask(start + 999ms) == decision::wait);
    CHECK(gate.ask(start + 1s) == decision::probe);
    CHECK(gate.ask(start + 1s) == decision::wait);
    CHECK(gate.ask(start + 1h) == decision::wait);
}

TEST_CASE("auth_gate: the probe is answered -> open for all, and the next refusal begins anew")
{
    auth_gate gate(2);
    gate.refused(start, 0);
    REQUIRE(gate.ask(start + 1s) == decision::probe);
    gate.succeeded();
    CHECK(gate.ask(start + 1s) == decision::open);
    gate.refused(start + 2s, 0);
    CHECK_FALSE(gate.is_refused());
    CHECK(gate.next_probe() == start + 3s);
}

TEST_CASE("auth_gate: probe after probe is refused -> intervals of 1, 2, 4, 8, 16, 30, 30 seconds")
{
    auth_gate gate(100);
    clock::time_point now = start;
    gate.refused(now, 0);
    for (auto const interval : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        CAPTURE(interval.count());
        CHECK(gate.next_probe() == now + interval);
        now = gate.next_probe();
        REQUIRE(gate.ask(now) == decision::probe);
        gate.refused(now, 0);
    }
}

TEST_CASE("auth_gate: jitter -> up to a quarter of the interval is added")
{
    auth_gate gate(3);
    gate.refused(start, 0.8);
    CHECK(gate.next_probe() == start + 1'200ms);
}

TEST_CASE("auth_gate: the last refusal allowed -> refused for good, whatever comes afterwards")
{
    auth_gate gate(3);
    gate.refused(start, 0);
    REQUIRE(gate.ask(start + 1s) == decision::probe);
    gate.refused(start + 1s, 0);
    REQUIRE_FALSE(gate.is_refused());
    REQUIRE(gate.ask(start + 3s) == decision::probe);
    gate.refused(start + 3s, 0);
    CHECK(gate.is_refused());
    CHECK(gate.ask(start + 1h) == decision::refused);
    gate.succeeded();
    CHECK(gate.ask(start + 1h) == decision::refused);
}

TEST_CASE("auth_gate: a single refusal allowed, or nonsense for a number -> the first one is the last")
{
    for (int const allowed : {1, 0, -7}) {
        auth_gate gate(allowed);
        CHECK(gate.ask(start) == decision::open);
        gate.refused(start, 0);
        CHECK(gate.ask(start) == decision::refused);
    }
}

TEST_CASE("auth_gate: a crowd that was on its way is refused too -> counts once and delays no probe")
{
    auth_gate gate(3);
    for (int i = 0; i != 16; ++i) gate.refused(start + i * 50ms, 0);
    CHECK_FALSE(gate.is_refused());
    CHECK(gate.ask(start + 1s) == decision::probe);
}

TEST_CASE("auth_gate: the probe ends without a verdict -> another goes, an interval after it")
{
    auth_gate gate(3);
    gate.refused(start, 0);
    REQUIRE(gate.ask(start + 5s) == decision::probe);
    gate.probe_ended();
    CHECK(gate.ask(start + 5s) == decision::wait);
    CHECK(gate.next_probe() == start + 6s);
    CHECK(gate.ask(start + 6s) == decision::probe);
}
