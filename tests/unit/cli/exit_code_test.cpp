#include "exit_code.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace ocrpipe::cli;

TEST_CASE("exit_code: nothing is better than all done")
{
    for (exit_code const c : exit_codes_by_gravity) {
        CHECK(worst(exit_code::all_done, c) == c);
        CHECK(worst(c, exit_code::all_done) == c);
    }
}

TEST_CASE("exit_code: two of them -> the same one wins in either order")
{
    for (exit_code const a : exit_codes_by_gravity)
        for (exit_code const b : exit_codes_by_gravity)
            CHECK(worst(a, b) == worst(b, a));
}

TEST_CASE("exit_code: some documents failed and some inputs were unreadable -> 1")
{
    CHECK(static_cast<int>(worst(exit_code::inputs_unreadable, exit_code::documents_failed)) == 1);
}

TEST_CASE(
    "exit_code: interrupted with failed documents -> 130, refused credentials and a full disk outrank it")
{
    CHECK(static_cast<int>(worst(exit_code::documents_failed, exit_code::interrupted)) == 130);
    CHECK(static_cast<int>(worst(exit_code::documents_failed, exit_code::terminated)) == 143);
    CHECK(static_cast<int>(worst(exit_code::interrupted, exit_code::refused)) == 4);
    CHECK(static_cast<int>(worst(exit_code::disk_error, exit_code::refused)) == 8);
}

TEST_CASE("exit_code: the documented numbers are all there, each once")
{
    std::set<int> numbers;
    for (exit_code const c : exit_codes_by_gravity)
        numbers.insert(static_cast<int>(c));
    CHECK(numbers == std::set<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 98, 99, 129, 130, 143});
    CHECK(exit_codes_by_gravity.size() == numbers.size());
}
