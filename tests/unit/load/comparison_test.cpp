#include <ocrpipe/load/comparison.hpp>

#include "queue.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace ocrpipe;
using namespace load_test;

namespace
{

std::vector<double> sample(double median, std::size_t n, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    auto const draw = lognormal(median, 0.3);
    std::vector<double> out;
    for (std::size_t i = 0; i != n; ++i)
        out.push_back(draw(random));
    return out;
}

} // namespace

TEST_CASE("compare: the same service twice -> within noise in nearly all of 40 pairs")
{
    int alarms = 0;
    for (std::uint64_t seed = 1; seed != 41; ++seed)
        alarms += compare(sample(1, 400, seed), sample(1, 400, seed + 1000), 95).beyond_noise();
    CHECK(alarms <= 6); // 2 are expected
}

TEST_CASE("compare: 20 % slower -> beyond noise, and the interval encloses the truth")
{
    auto const d = compare(sample(1, 2000, 1), sample(1.2, 2000, 2), 50);
    CHECK(d.beyond_noise());
    CHECK(d.low < 0.2);
    CHECK(d.high > 0.2);
    CHECK(d.change() == doctest::Approx(0.2).epsilon(0.2));
}

TEST_CASE("compare: the same seed -> the same interval; too few values -> no statement")
{
    auto const a = sample(1, 100, 1), b = sample(1.1, 100, 2);
    CHECK(compare(a, b, 0).low == compare(a, b, 0).low);
    auto const few = compare(std::vector<double>{1}, b, 95);
    CHECK(std::isinf(few.high));
    CHECK_FALSE(few.beyond_noise());
    CHECK(compare({}, {}, 95).before == 0);
}
