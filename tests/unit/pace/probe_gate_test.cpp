#include <ocrpipe/pace/probe_gate.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;
using decision = probe_gate::decision;

namespace
{

clock::time_point const start = clock::time_point(1'000h);

} // namespace

TEST_CASE("probe_gate: no setback -> open")
{
    probe_gate gate({3});
    for (int i = 0; i != 10; ++i) CHECK(gate.ask(start) == decision::open);
    gate.succeeded();
    CHECK(gate.ask(start) == decision::open);
}

TEST_CASE("probe_gate: one setback -> all wait, and one probe goes after an interval")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    CHECK(gate.ask(start) == decision::wait);
    CHECK(gate.next_probe() == start + 1s);
    CHECK(gate.ask(start + 999ms) == decision::wait);
    CHECK(gate.ask(start + 1s) == decision::probe);
    gate.begin_probe(start + 1s);
    CHECK(gate.ask(start + 1s) == decision::wait);
    CHECK(gate.ask(start + 10min) == decision::wait);
}

TEST_CASE("probe_gate: a probe without an outcome for ten minutes -> another one goes")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    gate.begin_probe(start + 1s);
    CHECK(gate.ask(start + 1s + 10min) == decision::probe);
    gate.begin_probe(start + 1s + 10min);
    CHECK(gate.ask(start + 1s + 11min) == decision::wait);
    gate.succeeded();
    CHECK(gate.ask(start + 1s + 11min) == decision::open);
}

TEST_CASE("probe_gate: the probe succeeds -> open for all, and the next setback begins a new count")
{
    probe_gate gate({2});
    gate.failed(start, 0);
    REQUIRE(gate.ask(start + 1s) == decision::probe);
    gate.begin_probe(start + 1s);
    gate.succeeded();
    CHECK(gate.ask(start + 1s) == decision::open);
    gate.failed(start + 2s, 0);
    CHECK_FALSE(gate.is_closed());
    CHECK(gate.next_probe() == start + 3s);
}

TEST_CASE("probe_gate: probe after probe fails -> intervals of 1, 2, 4, 8, 16, 30, 30 seconds")
{
    probe_gate gate({100});
    clock::time_point now = start;
    gate.failed(now, 0);
    for (auto const interval : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        CAPTURE(interval.count());
        CHECK(gate.next_probe() == now + interval);
        now = gate.next_probe();
        REQUIRE(gate.ask(now) == decision::probe);
    gate.begin_probe(now);
        gate.failed(now, 0);
    }
}

TEST_CASE("probe_gate: jitter -> up to a quarter of the interval is added")
{
    probe_gate gate({3});
    gate.failed(start, 0.8);
    CHECK(gate.next_probe() == start + 1'200ms);
}

TEST_CASE("probe_gate: the last setback allowed -> closed for good, whatever comes afterwards")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    REQUIRE(gate.ask(start + 1s) == decision::probe);
    gate.begin_probe(start + 1s);
    gate.failed(start + 1s, 0);
    REQUIRE_FALSE(gate.is_closed());
    REQUIRE(gate.ask(start + 3s) == decision::probe);
    gate.begin_probe(start + 3s);
    gate.failed(start + 3s, 0);
    CHECK(gate.is_closed());
    CHECK(gate.ask(start + 1h) == decision::closed);
    gate.succeeded();
    CHECK(gate.ask(start + 1h) == decision::closed);
}

TEST_CASE("probe_gate: a single setback allowed -> the first one is the last")
{
    probe_gate gate({1});
    CHECK(gate.ask(start) == decision::open);
    gate.failed(start, 0);
    CHECK(gate.ask(start) == decision::closed);
}

TEST_CASE("probe_gate: a crowd that was on its way fails, too -> counts once and delays no probe")
{
    probe_gate gate({3});
    for (int i = 0; i != 16; ++i) gate.failed(start + i * 50ms, 0);
    CHECK_FALSE(gate.is_closed());
    CHECK(gate.ask(start + 1s) == decision::probe);
}

TEST_CASE("probe_gate: the probe ends without a verdict -> another goes, an interval after it")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    REQUIRE(gate.ask(start + 5s) == decision::probe);
    gate.begin_probe(start + 5s);
    gate.probe_ended();
    CHECK(gate.ask(start + 5s) == decision::wait);
    CHECK(gate.next_probe() == start + 6s);
    CHECK(gate.ask(start + 6s) == decision::probe);
}

