#include <ocrpipe/pace/gcra.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

clock::time_point const start = clock::time_point(1'000h);

} // namespace

TEST_CASE("gcra: a rate of zero or less -> everything at once, for ever")
{
    for (double const rate : {0.0, -1.0}) {
        gcra limit(rate);
        CHECK(limit.unlimited());
        for (int i = 0; i != 1'000; ++i)
            CHECK(limit.reserve(start, 1e12) == start);
        CHECK_FALSE(limit.cancel_last(start));
    }
}

TEST_CASE("gcra: a crowd arrives at once -> one goes each interval, in the order of arrival")
{
    gcra limit(10);
    for (int i = 0; i != 50; ++i)
        CHECK(limit.reserve(start) == start + i * 100ms);
}

TEST_CASE("gcra: arrivals slower than the rate -> each at once, and nothing is saved up beyond the burst")
{
    gcra limit(10);
    CHECK(limit.reserve(start) == start);
    CHECK(limit.reserve(start + 1h) == start + 1h);
    CHECK(limit.reserve(start + 1h) == start + 1h + 100ms);
}

TEST_CASE("gcra: a slot that was not used in its interval -> has passed")
{
    gcra limit(10);
    clock::time_point const slot = limit.reserve(clock::time_point(1h));
    CHECK_FALSE(limit.has_passed(slot, slot));
    CHECK_FALSE(limit.has_passed(slot, slot + std::chrono::milliseconds(100)));
    CHECK(limit.has_passed(slot, slot + std::chrono::milliseconds(101)));
    CHECK_FALSE(limit.has_passed(slot, slot + std::chrono::milliseconds(200), 2));
    gcra bursts(10, 5);
    CHECK_FALSE(bursts.has_passed(slot, slot + std::chrono::milliseconds(500)));
    CHECK(bursts.has_passed(slot, slot + std::chrono::milliseconds(501)));
    CHECK_FALSE(gcra(0).has_passed(slot, slot + std::chrono::hours(1)));
}

TEST_CASE("gcra: a burst of five -> five at once, then one each interval; a pause fills it up again")
{
    gcra limit(10, 5);
    for (int i = 0; i != 5; ++i)
        CHECK(limit.reserve(start) == start);
    CHECK(limit.reserve(start) == start + 100ms);
    CHECK(limit.reserve(start) == start + 200ms);
    clock::time_point const later = start + 1min;
    for (int i = 0; i != 5; ++i)
        CHECK(limit.reserve(later) == later);
    CHECK(limit.reserve(later) == later + 100ms);
}

TEST_CASE("gcra: a cost above the burst -> goes at once, and those behind it wait for it")
{
    gcra bytes(1'000'000, 64'000);
    CHECK(bytes.reserve(start, 10'000'000) == start);
    clock::time_point const next = bytes.reserve(start, 1'000);
    CHECK(next > start + 9'900ms);
    CHECK(next <= start + 10s);
}

TEST_CASE(
    "gcra: without a burst, any costs -> at each moment, no more than the rate allowed plus the newest cost")
{
    for (double const cost : {1'000.0, 64'000.0, 300'000.0, 1'000'000.0, 2'500'000.0}) {
        gcra bytes(1'000'000);
        double before = 0;
        for (int i = 0; i != 100; ++i, before += cost) {
            auto const at = std::chrono::duration<double>(bytes.reserve(start, cost) - start).count();
            CHECK(before <= 1'000'000 * at + 1);
        }
    }
}

TEST_CASE("gcra: an hour at a rate that does not divide a second -> no drift")
{
    gcra limit(7);
    clock::time_point last{};
    for (int i = 0; i <= 7 * 3'600; ++i)
        last = limit.reserve(start);
    CHECK(last - start > 1h - 1ms);
    CHECK(last - start < 1h + 1ms);
}

TEST_CASE("gcra: the newest reservation is given back -> its place is free again")
{
    gcra limit(10);
    limit.reserve(start);
    clock::time_point const waits = limit.reserve(start);
    CHECK(limit.cancel_last(waits));
    CHECK(limit.reserve(start) == waits);
}

TEST_CASE("gcra: an older reservation is given back -> nothing changes for those behind it")
{
    gcra limit(10);
    limit.reserve(start);
    clock::time_point const older = limit.reserve(start, 3);
    clock::time_point const newest = limit.reserve(start, 2);
    CHECK_FALSE(limit.cancel_last(older, 3));
    CHECK(limit.reserve(start) == newest + 200ms);
}

TEST_CASE("gcra: an absurdly slow rate -> far in the future, without overflow")
{
    gcra limit(1e-300, 10);
    for (int i = 0; i != 1'000; ++i) {
        clock::time_point const t = limit.reserve(start, 1e300);
        CHECK(t >= start);
        CHECK(t <= start + std::chrono::hours(24 * 366));
    }
}
