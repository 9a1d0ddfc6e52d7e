#include <ocrpipe/load/generated_documents.hpp>
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

TEST_CASE("job_record: written and read again -> the same")
{
    job_record r = steady()[7];
    r.outcome = job_outcome::failed;
    r.error = errc::job_failed;
    r.first_pending = job_record::unknown;
    std::string line;
    append_json_line(line, r, "a \"b\".pdf", "r-1");
    auto const read = parse_job_line(line);
    REQUIRE(read.has_value());
    CHECK(read->document == "a \"b\".pdf");
    CHECK(read->request_id == "r-1");
    CHECK(read->record.due == r.due);
    CHECK(read->record.ended == r.ended);
    CHECK(read->record.first_pending == job_record::unknown);
    CHECK(read->record.outcome == job_outcome::failed);
    CHECK(read->record.error == errc::job_failed);
    CHECK(read->record.polls == 2);
    CHECK_FALSE(parse_job_line("{}").has_value());
    CHECK_FALSE(parse_job_line("[1,2").has_value());
}

TEST_CASE("document_generator: PDF of the wanted size, each with other bytes, the same for a seed")
{
    document_generator const g({20'000, 0}, 7);
    CHECK(g.make(0).size() == 20'000);
    CHECK(g.make(0).starts_with("%PDF-1.4"));
    CHECK(g.make(0) != g.make(1));
    CHECK(g.make(3) == document_generator({20'000, 0}, 7).make(3));
    CHECK(g.make(3) != document_generator({20'000, 0}, 8).make(3));
    document_generator const varied({20'000, 0.5}, 7);
    int above = 0;
    for (std::uint64_t i = 0; i != 1000; ++i)
        above += varied.size(i) > 20'000;
    CHECK(std::abs(above - 500) < 60);
}
