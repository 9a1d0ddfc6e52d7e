#include "unit/load/load_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace load_tests;

TEST_CASE("load_run: open arrivals with refused documents and failed jobs -> each is accounted once")
{
    test_run r(mixed(), open_load(40));
    r.finish();
    r.check_accounts(40, 20, 20);
    CHECK(r.posts() == 40);
    CHECK(r.job(1).error == errc::rejected);
    CHECK_FALSE(is_known(r.job(1).accepted));
    CHECK(r.job(2).error == errc::job_failed);
    CHECK(is_known(r.job(2).accepted));
    job_record const& done = r.job(4);
    CHECK(done.due <= done.started);
    CHECK(done.accepted <= done.ended);
    CHECK(done.submits == 1);
    CHECK(done.polls == 1);
    CHECK(done.bytes == 10);
    CHECK_FALSE(is_known(done.first_pending));
    CHECK_FALSE(r.run.stopped());
}

TEST_CASE("load_run: a closed loop whose documents all fail at once -> each is replaced, none is lost")
{
    service s;
    s.submit = [](std::uint64_t) { return t::json(415, "{}"); };
    test_run r(s, closed_loop(3, 50));
    r.finish();
    r.check_accounts(50, 0, 50);
    CHECK(r.run.measurements().peak_in_flight().value == 3);
}

TEST_CASE("load_run: a closed loop -> never more in flight, and as many documents as asked for")
{
    test_run r(mixed(), closed_loop(3, 40));
    r.finish();
    r.check_accounts(40, 20, 20);
    CHECK(r.run.measurements().peak_in_flight().value == 3);
}

TEST_CASE("load_run: a plan without documents -> ends at once")
{
    load_options none;
    none.arrivals.stages = {{0, 0, 0.001}};
    test_run r({}, none);
    r.finish();
    r.check_accounts(0, 0, 0);
}

TEST_CASE("load_run: max_documents ends the plan -> the rate counts until one more would be due")
{
    load_options three = open_load(3);
    three.arrivals.stages = {{50, 50, 600}};
    test_run r({}, three);
    r.finish();
    CHECK(r.run.offered_per_second() == doctest::Approx(50));
}

TEST_CASE("load_run: all documents of a closed loop fit into it -> their rate is that of the whole test")
{
    for (std::size_t const documents : {1, 3, 5, 6}) {
        test_run r({}, closed_loop(5, documents));
        r.finish();
        CHECK(r.run.offered_per_second() * r.run.total_seconds() ==
              doctest::Approx(static_cast<double>(documents)));
        if (documents <= 5) CHECK(r.run.arrival_seconds() == r.run.total_seconds());
    }
}

TEST_CASE("load_run: accepted -> told at once, before the document's end")
{
    std::string told;
    load_options o = closed_loop(1, 2);
    o.on_accepted = [&told](std::string_view name, std::string_view id) {
        told += std::string(name) + '=' + std::string(id) + ' ';
    };
    service s;
    s.read = [&told](std::uint64_t n) {
        CHECK(told.ends_with(std::to_string(n) + ".pdf=r-" + std::to_string(n) + ' '));
        return t::json(200, finished);
    };
    test_run r(s, o);
    r.finish();
    CHECK(told == "0.pdf=r-0 1.pdf=r-1 ");
}

TEST_CASE("load_run: parts -> fetched after each result, and counted in its record")
{
    load_options how = open_load(20);
    how.parts = {operation::table, operation::image};
    test_run r(mixed(), how);
    r.finish();
    r.check_accounts(20, 10, 10);
    load_statistics const s = r.run.statistics();
    CHECK(s.with_parts);
    CHECK(s.parts == 30); // a table and two images each
    CHECK(s.parts_failed == 0);
    for (auto const& [name, job] : r.seen) {
        CAPTURE(name);
        bool const is_done = job.outcome == job_outcome::done;
        CHECK(job.parts == (is_done ? 3 : 0));
        CHECK(job.parts_wanted == 0);
        CHECK(is_known(job.parts_done) == is_done);
        if (is_done) CHECK(job.parts_done >= job.ended);
    }
    CHECK(r.run.measurements().latency(measured_phase::parts).count() == 10);
    CHECK(std::count_if(r.log.begin(), r.log.end(), [](seen_request const& q) {
              return q.target.find("ingest/file/") != std::string::npos;
          }) == 20);
}

TEST_CASE("load_run: no parts asked for, or a result without ids -> none is fetched")
{
    service s;
    s.read = [](std::uint64_t) {
        return t::json(200, R"({"data":{"status":"COMPLETED","progress":{"total_doc":1,"ignored":0,)"
                            R"("finished":1},"documents":[{"ocr_data":[{"name":"a","value":["1"]}]}]}})");
    };
    load_options how = open_load(5);
    how.parts = {operation::table};
    for (load_options const& o : {how, open_load(5)}) {
        test_run r(s, o);
        r.finish();
        r.check_accounts(5, 5, 0);
        CHECK(r.run.statistics().parts == 0);
        CHECK_FALSE(has_parts(r.job(4)));
        CHECK(r.run.measurements().latency(measured_phase::parts).empty());
    }
}

TEST_CASE("load_run: a part that fails -> counted by class; its document stays done")
{
    service s;
    s.part = [](std::uint64_t n, std::string_view kind) {
        return n == 1 && kind == "stamp" ? t::json(400, R"({"message":"no"})") : t::json(200, R"({"a":[1]})");
    };
    load_options how = open_load(3);
    how.parts = {operation::table, operation::stamp};
    test_run r(s, how);
    r.finish();
    r.check_accounts(3, 3, 0);
    CHECK(r.failed_parts == "stamp ");
    CHECK(r.job(1).parts == 1);
    REQUIRE(r.job(1).parts_failed.size() == 1);
    CHECK(r.job(1).parts_failed[0].first == errc::rejected);
    CHECK(r.job(1).parts_failed[0].second == 1);
    CHECK(is_known(r.job(1).parts_done));
    CHECK(r.run.statistics().parts == 5);
    CHECK(r.run.statistics().parts_failed == 1);
    auto const& errors = r.run.measurements().errors();
    REQUIRE(errors.contains({"part", "rejected"}));
    CHECK(errors.at({"part", "rejected"}).id == "1.pdf");
    CHECK_FALSE(errors.contains({"document", "rejected"}));
}

TEST_CASE("load_run: a closed loop with parts -> the next document begins when the parts have ended")
{
    load_options how = closed_loop(1, 4);
    how.parts = {operation::table, operation::stamp};
    test_run r({}, how);
    r.finish();
    r.check_accounts(4, 4, 0);
    std::string course;
    for (seen_request const& q : r.log)
        course += q.method == http_method::post                     ? 's'
                  : q.target.find("ingest/r-") != std::string::npos ? 'r'
                                                                    : 'p';
    CHECK(course == "srppsrppsrppsrpp");
}
