#include <ocrpipe/measure/report_members.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace
{

clock::time_point const t0 = clock::time_point() + 1000h;
auto const wall0 = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);

json::object members_of(run_measurements const& m, report_facts const& f)
{
    return json::parse("{" + report_members(m, f) + "}").as_object();
}

report_facts facts(std::string_view state, clock::duration after)
{
    report_facts f;
    f.state = state;
    f.now = t0 + after;
    f.updated_at = wall0 + std::chrono::duration_cast<std::chrono::milliseconds>(after);
    return f;
}

} // namespace

TEST_CASE("report_members: a run in which nothing happened -> every member, empty")
{
    run_measurements const m(t0, wall0);
    json::object const o = members_of(m, facts("finished", 0s));
    for (char const* const key :
         {"kind", "state", "updated_at", "verdict", "now", "eta", "paid", "latency", "document_polls",
          "series", "http_statuses", "errors", "limits", "slowest", "peaks", "configuration"})
        CHECK_MESSAGE(o.contains(key), key);
    CHECK(o.size() == 16);
    CHECK(o.at("kind").as_string() == "run");
    CHECK(o.at("state").as_string() == "finished");
    CHECK(o.at("updated_at").as_string() == "2026-01-02T00:00:00.000Z");
    CHECK(o.at("verdict").as_string() == "No document was found.");
    CHECK(o.at("eta").is_null());
    CHECK(o.at("now").at("documents_per_second").is_null());
    CHECK(o.at("latency").as_object().size() == measured_phase_count);
    CHECK(o.at("latency").at("end_to_end").at("p95").is_null());
    CHECK(o.at("document_polls").at("mean").is_null());
    CHECK(o.at("series").at("rows").as_array().size() == 1);
    CHECK(o.at("http_statuses").as_object().empty());
    CHECK(o.at("errors").as_array().empty());
    CHECK(o.at("limits").at("limiting").as_object().empty());
    CHECK(o.at("limits").at("waited").at("turn").to_number<double>() == 0);
    CHECK(o.at("limits").at("pauses").at("outage").at("count").as_int64() == 0);
    CHECK(o.at("slowest").as_array().empty());
    CHECK(o.at("peaks").at("in_flight_at").is_null());
    CHECK(o.at("configuration").as_object().empty());
}

