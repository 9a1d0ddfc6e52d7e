#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/name_finder.hpp>

#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace ocrpipe::detail;

namespace
{

// "bảng" in one letter, in two, and "ậ" with its marks half composed, as no program means to write it.
std::string const together = "b\u1EA3ng";
std::string const apart = "ba\u0309ng";
std::string const mixed = "\u00E2\u0323 " + apart;

} // namespace

TEST_CASE("composed, decomposed: Vietnamese -> the other form; bytes that are not UTF-8 -> nothing")
{
    CHECK(composed(apart) == together);
    CHECK(decomposed(together) == apart);
    CHECK(composed("plain") == "plain");
    CHECK_FALSE(composed("\xE9"));
}

TEST_CASE("name_finder: folders and files in other forms -> found, part by part")
{
    temp_directory dir;
    std::string const root = dir.path().string() + "/";
    dir.write(apart + "/x/" + together + ".pdf", "1");
    name_finder finder;
    CHECK(finder.find(root + together + "/x/" + apart + ".pdf").path ==
          root + apart + "/x/" + together + ".pdf");
    CHECK(finder.find(root + together + "/missing/" + apart).path.empty());
    CHECK(finder.find(root + together + "/x/missing").path.empty());
    CHECK(finder.find("/no/such/" + together).path.empty());
}

TEST_CASE(
    "name_finder: a name that is neither composed nor decomposed -> found by looking through its folder")
{
    temp_directory dir;
    std::string const root = dir.path().string() + "/";
    dir.write(mixed, "1");
    REQUIRE(*composed(mixed) != mixed);
    REQUIRE(*decomposed(mixed) != mixed);
    name_finder finder;
    CHECK(finder.find(root + *composed(mixed)).path == root + mixed);
    CHECK(finder.find(root + *decomposed(mixed)).path == root + mixed);
}

TEST_CASE("name_finder: two files that differ only in their form -> ambiguous, unless one is named exactly")
{
    temp_directory dir;
    std::string const root = dir.path().string() + "/";
    dir.write(*composed(mixed), "1");
    dir.write(*decomposed(mixed), "22");
    name_finder finder;
    auto const found = finder.find(root + mixed);
    CHECK(found.path.empty());
    CHECK(
        found.ambiguous.starts_with("2 names in the directory differ from it only in Unicode normalization"));
    input const seen = examine_path(root + mixed, "l:1");
    REQUIRE(std::holds_alternative<input_problem>(seen));
    CHECK(std::get<input_problem>(seen).message.find("Unicode normalization") != std::string::npos);
    input const exact = examine_path(root + *decomposed(mixed), {});
    REQUIRE(std::holds_alternative<input_item>(exact));
    CHECK(std::get<input_item>(exact).size == 2);
}

TEST_CASE(
    "examine_path: what is found under another form and is no document -> a problem with the name given")
{
    temp_directory dir;
    dir.write(apart + "/x", "1");
    std::string const given = dir.path().string() + "/" + together;
    input const seen = examine_path(given, {});
    REQUIRE(std::holds_alternative<input_problem>(seen));
    CHECK(std::get<input_problem>(seen).path == given);
    CHECK(std::get<input_problem>(seen).message == "is a directory");
}

TEST_CASE("path_on_disk: what exists, and what exists in no form -> as it was given")
{
    temp_directory dir;
    std::string const file = dir.write(apart, "1").string();
    CHECK(path_on_disk(file) == file);
    CHECK(path_on_disk(dir.path().string() + "/" + together) == file);
    CHECK(path_on_disk("/no/such/" + together) == "/no/such/" + together);
    CHECK(path_on_disk("-") == "-");
}
