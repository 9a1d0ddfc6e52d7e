#include <ocrpipe/bulk/run/detail/run_state.hpp>

#include <doctest/doctest.h>

#include <chrono>

using namespace ocrpipe;
using detail::run_state;
using detail::standing;

namespace
{

pipeline_options limits(std::size_t max_in_flight = 10, std::size_t max_submitting = 8)
{
    pipeline_options o;
    o.max_in_flight = max_in_flight;
    o.max_submitting = max_submitting;
    return o;
}

failure lost_answer()
{
    return failure(errc::ambiguous_submit, phase::first_byte, "the answer was lost");
}

/// The counts that a display shows always add up.
void check_sum(run_state const& s)
{
    pipeline_statistics const n = s.statistics();
    CHECK(n.found == n.done + n.failed + n.unfinished + n.not_sent + n.repeated);
}

} // namespace

TEST_CASE("run_state: earlier documents -> each state is counted in one standing")
{
    document_counts before;
    unsigned n = 1;
    for (std::size_t i = 0; i != document_state_count; ++i)
        before[static_cast<document_state>(i)] = n++;
    run_state s(limits());
    s.count_earlier(before);
    CHECK(s.count(standing::not_sent) == before[document_state::found]);
    CHECK(s.count(standing::unfinished) ==
          before[document_state::intent] + before[document_state::submitted]);
    CHECK(s.count(standing::done) == before[document_state::done] + before[document_state::skipped]);
    CHECK(s.count(standing::failed) ==
          before.total_of({document_state::failed, document_state::ambiguous, document_state::stuck,
                           document_state::expired, document_state::lost}));
    CHECK(s.statistics().found == before.total());
    check_sum(s);
}

TEST_CASE("run_state: a new document from admission to result -> counted once, in the standing it has")
{
    run_state s(limits());
    standing of = standing::absent;
    s.move(of, standing::unfinished);
    CHECK(s.statistics().unfinished == 1);
    s.accepted(700, true);
    s.finished(of, completeness::in_part);
    CHECK(of == standing::done);
    pipeline_statistics const n = s.statistics();
    CHECK(n.found == 1);
    CHECK(n.done == 1);
    CHECK(n.unfinished == 0);
    CHECK(n.finished_now == 1);
    CHECK(n.bytes == 700);
    CHECK(s.report.done_now == 1);
    CHECK(s.report.done_in_part == 1);
    CHECK(s.report.done_empty == 0);
    CHECK(s.report.possible_duplicates == 1);
    check_sum(s);
}

TEST_CASE("run_state: an empty result and a copied result -> both are done, one is empty")
{
    run_state s(limits());
    standing first = standing::absent;
    standing second = standing::failed;
    s.move(first, standing::unfinished);
    document_counts before;
    before[document_state::failed] = 1;
    s.count_earlier(before);
    s.finished(first, completeness::empty);
    s.copied(second);
    CHECK(s.statistics().done == 2);
    CHECK(s.statistics().failed == 0);
    CHECK(s.report.done_empty == 1);
    CHECK(s.report.done_now == 2);
    check_sum(s);
}

TEST_CASE("run_state: results that are asked for again and have more -> their counts move, and nothing counts "
          "twice")
{
    run_state s(limits());
    document_counts before;
    before[document_state::done] = 2;
    before[document_state::skipped] = 1;
    before.empty = 2;
    before.in_part = 1;
    s.count_earlier(before);
    s.renewed(completeness::empty, completeness::in_part);
    s.renewed(completeness::in_part, completeness::whole);
    standing copy = standing::done;
    s.copied(copy);
    CHECK(s.report.done_empty == 1);
    CHECK(s.report.done_in_part == 1);
    CHECK(s.report.renewed == 3);
    CHECK(s.report.done_now == 0);
    CHECK(s.statistics().done == 3);
    CHECK(s.statistics().finished_now == 0);
    check_sum(s);
}

TEST_CASE("run_state: a withheld document without a row -> not sent; the same id again -> listed again")
{
    run_state s(limits());
    standing first = standing::absent;
    standing again = standing::absent;
    s.move(first, standing::unfinished);
    s.move(again, standing::unfinished);
    s.withhold_without_row("a", first);
    s.withhold_without_row("a", again);
    CHECK(s.count(standing::not_sent) == 1);
    CHECK(s.repeated() == 1);
    CHECK(s.withheld_without_row() == 1);
    s.repeated_at_intake(3);
    s.repeated_at_intake(4);
    CHECK(s.repeated() == 5);
    CHECK(s.statistics().found == 6);
    check_sum(s);
}

TEST_CASE("run_state: room -> ends at the documents in flight, and at those being sent")
{
    run_state in_flight(limits(2, 8));
    in_flight.enter();
    CHECK(in_flight.has_room());
    in_flight.enter();
    CHECK_FALSE(in_flight.has_room());
    in_flight.leave();
    CHECK(in_flight.has_room());

    run_state sending(limits(10, 1));
    sending.submit_begins();
    CHECK_FALSE(sending.has_room());
    sending.submit_ends();
    CHECK(sending.has_room());
}

