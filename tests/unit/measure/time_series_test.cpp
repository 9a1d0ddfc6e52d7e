#include <ocrpipe/measure/time_series.hpp>

#include <doctest/doctest.h>

#include <numeric>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{
clock::time_point const t0 = clock::time_point() + 1000h;
}

TEST_CASE("time_series: events in several seconds -> a point each; a pause has points, which keep the gauges")
{
    time_series s(t0);
    ++s.at(t0).submitted;
    ++s.at(t0 + 999ms).submitted;
    s.at(t0 + 1500ms).in_flight = 7;
    s.at(t0 + 1500ms).backlog = 3;
    ++s.at(t0 + 4s).failed;
    REQUIRE(s.points().size() == 5);
    CHECK(s.interval() == 1s);
    CHECK(s.points()[0].submitted == 2);
    CHECK(s.points()[1].submitted == 0);
    CHECK(s.points()[3].in_flight == 7);
    CHECK(s.points()[4].backlog == 3);
    CHECK(s.points()[4].failed == 1);
}

TEST_CASE("time_series: a time before the last point, or before the start -> counts to the last point")
{
    time_series s(t0);
    ++s.at(t0 - 1h).polls;
    ++s.at(t0 + 10s).polls;
    ++s.at(t0 + 3s).polls;
    CHECK(s.points()[0].polls == 1);
    CHECK(s.points()[3].polls == 0);
    CHECK(s.points()[10].polls == 2);
}

TEST_CASE(
    "time_series: the 721st second -> intervals of two seconds; counts are added, gauges are the later ones")
{
    time_series s(t0);
    for (int i = 0; i != 720; ++i) {
        time_series::point& p = s.at(t0 + std::chrono::seconds(i));
        p.submitted = 1;
        p.accepted = 2;
        p.finished = 3;
        p.failed = 4;
        p.bytes = 5;
        p.polls = 6;
        p.in_flight = static_cast<std::uint64_t>(i);
        p.backlog = static_cast<std::uint64_t>(i) * 2;
        p.end_to_end.record(std::chrono::seconds(i + 1));
    }
    REQUIRE(s.points().size() == 720);
    ++s.at(t0 + 720s).submitted;
    CHECK(s.interval() == 2s);
    REQUIRE(s.points().size() == 361);
    time_series::point const& p = s.points()[100];
    CHECK(p.submitted == 2);
    CHECK(p.accepted == 4);
    CHECK(p.finished == 6);
    CHECK(p.failed == 8);
    CHECK(p.bytes == 10);
    CHECK(p.polls == 12);
    CHECK(p.in_flight == 201);
    CHECK(p.backlog == 402);
    CHECK(p.end_to_end.count() == 2);
    CHECK(p.end_to_end.min().count() == 201);
    CHECK(p.end_to_end.max().count() == 202);
    CHECK(s.points()[0].end_to_end.count() == 2);
    CHECK(s.points()[360].submitted == 1);
}

TEST_CASE("time_series: three days -> intervals of 512 seconds, and nothing is lost")
{
    time_series s(t0);
    constexpr int days = 3 * 86'400;
    for (int i = 0; i != days; ++i)
        ++s.at(t0 + std::chrono::seconds(i)).finished;
    CHECK(s.interval() == 512s);
    CHECK(s.points().size() == (days + 511) / 512);
    CHECK(std::accumulate(s.points().begin(), s.points().end(), std::uint64_t(0),
                          [](std::uint64_t sum, auto const& p) { return sum + p.finished; }) == days);
    CHECK(s.points()[10].finished == 512);
}

TEST_CASE("time_series: one event after a year -> at most 720 points")
{
    time_series s(t0);
    ++s.at(t0 + 24h * 365).polls;
    CHECK(s.points().size() <= time_series::most_points);
    CHECK(s.points().back().polls == 1);
}
