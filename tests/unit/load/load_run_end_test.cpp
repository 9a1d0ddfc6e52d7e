#include "unit/load/load_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>

using namespace load_tests;

TEST_CASE("load_run: the key is refused from the start -> the arrivals end, and the failure is named")
{
    service s;
    s.submit = [](std::uint64_t) { return t::json(403, "Forbidden"); };
    client_options o = patient();
    o.max_auth_refusals = 1;
    o.first_alone = false;
    load_options slow = open_load(1'000'000);
    slow.arrivals.stages = {{500, 500, 600}};
    test_run r(s, slow, o);
    r.finish();
    REQUIRE(r.run.ended_by());
    CHECK(r.run.ended_by()->is(errc::unauthorized));
    std::uint64_t const due = r.run.statistics().due;
    r.check_accounts(due, 0, due);
    CHECK(due < 10'000);
    CHECK_FALSE(r.run.stopped());
}

TEST_CASE("load_run: the key is refused after documents were accepted -> the arrivals end, too")
{
    service s;
    s.submit = [&](std::uint64_t n) { return n >= 5 ? t::json(403, "Forbidden") : service::accepts(n); };
    client_options o = patient();
    o.first_alone = false;
    o.max_auth_refusals = 1;
    test_run r(s, closed_loop(1, 100), o);
    r.finish();
    REQUIRE(r.run.ended_by());
    CHECK(r.run.ended_by()->is(errc::unauthorized));
    r.check_accounts(6, 5, 1);
}

TEST_CASE("load_run: nothing was ever reached -> ends after three documents; once reached -> goes on")
{
    bool reached = false;
    service s;
    s.submit = [&reached](std::uint64_t n) {
        if (reached && n == 0) return t::json(415, "{}");
        return t::fails(errc::connect_failed, bytes_sent::none);
    };
    SUBCASE("never reached")
    {
        test_run r(s, closed_loop(1, 50));
        r.finish();
        REQUIRE(r.run.ended_by());
        CHECK(r.run.ended_by()->is(errc::connect_failed));
        r.check_accounts(3, 0, 3);
    }
    SUBCASE("reached once")
    {
        reached = true;
        test_run r(s, closed_loop(1, 20));
        r.finish();
        CHECK_FALSE(r.run.ended_by());
        r.check_accounts(20, 0, 20);
    }
}

TEST_CASE("load_run: fewer than three documents, and nothing was reached -> the reason is told")
{
    service s;
    s.submit = [](std::uint64_t) { return t::fails(errc::connect_failed, bytes_sent::none); };
    for (std::uint64_t const documents : {1, 2}) {
        for (load_options const& how : {closed_loop(2, documents), open_load(documents)}) {
            test_run r(s, how);
            r.finish();
            REQUIRE(r.run.ended_by());
            CHECK(r.run.ended_by()->is(errc::connect_failed));
            r.check_accounts(documents, 0, documents);
        }
    }
}

TEST_CASE("load_run: stopped twice -> what has no result is unfinished and keeps its request_id")
{
    service s = mixed();
    s.read = [](std::uint64_t n) { return t::json(200, n % 2 == 0 ? finished : pending); };
    test_run r(s, open_load(20));
    // 5 were refused, 10 have a result; the other 5 stay pending.
    r.after_job = [&] {
        if (r.seen.size() != 15) return;
        r.run.stop();
        r.run.stop();
    };
    r.finish();
    r.check_accounts(20, 10, 5);
    CHECK(r.run.stopped());
    CHECK(is_known(r.job(3).first_pending));
    CHECK(r.job(3).polls > 0);
}

TEST_CASE("load_run: stopped while submits and polls hang -> each is accounted once")
{
    service s;
    s.submit = [](std::uint64_t n) { return n == 1 ? t::hold() : service::accepts(n); };
    s.read = [](std::uint64_t n) { return n == 2 ? t::hold() : t::json(200, finished); };
    test_run r(s, open_load(4));
    r.after_job = [&] {
        if (r.seen.size() != 2) return;
        r.run.stop();
        r.run.stop();
    };
    r.finish();
    // The submit that hung may have been accepted: that is a failure of its document, not of the test's end.
    CHECK(r.seen.size() == 4);
    CHECK(r.run.statistics().in_flight() == 0);
    CHECK(r.job(2).outcome == job_outcome::unfinished);
    CHECK(r.ends == 1);
}

TEST_CASE("load_run: stopped while it drains -> no further arrival, and the rest is unfinished")
{
    service s;
    s.read = [](std::uint64_t n) { return t::json(200, n < 3 ? finished : pending); };
    test_run r(s, closed_loop(2, 0));
    r.after_job = [&] {
        if (r.seen.size() == 3) r.run.stop(); // documents 3 and 4 are under way or about to be
    };
    while (!r.run.statistics().draining)
        REQUIRE(r.ioc.run_one_for(std::chrono::seconds(30)) == 1);
    std::uint64_t const due = r.run.statistics().due;
    CHECK(r.ends == 0);
    // The submits are answered; a stop meanwhile would leave them in doubt.
    while (r.run.statistics().accepted != due)
        REQUIRE(r.ioc.run_one_for(std::chrono::seconds(30)) == 1);
    r.run.stop();
    r.finish();
    r.check_accounts(due, 3, 0);
    CHECK(r.run.arrival_seconds() <= r.run.total_seconds());
}

TEST_CASE("load_run: the drain takes too long -> the rest is unfinished")
{
    service s;
    s.read = [](std::uint64_t) { return t::json(200, pending); };
    load_options how = open_load(3);
    how.drain_timeout = std::chrono::milliseconds(1);
    test_run r(s, how);
    r.finish();
    CHECK(r.ends == 1);
    CHECK(r.seen.size() == 3);
    CHECK(r.run.statistics().done == 0);
    CHECK(r.run.statistics().in_flight() == 0);
    CHECK_FALSE(r.run.stopped());
}

TEST_CASE("load_run: destroyed before its end -> nothing is called any more")
{
    service s;
    s.read = [](std::uint64_t) { return t::json(200, pending); };
    int ends = 0;
    {
        test_run r(s, closed_loop(2, 0));
        for (int i = 0; i != 20; ++i)
            r.ioc.run_one_for(std::chrono::seconds(30));
        ends = r.ends;
    }
    CHECK(ends == 0);
}

TEST_CASE(
    "load_run: more parts than may be under way, stopped meanwhile -> all are accounted, the rest wanted")
{
    service s;
    s.read = [](std::uint64_t) {
        std::string documents;
        for (int i = 0; i != 1'500; ++i)
            documents += (i ? "," : "") + (R"({"document_id":"d-)" + std::to_string(i)) +
                         R"(","status":"SUCCESS","ocr_data":[{"name":"a","value":["1"]}]})";
        return t::json(200, R"({"data":{"status":"COMPLETED","progress":{"total_doc":1500,"ignored":0,)"
                            R"("finished":1500},"documents":[)" +
                                documents + "]}}");
    };
    int answered = 0;
    s.part = [&](std::uint64_t, std::string_view) {
        return ++answered > 10 ? t::hold() : t::json(200, R"({"a":[1]})");
    };
    load_options how = open_load(2);
    how.parts = {operation::table};
    test_run r(s, how);
    while (r.run.statistics().parts < 10)
        REQUIRE(r.ioc.run_one_for(std::chrono::seconds(30)) == 1);
    while (r.run.statistics().done < 2)
        REQUIRE(r.ioc.run_one_for(std::chrono::seconds(30)) == 1);
    CHECK(r.run.statistics().fetching_parts == 2);
    CHECK(r.run.statistics().in_flight() == 2);
    r.run.stop();
    r.run.stop();
    r.finish();
    r.check_accounts(2, 2, 0);
    CHECK(r.job(0).parts + r.job(1).parts == 10);
    CHECK(r.job(0).parts_wanted + r.job(1).parts_wanted == 2'990);
    CHECK_FALSE(is_known(r.job(0).parts_done));
    CHECK(r.run.statistics().parts_failed == 0);
}