TEST_CASE("probe_gate: no limit -> never closed; the longest interval is its own")
{
    probe_gate gate({0, 10s});
    clock::time_point now = start;
    for (int i = 0; i != 1'000; ++i) {
        gate.failed(now, 0);
        now = gate.next_probe();
        REQUIRE(gate.ask(now) == decision::probe);
        gate.begin_probe(now);
    }
    gate.failed(now, 0);
    CHECK(gate.next_probe() == now + 10s);
    gate.succeeded();
    CHECK(gate.ask(now) == decision::open);
}

TEST_CASE("probe_gate: one request first -> nothing else goes until it was answered")
{
    probe_gate gate({3, 30s, true});
    REQUIRE(gate.ask(start) == decision::probe);
    gate.begin_probe(start);
    CHECK(gate.ask(start) == decision::wait);
    CHECK(gate.check_at(start) > start);
    SUBCASE("it succeeds")
    {
        gate.succeeded();
        CHECK(gate.ask(start) == decision::open);
    }
    SUBCASE("it is answered in another way")
    {
        gate.answered();
        CHECK(gate.ask(start) == decision::open);
    }
    SUBCASE("it is lost: another one goes first")
    {
        gate.probe_ended();
        CHECK(gate.ask(start) == decision::probe);
    }
    SUBCASE("it fails")
    {
        gate.failed(start, 0);
        CHECK(gate.ask(start) == decision::wait);
        CHECK(gate.ask(start + 1s) == decision::probe);
    }
    SUBCASE("it takes long: the others do not wait for ever")
    {
        CHECK(gate.ask(start + probe_gate::first_alone - 1ms) == decision::wait);
        CHECK(gate.ask(start + probe_gate::first_alone) == decision::open);
    }
}

TEST_CASE("probe_gate: a suspect lets another request probe first")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    CHECK(gate.ask(start + 1s, true) == decision::wait);
    CHECK(gate.check_at(start, true) > gate.check_at(start));
    CHECK(gate.ask(start + 1s) == decision::probe);
    CHECK(gate.ask(gate.check_at(start, true), true) == decision::probe);
}

TEST_CASE("probe_gate: something succeeded before -> closes only after setbacks of different requests")
{
    probe_gate gate({3});
    gate.succeeded();
    clock::time_point now = start;
    gate.failed(now, 0);
    for (int i = 0; i != 10; ++i) { // the same request, again and again
        now = gate.next_probe();
        gate.begin_probe(now);
        gate.failed(now, 0, true);
    }
    CHECK_FALSE(gate.is_closed());
    for (bool const closed : {false, true}) {
        now = gate.next_probe();
        gate.begin_probe(now);
        gate.failed(now, 0);
        CHECK(gate.is_closed() == closed);
    }
}

TEST_CASE("probe_gate: a crowd of different requests -> a short refusal does not close the gate, a longer one does")
{
    probe_gate gate({3});
    gate.succeeded();
    for (int i = 0; i != 16; ++i)
        gate.failed(start, 0);
    CHECK_FALSE(gate.is_closed());
    clock::time_point now = gate.next_probe();
    gate.begin_probe(now);
    gate.failed(now, 0, true);
    CHECK_FALSE(gate.is_closed());
    now = gate.next_probe();
    gate.begin_probe(now);
    gate.failed(now, 0, true);
    CHECK(gate.is_closed());
}

TEST_CASE("probe_gate: a certain setback -> closes at once, unless something succeeded before")
{
    probe_gate gate({3});
    gate.failed(start, 0, false, true);
    CHECK(gate.is_closed());

    probe_gate was_good({3});
    was_good.succeeded();
    was_good.failed(start, 0, false, true);
    CHECK_FALSE(was_good.is_closed());
    CHECK(was_good.ask(start) == decision::wait);
}

TEST_CASE("probe_gate: a success of a request that was sent before the pause -> does not end it")
{
    probe_gate gate({3});
    gate.failed(start, 0);
    gate.succeeded(false);
    CHECK(gate.ask(start) == decision::wait);
    CHECK(gate.recoveries() == 0);
    gate.begin_probe(start + 1s);
    gate.succeeded();
    CHECK(gate.ask(start + 1s) == decision::open);
    CHECK(gate.recoveries() == 1);
}
