#include "progress.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace ocrpipe::cli;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

pipeline_statistics half_way()
{
    pipeline_statistics s;
    s.found = 206;
    s.source_exhausted = true;
    s.done = 97;
    s.failed = 3;
    s.unfinished = 98;
    s.not_sent = 2;
    s.repeated = 6;
    s.unreadable = 2;
    s.submitting = 10;
    s.waiting = 80;
    s.fetching_parts = 5;
    s.elapsed = seconds(20);
    s.limiting = "submit rate";
    return s;
}

std::string plain_line(pipeline_statistics const& s, double rate, std::size_t columns = 200)
{
    return progress_line(s, rate, columns, false);
}

/// A run in which every document has its result.
run_report done(std::uint64_t documents)
{
    run_report r;
    r.found = r.done = documents;
    return r;
}

void check_summary(run_report const& r, level severity, std::string_view text)
{
    message const m = summary_message(r, "out");
    CHECK(m.severity == severity);
    CHECK(m.text == text);
}

} // namespace

TEST_CASE("rate_meter: fewer than two samples -> no rate")
{
    rate_meter m;
    CHECK(m.per_second() == 0);
    m.sample(milliseconds(0), 5);
    CHECK(m.per_second() == 0);
}

TEST_CASE("rate_meter: steady work -> documents per second, whatever the sampling")
{
    rate_meter m;
    for (int i = 0; i <= 40; ++i)
        m.sample(milliseconds(i * 500), static_cast<std::uint64_t>(i) * 10);
    CHECK(m.per_second() == doctest::Approx(20));
}

