// The submit's machine in a straight line: an answer goes in, the next action comes out. Time and chance are
// numbers of the test.
#include "submit_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace submit_tests;

TEST_CASE("submit_fsm: accepted at once -> one attempt, the ids, no duplicate")
{
    submit s;
    action const first = s.start();
    CHECK(first.what == step::send);
    CHECK(first.until == t0);
    CHECK(s.resume(accepted).what == step::finish);
    submitted_job const job = s.succeeded();
    CHECK(job.request_id == "r-1");
    CHECK(job.file_ids == std::vector<std::string>{"f-1", "f-2"});
    CHECK(job.attempts == 1);
    CHECK_FALSE(job.possible_duplicate);
}

TEST_CASE("submit_fsm: the deadline has passed before the start -> nothing is sent")
{
    submit s({}, milliseconds(0));
    CHECK(s.start().what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::deadline_exceeded));
    CHECK(f.attempts == 0);
    CHECK(f.where == phase::pace);
}

TEST_CASE("submit_fsm: the document cannot be sent again -> the failure of the attempt, though more are left")
{
    struct row {
        exchange_result answer;
        errc code;
        int status;
    };
    for (row const& r : {row{cut_off, errc::connection_closed, 0}, row{too_many, errc::throttled, 429},
                         row{answered(503), errc::service_error, 503},
                         row{answered(403, "Forbidden"), errc::unauthorized, 403},
                         row{lost_answer, errc::ambiguous_submit, 0}}) {
        CAPTURE(name(r.code));
        submit s(resubmitting());
        s.start();
        CHECK(s.resume(r.answer).what != step::finish);
        CHECK(s.fsm.cannot_repeat(r.answer).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(r.code));
        CHECK(f.http_status == r.status);
        CHECK(f.attempts == 1);
    }
}

TEST_CASE("submit_fsm: failures before the first byte -> max_attempts counts requests, not repeats")
{
    for (int const max : {1, 2, 5}) {
        CAPTURE(max);
        retry_policy policy;
        policy.max_attempts = max;
        submit s(policy);
        for (int i = 1; i < max; ++i)
            CHECK(s.resume(unreachable).what == step::wait);
        CHECK(s.resume(unreachable).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(errc::connect_failed));
        CHECK(f.attempts == max);
        CHECK(f.where == phase::connect);
        CHECK(f.http_status == 0);
        CHECK(f.cause == make_error_code(boost::system::errc::io_error));
        std::string const used = std::to_string(max) + " of " + std::to_string(max) + " attempts used";
        CHECK(f.reason.find(used) != std::string::npos);
        CHECK(f.reason.find("ocr.example:443") != std::string::npos);
    }
}

TEST_CASE("submit_fsm: backoff after failures -> from nothing to below a bound that doubles up to the cap")
{
    retry_policy policy;
    policy.max_attempts = 100;
    submit least(policy);
    submit most(policy);
    for (int const bound : {250, 500, 1'000, 2'000, 4'000, 8'000, 16'000, 20'000, 20'000}) {
        CAPTURE(bound);
        CHECK(least.resume(unreachable, t0, 0).until == t0);
        action const a = most.resume(unreachable, t0, nearly_one);
        CHECK(a.what == step::wait);
        CHECK(a.until < t0 + milliseconds(bound));
        CHECK(a.until >= t0 + milliseconds(bound - 1));
    }
}

TEST_CASE("submit_fsm: accepted after failures before the first byte -> no duplicate, all attempts counted")
{
    submit s;
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.resume(answered(425)).what == step::wait);
    CHECK(s.resume(answered(425)).what == step::wait);
    CHECK(s.resume(accepted).what == step::finish);
    submitted_job const job = s.succeeded();
    CHECK(job.attempts == 4);
    CHECK_FALSE(job.possible_duplicate);
}

TEST_CASE("submit_fsm: throttled more often than there are attempts -> costs none, requests are counted all "
          "the same")
{
    retry_policy policy;
    policy.max_attempts = 2;
    submit s(policy);
    for (int i = 0; i != 20; ++i)
        CHECK(s.resume(too_many).what == step::pause_origin);
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.resume(too_many).what == step::pause_origin);
    CHECK(s.resume(accepted).what == step::finish);
    CHECK(s.succeeded().attempts == 23);
}

TEST_CASE(
    "submit_fsm: throttled again and again while others are accepted -> it waits alone, and fails in the end")
{
    submit s;
    for (int i = 0; i != 3; ++i) {
        ++s.others_accepted;
        CHECK(s.resume(too_many).what == step::pause_origin);
        ++s.throttled;
    }
    ++s.others_accepted;
    for (int i = 3; i != 29; ++i) {
        action const a = s.resume(too_many);
        CHECK(a.what == step::wait);
        CHECK(a.is_throttled_alone);
        ++s.throttled;
    }
    CHECK(s.resume(too_many).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::throttled));
    CHECK(f.reason == "throttled, 30 times in a row, while others were answered");
}

