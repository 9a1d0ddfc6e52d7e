#include <ocrpipe/pace/backoff.hpp>

#include <doctest/doctest.h>

#include <limits>

using namespace ocrpipe;
using std::chrono::milliseconds;

namespace
{

/// Just below 1: shows the upper end of the interval.
constexpr double almost_one = 0.999'999'999;

milliseconds longest(retry_policy const& p, int failures, bool throttled = false)
{
    return backoff_delay(p, failures, throttled, almost_one);
}

} // namespace

TEST_CASE("backoff_delay: failures in a row -> the ceiling doubles from the base up to the cap")
{
    retry_policy p;
    p.base = milliseconds(100);
    p.cap = milliseconds(1'000);
    CHECK(longest(p, 1) == milliseconds(99));
    CHECK(longest(p, 2) == milliseconds(199));
    CHECK(longest(p, 3) == milliseconds(399));
    CHECK(longest(p, 4) == milliseconds(799));
    CHECK(longest(p, 5) == milliseconds(999));
    CHECK(longest(p, 6) == milliseconds(999));
}

TEST_CASE("backoff_delay: full jitter -> from zero, in proportion to the random number")
{
    retry_policy p;
    p.base = milliseconds(800);
    CHECK(backoff_delay(p, 1, false, 0.0) == milliseconds(0));
    CHECK(backoff_delay(p, 1, false, 0.25) == milliseconds(200));
    CHECK(backoff_delay(p, 2, false, 0.5) == milliseconds(800));
}

TEST_CASE("backoff_delay: throttled -> its own base")
{
    retry_policy p;
    p.base = milliseconds(100);
    p.throttled_base = milliseconds(3'000);
    CHECK(backoff_delay(p, 1, true, 0.5) == milliseconds(1'500));
    CHECK(backoff_delay(p, 1, false, 0.5) == milliseconds(50));
}

TEST_CASE("backoff_delay: as many failures as an int can count -> the cap, without overflow")
{
    retry_policy p;
    p.base = milliseconds(1);
    p.cap = milliseconds::max();
    CHECK(longest(p, std::numeric_limits<int>::max()) > std::chrono::hours(24 * 365 * 1'000));
    p.cap = milliseconds(20'000);
    CHECK(longest(p, std::numeric_limits<int>::max()) == milliseconds(19'999));
}

TEST_CASE("backoff_delay: a base of zero, or a cap below the base -> never more than the cap")
{
    retry_policy p;
    p.base = milliseconds(0);
    CHECK(longest(p, std::numeric_limits<int>::max()) == milliseconds(0));
    p.base = milliseconds(5'000);
    p.cap = milliseconds(10);
    CHECK(longest(p, 1) == milliseconds(9));
}
