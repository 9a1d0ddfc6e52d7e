#include <ocrpipe/pace/wait_estimate.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE("wait_estimate: nothing has ended yet -> a second")
{
    wait_estimate const e;
    CHECK(e.until(0) == 1s);
    CHECK(e.until(1'000) == 1s);
}

TEST_CASE("wait_estimate: an end every half second -> half a second for each that is ahead, rounded up")
{
    wait_estimate e;
    clock::time_point now{};
    e.begins(now);
    for (int i = 0; i != 5; ++i)
        e.ended(now += 500ms);
    CHECK(e.until(1) == 1s);
    CHECK(e.until(5) == 3s);
    CHECK(e.until(8) == 4s);
}

TEST_CASE("wait_estimate: the service gets slower -> the estimate follows, up to a minute")
{
    wait_estimate e;
    clock::time_point now{};
    e.begins(now);
    for (int i = 0; i != 10; ++i)
        e.ended(now += 100ms);
    CHECK(e.until(10) <= 2s);
    for (int i = 0; i != 50; ++i)
        e.ended(now += 2s);
    CHECK(e.until(10) >= 19s);
    CHECK(e.until(1'000) == 60s);
}

TEST_CASE("wait_estimate: an idle time -> does not count as slow")
{
    wait_estimate e;
    clock::time_point now{};
    e.begins(now);
    e.ended(now += 100ms);
    now += 1h;
    e.begins(now);
    e.ended(now += 100ms);
    CHECK(e.until(10) <= 2s);
}
