#include <ocrpipe/load/arrival_plan.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace ocrpipe;

namespace
{

/// At most `most` times in seconds.
std::vector<double> times_of(arrival_plan const& plan, std::size_t most = 1'000'000)
{
    arrival_times all(plan);
    std::vector<double> out;
    while (out.size() != most) {
        auto const t = all.next();
        if (!t) break;
        out.push_back(static_cast<double>(t->count()) / 1e9);
    }
    return out;
}

arrival_plan constant(double rate, double seconds)
{
    arrival_plan p;
    p.stages = {{rate, rate, seconds}};
    return p;
}

} // namespace

TEST_CASE("arrival_times: a constant rate -> evenly spaced, the first at once, none at the end")
{
    auto const t = times_of(constant(4, 1));
    REQUIRE(t.size() == 4);
    CHECK(t[0] == doctest::Approx(0));
    CHECK(t[1] == doctest::Approx(0.25));
    CHECK(t[3] == doctest::Approx(0.75));
    CHECK(*most_documents(constant(4, 1)) == 4);
}

TEST_CASE("arrival_times: a ramp from 0 -> the integral of the rate at each arrival is a whole number")
{
    arrival_plan p;
    p.stages = {{0, 10, 4}}; // 20 documents: t = sqrt(0.8 n)
    auto const t = times_of(p);
    REQUIRE(t.size() == 20);
    CHECK(t[5] == doctest::Approx(2));
    CHECK(t[19] == doctest::Approx(std::sqrt(0.8 * 19)));
    CHECK(rate_at(p, 2) == doctest::Approx(5));
    CHECK(rate_at(p, 4) == 0);
}

TEST_CASE("arrival_times: a ramp down, then a pause, then a constant rate -> the pause is empty")
{
    arrival_plan p;
    p.stages = {{10, 0, 2}, {0, 0, 3}, {5, 5, 1}};
    auto const t = times_of(p);
    REQUIRE(t.size() == 15);
    CHECK(t[9] < 2);
    CHECK(t[10] == doctest::Approx(5));
    CHECK(t[14] == doctest::Approx(5.8));
    CHECK(*most_documents(p) == 15);
}

TEST_CASE("arrival_times: max_documents and max_seconds -> whichever comes first")
{
    arrival_plan p = constant(10, INFINITY);
    p.max_documents = 7;
    CHECK(times_of(p, 100).size() == 7);
    CHECK(*most_documents(p) == 7);
    CHECK(std::isinf(length_of(p)));
    p.max_seconds = 0.5;
    CHECK(times_of(p, 100).size() == 5);
    CHECK(*most_documents(p) == 5);
    CHECK(length_of(p) == doctest::Approx(0.5));
    p.max_documents = 0;
    CHECK(times_of(p, 100).size() == 5);
}

TEST_CASE("arrival_times: Poisson -> as many as asked for within its spread, and the same for a seed")
{
    arrival_plan p = constant(100, 100);
    p.poisson = true;
    auto const t = times_of(p);
    CHECK(std::abs(static_cast<double>(t.size()) - 10'000) < 300); // 3 standard deviations
    CHECK(times_of(p) == t);
    double squares = 0;
    for (std::size_t i = 1; i != t.size(); ++i)
        squares += std::pow(t[i] - t[i - 1] - 0.01, 2);
    // The standard deviation of an exponential distribution is its mean.
    CHECK(std::sqrt(squares / static_cast<double>(t.size())) == doctest::Approx(0.01).epsilon(0.05));
    p.seed = 2;
    CHECK(times_of(p) != t);
    CHECK(*most_documents(p) == 10'501);
}

TEST_CASE("arrival_times: Poisson arrivals of ten thousand seeds -> never more than most_documents")
{
    arrival_plan p = constant(1, 1);
    p.poisson = true;
    CHECK(*most_documents(p) == 7);
    std::size_t most = 0;
    for (p.seed = 29'000; p.seed != 39'000; ++p.seed)
        most = std::max(most, times_of(p).size());
    CHECK(most == 7); // seed 29062 would have 8
}

TEST_CASE("most_documents: a closed loop -> only max_documents limits it")
{
    arrival_plan p;
    p.concurrency = 10;
    p.max_seconds = 60;
    CHECK_FALSE(most_documents(p));
    CHECK(length_of(p) == 60);
    p.max_documents = 5;
    CHECK(*most_documents(p) == 5);
}

TEST_CASE("arrival_times: the next document is due beyond all times -> far ahead, not in the past")
{
    arrival_plan p = constant(1e-300, std::numeric_limits<double>::infinity());
    p.max_documents = 3;
    auto const t = times_of(p);
    REQUIRE(t.size() == 3);
    CHECK(t[0] == 0);
    CHECK(t[1] == 1e9);
    CHECK(t[2] == 1e9);
}

TEST_CASE("arrival_times: a thousand seeds of odd rates -> never more than most_documents, never backwards")
{
    for (std::uint64_t seed = 1; seed != 1000; ++seed) {
        arrival_plan p;
        double const a = static_cast<double>(seed % 17) * 1.3;
        double const b = static_cast<double>(seed % 5) * 2.7;
        p.stages = {{a, b, 3.1}, {b, b, 1.7}, {b, a, 0.9}};
        auto const t = times_of(p);
        CHECK(t.size() <= *most_documents(p));
        CHECK(t.size() + 2 >= *most_documents(p));
        for (std::size_t i = 1; i < t.size(); ++i)
            CHECK(t[i] >= t[i - 1]);
    }
}
