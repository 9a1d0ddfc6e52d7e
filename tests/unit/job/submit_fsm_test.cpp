// The submit's machine in a straight line: an answer goes in, the next action comes out. Time and chance are
// numbers of the test.
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/job/submit_fsm.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

clock::time_point const t0 = clock::time_point() + std::chrono::hours(1000);
constexpr double nearly_one = 0.999999;

exchange_result answered(int status, std::string body = {}, std::string retry_after = {},
                         std::string date = {})
{
    http_response r;
    r.status = status;
    r.content_type = "application/json";
    r.body = std::move(body);
    r.retry_after = std::move(retry_after);
    r.date = std::move(date);
    return r;
}

exchange_result broken(errc code, bytes_sent sent)
{
    transport_failure f;
    f.code = code;
    f.cause = make_error_code(boost::system::errc::io_error);
    f.where = sent == bytes_sent::none ? phase::connect : phase::first_byte;
    f.sent = sent;
    f.detail = "ocr.example:443";
    return f;
}

exchange_result const accepted = answered(201, R"({"data":{"request_id":"r-1","file_ids":["f-1","f-2"]}})");
exchange_result const unreachable = broken(errc::connect_failed, bytes_sent::none);
exchange_result const cut_off = broken(errc::connection_closed, bytes_sent::some);
exchange_result const lost_answer = broken(errc::connection_closed, bytes_sent::all);
exchange_result const too_many = answered(429);

retry_policy resubmitting()
{
    retry_policy p;
    p.resubmit_ambiguous = true;
    return p;
}

/// One submit under test, with what most cases leave alone.
struct submit {
    explicit submit(retry_policy policy = {}, milliseconds deadline = seconds(3600))
        : retry(policy), fsm(t0 + deadline)
    {
    }

    action start() { return fsm.start({default_profile(), retry, t0, 0}); }
    action resume(exchange_result answer, clock::time_point now = t0, double random = 0)
    {
        return fsm.resume(answer, {default_profile(), retry, now, random, others_accepted, recoveries,
                                   others_accepted != 0, patient, silent, answers});
    }
    failure failed()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_error());
        return r.error();
    }
    submitted_job succeeded()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_value());
        return *r;
    }

    retry_policy retry;
    std::uint32_t others_accepted = 0;
    std::uint32_t recoveries = 0;
    bool patient = false;
    bool silent = false;
    std::uint32_t answers = 0;
    submit_fsm fsm;
};

} // namespace

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

TEST_CASE("submit_fsm: credentials refused -> asks the gate, costs no attempt")
{
    retry_policy policy;
    policy.max_attempts = 1;
    submit s(policy);
    for (int const status : {401, 402, 403}) {
        action const a = s.resume(answered(status, "Forbidden"));
        CHECK(a.what == step::refused);
        CHECK(a.why == errc::unauthorized);
        CHECK(s.fsm.is_suspect());
    }
    CHECK(s.resume(accepted).what == step::finish);
    CHECK(s.succeeded().attempts == 4);
}

TEST_CASE("submit_fsm: refused twice while other documents are accepted -> this document alone is rejected")
{
    for (int const status : {401, 402, 403, 404}) {
        CAPTURE(status);
        submit s;
        s.others_accepted = 7;
        CHECK(s.resume(answered(status, "Forbidden")).what == step::refused);
        ++s.recoveries;
        CHECK(s.resume(answered(status, "Forbidden")).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(errc::rejected));
        CHECK(f.http_status == status);
        CHECK(f.reason.find("other requests are accepted") != std::string::npos);
    }
}

TEST_CASE(
    "submit_fsm: the last document is refused, others were accepted before -> rejected at the fourth time")
{
    submit s;
    s.others_accepted = 11;
    for (int i = 0; i != 3; ++i)
        CHECK(s.resume(answered(403)).what == step::refused);
    CHECK(s.resume(answered(403)).what == step::finish);
    CHECK(s.failed().is(errc::rejected));
}

