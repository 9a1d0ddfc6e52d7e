#include <ocrpipe/bulk/output/report.hpp>

#include "support/temp_directory.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <sys/stat.h>

using namespace ocrpipe;
using namespace std::chrono;

TEST_CASE("run_report: an ended run -> JSON whose counts add up, with rates")
{
    run_report r;
    r.started_at = sys_days(year(2026) / 1 / 2);
    r.finished_at = r.started_at + milliseconds(2'500);
    r.found = 10;
    r.source_exhausted = true;
    r.done = 7;
    r.done_now = 5;
    r.done_in_part = 1;
    r.failed = 3;
    r.failed_by_class = {{"job_failed", 1}, {"rejected", 2}};
    r.not_sent = 2;
    r.unreadable = 4;
    r.polls = 12;
    r.bytes = 5'000;
    std::string const text = to_json(r);
    CHECK(text.ends_with("}\n"));
    boost::json::value const v = boost::json::parse(text);
    CHECK(v.at("started_at").as_string() == "2026-01-02T00:00:00.000Z");
    CHECK(v.at("finished_at").as_string() == "2026-01-02T00:00:02.500Z");
    CHECK(v.at("seconds").as_double() == doctest::Approx(2.5));
    CHECK(v.at("ended_by").is_null());
    CHECK(v.at("source_exhausted").as_bool());
    CHECK(v.at("found").as_int64() == 10);
    CHECK(v.at("done_in_part").as_int64() == 1);
    CHECK(v.at("failed_by_class").as_object().size() == 2);
    CHECK(v.at("failed_by_class").at("rejected").as_int64() == 2);
    CHECK(v.at("unreadable").as_int64() == 4);
    CHECK(v.at("unfinished").as_int64() == 0);
    CHECK(v.at("documents_per_second").as_double() == doctest::Approx(2.0));
    CHECK(v.at("bytes_per_second").as_double() == doctest::Approx(2'000.0));
    CHECK(v.at("polls_per_document").as_double() == doctest::Approx(2.4));
}

TEST_CASE("run_report: a run that said nothing of itself -> null for its times, also when it was read back")
{
    std::string const text = to_json(run_report());
    boost::json::value const v = boost::json::parse(text);
    for (char const* const time : {"started_at", "finished_at", "seconds", "documents_per_second"})
        CHECK_MESSAGE(v.at(time).is_null(), time);
    CHECK(to_json(parse_report(text).value()) == text);
}

TEST_CASE("parse_report: what to_json() wrote -> the same report")
{
    run_report r;
    r.started_at = sys_days(year(2026) / 1 / 2);
    r.finished_at = r.started_at + milliseconds(2'500);
    r.ended_by = "stopped by a signal";
    r.source_exhausted = true;
    r.failed_by_class = {{"job_failed", 1}, {"rejected", 2}};
    std::uint64_t n = 0;
    for (auto const count :
         {&run_report::found,         &run_report::done,          &run_report::copies,
          &run_report::failed,        &run_report::unfinished,    &run_report::possible_duplicates,
          &run_report::done_now,      &run_report::done_in_part,  &run_report::done_empty,
          &run_report::taken_up,      &run_report::not_sent,      &run_report::repeated,
          &run_report::changed_files, &run_report::links_skipped, &run_report::too_young,
          &run_report::empty_inputs,  &run_report::unreadable,    &run_report::parts,
          &run_report::parts_failed,  &run_report::bytes,         &run_report::submits,
          &run_report::polls,         &run_report::throttled,     &run_report::transport_failures})
        r.*count = ++n;
    result<run_report> const again = parse_report(to_json(r));
    REQUIRE(again.has_value());
    CHECK(to_json(*again) == to_json(r));
    CHECK(again->transport_failures == n);
}

TEST_CASE("parse_report: no object -> an error; a time or a count that is none -> passed over")
{
    CHECK(parse_report("[]").has_error());
    CHECK(parse_report("{").has_error());
    result<run_report> const r = parse_report(
        R"({"started_at":"2026-02-30T00:00:00.000Z","finished_at":"soon","found":-1,"done":"2","failed":3})");
    REQUIRE(r.has_value());
    CHECK(r->started_at == run_report().started_at);
    CHECK(r->finished_at == run_report().finished_at);
    CHECK(r->found == 0);
    CHECK(r->done == 0);
    CHECK(r->failed == 3);
}

TEST_CASE("run_report: a run in which nothing happened -> valid JSON, rates are null")
{
    boost::json::value const v = boost::json::parse(to_json(run_report()));
    CHECK(v.at("documents_per_second").is_null());
    CHECK(v.at("polls_per_document").is_null());
    CHECK(v.at("failed_by_class").as_object().empty());
}

TEST_CASE("run_report: a reason with quotes and line breaks -> escaped")
{
    run_report r;
    r.ended_by = "key \"refused\"\nagain";
    CHECK(boost::json::parse(to_json(r)).at("ended_by").as_string() == "key \"refused\"\nagain");
}

TEST_CASE("write_report: written twice -> the second one, private, and nothing else is left")
{
    temp_directory dir;
    run_report r;
    r.found = 1;
    REQUIRE_FALSE(write_report(dir.path().string(), r));
    r.found = 2;
    REQUIRE_FALSE(write_report(dir.path().string(), r));
    CHECK(dir.read("report.json") == to_json(r));
    CHECK(std::distance(std::filesystem::directory_iterator(dir.path()),
                        std::filesystem::directory_iterator()) == 1);
    struct ::stat status{};
    REQUIRE(::stat((dir.path() / "report.json").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("write_report: a folder that is missing, or a directory in its place -> the system's error, and no "
          "draft is left")
{
    temp_directory dir;
    CHECK(write_report(dir.path().string() + "/missing", run_report()) ==
          boost::system::errc::no_such_file_or_directory);
    std::filesystem::create_directory(dir.path() / "report.json");
    CHECK(write_report(dir.path().string(), run_report()).failed());
    CHECK(std::distance(std::filesystem::directory_iterator(dir.path()),
                        std::filesystem::directory_iterator()) == 1);
}

TEST_CASE("run_report: the clock was set back during the run -> rates are null")
{
    run_report r;
    r.started_at = sys_days(year(2026) / 1 / 2);
    r.finished_at = r.started_at - seconds(1);
    r.done = 1;
    CHECK(boost::json::parse(to_json(r)).at("documents_per_second").is_null());
}

TEST_CASE("write_report: a link laid in the draft's place -> refused, what it leads to is not touched")
{
    temp_directory dir;
    temp_directory elsewhere;
    elsewhere.write("precious", "kept");
    std::filesystem::create_symlink(elsewhere.path() / "precious", dir.path() / ".report.json.tmp");
    CHECK(write_report(dir.path().string(), run_report()) ==
          boost::system::errc::too_many_symbolic_link_levels);
    CHECK(elsewhere.read("precious") == "kept");
}

TEST_CASE("run_report: what was measured -> its members follow the counts, which stay as they are")
{
    run_report r;
    r.found = 3;
    std::string const counts = to_json(r);
    r.measured = "\"kind\": \"run\",\n  \"state\": \"finished\"";
    std::string const text = to_json(r);
    CHECK(text == counts.substr(0, counts.size() - 3) + ",\n  " + r.measured + "\n}\n");
    boost::json::value const v = boost::json::parse(text);
    CHECK(v.at("state").as_string() == "finished");
    CHECK(to_json(parse_report(text).value()) == counts);
}
