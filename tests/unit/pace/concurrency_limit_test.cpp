#include <ocrpipe/pace/concurrency_limit.hpp>

#include <doctest/doctest.h>

using ocrpipe::concurrency_limit;

TEST_CASE("concurrency_limit: nothing refused -> stays at the most")
{
    concurrency_limit l(16);
    for (int i = 0; i != 100; ++i)
        l.succeeded();
    CHECK(l.limit() == 16);
}

TEST_CASE("concurrency_limit: requests that were sent together are refused -> halved once")
{
    concurrency_limit l(16);
    auto const sent = l.now();
    for (int i = 0; i != 11; ++i)
        l.refused(sent);
    CHECK(l.limit() == 8);
    l.refused(l.now());
    CHECK(l.limit() == 4);
    l.refused(sent);
    CHECK(l.limit() == 4);
}

TEST_CASE("concurrency_limit: refused again and again -> never below 1")
{
    concurrency_limit l(5);
    for (int i = 0; i != 10; ++i)
        l.refused(l.now());
    CHECK(l.limit() == 1);
    CHECK(concurrency_limit(0).limit() == 1);
}

TEST_CASE("concurrency_limit: as many successes in a row as the limit -> one more, up to the most")
{
    concurrency_limit l(4);
    l.refused(l.now());
    REQUIRE(l.limit() == 2);
    l.succeeded();
    CHECK(l.limit() == 2);
    l.succeeded();
    CHECK(l.limit() == 3);
    for (int i = 0; i != 3; ++i)
        l.succeeded();
    CHECK(l.limit() == 4);
    for (int i = 0; i != 100; ++i)
        l.succeeded();
    CHECK(l.limit() == 4);
}

TEST_CASE("concurrency_limit: a refusal between successes -> they are counted anew")
{
    concurrency_limit l(8);
    auto const sent = l.now();
    l.refused(sent);
    for (int i = 0; i != 3; ++i)
        l.succeeded();
    l.refused(sent); // late: it does not lower the limit again
    l.succeeded();
    CHECK(l.limit() == 4);
}
