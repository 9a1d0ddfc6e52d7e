#include <ocrpipe/load/survival.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace ocrpipe;

TEST_CASE("survival: nothing censored -> the percentile of the values, three times")
{
    std::vector<lifetime> all;
    for (int i = 100; i != 0; --i)
        all.push_back({static_cast<double>(i), false});
    survival const s(all);
    for (double const p : {1.0, 50.0, 95.0, 99.0, 100.0}) {
        CHECK(s.percentile(p).low == p);
        CHECK(s.percentile(p).estimate == p);
        CHECK(s.percentile(p).high == p);
    }
    CHECK(s.censored() == 0);
}

TEST_CASE("survival: the textbook's example -> the product of the shares that go on")
{
    // Ends at 1, 3, 4; watched for 2 and 5. S(1) = 4/5, S(3) = 4/5 * 2/3, S(4) = 4/5 * 2/3 * 1/2 = 0.267.
    survival const s({{1, false}, {2, true}, {3, false}, {4, false}, {5, true}});
    CHECK(s.censored() == 2);
    CHECK(s.percentile(20).estimate == 1);
    CHECK(s.percentile(46).estimate == 3);
    CHECK(s.percentile(47).estimate == 4);
    CHECK(s.percentile(73).estimate == 4);
    CHECK(std::isinf(s.percentile(74).estimate));
}

TEST_CASE("survival: 7 of 100 unfinished -> the 95th percentile has a lower bound and no upper one")
{
    std::vector<lifetime> all;
    for (int i = 1; i <= 93; ++i)
        all.push_back({static_cast<double>(i), false});
    for (int i = 0; i != 7; ++i)
        all.push_back({108, true});
    survival const s(all);
    CHECK(s.percentile(95).low == 108);
    CHECK(std::isinf(s.percentile(95).estimate));
    CHECK(std::isinf(s.percentile(95).high));
    CHECK(s.percentile(93).high == 93);
}

TEST_CASE("survival: unfinished jobs that were watched for a short time -> the bounds enclose the estimate")
{
    std::vector<lifetime> all;
    for (int i = 1; i <= 98; ++i)
        all.push_back({static_cast<double>(i), false});
    all.push_back({1.5, true});
    all.push_back({2.5, true});
    auto const p = survival(all).percentile(95);
    CHECK(p.low == 93);
    CHECK(p.high == 95);
    CHECK(p.estimate >= p.low);
    CHECK(p.estimate <= p.high);
}

TEST_CASE("survival: no job, one job -> no division by zero")
{
    CHECK(survival({}).percentile(95).high == 0);
    CHECK(survival({{3, false}}).percentile(1).estimate == 3);
    CHECK(survival({{3, true}}).percentile(50).low == 3);
    CHECK(std::isinf(survival({{3, true}}).percentile(50).estimate));
}
