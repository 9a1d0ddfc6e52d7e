#include "emulator/latency.hpp"
#include "emulator/mix.hpp"
#include "emulator/text.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ocrpipe::emulator;

namespace
{

std::vector<std::int64_t> sorted_times(latency_model const& model)
{
    std::vector<std::int64_t> times;
    for (std::uint64_t key = 0; key != 10'000; ++key)
        times.push_back(model.of(mix(7, key)).count());
    std::sort(times.begin(), times.end());
    return times;
}

} // namespace

TEST_CASE("latency_model: fixed -> the same for every document")
{
    auto const times = sorted_times(*parse_latency("fixed:1.5s"));
    CHECK(times.front() == 1500);
    CHECK(times.back() == 1500);
}

TEST_CASE("latency_model: lognormal -> its median and its spread")
{
    auto const times = sorted_times(*parse_latency("lognormal:6s,0.35"));
    CHECK(times[5000] > 5'800);
    CHECK(times[5000] < 6'200);
    // One standard deviation up: 6 s times e to the 0.35.
    CHECK(times[8413] > 8'200);
    CHECK(times[8413] < 8'850);
    CHECK(times.front() > 0);
}

TEST_CASE("latency_model: bimodal -> two times in the share that was asked for")
{
    auto const times = sorted_times(*parse_latency("bimodal:0.1,100ms,30s"));
    auto const rare = std::count(times.begin(), times.end(), 30'000);
    CHECK(rare > 850);
    CHECK(rare < 1'150);
    CHECK(std::count(times.begin(), times.end(), 100) == 10'000 - rare);
}

TEST_CASE("latency_model: the same key -> the same time")
{
    auto const model = *parse_latency("lognormal:1s,1");
    CHECK(model.of(42) == model.of(42));
    CHECK(model.of(42) != model.of(43));
}

TEST_CASE("parse_latency: nonsense -> refused")
{
    for (std::string const text :
         {"", "fixed", "fixed:", "fixed:-1s", "fixed:1s,2", "lognormal:6s", "lognormal:6s,9",
          "bimodal:2,1s,3s", "normal:1s", "fixed:1d", "fixed:nan"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_latency(text).has_value());
    }
}

TEST_CASE("parse_duration: units -> milliseconds")
{
    CHECK(*parse_duration("250ms") == milliseconds(250));
    CHECK(*parse_duration("250") == milliseconds(250));
    CHECK(*parse_duration("2m") == milliseconds(120'000));
}

TEST_CASE("append_json: quotes, control characters and bytes that are not UTF-8 -> always a JSON string")
{
    std::string out;
    append_json(out, "a\"b\\\n\x01\xFFé");
    CHECK(out == "\"a\\\"b\\\\\\n\\u0001\uFFFDé\"");
}

TEST_CASE("percent_decode: triples, stray percent signs, the end -> decoded or left alone")
{
    CHECK(percent_decode("a%2Fb%20c") == "a/b c");
    CHECK(percent_decode("100%") == "100%");
    CHECK(percent_decode("%zz%4") == "%zz%4");
}

TEST_CASE("http_date: the epoch and a leap day -> the fixed form of HTTP")
{
    using std::chrono::system_clock;
    CHECK(http_date(system_clock::from_time_t(0)) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(http_date(system_clock::from_time_t(1709210096)) == "Thu, 29 Feb 2024 12:34:56 GMT");
}
