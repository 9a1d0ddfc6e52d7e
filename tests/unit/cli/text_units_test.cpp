#include "text_units.hpp"

#include <doctest/doctest.h>

using namespace ocrpipe::cli;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("parse_duration: a number with a unit -> milliseconds")
{
    CHECK(parse_duration("500ms") == milliseconds(500));
    CHECK(parse_duration("30s") == seconds(30));
    CHECK(parse_duration("5m") == minutes(5));
    CHECK(parse_duration("5min") == minutes(5));
    CHECK(parse_duration("2h") == hours(2));
    CHECK(parse_duration("1d") == hours(24));
    CHECK(parse_duration("1.5s") == milliseconds(1'500));
    CHECK(parse_duration("1h30m") == minutes(90));
    CHECK(parse_duration("0s") == milliseconds(0));
}

TEST_CASE("parse_duration: no unit, no number, a sign, blanks or something too long -> refused")
{
    for (char const* text : {"", "30", "s", "-5s", "+5s", "5 s", "5x", "1e3s", "1..5s", "5s30", "40000d",
                             "99999999999999999999d", "."})
        CHECK_MESSAGE(!parse_duration(text), text);
}

TEST_CASE("parse_duration_range: two times -> both, one time -> twice the same")
{
    auto const range = parse_duration_range("2s-5s");
    REQUIRE(range);
    CHECK(range->min == seconds(2));
    CHECK(range->max == seconds(5));
    auto const one = parse_duration_range("100ms");
    REQUIRE(one);
    CHECK(one->min == one->max);
}

TEST_CASE("parse_duration_range: backwards, open or without units -> refused")
{
    for (char const* text : {"5s-2s", "2s-", "-5s", "2-5s", "", "2s-5s-8s"})
        CHECK_MESSAGE(!parse_duration_range(text), text);
}

TEST_CASE("parse_byte_rate: thousands and 1024s are told apart")
{
    CHECK(parse_byte_rate("1500") == 1'500.0);
    CHECK(parse_byte_rate("64k") == 64'000.0);
    CHECK(parse_byte_rate("64K") == 64'000.0);
    CHECK(parse_byte_rate("64KiB") == 65'536.0);
    CHECK(parse_byte_rate("10M") == 10'000'000.0);
    CHECK(parse_byte_rate("10MB") == 10'000'000.0);
    CHECK(parse_byte_rate("10MiB") == 10'485'760.0);
    CHECK(parse_byte_rate("1.5G") == 1'500'000'000.0);
    CHECK(parse_byte_rate("1GiB") == 1'073'741'824.0);
}

TEST_CASE("parse_byte_rate: an unknown unit, a sign or more than can be counted exactly -> refused")
{
    for (char const* text : {"", "M", "10m", "10 M", "-1", "1e6", "100000000T", "1KiBs"})
        CHECK_MESSAGE(!parse_byte_rate(text), text);
}

TEST_CASE("parse_byte_rate: with and without /s -> the same")
{
    CHECK(parse_byte_rate("10M") == 10e6);
    CHECK(parse_byte_rate("10M/s") == 10e6);
    CHECK(!parse_byte_rate("10M/m"));
}

TEST_CASE("parse_rate: per second, minute or hour")
{
    CHECK(parse_rate("20") == 20.0);
    CHECK(parse_rate("20/s") == 20.0);
    CHECK(parse_rate("300/m") == 5.0);
    CHECK(parse_rate("1800/h") == 0.5);
    CHECK(parse_rate("0") == 0.0);
    CHECK(parse_rate("0.5") == 0.5);
    CHECK(parse_rate("1k/s") == 1'000.0);
    for (char const* text : {"", "/s", "20/", "20/d", "-1", "fast"})
        CHECK_MESSAGE(!parse_rate(text), text);
}

TEST_CASE("parse_count: whole numbers only")
{
    CHECK(parse_count("1000") == 1'000u);
    CHECK(parse_count("10k") == 10'000u);
    CHECK(parse_count("1.5k") == 1'500u);
    for (char const* text : {"", "1.5", "-1", "1e3", "0x10", "ten"})
        CHECK_MESSAGE(!parse_count(text), text);
}

TEST_CASE("parse_switch: the usual words in any case, nothing else")
{
    CHECK(parse_switch("1") == true);
    CHECK(parse_switch("Yes") == true);
    CHECK(parse_switch("OFF") == false);
    CHECK(!parse_switch("2"));
    CHECK(!parse_switch(""));
}

TEST_CASE("format_duration: two units at most")
{
    CHECK(format_duration(milliseconds(850)) == "850ms");
    CHECK(format_duration(seconds(42)) == "42s");
    CHECK(format_duration(seconds(161)) == "2m41s");
    CHECK(format_duration(minutes(187)) == "3h07m");
    CHECK(format_duration(hours(52)) == "2d04h");
}

TEST_CASE("format_bytes: never four digits before the point")
{
    CHECK(format_bytes(0) == "0 B");
    CHECK(format_bytes(999) == "999 B");
    CHECK(format_bytes(1'234) == "1.2 kB");
    CHECK(format_bytes(999'949) == "999.9 kB");
    CHECK(format_bytes(999'960) == "1.0 MB");
    CHECK(format_bytes(20'000'000'000) == "20.0 GB");
}
