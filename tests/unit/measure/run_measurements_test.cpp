#include <ocrpipe/measure/run_measurements.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

clock::time_point const t0 = clock::time_point() + 1000h;
auto const wall0 = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);

run_measurements fresh() { return run_measurements(t0, wall0); }

/// Each step of an exchange takes a millisecond more than the one before.
exchange_event exchange(operation what, int status)
{
    exchange_event e;
    e.what = what;
    e.status = status;
    e.due = t0;
    e.turn = t0 + 1ms;
    e.allowed = t0 + 3ms;
    e.handed = t0 + 6ms;
    e.sent = t0 + 10ms;
    e.answered = t0 + 15ms;
    return e;
}

double mean_ms(run_measurements const& m, measured_phase p) { return m.latency(p).mean().count() * 1000; }

measured_document document(std::string_view id, clock::duration took)
{
    measured_document d;
    d.id = id;
    d.request_id = "r";
    d.from = t0;
    d.times.sent = t0;
    d.times.accepted = t0 + 1s;
    d.times.ready = t0 + took;
    d.times.polls = 3;
    d.bytes = 100;
    return d;
}

} // namespace

TEST_CASE("run_measurements: an exchange -> each stretch of its time in its own histogram")
{
    run_measurements m = fresh();
    m.add(exchange(operation::submit, 201));
    CHECK(mean_ms(m, measured_phase::wait_for_turn) == doctest::Approx(1));
    CHECK(mean_ms(m, measured_phase::wait_for_rate) == doctest::Approx(2));
    CHECK(mean_ms(m, measured_phase::wait_for_ledger) == doctest::Approx(3));
    CHECK(mean_ms(m, measured_phase::wait_for_connection) == doctest::Approx(4));
    CHECK(mean_ms(m, measured_phase::submit) == doctest::Approx(5));
    CHECK(m.latency(measured_phase::poll).empty());
    m.add(exchange(operation::result, 500));
    m.add(exchange(operation::table, 404));
    m.add(exchange(operation::image, 200));
    CHECK(m.latency(measured_phase::poll).count() == 1);
    CHECK(m.latency(measured_phase::part).count() == 2);
    CHECK(m.latency(measured_phase::submit).count() == 1);
    CHECK(m.series().points()[0].submitted == 1);
    CHECK(m.series().points()[0].polls == 1);
}

TEST_CASE("run_measurements: exchanges that failed -> counted by status or error, not among the latencies")
{
    run_measurements m = fresh();
    m.add(exchange(operation::submit, 400));
    exchange_event lost = exchange(operation::submit, 0);
    lost.error = errc::connection_closed;
    m.add(lost);
    lost.error = errc::connect_failed;
    lost.sent = {};
    m.add(lost);
    m.add(lost);
    CHECK(m.latency(measured_phase::submit).empty());
    CHECK(m.latency(measured_phase::wait_for_connection).count() == 2);
    CHECK(m.statuses(operation::submit) ==
          std::map<int, std::uint64_t>{{400, 1},
                                       {-static_cast<int>(errc::connection_closed), 1},
                                       {-static_cast<int>(errc::connect_failed), 2}});
    CHECK(m.statuses(operation::result).empty());
    CHECK(m.series().points()[0].submitted == 4);
}

TEST_CASE("run_measurements: a document that was not ready twice -> the interval in which it became ready")
{
    run_measurements m = fresh();
    measured_document d = document("a", 10s);
    d.times.first_pending = t0 + 3s;
    d.times.last_pending = t0 + 7s;
    m.finished(d, t0 + 10s);
    CHECK(m.latency(measured_phase::time_to_ready_low).mean().count() == doctest::Approx(6));
    CHECK(m.latency(measured_phase::time_to_ready_high).mean().count() == doctest::Approx(9));
    CHECK(m.latency(measured_phase::end_to_end).mean().count() == doctest::Approx(10));
    CHECK(m.series().points()[10].finished == 1);
    CHECK(m.series().points()[10].end_to_end.count() == 1);
    CHECK(m.document_polls() == std::vector<std::uint64_t>{0, 0, 0, 1});
}

TEST_CASE(
    "run_measurements: ready at the first poll, submitted by an earlier run, or a copy -> what is known")
{
    run_measurements m = fresh();
    m.finished(document("a", 2s), t0 + 2s);
    CHECK(m.latency(measured_phase::time_to_ready_low).max().count() == 0);
    measured_document earlier = document("b", 2s);
    earlier.from = earlier.times.sent = earlier.times.accepted = {};
    m.finished(earlier, t0 + 2s);
    measured_document copy = document("c", 2s);
    copy.times = {};
    m.finished(copy, t0 + 2s);
    CHECK(m.finished() == 3);
    CHECK(m.latency(measured_phase::time_to_ready_high).count() == 1);
    CHECK(m.latency(measured_phase::end_to_end).count() == 1);
    CHECK(m.document_polls()[3] == 2);
}

