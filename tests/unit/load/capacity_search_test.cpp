#include <ocrpipe/load/backlog_trend.hpp>
#include <ocrpipe/load/capacity_search.hpp>

#include "queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace ocrpipe;
using namespace load_test;

namespace
{

/// Searches a service that passes up to `capacity` and then works at exactly that rate.
capacity_search search_exact(double capacity, capacity_search_options how)
{
    capacity_search s(how);
    while (auto const rate = s.next_rate()) {
        bool const passed = *rate <= capacity;
        s.record({*rate, passed, std::min(*rate, capacity), !passed, passed ? "" : "the backlog grows"});
    }
    return s;
}

/// A search over a simulated service with 30 workers; each step takes 20 s.
service_capacity search_simulated(service_time const& service, std::uint64_t seed)
{
    capacity_search_options how;
    how.start = 50;
    capacity_search s(how);
    while (auto const rate = s.next_rate()) {
        arrival_plan p;
        p.stages = {{*rate, *rate, 20}};
        queue_run r = simulate(p, 30, service, ++seed);
        std::sort(r.ended.begin(), r.ended.end());
        auto const trend = trend_of(r.arrived, r.ended, 3, 20);
        double const throughput = *rate - trend.slope;
        s.record(
            {*rate, !trend.grows(), throughput, trend.grows(), trend.grows() ? "the backlog grows" : ""});
    }
    return s.found();
}

} // namespace

TEST_CASE("capacity_search: the first steps -> doubles until one fails")
{
    capacity_search s({1, 1000, 0.03, 30});
    CHECK(*s.next_rate() == 1);
    s.record({1, true, 1, false, ""});
    CHECK(*s.next_rate() == 2);
    s.record({2, true, 2, false, ""});
    CHECK(*s.next_rate() == 4);
    s.record({4, false, 0, false, "e2e.p95"});
    // No busy throughput is known: halve.
    CHECK(*s.next_rate() == 3);
    s.record({3, true, 3, false, ""});
    CHECK(*s.next_rate() == 3.5);
}

TEST_CASE("capacity_search: a step whose backlog grows -> the next is just below the busy throughput, then "
          "just above")
{
    capacity_search s({10, 1000, 0.03, 30});
    s.record({10, true, 10, false, ""});
    s.record({20, true, 20, false, ""});
    s.record({40, false, 25, true, "the backlog grows"});
    CHECK(*s.next_rate() == doctest::Approx(24.75));
    s.record({24.75, true, 24.75, false, ""});
    CHECK(*s.next_rate() == doctest::Approx(25.25));
    s.record({25.25, false, 25, true, "the backlog grows"});
    CHECK_FALSE(s.next_rate());
    CHECK(s.found().estimate == doctest::Approx(25));
    CHECK(s.found().low == doctest::Approx(24.75));
    CHECK(s.found().high == doctest::Approx(25.25));
    CHECK(s.found().limit == "the backlog grows");
}

TEST_CASE("capacity_search: a rate above the busy throughput passed by chance -> the interval contains both")
{
    capacity_search s({10, 1000, 0.03, 30});
    s.record({20, true, 20, false, ""});
    s.record({40, false, 24.8, true, "the backlog grows"});
    s.record({25.4, true, 25.1, false, ""});
    s.record({26, false, 25, true, "the backlog grows"});
    CHECK(s.found().estimate == doctest::Approx(24.9));
    CHECK(s.found().low == 24.8); // not 24.9: what busy steps finish varies
    CHECK(s.found().high == 26);
}

TEST_CASE("capacity_search: busy throughputs above the lowest rate that failed -> the interval contains them")
{
    capacity_search s({10, 1000, 0.03, 30});
    s.record({20, true, 20, false, ""});
    s.record({40, false, 25.6, true, "the backlog grows"});
    s.record({25, false, 24.8, true, "the backlog grows"});
    CHECK(s.found().estimate == doctest::Approx(25.2));
    CHECK(s.found().low == 20);
    CHECK(s.found().high == 25.6);
}

TEST_CASE("capacity_search: a service that is slower when busy -> only rates that were tried")
{
    capacity_search s({10, 1000, 0.03, 30});
    s.record({20, true, 20, false, ""});
    s.record({21, false, 10, true, "the backlog grows"});
    CHECK(s.found().estimate == doctest::Approx(20.5));
    CHECK(s.found().low == 20);
    CHECK(s.found().high == 21);
}

TEST_CASE("capacity_search: any capacity -> within the precision, in few steps")
{
    for (double capacity = 0.3; capacity < 50'000; capacity *= 1.37) {
        CAPTURE(capacity);
        auto const s = search_exact(capacity, {});
        CHECK(s.found().estimate == doctest::Approx(capacity).epsilon(0.02));
        CHECK(s.found().low <= capacity);
        CHECK(s.found().high > capacity);
        CHECK(s.steps().size() <= 22);
    }
}

TEST_CASE("capacity_search: nothing fails up to the highest rate -> an open end")
{
    auto const s = search_exact(1e9, {8, 100, 0.03, 30});
    CHECK(s.found().low == 100);
    CHECK(std::isinf(s.found().high));
    CHECK(s.found().limit.empty());
    CHECK(s.steps().size() == 5);
}

TEST_CASE("capacity_search: everything fails -> ends, and says that nothing works")
{
    capacity_search s({1, 1000, 0.03, 30});
    while (auto const rate = s.next_rate())
        s.record({*rate, false, 0, false, "error_rate"});
    CHECK(s.found().low == 0);
    CHECK(s.found().estimate == 0);
    CHECK(s.found().limit == "error_rate");
    CHECK(s.steps().size() <= 30);
}

TEST_CASE("capacity_search: simulated services, three latency models, ten seeds -> nine within 5 %")
{
    double const sigma = 0.35;
    struct model {
        char const* name;
        service_time service;
        double mean;
    };
    for (model const& m : {model{"fixed", fixed(0.1), 0.1},
                           model{"lognormal", lognormal(0.1, sigma), 0.1 * std::exp(sigma * sigma / 2)},
                           model{"bimodal", bimodal(0.1, 0.05, 0.3), 0.075}}) {
        CAPTURE(m.name);
        double const truth = 30 / m.mean;
        int right = 0;
        for (std::uint64_t seed = 1; seed != 11; ++seed)
            right += std::abs(search_simulated(m.service, seed * 1000).estimate / truth - 1) <= 0.05;
        CHECK(right >= 9);
    }
}