TEST_CASE("submit_fsm: throttled, and others were accepted until all had ended -> it fails in the end")
{
    submit s;
    s.resume(too_many);
    ++s.throttled;
    ++s.others_accepted;
    s.is_last = true;
    for (int i = 1; i != 29; ++i) {
        CHECK(s.resume(too_many).what == (i < 3 ? step::pause_origin : step::wait));
        ++s.throttled;
    }
    CHECK(s.resume(too_many).what == step::finish);
    CHECK(s.failed().is(errc::throttled));
}

TEST_CASE("submit_fsm: throttled, and nobody else ever was answered -> it waits")
{
    submit s;
    s.is_last = true;
    for (int i = 0; i != 100; ++i) {
        CHECK(s.resume(too_many).what == step::pause_origin);
        ++s.throttled;
    }
}

TEST_CASE("submit_fsm: throttled without Retry-After -> a backoff of its own base, up to the cap")
{
    submit least;
    submit most;
    for (int const bound : {1'000, 2'000, 4'000, 8'000, 16'000, 20'000, 20'000}) {
        CAPTURE(bound);
        CHECK(least.resume(too_many, t0, 0).until == t0);
        action const a = most.resume(too_many, t0, nearly_one);
        CHECK(a.what == step::pause_origin);
        CHECK(a.until < t0 + milliseconds(bound));
        CHECK(a.until >= t0 + milliseconds(bound - 1));
    }
}

TEST_CASE("submit_fsm: throttled after a failure -> the row of throttled answers begins anew")
{
    submit s;
    CHECK(s.resume(too_many, t0, nearly_one).until < t0 + milliseconds(1'000));
    CHECK(s.resume(too_many, t0, nearly_one).until >= t0 + milliseconds(1'999));
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.resume(too_many, t0, nearly_one).until < t0 + milliseconds(1'000));
}

TEST_CASE("submit_fsm: Retry-After in seconds -> never earlier, at most a tenth later")
{
    submit least;
    CHECK(least.resume(answered(429, {}, "30"), t0, 0).until == t0 + seconds(30));
    submit most;
    action const a = most.resume(answered(429, {}, "30"), t0, nearly_one);
    CHECK(a.until > t0 + milliseconds(32'900));
    CHECK(a.until < t0 + milliseconds(33'000));
}

TEST_CASE("submit_fsm: 503 with Retry-After -> a pause like 429")
{
    submit paused;
    action const a = paused.resume(answered(503, {}, "4"));
    CHECK(a.what == step::pause_origin);
    CHECK(a.until == t0 + seconds(4));
    CHECK(paused.fsm.overloaded());
}

TEST_CASE("submit_fsm: bare 503 -> sent again after a backoff, costs no attempt")
{
    retry_policy policy;
    policy.max_attempts = 1;
    submit s(policy);
    CHECK_FALSE(s.fsm.overloaded());
    for (int const bound : {1'000, 2'000, 4'000, 8'000, 16'000, 20'000, 20'000}) {
        action const a = s.resume(answered(503), t0, nearly_one);
        CHECK(a.what == step::wait);
        CHECK(a.until < t0 + milliseconds(bound));
        CHECK(a.until >= t0 + milliseconds(bound - 1));
        CHECK(s.fsm.overloaded());
    }
    CHECK(s.resume(accepted).what == step::finish);
    CHECK_FALSE(s.fsm.overloaded());
    submitted_job const job = s.succeeded();
    CHECK(job.attempts == 8);
    CHECK_FALSE(job.possible_duplicate);
}

TEST_CASE("submit_fsm: bare 503 until the deadline -> the service keeps failing; nothing is ambiguous")
{
    submit s({}, seconds(1));
    CHECK(s.resume(answered(503), t0, 0.5).what == step::wait);
    CHECK(s.resume(answered(503), t0 + milliseconds(999), 0.5).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::service_error));
    CHECK(f.http_status == 503);
}

TEST_CASE("submit_fsm: Retry-After as a date -> measured against the answer's own Date")
{
    submit s;
    CHECK(
        s.resume(answered(429, {}, "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:07 GMT")).until ==
        t0 + seconds(30));
}

TEST_CASE("submit_fsm: Retry-After that cannot be read -> our own backoff")
{
    for (std::string const garbage : {"soon", "-1", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
        CAPTURE(garbage);
        submit s;
        action const a = s.resume(answered(429, {}, garbage), t0, 0.5);
        CHECK(a.what == step::pause_origin);
        CHECK(a.until == t0 + milliseconds(500));
    }
}

TEST_CASE("submit_fsm: a short Retry-After again and again -> our own backoff grows beyond it")
{
    submit s;
    clock::time_point last;
    for (int i = 0; i != 8; ++i)
        last = s.resume(answered(429, {}, "1"), t0, 0.5).until;
    CHECK(last == t0 + seconds(10));
}

TEST_CASE("submit_fsm: an excessive Retry-After -> cut to max_retry_after")
{
    submit s;
    CHECK(s.resume(answered(429, {}, "86400")).until == t0 + seconds(300));
}

TEST_CASE("submit_fsm: throttled beyond the deadline -> ends as throttled, at once")
{
    submit s({}, seconds(30));
    CHECK(s.resume(answered(429, "slow down", "29")).what == step::pause_origin);
    CHECK(s.resume(answered(429, "slow down", "30")).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::throttled));
    CHECK(f.http_status == 429);
    CHECK(f.attempts == 2);
    CHECK(f.excerpt == "slow down");
}

TEST_CASE("submit_fsm: no time for another attempt -> ends with the failure itself")
{
    submit s({}, milliseconds(100));
    CHECK(s.resume(unreachable, t0, 0).what == step::wait);
    CHECK(s.resume(unreachable, t0 + milliseconds(99), 0.5).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::connect_failed));
    CHECK(f.attempts == 2);
    CHECK(f.reason.find("no time for another attempt") != std::string::npos);
}

TEST_CASE("submit_fsm: the answer lost after the body went out -> ambiguous, not repeated")
{
    std::vector<exchange_result> const answers{
        lost_answer,
        answered(301),
        answered(302),
        answered(303),
        broken(errc::first_byte_timeout, bytes_sent::all),
        broken(errc::truncated_answer, bytes_sent::all),
        answered(500),
        answered(502),
        answered(504),
        answered(200, "{}"),
        answered(200, "<html>"),
    };
    for (exchange_result const& a : answers) {
        CAPTURE(a.has_value());
        submit s;
        CHECK(s.resume(a).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(errc::ambiguous_submit));
        CHECK(f.attempts == 1);
        CHECK(f.http_status == (a ? a->status : 0));
        if (!a) CHECK(f.cause == a.error().code);
    }
}

TEST_CASE(
    "submit_fsm: ambiguous with resubmit_ambiguous -> repeated, and what is accepted may be a duplicate")
{
    submit s(resubmitting());
    CHECK(s.resume(lost_answer).what == step::wait);
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.resume(too_many).what == step::pause_origin);
    CHECK(s.resume(accepted).what == step::finish);
    submitted_job const job = s.succeeded();
    CHECK(job.request_id == "r-1");
    CHECK(job.possible_duplicate);
    CHECK(job.attempts == 4);
}

TEST_CASE("submit_fsm: ambiguous twice with resubmit_ambiguous -> ambiguous, not sent a third time")
{
    submit s(resubmitting());
    CHECK_FALSE(s.fsm.repeats_ambiguous());
    CHECK(s.resume(lost_answer).what == step::wait);
    CHECK(s.fsm.repeats_ambiguous());
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.resume(answered(500)).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::ambiguous_submit));
    CHECK(f.attempts == 3);
    CHECK(f.http_status == 500);
    CHECK(f.reason.find("it was sent twice") != std::string::npos);
}

TEST_CASE("submit_fsm: in doubt since an earlier run -> sending it is the one repeat")
{
    submit ambiguous(resubmitting());
    ambiguous.fsm = submit_fsm(t0 + seconds(3600), true);
    CHECK(ambiguous.resume(unreachable).what == step::wait);
    CHECK(ambiguous.resume(lost_answer).what == step::finish);
    failure const f = ambiguous.failed();
    CHECK(f.is(errc::ambiguous_submit));
    CHECK(f.reason.find("it was sent twice") != std::string::npos);

    submit taken(resubmitting());
    taken.fsm = submit_fsm(t0 + seconds(3600), true);
    CHECK(taken.resume(accepted).what == step::finish);
    CHECK(taken.succeeded().possible_duplicate);
}

TEST_CASE("submit_fsm: the body was not sent whole, whatever ended it -> safe to repeat")
{
    for (errc const why :
         {errc::write_failed, errc::write_timeout, errc::connection_closed, errc::tls_failed}) {
        CAPTURE(name(why));
        submit s;
        CHECK(s.resume(broken(why, bytes_sent::some)).what == step::wait);
        CHECK(s.resume(accepted).what == step::finish);
        CHECK_FALSE(s.succeeded().possible_duplicate);
    }
}

TEST_CASE("submit_fsm: refused after an ambiguous attempt -> stays ambiguous, all attempts counted")
{
    std::vector<exchange_result> const last{
        answered(400), answered(404, "{}"), broken(errc::cancelled, bytes_sent::none),
        broken(errc::file_changed, bytes_sent::some), broken(errc::redirect_refused, bytes_sent::all)};
    for (exchange_result const& a : last) {
        submit s(resubmitting());
        CHECK(s.resume(answered(500, "first")).what == step::wait);
        CHECK(s.resume(a).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(errc::ambiguous_submit));
        CHECK(f.http_status == 500);
        CHECK(f.excerpt == "first");
        CHECK(f.attempts == 2);
    }
}

TEST_CASE("submit_fsm: cancelled before the first byte -> cancelled, with no doubt left")
{
    submit s;
    CHECK(s.resume(broken(errc::cancelled, bytes_sent::none)).what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::cancelled));
    CHECK(f.attempts == 1);
}

TEST_CASE(
    "submit_fsm: cancelled or closed after the body was sent -> ambiguous, even where repeating is allowed")
{
    for (retry_policy const& policy : {retry_policy(), resubmitting()})
        for (errc const why : {errc::cancelled, errc::client_closed, errc::deadline_exceeded}) {
            CAPTURE(policy.resubmit_ambiguous);
            CAPTURE(name(why));
            submit whole(policy);
            CHECK(whole.resume(broken(why, bytes_sent::all)).what == step::finish);
            failure const f = whole.failed();
            CHECK(f.is(errc::ambiguous_submit));
            CHECK(f.cause == make_error_code(why));
            submit begun(policy);
            CHECK(begun.resume(broken(why, bytes_sent::some)).what == step::finish);
            CHECK(begun.failed().is(why));
        }
}

TEST_CASE("submit_fsm: the document changed while it was sent -> its own error, never repeated")
{
    for (errc const code : {errc::file_changed, errc::unreadable_file}) {
        submit s(resubmitting());
        CHECK(s.resume(broken(code, bytes_sent::some)).what == step::finish);
        CHECK(s.failed().is(code));
    }
}

TEST_CASE("submit_fsm: given up while nothing was ambiguous -> the reason it was given up for")
{
    submit s;
    CHECK(s.resume(unreachable).what == step::wait);
    CHECK(s.fsm.give_up(errc::client_closed, "the client was closed").what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::client_closed));
    CHECK(f.reason == "the client was closed");
    CHECK(f.attempts == 1);
}

TEST_CASE("submit_fsm: given up after an ambiguous attempt -> ambiguous")
{
    submit s(resubmitting());
    CHECK(s.resume(lost_answer).what == step::wait);
    CHECK(s.fsm.give_up(errc::cancelled, "cancelled").what == step::finish);
    failure const f = s.failed();
    CHECK(f.is(errc::ambiguous_submit));
    CHECK(f.attempts == 1);
    CHECK(f.cause == make_error_code(errc::connection_closed));
}

namespace
{

exchange_result sent_at(exchange_result answer, clock::time_point t)
{
    if (answer) {
        answer->sent_at = t;
        return answer;
    }
    transport_failure f = answer.error();
    f.sent_at = t;
    return f;
}

} // namespace

TEST_CASE("submit_fsm: accepted by the second attempt -> the times of that attempt")
{
    submit s;
    s.start();
    s.resume(sent_at(too_many, t0 + seconds(1)), t0 + seconds(2));
    s.resume(sent_at(accepted, t0 + seconds(5)), t0 + seconds(7));
    submitted_job const job = s.succeeded();
    CHECK(job.times.sent == t0 + seconds(5));
    CHECK(job.times.accepted == t0 + seconds(7));
}

TEST_CASE("submit_fsm: a failure -> says when the last attempt was sent, or the one that is in doubt")
{
    submit rejected;
    rejected.start();
    rejected.resume(sent_at(answered(400), t0 + seconds(1)), t0 + seconds(2));
    CHECK(rejected.failed().times.sent == t0 + seconds(1));

    submit twice(resubmitting());
    twice.start();
    twice.resume(sent_at(lost_answer, t0 + seconds(1)), t0 + seconds(2));
    twice.resume(sent_at(answered(400), t0 + seconds(5)), t0 + seconds(6));
    failure const f = twice.failed();
    CHECK(f.is(errc::ambiguous_submit));
    CHECK(f.times.sent == t0 + seconds(1));

    submit never;
    never.start();
    never.fsm.give_up(errc::cancelled, "stopped");
    CHECK_FALSE(is_known(never.failed().times.sent));
}