TEST_CASE("report_members: a run under way -> what it measured, the rate and the time left")
{
    run_measurements m(t0, wall0);
    exchange_event e;
    e.what = operation::submit;
    e.status = 201;
    e.due = t0;
    e.turn = t0 + 2s;
    e.allowed = e.handed = e.sent = t0 + 3s;
    e.answered = t0 + 4s;
    m.add(e);
    m.accepted(5'000, t0 + 4s);
    e.what = operation::result;
    e.status = 0;
    e.error = errc::read_timeout;
    m.add(e);
    for (int s = 1; s <= 10; ++s) {
        measured_document d;
        d.id = "doc \"1\"";
        d.request_id = "r-1";
        d.from = d.times.sent = t0;
        d.times.accepted = t0 + 500ms;
        d.times.ready = t0 + std::chrono::seconds(s);
        d.times.polls = s;
        d.bytes = 20;
        m.finished(d, t0 + std::chrono::seconds(s));
        m.gauges(7, 3, t0 + std::chrono::seconds(s));
        m.sample("submit rate", t0 + std::chrono::seconds(s));
    }
    m.failed("rejected", "doc 2", "HTTP 400", t0 + 10s);
    m.failed("part", "part_absent", "doc 3", "gone");
    m.failed("part", "part_absent", "doc 4", "gone");
    m.add(pause_event{pause_kind::outage, true, t0 + 8s, {}});

    report_facts f = facts("running", 10s);
    f.done = 110;
    f.failed = 1;
    f.left = 40;
    f.total_known = true;
    f.in_doubt = 2;
    f.possible_duplicates = 1;
    f.limiting = "submit rate";
    f.waited_for_submit_rate = 1500ms;
    f.configuration["flow"] = "single";
    f.remedy = [](std::string_view c) { return c == "rejected" ? "look" : ""; };
    json::object const o = members_of(m, f);

    CHECK(o.at("now").at("limiting").as_string() == "submit rate");
    CHECK(o.at("now").at("documents_per_second").to_number<double>() == doctest::Approx(1));
    CHECK(o.at("now").at("in_flight").as_int64() == 7);
    CHECK(o.at("now").at("backlog").as_int64() == 3);
    CHECK(o.at("eta").at("seconds").to_number<double>() == doctest::Approx(40));
    CHECK(o.at("eta").at("low").to_number<double>() == doctest::Approx(40));
    CHECK(o.at("eta").at("high").to_number<double>() == doctest::Approx(40));
    CHECK(o.at("paid").at("accepted").as_int64() == 1);
    CHECK(o.at("paid").at("in_doubt").as_int64() == 2);
    CHECK(o.at("paid").at("possible_duplicates").as_int64() == 1);
    CHECK(o.at("latency").at("submit").at("mean").to_number<double>() == doctest::Approx(1));
    CHECK(o.at("latency").at("end_to_end").at("count").as_int64() == 10);
    CHECK(o.at("document_polls").at("mean").to_number<double>() == doctest::Approx(5.5));
    CHECK(o.at("document_polls").at("p50").as_int64() == 5);
    CHECK(o.at("document_polls").at("p95").as_int64() == 10);
    CHECK(o.at("document_polls").at("max").as_int64() == 10);
    CHECK(o.at("series").at("interval").as_int64() == 1);
    CHECK(o.at("series").at("start").as_string() == "2026-01-02T00:00:00.000Z");
    json::array const& rows = o.at("series").at("rows").as_array();
    json::array const& columns = o.at("series").at("columns").as_array();
    REQUIRE(rows.size() == 11);
    for (json::value const& row : rows)
        CHECK(row.as_array().size() == columns.size());
    json::array const& fourth = rows[4].as_array();
    CHECK(fourth[0].as_int64() == 4);
    CHECK(fourth[1].as_int64() == 1); // submitted
    CHECK(fourth[2].as_int64() == 1); // accepted
    CHECK(fourth[3].as_int64() == 4); // finished, those of the seconds before, too: a series only goes on
    CHECK(fourth[5].as_int64() == 5'000);
    CHECK(fourth[6].as_int64() == 1); // polls
    CHECK(fourth[9].to_number<double>() == doctest::Approx(2).epsilon(0.01));
    CHECK(rows[10].as_array()[4].as_int64() == 1); // failed
    CHECK(rows[0].as_array()[9].is_null());
    CHECK(o.at("http_statuses").at("submit").at("201").as_int64() == 1);
    CHECK(o.at("http_statuses").at("result").at("read_timeout").as_int64() == 1);
    CHECK_FALSE(o.at("http_statuses").as_object().contains("table"));
    REQUIRE(o.at("errors").as_array().size() == 2);
    json::value const& often = o.at("errors").as_array()[0];
    CHECK(often.at("class").as_string() == "part_absent");
    CHECK(often.at("kind").as_string() == "part");
    CHECK(often.at("count").as_int64() == 2);
    CHECK(often.at("remedy").is_null());
    json::value const& rejected = o.at("errors").as_array()[1];
    CHECK(rejected.at("document").as_string() == "doc 2");
    CHECK(rejected.at("message").as_string() == "HTTP 400");
    CHECK(rejected.at("remedy").as_string() == "look");
    CHECK(o.at("limits").at("limiting").at("submit rate").to_number<double>() == doctest::Approx(10));
    CHECK(o.at("limits").at("waited").at("submit_rate").to_number<double>() == doctest::Approx(1.5));
    CHECK(o.at("limits").at("waited").at("turn").to_number<double>() == doctest::Approx(4));
    CHECK(o.at("limits").at("pauses").at("outage").at("seconds").to_number<double>() == doctest::Approx(2));
    json::value const& slow = o.at("slowest").as_array()[0];
    CHECK(slow.at("document").as_string() == "doc \"1\"");
    CHECK(slow.at("seconds").to_number<double>() == doctest::Approx(10));
    CHECK(slow.at("submit").to_number<double>() == doctest::Approx(0.5));
    CHECK(slow.at("ready_low").to_number<double>() == 0);
    CHECK(slow.at("ready_high").to_number<double>() == doctest::Approx(9.5));
    CHECK(slow.at("polls").as_int64() == 10);
    CHECK(slow.at("bytes").as_int64() == 20);
    CHECK(o.at("peaks").at("in_flight").as_int64() == 7);
    CHECK(o.at("peaks").at("in_flight_at").as_string() == "2026-01-02T00:00:01.000Z");
    CHECK(o.at("configuration").at("flow").as_string() == "single");
    CHECK(o.at("verdict").as_string() ==
          "110 of 151 documents are done, and 1 failed, at 1.0 a second; about 40 seconds are left. "
          "Limited by the submit rate: raise it if the service allows more.");
}

TEST_CASE("verdict_of: runs that ended -> how far they came, and what limited them most")
{
    run_measurements m(t0, wall0);
    for (int i = 0; i != 100; ++i)
        m.finished({}, t0 + 1s);
    m.sample("source", t0 + 20s);
    m.sample("throttled", t0 + 100s);
    m.sample("draining", t0 + 200s);
    report_facts f = facts("finished", 200s);
    f.done = 100;
    f.total_known = true;
    CHECK(verdict_of(m, f) ==
          "All 100 documents are done, at 0.5 a second. Limited by the service's throttling for 40 "
          "% of the time: it asks to slow down; a lower rate avoids its refusals.");
    f.state = "stopped";
    f.failed = 3;
    f.left = 7;
    f.total_known = false;
    CHECK(verdict_of(m, f).starts_with(
        "100 of 110 documents found so far are done, and 3 failed, at 0.5 a second."));
    run_measurements slow(t0, wall0);
    slow.finished({}, t0);
    slow.sample("service", t0 + 2h);
    report_facts one = facts("finished", 2h);
    one.done = one.failed = 1;
    one.total_known = true;
    CHECK(verdict_of(slow, one) ==
          "1 of 2 documents are done, and 1 failed, at 0.5 an hour. Limited by the service "
          "for 100 % of the time.");
}

TEST_CASE("verdict_of: a run that is stopping -> says so; a load test's own verdict -> used")
{
    run_measurements const m(t0, wall0);
    report_facts f = facts("running", 1s);
    f.limiting = "draining";
    f.left = 2;
    CHECK(verdict_of(m, f) ==
          "0 of 2 documents found so far are done. The run is stopping: it finishes the documents "
          "that were sent.");
    f.kind = "load";
    f.verdict = "22.4 documents a second";
    CHECK(members_of(m, f).at("verdict").as_string() == "22.4 documents a second");
    CHECK(members_of(m, f).at("kind").as_string() == "load");
}
