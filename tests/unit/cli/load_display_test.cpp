#include "load_display.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

load_statistics some()
{
    load_statistics s;
    s.elapsed = std::chrono::seconds(65);
    s.due = 130;
    s.accepted = 128;
    s.done = 100;
    s.rate = 2;
    return s;
}

bool has_field(message const& m, std::string_view name)
{
    return std::any_of(m.fields.begin(), m.fields.end(), [&](field const& f) { return f.name == name; });
}

} // namespace

TEST_CASE("load_line: without parts -> nothing about them")
{
    CHECK(load_line(some(), 1.9, 12.3, 200, false) ==
          "1m05s, 100 of 130 due are done, 30 in flight, target 2/s, done 1.9/s, p95 12.3 s");
    CHECK_FALSE(has_field(load_message(some(), 1.9, 12.3), "parts"));
}

TEST_CASE("load_line: with parts -> how many were fetched, and how many failed")
{
    load_statistics s = some();
    s.with_parts = true;
    s.parts = 270;
    s.fetching_parts = 4;
    CHECK(load_line(s, 1.9, 12.3, 200, false) ==
          "1m05s, 100 of 130 due are done, 270 parts, 34 in flight, target 2/s, done 1.9/s, p95 12.3 s");
    s.parts_failed = 3;
    CHECK(load_line(s, 1.9, 12.3, 45, false) == "100 of 130 due are done, 3 parts failed");
    CHECK(has_field(load_message(s, 1.9, 12.3), "parts_failed"));
}