TEST_CASE("submit_fsm: a gateway's 404 -> the gate decides; the service's own -> the document is rejected")
{
    for (char const* const body : {"", "404 page not found", "<html></html>"}) {
        CAPTURE(body);
        action const a = submit().resume(answered(404, body));
        CHECK(a.what == step::refused);
        CHECK(a.why == errc::wrong_base_url);
    }
    submit s;
    CHECK(s.resume(answered(404, R"({"message":"flow not found"})")).what == step::finish);
    CHECK(s.failed().is(errc::rejected));
}

TEST_CASE(
    "submit_fsm: the service cannot be reached -> a patient submit asks the gate and has no last attempt")
{
    retry_policy policy;
    policy.max_attempts = 2;
    submit s(policy);
    s.patient = true;
    for (int i = 0; i != 100; ++i)
        CHECK(s.resume(unreachable).what == step::unreachable);
    CHECK(s.resume(accepted).what == step::finish);
    CHECK_FALSE(s.succeeded().possible_duplicate);
}

TEST_CASE("submit_fsm: the proxy refuses its credentials, or a certificate is invalid -> no second attempt "
          "of its own")
{
    transport_failure proxy(errc::proxy_refused, phase::connect, bytes_sent::none);
    proxy.status = 407;
    for (bool const patient : {false, true}) {
        submit s;
        s.patient = patient;
        action a = s.resume(proxy);
        CHECK(a.what == step::refused);
        CHECK(a.why == errc::proxy_refused);
        a = s.resume(broken(errc::certificate_invalid, bytes_sent::none));
        CHECK(a.what == step::refused);
        CHECK(a.why == errc::certificate_invalid);
    }
}

TEST_CASE("submit_fsm: refusals -> end at once, each with its own code")
{
    struct {
        exchange_result answer;
        errc code;
    } const cases[] = {
        {answered(400), errc::rejected},
        {answered(413), errc::rejected},
        {answered(415), errc::rejected},
        {answered(422), errc::rejected},
        {answered(404, R"({"message":"flow not found"})"), errc::rejected},
        {answered(501), errc::rejected},
        {answered(400, "<h1>400 No required SSL certificate was sent</h1>"),
         errc::client_certificate_refused},
        {answered(307), errc::redirect_refused},
        {broken(errc::client_certificate_refused, bytes_sent::none), errc::client_certificate_refused},
        {broken(errc::redirect_refused, bytes_sent::all), errc::redirect_refused},
    };
    for (auto const& c : cases) {
        CAPTURE(name(c.code));
        submit s(resubmitting());
        CHECK(s.resume(c.answer).what == step::finish);
        failure const f = s.failed();
        CHECK(f.is(c.code));
        CHECK(f.attempts == 1);
    }
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

TEST_CASE("submit_fsm: no request gets an answer -> an outage, which costs a patient submit no attempt")
{
    submit s;
    s.patient = true;
    for (int i = 0; i != 3; ++i)
        CHECK(s.resume(cut_off).what == step::wait);
    s.silent = true;
    for (int i = 0; i != 100; ++i)
        CHECK(s.resume(cut_off).what == step::unreachable);
    CHECK(s.resume(accepted).what == step::finish);
    CHECK_FALSE(s.succeeded().possible_duplicate);
}

TEST_CASE("submit_fsm: others get answers meanwhile -> its uploads that break off are its own trouble")
{
    submit s;
    s.patient = true;
    for (int i = 0; i != 3; ++i)
        CHECK(s.resume(cut_off).what == step::wait);
    s.silent = true;
    CHECK(s.resume(cut_off).what == step::unreachable);
    ++s.answers;
    CHECK(s.resume(cut_off).what == step::wait);
    CHECK(s.resume(cut_off).what == step::finish);
    CHECK(s.failed().is(errc::connection_closed));
}
