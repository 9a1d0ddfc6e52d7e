#include <ocrpipe/measure/latency_histogram.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

std::string json_of(latency_histogram const& h)
{
    std::string text;
    append_json(text, h);
    return text;
}

} // namespace

TEST_CASE("latency_histogram: nothing recorded -> zeros, and null in JSON")
{
    latency_histogram const h;
    CHECK(h.empty());
    CHECK(h.percentile(50).count() == 0);
    CHECK(h.mean().count() == 0);
    CHECK(h.min().count() == 0);
    CHECK(h.max().count() == 0);
    CHECK(h.buckets().empty());
    CHECK(json_of(h) ==
          "{\"count\": 0, \"mean\": null, \"min\": null, \"max\": null, \"p50\": null, \"p90\": null, "
          "\"p95\": null, \"p99\": null, \"relative_error\": 0.01, \"buckets\": []}");
    CHECK(latency_histogram::parse(boost::json::parse(json_of(h))).value().empty());
}

TEST_CASE("latency_histogram: one value -> every percentile is exact")
{
    latency_histogram h;
    h.record(1234ms);
    CHECK(h.count() == 1);
    for (double const p : {0.0, 1.0, 50.0, 99.9, 100.0})
        CHECK(h.percentile(p).count() == doctest::Approx(1.234));
    CHECK(h.mean().count() == doctest::Approx(1.234));
    REQUIRE(h.buckets().size() == 1);
    CHECK(h.buckets()[0].lower <= 1.234);
    CHECK(h.buckets()[0].upper > 1.234);
    CHECK(h.buckets()[0].upper / h.buckets()[0].lower < 1.0202);
}

TEST_CASE("latency_histogram: 1 to 1000 ms -> percentiles within the stated error, mean and bounds exact")
{
    latency_histogram h;
    for (int ms = 1; ms <= 1000; ++ms)
        h.record(std::chrono::milliseconds(ms));
    CHECK(h.count() == 1000);
    CHECK(h.mean().count() == doctest::Approx(0.5005));
    CHECK(h.min().count() == 0.001);
    CHECK(h.max().count() == 1.0);
    for (double const p : {1.0, 7.0, 50.0, 90.0, 95.0, 99.0}) {
        double const truth = p / 100;
        CHECK_MESSAGE(std::abs(h.percentile(p).count() - truth) <= latency_histogram::relative_error * truth,
                      p);
    }
    CHECK(h.percentile(0).count() == 0.001);
    CHECK(h.percentile(100).count() == 1.0);
}

TEST_CASE("latency_histogram: random values over nine decades -> each alone is within the stated error")
{
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> exponent(std::log(1.1e-4), std::log(86'000));
    for (int i = 0; i != 500; ++i) {
        latency_histogram h;
        auto const d = std::chrono::duration_cast<clock::duration>(
            latency_histogram::seconds(std::exp(exponent(random))));
        h.record(1us);
        h.record(d);
        h.record(100h);
        double const truth = latency_histogram::seconds(d).count();
        CHECK(std::abs(h.percentile(50).count() - truth) <=
              latency_histogram::relative_error * truth * 1.000001);
    }
}

TEST_CASE("latency_histogram: too short, negative and too long values -> counted at the ends")
{
    latency_histogram h;
    h.record(-5s);
    h.record(50us);
    h.record(48h);
    auto const all = h.buckets();
    REQUIRE(all.size() == 2);
    CHECK(all[0].lower == 0);
    CHECK(all[0].upper == doctest::Approx(1e-4));
    CHECK(all[0].count == 2);
    CHECK(all[1].lower == doctest::Approx(86'400));
    CHECK(all[1].upper == doctest::Approx(172'800));
    CHECK(h.min().count() == 0);
    CHECK(h.percentile(100).count() == doctest::Approx(172'800));
}

TEST_CASE("latency_histogram: weights -> as many values; zero -> none")
{
    latency_histogram h;
    h.record(1s, 99);
    h.record(10s, 1);
    h.record(1h, 0);
    CHECK(h.count() == 100);
    CHECK(h.mean().count() == doctest::Approx(1.09));
    CHECK(h.percentile(99).count() == doctest::Approx(1).epsilon(0.01));
    CHECK(h.percentile(99.5).count() == doctest::Approx(10).epsilon(0.01));
    h.record(1s, std::uint64_t(1) << 40); // outgrows the smaller types of a bin
    CHECK(h.count() == (std::uint64_t(1) << 40) + 100);
    CHECK(h.buckets()[0].count == (std::uint64_t(1) << 40) + 99);
}

TEST_CASE("latency_histogram: the sum of two -> as if all values had been recorded in one")
{
    latency_histogram a;
    latency_histogram b;
    latency_histogram both;
    for (int i = 1; i <= 100; ++i) {
        (i % 2 ? a : b).record(std::chrono::milliseconds(i * i));
        both.record(std::chrono::milliseconds(i * i));
    }
    a += b;
    a += latency_histogram();
    CHECK(json_of(a) == json_of(both));
    latency_histogram none;
    none += both;
    CHECK(json_of(none) == json_of(both));
}

TEST_CASE("latency_histogram: a copy -> independent; a moved one -> empty and usable")
{
    latency_histogram a;
    a.record(1s);
    latency_histogram b = a;
    b.record(2s);
    CHECK(a.count() == 1);
    CHECK(b.count() == 2);
    latency_histogram c = std::move(b);
    CHECK(b.empty());
    b.record(3s);
    CHECK(b.percentile(50).count() == 3);
    a = c;
    CHECK(a.count() == 2);
    CHECK(c.count() == 2);
}

TEST_CASE("latency_histogram: JSON that was read back -> the same JSON, and it can be added to")
{
    latency_histogram h;
    std::mt19937_64 random(2);
    std::lognormal_distribution<double> seconds(0, 3);
    for (int i = 0; i != 5'000; ++i)
        h.record(std::chrono::duration_cast<clock::duration>(latency_histogram::seconds(seconds(random))));
    h.record(1us, 3);
    h.record(30h, 2);
    auto const again = latency_histogram::parse(boost::json::parse(json_of(h)));
    REQUIRE(again.has_value());
    CHECK(json_of(*again) == json_of(h));
    latency_histogram twice = h;
    twice += *again;
    CHECK(twice.count() == 2 * h.count());
    CHECK(twice.percentile(95).count() == h.percentile(95).count());
}

TEST_CASE("latency_histogram: JSON of something else -> an error")
{
    for (
        char const* const text :
        {"[]", "{}", R"({"count": 1, "relative_error": 0.01, "buckets": []})",
         R"({"count": 1, "relative_error": 0.05, "min": 1, "max": 1, "mean": 1, "buckets": [[1, 1.01, 1]]})",
         R"({"count": 1, "relative_error": 0.01, "min": 1, "max": 1, "mean": 1, "buckets": [[1, 1.01, -1]]})",
         R"({"count": 1, "relative_error": 0.01, "min": 1, "max": 1, "mean": 1, "buckets": [[1, 1.01]]})",
         R"({"count": 1, "relative_error": 0.01, "min": 2, "max": 1, "mean": 1, "buckets": [[1, 1.01, 1]]})",
         R"({"count": 1, "relative_error": 0.01, "buckets": [[1, 1.01, 1]]})"})
        CHECK_MESSAGE(latency_histogram::parse(boost::json::parse(text)).has_error(), text);
}