TEST_CASE("run_state: max_documents -> the run stops before the next one, and still sends those within it")
{
    pipeline_options o = limits();
    o.max_documents = 2;
    run_state s(o);
    for (int i = 0; i != 2; ++i) {
        CHECK(s.may_send());
        s.submit_begins();
    }
    CHECK_FALSE(s.may_send());
    CHECK(s.is_stopped());
    CHECK_FALSE(s.is_draining());
    CHECK(s.report.end == run_end::document_limit);
    CHECK(s.report.ended_by == "2 documents were sent");

    // Another reason replaces it, but it replaces no other reason.
    s.stop(run_end::stopped, "stopped");
    CHECK(s.is_draining());
    CHECK_FALSE(s.may_send());
    CHECK(s.report.end == run_end::stopped);
    s.stop(run_end::time_limit, "late");
    CHECK(s.report.ended_by == "stopped");
}

TEST_CASE("run_state: a submit that was withdrawn -> does not count towards max_documents")
{
    pipeline_options o = limits();
    o.max_documents = 1;
    run_state s(o);
    s.submit_begins();
    s.submit_withdrawn();
    CHECK(s.may_send());
    CHECK_FALSE(s.is_stopped());
}

TEST_CASE("run_state: submits without an answer -> a hundred in a row stop the run, an answer between them "
          "begins a new count")
{
    failure rejected(errc::rejected, phase::classify, "400");
    rejected.http_status = 400;
    run_state s(limits());
    for (unsigned i = 0; i != run_state::max_unanswered - 1; ++i)
        s.submit_failed(lost_answer());
    SUBCASE("one more") { s.submit_failed(lost_answer()); }
    SUBCASE("an answer, then as many again")
    {
        SUBCASE("of acceptance") { s.accepted(1, false); }
        SUBCASE("of refusal") { s.submit_failed(rejected); }
        for (unsigned i = 0; i != run_state::max_unanswered - 1; ++i)
            s.submit_failed(lost_answer());
        CHECK_FALSE(s.is_stopped());
        s.submit_failed(lost_answer());
    }
    CHECK(s.is_draining());
    CHECK(s.report.end == run_end::failure_budget);
    CHECK(s.report.ended_by == "100 submits in a row got no answer from the service; the last one "
                               "failed with: the answer was lost");
}

TEST_CASE("run_state: the failure budget -> the failure after it stops the run, with the numbers")
{
    pipeline_options o = limits();
    o.fail_budget.documents = 1;
    run_state s(o);
    standing of[] = {standing::absent, standing::absent, standing::absent};
    s.finished(of[0], completeness::whole);
    s.failed(of[1]);
    CHECK_FALSE(s.is_stopped());
    s.failed(of[2]);
    CHECK(s.report.end == run_end::failure_budget);
    CHECK(s.report.ended_by == "2 of 3 documents failed");
    CHECK(s.statistics().finished_now == 3);
    check_sum(s);
}

TEST_CASE("run_state: errors -> the first one is the run's, a later stop does not replace it")
{
    run_state s(limits());
    s.stop(run_end::stopped, "stopped");
    s.outputs_failed(failure(errc::unwritable_output, phase::none, "results in out"));
    s.fail(failure(errc::unauthorized, phase::classify, "401"));
    s.stop(run_end::time_limit, "late");
    REQUIRE(s.error().has_value());
    CHECK(s.error()->is(errc::unwritable_output));
    CHECK(s.report.end == run_end::failed);
    CHECK(s.report.ended_by == to_string(*s.error()));
    CHECK(s.have_outputs_failed());
    CHECK(s.is_draining());

    run_state other(limits());
    other.fail(failure(errc::unauthorized, phase::classify, "401"));
    CHECK_FALSE(other.have_outputs_failed());
}

TEST_CASE("run_state: the bottleneck -> what grew since the previous look")
{
    run_state s(limits(2, 1));
    client_statistics now;
    CHECK(s.limiting(now) == "source");
    s.enter();
    s.enter();
    CHECK(s.limiting(now) == "in-flight cap");
    now.waited_for_submit_rate += std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "in-flight cap");
    now.waited_for_poll_rate += std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "poll rate");
    s.leave();
    s.submit_begins();
    CHECK(s.limiting(now) == "connections");
    s.submit_ends();
    s.report.source_exhausted = true;
    CHECK(s.limiting(now) == "service");
    now.waited_for_poll_rate += std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "poll rate");
    CHECK(s.limiting(now) == "service");
    now.waited_for_bytes = std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "bandwidth");
    now.waited_for_submit_rate += std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "submit rate");
    now.paused_for = std::chrono::milliseconds(1);
    CHECK(s.limiting(now) == "throttled");
    now.credentials_paused = true;
    CHECK(s.limiting(now) == "credentials");
    s.stop(run_end::stopped, "stopped");
    CHECK(s.limiting(now) == "draining");
}

TEST_CASE("run_state: the report -> has the counts of the state and of the client")
{
    run_state s(limits());
    standing done = standing::absent;
    standing waiting = standing::absent;
    s.move(waiting, standing::unfinished);
    s.finished(done, completeness::whole);
    s.repeat();
    client_statistics c;
    c.submits = 5;
    c.polls = 6;
    c.throttled = 7;
    c.transport_failures = 8;
    s.complete_report(c);
    CHECK(s.report.found == 3);
    CHECK(s.report.done == 1);
    CHECK(s.report.unfinished == 1);
    CHECK(s.report.repeated == 1);
    CHECK(s.report.submits == 5);
    CHECK(s.report.polls == 6);
    CHECK(s.report.throttled == 7);
    CHECK(s.report.transport_failures == 8);
}
