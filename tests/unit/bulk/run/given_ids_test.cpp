#include <ocrpipe/bulk/run/detail/given_ids.hpp>

#include <doctest/doctest.h>

#include <string>

using ocrpipe::detail::given_ids;

TEST_CASE("given_ids: an id of its own for each content -> all are good")
{
    given_ids ids;
    CHECK(ids.note("r-1", "a"));
    CHECK(ids.note("r-2", "b"));
}

TEST_CASE("given_ids: the id of other content -> false, also later")
{
    given_ids ids;
    CHECK(ids.note("r-1", "a"));
    CHECK_FALSE(ids.note("r-1", "b"));
    CHECK_FALSE(ids.note("r-1", "b"));
    CHECK(ids.note("r-1", "a"));
}

TEST_CASE("given_ids: the same content gets the same id or another -> good")
{
    given_ids ids;
    CHECK(ids.note("r-1", "a"));
    CHECK(ids.note("r-1", "a"));
    CHECK(ids.note("r-2", "a"));
}

TEST_CASE("given_ids: more ids than it keeps -> the oldest are forgotten")
{
    given_ids ids(3);
    for (int i = 0; i != 4; ++i)
        CHECK(ids.note("r-" + std::to_string(i), "a"));
    CHECK(ids.note("r-0", "b"));
    CHECK_FALSE(ids.note("r-3", "b"));
}
