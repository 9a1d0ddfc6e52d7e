#include <ocrpipe/bulk/run/pipeline.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;

TEST_CASE(
    "failure_budget: a number -> used up by one more; a share -> only over a sample that says something")
{
    failure_budget const number{5, 0};
    CHECK_FALSE(number.used_up(5, 5));
    CHECK(number.used_up(6, 6));
    failure_budget const share{0, 3};
    CHECK_FALSE(share.used_up(99, 99));
    CHECK_FALSE(share.used_up(3, 100));
    CHECK(share.used_up(4, 100));
    CHECK_FALSE(share.used_up(30, 1'000));
    CHECK(share.used_up(31, 1'000));
    CHECK_FALSE(failure_budget().used_up(1'000, 1'000));
}
