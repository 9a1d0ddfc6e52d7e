#include "live_report.hpp"

#include <doctest/doctest.h>

using namespace ocrpipe::cli;

namespace
{

constexpr char running[] =
    R"({"state": "running", "updated_at": "2026-03-01T10:22:03.000Z", "now": {"documents_per_second": 13.72,
        "limiting": "service"}, "eta": {"seconds": 2860, "low": 2610, "high": 3190.5}})";

} // namespace

TEST_CASE("parse_live_report: a report of a run that goes on -> its rate, its limit and the time left")
{
    live_report const r = parse_live_report(running);
    CHECK(r.state == "running");
    CHECK(r.updated_at == "2026-03-01T10:22:03.000Z");
    CHECK(r.limiting == "service");
    CHECK(r.documents_per_second == 13.72);
    CHECK(r.seconds_left == 2860);
    CHECK(r.low == 2610);
    CHECK(r.high == 3190.5);
}

TEST_CASE("parse_live_report: members of other types, or no JSON -> empty")
{
    CHECK(parse_live_report("nonsense").state.empty());
    live_report const r = parse_live_report(R"({"state": 3, "now": [], "eta": {"seconds": null}})");
    CHECK(r.state.empty());
    CHECK(!r.seconds_left);
}

TEST_CASE("activity_line: a process works on a run -> rate, time left with its interval, limit")
{
    live_report r = parse_live_report(running);
    CHECK(activity_line(r, "process 4711", true) == "process 4711 works on them: 13.7 documents a second, "
                                                    "47m40s left (43m30s to 53m10s), limited by: service; "
                                                    "as of 2026-03-01T10:22:03.000Z\n");
    r.high.reset();
    r.limiting.clear();
    r.documents_per_second.reset();
    CHECK(activity_line(r, "process 4711", true) ==
          "process 4711 works on them, 47m40s left; as of 2026-03-01T10:22:03.000Z\n");
}

TEST_CASE("activity_line: a process that has not written its report yet -> no figures of the run before")
{
    live_report r = parse_live_report(running);
    r.state = "finished";
    CHECK(activity_line(r, "process 4711", true) == "process 4711 works on them\n");
}

TEST_CASE("activity_line: no process -> says so if something is left to do, and how to continue")
{
    live_report const killed = parse_live_report(running);
    CHECK(activity_line(killed, std::nullopt, true).find("the last run was killed") != std::string::npos);
    live_report stopped;
    stopped.state = "stopped";
    CHECK(activity_line(stopped, std::nullopt, true) ==
          "no process works on them; to continue, give the same run command again\n");
    CHECK(activity_line(stopped, std::nullopt, false).empty());
}
