#include <ocrpipe/load/thresholds.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace ocrpipe;

namespace
{

std::string why_not(std::string_view text)
{
    auto const parsed = parse_thresholds(text);
    return parsed ? std::string() : parsed.error().reason;
}

threshold one(std::string_view text)
{
    auto const parsed = parse_thresholds(text);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->size() == 1);
    return parsed->front();
}

/// 90 documents that took 1 s, and 10 that are unfinished after 20 s.
load_summary with_unfinished()
{
    std::vector<lifetime> all(90, {1, false});
    all.insert(all.end(), 10, {20, true});
    load_summary s;
    s.documents = 100;
    s.end_to_end = survival(all);
    return s;
}

} // namespace

TEST_CASE("parse_thresholds: metrics, comparisons and units")
{
    auto const t = parse_thresholds("e2e.p95<30s, error_rate<=1%,backlog_slope>=-2,send_delay.p99.9>500us");
    REQUIRE(t.has_value());
    REQUIRE(t->size() == 4);
    CHECK((*t)[0].metric == "e2e");
    CHECK((*t)[0].percentile == 95);
    CHECK((*t)[0].how == threshold::comparison::below);
    CHECK((*t)[0].limit == 30);
    CHECK((*t)[1].limit == doctest::Approx(0.01));
    CHECK((*t)[1].how == threshold::comparison::at_most);
    CHECK((*t)[2].limit == -2);
    CHECK((*t)[2].how == threshold::comparison::at_least);
    CHECK((*t)[3].percentile == doctest::Approx(99.9));
    CHECK((*t)[3].limit == doctest::Approx(0.0005));
    CHECK((*t)[3].how == threshold::comparison::above);
    CHECK(one("submit.mean<2m").limit == 120);
    CHECK(one("submit.max<1h").percentile == 100);
}

TEST_CASE("parse_thresholds: nonsense -> names the condition and the remedy")
{
    CHECK(why_not("e2e.p95<30s,foo<1").starts_with("\"foo<1\": there is no such metric"));
    CHECK(why_not("e2e<30s").find("e2e.p95") != std::string::npos);
    CHECK(why_not("error_rate.p95<1%").find("no percentiles") != std::string::npos);
    CHECK(why_not("e2e.p95<30").find("30s or 500ms") != std::string::npos);
    CHECK(why_not("e2e.p101<30s").find("p50 to p100") != std::string::npos);
    CHECK(why_not("e2e.p95=30s").find("comparison") != std::string::npos);
    CHECK(why_not(",e2e.p95<3s").find("empty") != std::string::npos);
    CHECK(why_not("throughput>fast").find("20/s") != std::string::npos);
    for (char const* none :
         {"error_rate<5", "error_rate<101%", "unfinished_rate<=1.5", "error_rate<1", "error_rate<=1.0"})
        CHECK_MESSAGE(why_not(none).find("such as 5%") != std::string::npos, none);
    CHECK(one("error_rate<100%").limit == 1);
}

TEST_CASE("judge: 10 % unfinished -> a percentile above 90 never holds as an upper limit")
{
    load_summary const s = with_unfinished();
    CHECK(judge(one("e2e.p90<2s"), s).holds);
    CHECK_FALSE(judge(one("e2e.p95<1h"), s).holds);
    CHECK(judge(one("e2e.p95<1h"), s).seen == ">= 20 s (10.0 % unfinished)");
    CHECK(judge(one("e2e.p95>10s"), s).holds);
    CHECK_FALSE(judge(one("e2e.mean<1h"), s).holds);
}

TEST_CASE("judge: the slope's interval encloses zero -> it counts as zero")
{
    load_summary s;
    s.backlog = {0.5, -1, 2};
    CHECK(judge(one("backlog_slope<=0"), s).holds);
    s.backlog = {3, 1, 5};
    CHECK_FALSE(judge(one("backlog_slope<=0"), s).holds);
}

TEST_CASE("judge: no document was done -> unknown, and does not hold")
{
    CHECK_FALSE(judge(one("e2e.p95<1h"), load_summary()).holds);
    CHECK_FALSE(judge(one("submit.p95<1h"), load_summary()).holds);
    CHECK(std::isnan(judge(one("e2e.p95<1h"), load_summary()).value));
    CHECK(std::isnan(judge(one("submit.p95<1h"), load_summary()).value));
    load_summary all_failed;
    all_failed.documents = all_failed.failed = 3;
    CHECK(judge(one("error_rate<=100%"), all_failed).holds);
    threshold_outcome const polls = judge(one("polls_per_document<5"), all_failed);
    CHECK_FALSE(polls.holds);
    CHECK(polls.seen == "unknown: no document was done");
}

TEST_CASE("judge: no document was due, or too few for a slope -> unknown, and does not hold")
{
    for (char const* condition :
         {"error_rate<1%", "unfinished_rate<1%", "throughput>=0", "backlog_slope<=0"}) {
        threshold_outcome const t = judge(one(condition), summarize({}, 1, 1));
        CHECK_MESSAGE(!t.holds, condition);
        CHECK_MESSAGE(t.seen.starts_with("unknown: "), t.seen);
        CHECK_MESSAGE(std::isnan(t.value), condition);
    }
}
