#include <ocrpipe/load/load_report.hpp>
#include <ocrpipe/load/load_summary.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <vector>

using namespace ocrpipe;
using std::chrono::milliseconds;

namespace
{

/// Ten a second for 10 s; each is done a second after it was due.
std::vector<job_record> steady()
{
    std::vector<job_record> out;
    for (int i = 0; i != 100; ++i) {
        job_record r;
        r.due = milliseconds(100 * i);
        r.started = r.due + milliseconds(1);
        r.sent = r.due + milliseconds(2);
        r.accepted = r.due + milliseconds(10);
        r.first_pending = r.last_pending = r.due + milliseconds(900);
        r.ended = r.due + milliseconds(1000);
        r.outcome = job_outcome::done;
        r.bytes = 100;
        r.submits = 1;
        r.polls = 2;
        out.push_back(r);
    }
    return out;
}

} // namespace

TEST_CASE("summarize: a steady load -> every number")
{
    auto const jobs = steady();
    load_summary const s = summarize(jobs, 10, 10.9);
    CHECK(s.documents == 100);
    CHECK(s.done == 100);
    CHECK(s.bytes == 10'000);
    CHECK(s.warm_up_seconds == doctest::Approx(1.9));
    CHECK(s.offered == doctest::Approx(10));
    CHECK(s.throughput == doctest::Approx(10).epsilon(0.02));
    CHECK(s.polls_per_document == 2);
    CHECK(s.backlog.slope == doctest::Approx(0).epsilon(0.2));
    CHECK_FALSE(s.backlog.grows());
    CHECK(s.end_to_end.percentile(95).high == doctest::Approx(1));
    CHECK(s.ready_low.percentile(95).high == doctest::Approx(0.89));
    CHECK(s.ready_high.percentile(95).high == doctest::Approx(0.99));
    CHECK(s.completed_only.count() == 90);
    CHECK(s.send_delay.count() == 90); // without the first second
    CHECK(s.send_delay.percentile(99).count() == doctest::Approx(0.002).epsilon(0.01));
    CHECK(s.little == doctest::Approx(100 / 10.9));
}

TEST_CASE("summarize: failed and unfinished documents -> errors by class, and censored times")
{
    auto jobs = steady();
    for (int i = 90; i != 95; ++i) {
        jobs[i].outcome = job_outcome::failed;
        jobs[i].error = errc::rejected;
    }
    for (int i = 95; i != 100; ++i)
        jobs[i].outcome = job_outcome::unfinished;
    load_summary const s = summarize(jobs, 10, 40);
    CHECK(s.errors.at(errc::rejected) == 5);
    CHECK(s.error_rate() == doctest::Approx(0.05));
    CHECK(s.unfinished_rate() == doctest::Approx(0.05));
    CHECK(s.end_to_end.count() == 95);
    CHECK(s.end_to_end.censored() == 5);
    CHECK(std::isinf(s.end_to_end.percentile(99).high));
    CHECK(s.end_to_end.percentile(99).low == doctest::Approx(30.2).epsilon(0.02));
}

TEST_CASE("summarize: nothing was due -> no division by zero")
{
    load_summary const s = summarize({}, 0, 0);
    CHECK(s.error_rate() == 0);
    CHECK(s.little == 0);
    CHECK(verdict_of(s, {}).find("Too few documents") != std::string::npos);
}

TEST_CASE("verdict_of: all documents failed -> says so with the classes, and blames no backlog")
{
    std::vector<job_record> jobs = steady();
    for (std::size_t i = 0; i != jobs.size(); ++i) {
        jobs[i].outcome = job_outcome::failed;
        jobs[i].error = i < 10 ? errc::throttled : errc::rejected;
    }
    load_facts facts;
    facts.generator.send_delay_bound = 1;
    facts.ended_by = "the credentials were refused";
    std::string const fixed = verdict_of(summarize(jobs, 10, 10.9), facts);
    CHECK(fixed == "The test ended early: the credentials were refused. 100 documents were due in 10 s (10 a "
                   "second): all of them failed (90 rejected, 10 throttled).");
    facts.ended_by.clear();
    facts.capacity = service_capacity{0.5, 0, 1, "all documents fail"};
    std::string const searched = verdict_of(summarize(jobs, 10, 10.9), facts);
    CHECK(searched.find("No rate passed") == 0);
    CHECK(searched.find("100 of 100 documents failed (90 rejected, 10 throttled)") != std::string::npos);
    facts.capacity = capacity_search({}).found();
    CHECK(verdict_of(summarize({}, 0, 0), facts) == "No step came to its end.");
}

TEST_CASE("bottleneck_of: descriptors, processor, connections -> each with its remedy")
{
    generator_health g;
    g.send_delay_bound = 0.01;
    CHECK(bottleneck_of(g).empty());
    g.send_delay_p99 = 0.02;
    CHECK(bottleneck_of(g).find("--connections") != std::string::npos);
    g.limited = true;
    CHECK(bottleneck_of(g).empty());
    g.start_delay_p99 = 0.02;
    CHECK(bottleneck_of(g).find("too busy") != std::string::npos);
    g.cpu_share = 0.97;
    CHECK(bottleneck_of(g).find("97 % of a core") != std::string::npos);
    g.descriptors_gone = 1;
    CHECK(bottleneck_of(g).find("ulimit -n") != std::string::npos);
}

TEST_CASE("summarize: parts -> counted, their time begins with the result, and unfinished ones are censored")
{
    auto jobs = steady();
    for (job_record& j : jobs) {
        j.parts = 2;
        j.parts_done = j.ended + milliseconds(500);
    }
    jobs[0].parts = 0;
    jobs[0].parts_done = job_record::unknown; // has none
    jobs[1].parts = 0;
    jobs[1].parts_failed = {{errc::service_error, 2}};
    jobs[99].parts = 1;
    jobs[99].parts_done = job_record::unknown;
    jobs[99].parts_wanted = 1;
    load_summary const s = summarize(jobs, 10, 20);
    CHECK(s.parts == 97 * 2 + 1);
    CHECK(s.parts_failed.at(errc::service_error) == 2);
    CHECK(s.parts_failures() == 2);
    CHECK(s.parts_wanted == 1);
    CHECK(s.time_to_parts.count() == 99);
    CHECK(s.time_to_parts.censored() == 1);
    CHECK(s.time_to_parts.percentile(95).high == doctest::Approx(0.5));
    CHECK(s.end_to_end.percentile(95).high == doctest::Approx(1)); // without parts
    CHECK(s.error_rate() == 0);
    CHECK(s.little == doctest::Approx((1 + 98 * 1.5 + 20 - 9.9) / 20)); // in flight until the parts are there
    CHECK(verdict_of(s, {}).find(" 195 parts were fetched, 2 failed, 1 were not fetched before the end.") !=
          std::string::npos);
    CHECK(load_member(s, {}).find(R"("time_to_parts": {"count":99,"censored":1,)") != std::string::npos);
}

TEST_CASE("load_member: no parts -> nothing about them")
{
    load_summary const s = summarize(steady(), 10, 10.9);
    CHECK(load_member(s, {}).find("parts") == std::string::npos);
    CHECK(verdict_of(s, {}).find("parts") == std::string::npos);
}
