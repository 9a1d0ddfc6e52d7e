#include <ocrpipe/pace/origin_gate.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE("origin_gate: never paused -> open at any time")
{
    CHECK(origin_gate().open_at() <= clock::time_point());
}

TEST_CASE("origin_gate: several pauses -> the longest holds, whatever the order")
{
    clock::time_point const now(5h);
    origin_gate gate;
    gate.pause_until(now + 10s);
    CHECK(gate.open_at() == now + 10s);
    gate.pause_until(now + 3s);
    CHECK(gate.open_at() == now + 10s);
    gate.pause_until(now + 11s);
    CHECK(gate.open_at() == now + 11s);
}