TEST_CASE("run_measurements: the slowest -> ten, slowest first")
{
    run_measurements m = fresh();
    for (int i = 1; i <= 30; ++i)
        m.finished(document(std::to_string(i), std::chrono::seconds(i * 7 % 31)), t0);
    REQUIRE(m.slowest().size() == 10);
    for (std::size_t i = 0; i != 10; ++i)
        CHECK(m.slowest()[i].end_to_end == std::chrono::seconds(30 - i));
    CHECK(m.slowest()[0].bytes == 100);
}

TEST_CASE("run_measurements: more than a thousand polls -> counted together, the maximum is exact")
{
    run_measurements m = fresh();
    measured_document d = document("a", 2s);
    d.times.polls = 5'000;
    m.finished(d, t0);
    CHECK(m.document_polls().size() == 1001);
    CHECK(m.document_polls().back() == 1);
    CHECK(m.most_polls() == 5'000);
}

TEST_CASE("run_measurements: failures -> counted by kind and class, with the first as a sample")
{
    run_measurements m = fresh();
    m.failed("rejected", "a", "first", t0 + 3s);
    m.failed("rejected", "b", "second", t0 + 3s);
    m.failed("part", "rejected", "c", "a part");
    CHECK(m.failed() == 2);
    CHECK(m.series().points()[3].failed == 2);
    REQUIRE(m.errors().size() == 2);
    auto const& e = m.errors().at({"document", "rejected"});
    CHECK(e.count == 2);
    CHECK(e.id == "a");
    CHECK(e.message == "first");
    CHECK(m.errors().at({"part", "rejected"}).message == "a part");
    m.failed("job_failed", std::string(100'000, 'i'), std::string(100'000, 'm'), t0);
    CHECK(m.errors().at({"document", "job_failed"}).message.size() == 2048);
}

TEST_CASE("run_measurements: gauges and samples -> peaks, the time of each limit, the series")
{
    run_measurements m = fresh();
    m.gauges(5, 2, t0 + 500ms);
    m.gauges(9, 1, t0 + 700ms);
    m.gauges(3, 1, t0 + 900ms);
    m.sample("source", t0 + 1s);
    m.sample("service", t0 + 2s);
    m.sample("service", t0 + 4s);
    CHECK(m.peak_in_flight().value == 9);
    CHECK(m.peak_in_flight().at == t0 + 700ms);
    CHECK(m.peak_backlog().value == 2);
    CHECK(m.peak_backlog().at == t0 + 500ms);
    CHECK(m.in_flight() == 3);
    CHECK(m.limiting().at("source") == 1s);
    CHECK(m.limiting().at("service") == 3s);
    CHECK(m.series().points()[4].in_flight == 3);
    CHECK(m.series().points()[4].backlog == 1);
    m.accepted(1'000, t0 + 5s);
    CHECK(m.accepted() == 1);
    CHECK(m.series().points()[5].accepted == 1);
    CHECK(m.series().points()[5].bytes == 1'000);
    CHECK(m.wall_clock(t0 + 5s) == wall0 + 5s);
}

TEST_CASE("run_measurements: pauses -> their number and length; one that is extended counts once")
{
    run_measurements m = fresh();
    m.add(pause_event{pause_kind::outage, true, t0 + 1s, {}});
    CHECK(m.paused(pause_kind::outage, t0 + 4s).total == 3s);
    m.add(pause_event{pause_kind::outage, true, t0 + 4s, {}});
    m.add(pause_event{pause_kind::outage, false, t0 + 6s, {}});
    m.add(pause_event{pause_kind::outage, false, t0 + 7s, {}});
    m.add(pause_event{pause_kind::outage, true, t0 + 10s, {}});
    CHECK(m.paused(pause_kind::outage, t0 + 11s).count == 2);
    CHECK(m.paused(pause_kind::outage, t0 + 11s).total == 6s);
    CHECK(m.paused(pause_kind::credentials, t0 + 11s).count == 0);

    CHECK(m.paused(pause_kind::throttled, t0).total == 0s);
    m.add(pause_event{pause_kind::throttled, true, t0 + 1s, t0 + 3s});
    m.add(pause_event{pause_kind::throttled, true, t0 + 2s, t0 + 5s});
    CHECK(m.paused(pause_kind::throttled, t0 + 4s).total == 3s);
    CHECK(m.paused(pause_kind::throttled, t0 + 9s).total == 4s);
    m.add(pause_event{pause_kind::throttled, true, t0 + 10s, t0 + 11s});
    CHECK(m.paused(pause_kind::throttled, t0 + 20s).count == 2);
    CHECK(m.paused(pause_kind::throttled, t0 + 20s).total == 5s);
}

TEST_CASE("run_measurements: statuses of other measurements -> added to its own")
{
    run_measurements m = fresh();
    m.add(exchange(operation::submit, 201));
    m.add_statuses(operation::submit, 201, 4);
    m.add_statuses(operation::submit, -static_cast<int>(errc::connection_closed), 2);
    CHECK(m.statuses(operation::submit) ==
          std::map<int, std::uint64_t>{{201, 5}, {-static_cast<int>(errc::connection_closed), 2}});
}
