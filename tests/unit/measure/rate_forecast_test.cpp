#include <ocrpipe/measure/rate_forecast.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{
clock::time_point const t0 = clock::time_point() + 1000h;
}

TEST_CASE("rate_forecast: before a window is complete -> no rate; before three are -> no forecast")
{
    rate_forecast f;
    CHECK_FALSE(f.per_second().has_value());
    f.sample(t0, 100);
    f.sample(t0 + 1s, 110);
    CHECK_FALSE(f.per_second().has_value());
    f.sample(t0 + 2s, 120);
    CHECK(f.per_second().value() == 10);
    CHECK_FALSE(f.time_for(50).has_value());
    f.sample(t0 + 4s, 140);
    f.sample(t0 + 6s, 160);
    CHECK(f.time_for(50).value().seconds == 5);
}

TEST_CASE("rate_forecast: a constant rate -> the interval is a point; nothing left -> zero")
{
    rate_forecast f;
    for (int s = 0; s <= 20; ++s)
        f.sample(t0 + std::chrono::seconds(s), static_cast<std::uint64_t>(s) * 5);
    auto const e = f.time_for(1'000).value();
    CHECK(e.seconds == doctest::Approx(200));
    CHECK(e.low == doctest::Approx(200));
    CHECK(e.high.value() == doctest::Approx(200));
    CHECK(f.time_for(0).value().seconds == 0);
}

TEST_CASE("rate_forecast: windows of 10, 20 and 30 -> the interval of Student's distribution")
{
    rate_forecast f;
    f.sample(t0, 0);
    f.sample(t0 + 2s, 10);
    f.sample(t0 + 4s, 30);
    f.sample(t0 + 6s, 60);
    // Mean 20, deviation 10, error 10 / sqrt(3), two degrees of freedom: 4.303.
    auto const e = f.time_for(100).value();
    CHECK(e.seconds == doctest::Approx(10));
    CHECK(e.low == doctest::Approx(200 / (20 + 4.303 * 10 / std::sqrt(3.0))).epsilon(0.01));
    CHECK_FALSE(e.high.has_value()); // 20 - 24.8 is below zero
}

TEST_CASE("rate_forecast: nothing finished -> the rate is zero, and there is no forecast")
{
    rate_forecast f;
    for (int s = 0; s <= 20; s += 2)
        f.sample(t0 + std::chrono::seconds(s), 7);
    CHECK(f.per_second().value() == 0);
    CHECK_FALSE(f.time_for(1).has_value());
}

TEST_CASE("rate_forecast: a long run whose rate changes -> only the last half hour counts")
{
    rate_forecast f;
    std::uint64_t total = 0;
    int s = 0;
    for (; s != 20'000; ++s)
        f.sample(t0 + std::chrono::seconds(s), total += 10);
    CHECK(f.per_second().value() == doctest::Approx(10).epsilon(0.01));
    for (; s != 22'000; ++s)
        f.sample(t0 + std::chrono::seconds(s), total += 2);
    CHECK(f.per_second().value() == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("rate_forecast: samples that come late -> the rate is that of the whole gap")
{
    rate_forecast f;
    f.sample(t0, 0);
    f.sample(t0 + 1000s, 500);
    CHECK(f.per_second().value() == doctest::Approx(0.5));
    f.sample(t0 + 1064s, 532);
    CHECK(f.per_second().value() == doctest::Approx(0.5));
}

TEST_CASE("rate_forecast: random arrivals -> the truth is in the interval in at least nine of ten runs")
{
    int hits = 0;
    for (unsigned seed = 0; seed != 100; ++seed) {
        std::mt19937_64 random(seed);
        std::poisson_distribution<std::uint64_t> arrivals(5);
        rate_forecast f;
        std::uint64_t total = 0;
        for (int s = 0; s <= 40; ++s) {
            f.sample(t0 + std::chrono::seconds(s), total);
            total += arrivals(random);
        }
        auto const e = f.time_for(1'000).value();
        REQUIRE(e.high.has_value());
        hits += e.low <= 200 && 200 <= *e.high;
    }
    CHECK(hits >= 90);
}
