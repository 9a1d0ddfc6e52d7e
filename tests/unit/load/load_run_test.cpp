#include <ocrpipe/load/load_run.hpp>

#include "unit/client/client_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace client_tests;

namespace
{

/// The service as the tests see it: a document's number decides what becomes of it. The job of document N has
/// the request_id "r-N".
struct service {
    std::function<exchange_result(std::uint64_t number)> submit = [](std::uint64_t n) { return accepts(n); };
    std::function<exchange_result(std::uint64_t number)> read = [](std::uint64_t) {
        return t::json(200, finished);
    };
    std::function<exchange_result(std::uint64_t number, std::string_view kind)> part =
        [](std::uint64_t, std::string_view) { return t::json(200, R"({"table":[1]})"); };

    static exchange_result accepts(std::uint64_t n)
    {
        std::string const number = std::to_string(n);
        return t::json(201, R"({"data":{"request_id":"r-)" + number + R"(","file_ids":["f-1","f-2"]}})");
    }

    exchange_result operator()(seen_request const& r) const
    {
        if (r.method == http_method::post) return submit(number_after(r.body, "name=\"file\"; filename=\""));
        std::uint64_t const n = number_after(r.target, "r-");
        if (r.target.find("ingest/r-") != std::string::npos) return read(n);
        std::size_t const from = r.target.find("ingest/") + 7;
        return part(n, std::string_view(r.target).substr(from, r.target.find('/', from) - from));
    }

    static std::uint64_t number_after(std::string const& text, std::string_view before)
    {
        std::size_t const at = text.find(before);
        REQUIRE_MESSAGE(at != std::string::npos, text);
        return std::stoull(text.substr(at + before.size()));
    }
};

std::string const failed_job =
    R"({"data":{"status":"FAILED","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[]}})";

/// Jobs that stay pending must not be all that the thread does.
class soon final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override
    {
        return std::chrono::milliseconds(1);
    }
};

client_options patient()
{
    client_options o = quick();
    o.schedule = std::make_shared<soon>();
    return o;
}

/// Runs a load test, and keeps what it reports.
struct test_run : fixture {
    explicit test_run(service s, load_options how, client_options o = patient())
        : client_(make(std::move(s), std::move(o))), run(ioc, client_, with_callbacks(std::move(how)))
    {
        run.start();
    }

    load_options with_callbacks(load_options how)
    {
        how.document = [](std::uint64_t n) {
            std::string const bytes = "%PDF-1.4 " + std::to_string(n);
            return load_document{
                submit_request(document::from_bytes(bytes, std::to_string(n) + ".pdf"), "INVOICE"),
                bytes.size()};
        };
        how.on_job = [this](job_record const& r, std::string_view name, std::string_view id) {
            CHECK(id == (is_known(r.accepted) ? "r-" + std::string(name.substr(0, name.find('.'))) : ""));
            CHECK(seen.emplace(std::string(name), r).second); // once
            if (after_job) after_job();
        };
        how.on_failure = [this](std::string_view, failure const&) { ++failures; };
        how.on_part_failure = [this](std::string_view, result_part const& p, failure const&) {
            failed_parts += std::string(name(p.kind)) + ' ';
        };
        how.on_end = [this] { ++ends; };
        return how;
    }

    /// Until the test ends.
    void finish()
    {
        auto const bound = clock::now() + std::chrono::seconds(60);
        while (ends == 0 && clock::now() < bound)
            ioc.run_one_for(std::chrono::seconds(1));
    }

    std::uint64_t ended_as(job_outcome o) const
    {
        std::uint64_t n = 0;
        for (auto const& [name, r] : seen)
            n += r.outcome == o;
        return n;
    }

    /// Each document that was due is in one place of each account.
    void check_accounts(std::uint64_t due, std::uint64_t done, std::uint64_t failed)
    {
        CHECK(ends == 1);
        load_statistics const s = run.statistics();
        CHECK(s.ended);
        CHECK(s.due == due);
        CHECK(s.done == done);
        CHECK(s.failed == failed);
        CHECK(s.given_up == due - done - failed);
        CHECK(s.fetching_parts == 0);
        CHECK(s.in_flight() == 0);
        CHECK(seen.size() == due);
        CHECK(ended_as(job_outcome::done) == done);
        CHECK(ended_as(job_outcome::failed) == failed);
        CHECK(ended_as(job_outcome::unfinished) == due - done - failed);
        CHECK(failures == failed);
        REQUIRE(run.jobs().size() == due);
        std::map<job_outcome, std::uint64_t> recorded;
        for (job_record const& r : run.jobs()) {
            ++recorded[r.outcome];
            CHECK(is_known(r.ended) == (r.outcome != job_outcome::unfinished));
            CHECK((r.error != errc::ok) == (r.outcome == job_outcome::failed));
        }
        CHECK(recorded[job_outcome::done] == done);
        CHECK(recorded[job_outcome::failed] == failed);
        CHECK(run.measurements().finished() == done);
        CHECK(run.measurements().failed() == failed);
        CHECK(run.measurements().in_flight() == 0);
        CHECK(run.measurements().latency(measured_phase::end_to_end).count() == done);
    }

    job_record const& job(std::uint64_t n) { return seen.at(std::to_string(n) + ".pdf"); }

    std::map<std::string, job_record> seen;
    std::function<void()> after_job;
    std::uint64_t failures = 0;
    std::string failed_parts;
    int ends = 0;
    client client_;
    load_run run;
};

load_options closed_loop(std::size_t concurrency, std::uint64_t documents)
{
    load_options o;
    o.arrivals.concurrency = concurrency;
    o.arrivals.max_documents = documents;
    return o;
}

load_options open_load(std::uint64_t documents)
{
    load_options o;
    o.arrivals.stages = {{10'000, 10'000, 60}};
    o.arrivals.max_documents = documents;
    return o;
}

/// Every fourth submit is refused, and every fourth job fails.
service mixed()
{
    service s;
    s.submit = [](std::uint64_t n) {
        return n % 4 == 1 ? t::json(415, R"({"message":"unsupported"})") : service::accepts(n);
    };
    s.read = [](std::uint64_t n) { return t::json(200, n % 4 == 2 ? failed_job : finished); };
    return s;
}

} // namespace

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