TEST_CASE("rate_meter: a pause longer than the window -> the past is forgotten")
{
    rate_meter m(seconds(10));
    m.sample(seconds(0), 0);
    m.sample(seconds(1), 1'000);
    for (int i = 2; i <= 12; ++i)
        m.sample(seconds(i), 1'000);
    CHECK(m.per_second() == 0);
}

TEST_CASE("rate_meter: two samples at one time -> no division by zero")
{
    rate_meter m;
    m.sample(seconds(1), 0);
    m.sample(seconds(1), 9);
    CHECK(m.per_second() == 0);
}

TEST_CASE("time_left: known only with a total and a rate that promises an end")
{
    pipeline_statistics s = half_way();
    CHECK(time_left(s, 10) == seconds(10));
    CHECK(!time_left(s, 0));
    CHECK(!time_left(s, 1e-9));
    s.source_exhausted = false;
    CHECK(!time_left(s, 10));
}

TEST_CASE("progress_line: wide enough -> everything")
{
    CHECK(plain_line(half_way(), 10) == "97 of 200 done (48%), 3 failed, 2 unreadable, 95 in "
                                        "flight, 5 waiting, 6 listed again, 10 docs/s, 10s "
                                        "left, limited by: submit rate");
}

TEST_CASE("progress_line: no total yet -> neither per cent nor time left")
{
    pipeline_statistics s = half_way();
    s.source_exhausted = false;
    s.failed = 0;
    s.unreadable = 0;
    s.limiting = {};
    s.unfinished = 95;
    s.not_sent = s.repeated = 0;
    CHECK(plain_line(s, 0.25) == "97 done, 95 in flight, 0.2 docs/s");
}

TEST_CASE("progress_line: an empty run -> no division by zero")
{
    pipeline_statistics s;
    s.source_exhausted = true;
    CHECK(plain_line(s, 0) == "0 done, 0 in flight, 0.0 docs/s");
}

TEST_CASE("progress_line: narrow -> fits, and what matters most stays longest")
{
    std::string before = plain_line(half_way(), 10);
    for (std::size_t width = before.size(); width-- > 0;) {
        auto const line = plain_line(half_way(), 10, width);
        CHECK(line.size() <= width);
        CHECK(line.size() <= before.size());
        before = line;
    }
    CHECK(plain_line(half_way(), 10, 60) == "97 of 200 done (48%), 3 failed, 95 in flight, 10 docs/s");
    CHECK(plain_line(half_way(), 10, 32) == "97 of 200 done (48%), 3 failed");
    CHECK(plain_line(half_way(), 10, 9) == "97 of 200");
    CHECK(plain_line(half_way(), 10, 0).empty());
}

TEST_CASE("progress_line: color -> the same text, sequences take no columns, none is left open")
{
    auto const plain = plain_line(half_way(), 10, 105);
    auto colored = progress_line(half_way(), 10, 105, true);
    CHECK(colored.find("\x1b[31m3 failed\x1b[0m") != std::string::npos);
    for (auto at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b'))
        colored.erase(at, colored.find('m', at) - at + 1);
    CHECK(colored == plain);
}

TEST_CASE("progress_message: every number of the statistics is a fact")
{
    auto const line = to_json(progress_message(half_way(), 10), {});
    for (char const* fact :
         {"\"event\":\"progress\"", "\"found\":206", "\"done\":97", "\"failed\":3", "\"unreadable\":2",
          "\"unfinished\":98", "\"not_sent\":2", "\"repeated\":6", "\"submitting\":10", "\"waiting\":80",
          "\"fetching_parts\":5", "\"limiting\":\"submit rate\""})
        CHECK_MESSAGE(line.find(fact) != std::string::npos, fact);
    CHECK(line.find("\"seconds_left\":10") != std::string::npos);
}

TEST_CASE("summary_message: all went well -> info, without a hint at failures")
{
    run_report r = done(3);
    r.bytes = 1'500;
    r.finished_at = r.started_at + seconds(61);
    check_summary(r, level::info, "3 of 3 done, 1.5 kB in 1m01s");
}

TEST_CASE("summary_message: failures -> a warning with the classes and where to look")
{
    run_report r = done(4);
    r.found = 9;
    r.done_empty = 1;
    r.failed = 3;
    r.failed_by_class = {{"job_failed", 2}, {"rejected", 1}};
    r.unreadable = 1;
    r.not_sent = 2;
    check_summary(
        r, level::warn,
        "4 of 9 done (1 without content), 3 failed (2 job_failed, 1 rejected), 1 unreadable, 2 not "
        "sent, 0 B in 0ms: see out/failures.jsonl; to send failed documents again: ocrpipe retry "
        "out; to send the documents that were not sent: the same run command, or ocrpipe retry out");
}

TEST_CASE("summary_message: documents listed again -> no part of the total, and no warning")
{
    run_report r = done(3);
    r.found = 7;
    r.repeated = 4;
    check_summary(r, level::info, "3 of 3 done, 4 listed again, 0 B in 0ms");
}

TEST_CASE("summary_message: parts that results lack -> a warning with the classes and what fetches them")
{
    run_report r = done(2);
    r.parts_wanted = 5;
    check_summary(r, level::warn,
                  "2 of 2 done, 5 parts not fetched yet, 0 B in 0ms; to fetch the missing parts, which costs "
                  "nothing: the same run command, or ocrpipe retry out");
    r.parts_failed = 3;
    r.parts_failed_by_class = {{"rejected", 1}, {"service_error", 2}};
    check_summary(
        r, level::warn,
        "2 of 2 done, 3 parts failed (1 rejected, 2 service_error), 5 parts not fetched yet, 0 B in "
        "0ms: see out/failures.jsonl; to fetch the missing parts, which costs nothing: the same run "
        "command, or ocrpipe retry out");
}

TEST_CASE("summary_message: files written while they were read -> a warning")
{
    run_report r = done(2);
    r.changed_files = 1;
    check_summary(r, level::warn, "2 of 2 done, 1 changed while being read, 0 B in 0ms");
}

TEST_CASE(
    "summary_message: documents that are too young, or an empty input -> a warning; skipped links -> none")
{
    run_report r = done(2);
    r.links_skipped = 3;
    CHECK(summary_message(r, "out").severity == level::info);
    CHECK(summary_message(r, "out").text.find("3 links skipped") != std::string::npos);
    r.empty_inputs = 1;
    CHECK(summary_message(r, "out").severity == level::warn);
    r.empty_inputs = 0;
    r.too_young = 1;
    CHECK(summary_message(r, "out").severity == level::warn);
    CHECK(summary_message(r, "out").text.find("1 too young") != std::string::npos);
}

TEST_CASE("skipped_messages: nothing skipped -> nothing; links and young files -> one message each")
{
    source_notes notes;
    CHECK(skipped_messages(notes, std::chrono::seconds(10)).empty());
    notes.links_skipped = 2;
    notes.links_repeated = 2;
    auto said = skipped_messages(notes, std::chrono::seconds(10));
    REQUIRE(said.size() == 1);
    CHECK(said[0].severity == level::info);
    CHECK(said[0].text == "symbolic links skipped: 2, to something that is read anyway: 2");
    notes.links_skipped = 3;
    notes.too_young = 1;
    said = skipped_messages(notes, std::chrono::seconds(10));
    REQUIRE(said.size() == 2);
    CHECK(said[0].severity == level::warn);
    CHECK(said[0].text.find("give --follow-links") != std::string::npos);
    CHECK(said[1].text ==
          "files skipped because they were modified less than 10s ago and may be incomplete: 1; "
          "the next run finds them");
}
