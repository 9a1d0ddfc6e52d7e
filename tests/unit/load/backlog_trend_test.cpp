#include <ocrpipe/load/backlog_trend.hpp>

#include "queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace ocrpipe;
using namespace load_test;

namespace
{

/// The trend of a service of 40 workers, at `load` times its capacity for 60 s, after a warm-up of 10 s.
backlog_trend trend_at(double load, service_time const& service, double mean, bool poisson,
                       std::uint64_t seed)
{
    arrival_plan p;
    double const rate = load * 40 / mean;
    p.stages = {{rate, rate, 60}};
    p.poisson = poisson;
    p.seed = seed;
    queue_run r = simulate(p, 40, service, seed);
    std::sort(r.ended.begin(), r.ended.end());
    return trend_of(r.arrived, r.ended, 10, 60);
}

} // namespace

TEST_CASE("trend_of: five jobs a second more than end -> a slope of 5 without doubt")
{
    std::vector<double> arrived, ended;
    for (int i = 0; i != 1000; ++i)
        arrived.push_back(i * 0.1); // 10 a second
    for (int i = 0; i != 500; ++i)
        ended.push_back(i * 0.2); // 5 a second
    auto const t = trend_of(arrived, ended, 0, 100);
    CHECK(t.slope == doctest::Approx(5));
    CHECK(t.low == doctest::Approx(5).epsilon(0.05));
    CHECK(t.high == doctest::Approx(5).epsilon(0.05));
    CHECK(t.grows());
}

TEST_CASE("trend_of: too few jobs or no time -> no statement")
{
    std::vector<double> const few{1, 2, 3};
    CHECK(std::isinf(trend_of(few, {}, 0, 10).high));
    CHECK_FALSE(trend_of(few, {}, 0, 10).grows());
    CHECK_FALSE(trend_of(few, {}, 10, 10).grows());
}

TEST_CASE("trend_of: a simulated service at 0.95, 1.10 and 1.30 of its capacity -> the right sign")
{
    struct model {
        char const* name;
        service_time service;
        double mean;
    };
    double const sigma = 0.35;
    for (model const& m : {model{"fixed", fixed(0.1), 0.1},
                           model{"lognormal", lognormal(0.1, sigma), 0.1 * std::exp(sigma * sigma / 2)},
                           model{"bimodal", bimodal(0.1, 0.05, 0.3), 0.075}}) {
        CAPTURE(m.name);
        int false_alarms = 0;
        for (std::uint64_t seed = 1; seed != 21; ++seed) {
            CAPTURE(seed);
            bool const poisson = seed % 2 == 0;
            false_alarms += trend_at(0.95, m.service, m.mean, poisson, seed).grows();
            double const capacity = 40 / m.mean;
            auto const above = trend_at(1.10, m.service, m.mean, poisson, seed);
            CHECK(above.grows());
            CHECK(std::abs(above.slope - 0.10 * capacity) < 0.05 * capacity);
            auto const far_above = trend_at(1.30, m.service, m.mean, poisson, seed);
            CHECK(far_above.grows());
            CHECK(std::abs(far_above.slope - 0.30 * capacity) < 0.05 * capacity);
        }
        CHECK(false_alarms == 0);
    }
}

TEST_CASE("student_t_95: known values")
{
    CHECK(student_t_95(1) == doctest::Approx(12.706));
    CHECK(student_t_95(9) == doctest::Approx(2.262));
    CHECK(student_t_95(19) == doctest::Approx(2.093).epsilon(0.001));
    CHECK(student_t_95(39) == doctest::Approx(2.023).epsilon(0.001));
    CHECK(student_t_95(1'000'000) == doctest::Approx(1.960).epsilon(0.001));
}
