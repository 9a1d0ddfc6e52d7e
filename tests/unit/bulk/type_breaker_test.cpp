#include <ocrpipe/bulk/detail/type_breaker.hpp>
#include <ocrpipe/bulk/pipeline.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using detail::type_breaker;

TEST_CASE(
    "type_breaker: three failures in a row of a type that never succeeded -> stopped, told once, others not")
{
    type_breaker b;
    CHECK_FALSE(b.failed("x"));
    CHECK_FALSE(b.failed("x"));
    CHECK_FALSE(b.is_open("x"));
    CHECK(b.failed("x"));
    CHECK(b.is_open("x"));
    CHECK_FALSE(b.failed("x"));
    CHECK_FALSE(b.is_open("y"));
}

TEST_CASE("type_breaker: a type that succeeded once -> never stopped")
{
    type_breaker b;
    b.failed("x");
    b.failed("x");
    b.accepted("x");
    for (int i = 0; i != 10; ++i)
        CHECK_FALSE(b.failed("x"));
    CHECK_FALSE(b.is_open("x"));
}

TEST_CASE("type_breaker: more types than it keeps -> bounded, those that it knows go on")
{
    type_breaker b;
    b.failed("first");
    for (std::size_t i = 0; i != 2 * type_breaker::max_types; ++i)
        b.failed(std::to_string(i));
    b.failed("first");
    CHECK(b.failed("first"));
    std::string const late = std::to_string(2 * type_breaker::max_types - 1);
    for (int i = 0; i != 5; ++i)
        CHECK_FALSE(b.failed(late));
}

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
