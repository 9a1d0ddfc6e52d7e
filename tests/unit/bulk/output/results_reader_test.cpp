#include <ocrpipe/bulk/output/results_reader.hpp>

#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace ocrpipe;

namespace
{

std::vector<std::pair<std::string, result_location>> lines_in(results_reader& r)
{
    std::vector<std::pair<std::string, result_location>> out;
    for (;;) {
        result<bool> const more = r.next();
        REQUIRE(more.has_value());
        if (!*more) return out;
        out.emplace_back(std::string(r.line()), r.where());
    }
}

} // namespace

TEST_CASE("results_reader: several files, one missing, one with a torn line -> whole lines with their places")
{
    temp_directory dir;
    std::string const large(700'000, 'x');
    dir.write("results-00001.jsonl", "one\n" + large + "\n\nthree\n");
    dir.write("results-00003.jsonl", "four\ntorn");
    dir.write("results-00004.jsonl", "");
    dir.write("results-00010.jsonl", "five\n");
    dir.write("results-x.jsonl", "no\n");
    auto r = results_reader::open(dir.path().string());
    REQUIRE(r.has_value());
    CHECK(r->files() == std::vector<std::uint64_t>{1, 3, 4, 10});
    for (int round = 0; round != 2; ++round) {
        auto const lines = lines_in(*r);
        REQUIRE(lines.size() == 6);
        CHECK(lines[0] == std::pair(std::string("one"), result_location{1, 0, 4}));
        CHECK(lines[1].first == large);
        CHECK(lines[2] == std::pair(std::string(), result_location{1, 700'005, 1}));
        CHECK(lines[3] == std::pair(std::string("three"), result_location{1, 700'006, 6}));
        CHECK(lines[4] == std::pair(std::string("four"), result_location{3, 0, 5}));
        CHECK(lines[5] == std::pair(std::string("five"), result_location{10, 0, 5}));
        r->rewind();
    }
}

TEST_CASE("results_reader: a file that goes away, or a folder that is not there -> passed over, or an error")
{
    temp_directory dir;
    dir.write("results-00001.jsonl", "one\n");
    dir.write("results-00002.jsonl", "two\n");
    auto r = results_reader::open(dir.path().string());
    REQUIRE(r.has_value());
    std::filesystem::remove(dir.path() / "results-00001.jsonl");
    auto const lines = lines_in(*r);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].first == "two");
    CHECK(results_reader::open(dir.path().string() + "/missing").error().is(errc::unwritable_output));
}
