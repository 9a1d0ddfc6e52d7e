// The machine of a table, signature, stamp or image in a straight line. Time and chance are numbers of the
// test.
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/job/part_fsm.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

clock::time_point const t0 = clock::time_point() + std::chrono::hours(1000);
constexpr double nearly_one = 0.999999;
std::string const content = R"({"data":[{"rows":[["a","b"]]}]})";

exchange_result answered(int status, std::string body = {}, std::string content_type = "application/json",
                         std::string retry_after = {})
{
    http_response r;
    r.status = status;
    r.content_type = std::move(content_type);
    r.body = std::move(body);
    r.retry_after = std::move(retry_after);
    return r;
}

exchange_result broken(errc code)
{
    transport_failure f;
    f.code = code;
    f.where = phase::body;
    f.sent = bytes_sent::all;
    return f;
}

/// One part under test, with what most cases leave alone.
struct part {
    explicit part(operation kind = operation::table, milliseconds deadline = seconds(1800))
        : fsm(kind, t0 + deadline)
    {
    }

    fsm_context context(clock::time_point now = t0, double random = 0) const
    {
        fsm_context c{default_profile(), retry, now, random, good_answers};
        c.patient = patient;
        c.silent = silent;
        c.in_trouble = in_trouble;
        c.all_good_answers = good_answers;
        c.all_throttled = throttled;
        return c;
    }
    action start() { return fsm.start(context()); }
    action resume(exchange_result answer, clock::time_point now = t0, double random = 0)
    {
        return fsm.resume(answer, context(now, random));
    }
    failure failed()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_error());
        return r.error();
    }
    part_data succeeded()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_value());
        return *std::move(r);
    }

    retry_policy retry;
    bool patient = false;
    bool silent = false;
    bool in_trouble = false;
    std::uint32_t throttled = 0; ///< answers to all requests
    std::uint32_t good_answers = 0;
    part_fsm fsm;
};

} // namespace

TEST_CASE("part_fsm: there at once -> the service's JSON is moved out, byte for byte")
{
    for (operation const kind : {operation::table, operation::signature, operation::stamp}) {
        CAPTURE(name(kind));
        part p(kind);
        action const first = p.start();
        CHECK(first.what == step::send);
        CHECK(first.until == t0);
        exchange_result answer = answered(200, " " + content + "\n", "application/json; charset=utf-8");
        char const* const bytes = answer->body.data();
        CHECK(p.fsm.resume(answer, p.context()).what == step::finish);
        part_data const d = p.succeeded();
        CHECK(d.kind == kind);
        CHECK(d.raw == " " + content + "\n");
        CHECK(static_cast<void const*>(d.raw.data()) == static_cast<void const*>(bytes));
        CHECK(d.content_type == "application/json; charset=utf-8");
    }
}

TEST_CASE("part_fsm: an image -> its bytes, zeros included")
{
    std::string const png("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", 16);
    part p(operation::image);
    CHECK(p.resume(answered(200, png, "image/png")).what == step::finish);
    part_data const d = p.succeeded();
    CHECK(d.kind == operation::image);
    CHECK(d.raw == png);
    CHECK(d.content_type == "image/png");
}

TEST_CASE("part_fsm: missing inside the settle window, then there -> asked again, and taken")
{
    part p;
    CHECK(p.resume(answered(404)).what == step::wait);
    CHECK(p.resume(answered(200, "{}")).what == step::wait);
    CHECK(p.resume(answered(204)).what == step::wait);
    CHECK(p.resume(answered(200, content)).what == step::finish);
    CHECK(p.succeeded().raw == content);
}

TEST_CASE(
    "part_fsm: missing throughout the settle window -> absent after it, not before, whatever chance says")
{
    for (double const random : {0.0, nearly_one}) {
        CAPTURE(random);
        part p;
        action a = p.start();
        int reads = 0;
        while (a.what != step::finish) {
            REQUIRE(reads < 10);
            ++reads;
            CHECK(a.until < t0 + seconds(11));
            clock::time_point const now = a.until;
            a = p.resume(answered(404), now, random);
            CHECK((a.what == step::finish) == (now >= t0 + seconds(10)));
        }
        CHECK(reads >= default_profile().settle_reads);
        failure const f = p.failed();
        CHECK(f.is(errc::part_absent));
        CHECK(f.http_status == 404);
        CHECK(f.attempts == reads);
    }
}

TEST_CASE("part_fsm: missing, and the deadline is near -> the deadline ends it, absent it is not")
{
    part p(operation::stamp, seconds(5));
    CHECK(p.resume(answered(404), t0).what == step::wait);
    CHECK(p.resume(answered(404), t0 + seconds(4)).what == step::finish);
    failure const f = p.failed();
    CHECK(f.is(errc::deadline_exceeded));
    CHECK(f.reason.find("the deadline is near") != std::string::npos);
}

TEST_CASE("part_fsm: failed reads in a row -> as many as the policy has attempts, with a backoff between")
{
    struct {
        exchange_result answer;
        errc code;
    } const cases[] = {
        {broken(errc::truncated_answer), errc::truncated_answer},
        {answered(500), errc::service_error},
        {answered(408), errc::service_error},
        {answered(409), errc::service_error},
        {answered(200, "<html>", "text/html"), errc::unexpected_answer},
    };
    for (auto const& c : cases) {
        CAPTURE(name(c.code));
        part p;
        p.retry.max_attempts = 3;
        CHECK(p.resume(c.answer, t0, 0).until == t0);
        action const a = p.resume(c.answer, t0, nearly_one);
        CHECK(a.what == step::wait);
        CHECK(a.until < t0 + milliseconds(500));
        CHECK(a.until >= t0 + milliseconds(499));
        CHECK(p.resume(c.answer).what == step::finish);
        failure const f = p.failed();
        CHECK(f.is(c.code));
        CHECK(f.attempts == 3);
        CHECK(f.reason.find("3 of 3 attempts used") != std::string::npos);
    }
}

TEST_CASE("part_fsm: missing between failed reads -> they are counted anew")
{
    part p;
    p.retry.max_attempts = 2;
    for (int i = 0; i != 4; ++i) {
        CHECK(p.resume(answered(502)).what == step::wait);
        CHECK(p.resume(answered(404)).what == step::wait);
    }
    CHECK(p.resume(answered(200, content)).what == step::finish);
    CHECK(p.succeeded().raw == content);
}

TEST_CASE("part_fsm: failed and no time for another read -> ends with the failure itself")
{
    part p(operation::table, milliseconds(100));
    CHECK(p.resume(answered(503), t0, nearly_one).what == step::finish);
    failure const f = p.failed();
    CHECK(f.is(errc::service_error));
    CHECK(f.http_status == 503);
    CHECK(f.attempts == 1);
}

TEST_CASE("part_fsm: throttled more often than there are attempts, and beyond the deadline -> waits, which "
          "costs neither")
{
    part p(operation::table, seconds(60));
    p.retry.max_attempts = 1;
    for (int i = 0; i != 10; ++i) {
        action const a = p.resume(answered(429, {}, "application/json", "30"));
        CHECK(a.what == step::pause_origin);
        CHECK(a.until == t0 + seconds(30));
    }
    action const last = p.resume(answered(429, {}, "application/json", "90"));
    CHECK(last.what == step::pause_origin);
    CHECK(last.until == t0 + seconds(90));
    CHECK(p.resume(answered(200, content), t0 + seconds(90)).what == step::finish);
    CHECK(p.succeeded().raw == content);
}

TEST_CASE("part_fsm: throttled when the deadline has passed -> ends as throttled, and the origin pauses")
{
    part p(operation::table, seconds(60));
    action const last = p.resume(answered(429, {}, "application/json", "30"), t0 + seconds(60));
    CHECK(last.what == step::finish);
    CHECK(last.until == t0 + seconds(90));
    CHECK(p.failed().is(errc::throttled));
}

TEST_CASE("part_fsm: throttled again and again while others are read -> it waits alone, and in the end not "
          "beyond its deadline")
{
    part p(operation::table, seconds(60));
    auto const busy = answered(503, {}, "application/json", "30");
    clock::time_point now = t0;
    for (int i = 0; i != 10; ++i) {
        CAPTURE(i);
        ++p.good_answers;
        action const a = p.resume(busy, now);
        CHECK(a.what == (i < 3 ? step::pause_origin : step::wait));
        CHECK(a.is_throttled_alone == (i >= 3));
        ++p.throttled;
        if (i < 3) p.fsm.extend_deadline(a.until - now); // as the shell does
        now = a.until;
    }
    ++p.good_answers;
    action const last = p.resume(busy, now);
    CHECK(last.what == step::finish);
    CHECK(last.until == clock::time_point());
    CHECK(p.failed().is(errc::throttled));
}

TEST_CASE("part_fsm: time that does not count against the deadline -> as if it had not passed")
{
    part p(operation::table, seconds(5));
    CHECK(p.resume(answered(404), t0).what == step::wait);
    p.fsm.extend_deadline(seconds(60));
    CHECK(p.resume(answered(404), t0 + seconds(60)).what == step::wait);
    CHECK(p.resume(answered(500), t0 + milliseconds(64'900), nearly_one).what == step::finish);
    CHECK(p.failed().is(errc::service_error));
}

TEST_CASE("part_fsm: credentials refused -> asks the gate")
{
    part p;
    CHECK(p.resume(answered(403, "Forbidden", "text/plain")).what == step::refused);
    CHECK(p.resume(answered(200, content)).what == step::finish);
    CHECK(p.succeeded().raw == content);
}

TEST_CASE("part_fsm: gone, refused, redirected, stopped -> ends at once, each with its own code")
{
    struct {
        exchange_result answer;
        errc code;
    } const cases[] = {
        {answered(410), errc::part_absent},         {answered(400), errc::rejected},
        {answered(302), errc::redirect_refused},    {broken(errc::redirect_refused), errc::redirect_refused},
        {broken(errc::cancelled), errc::cancelled},
    };
    for (auto const& c : cases) {
        CAPTURE(name(c.code));
        part p;
        CHECK(p.resume(c.answer).what == step::finish);
        failure const f = p.failed();
        CHECK(f.is(c.code));
        CHECK(f.attempts == 1);
    }
}

TEST_CASE("part_fsm: given up -> the reason it was given up for")
{
    part p;
    p.start();
    CHECK(p.resume(answered(404)).what == step::wait);
    CHECK(p.fsm.give_up(errc::client_closed, "the client was closed").what == step::finish);
    failure const f = p.failed();
    CHECK(f.is(errc::client_closed));
    CHECK(f.reason == "the client was closed");
    CHECK(f.attempts == 1);
}

TEST_CASE("part_fsm: an answer over the limit -> asked for once")
{
    part p(operation::image);
    p.start();
    CHECK(p.resume(broken(errc::body_too_large)).what == step::finish);
    CHECK(p.failed().is(errc::body_too_large));
}

TEST_CASE("part_fsm: an outage -> costs a patient part no attempt")
{
    transport_failure const unreachable(errc::connect_failed, phase::connect, bytes_sent::none, "x:1");
    part p;
    p.patient = true;
    for (int i = 0; i != 100; ++i)
        CHECK(p.resume(exchange_result(unreachable)).what == step::unreachable);
    p.silent = true;
    for (int i = 0; i != 100; ++i)
        CHECK(p.resume(broken(errc::connection_closed)).what == step::unreachable);
}

TEST_CASE(
    "part_fsm: the service fails all parts for a while -> a patient one is read for a minute, others or not")
{
    part p;
    p.patient = true;
    p.retry.max_attempts = 2;
    CHECK(p.resume(answered(500)).what == step::wait);
    CHECK(p.resume(answered(500), t0 + part_fsm::longest_trouble - milliseconds(1)).what == step::wait);
    SUBCASE("a minute is over")
    {
        CHECK(p.resume(answered(500), t0 + part_fsm::longest_trouble).what == step::finish);
    }
    SUBCASE("others are read")
    {
        ++p.good_answers;
        CHECK(p.resume(answered(500), t0 + seconds(1)).what == step::finish);
    }
}

TEST_CASE("part_fsm: a failed read -> may be the trouble of the service; a part that is missing is not")
{
    for (exchange_result const& answer :
         {answered(500), answered(503), answered(408), answered(200, "<html>", "text/html"),
          broken(errc::first_byte_timeout)}) {
        part p;
        CHECK(p.resume(answer).is_trouble);
    }
    for (exchange_result const& answer : {answered(404), answered(204), answered(429), answered(403),
                                          answered(400), answered(410), answered(200, content)}) {
        part p;
        CHECK_FALSE(p.resume(answer).is_trouble);
    }
}

TEST_CASE("part_fsm: the service is in trouble -> a failure costs a patient part no attempt")
{
    part p(operation::table, seconds(3));
    p.retry.max_attempts = 2;
    p.patient = p.in_trouble = true;
    for (int i = 0; i != 100; ++i) {
        action const a = p.resume(answered(502), t0 + seconds(i));
        CHECK(a.what == step::unreachable);
        CHECK(a.is_trouble);
    }
    CHECK_FALSE(p.fsm.is_failing());
    p.in_trouble = false;
    CHECK(p.resume(answered(200, content), t0 + seconds(100)).what == step::finish);
    CHECK(p.succeeded().raw == content);
}

TEST_CASE("part_fsm: failed reads that may be an outage -> their time does not count against the deadline")
{
    part p(operation::table, seconds(3));
    p.patient = true;
    CHECK(p.resume(answered(502), t0 + seconds(2)).what == step::wait);
    exchange_result silent = broken(errc::first_byte_timeout);
    transport_failure f = silent.error();
    f.sent_at = t0 + seconds(2);
    CHECK(p.resume(exchange_result(f), t0 + seconds(61)).what == step::wait);
    SUBCASE("it is there") { CHECK(p.resume(answered(200, content), t0 + seconds(61)).what == step::finish); }
    SUBCASE("others are read, and it is not: from now on, the time counts")
    {
        ++p.good_answers;
        CHECK(p.resume(answered(502), t0 + seconds(61)).what == step::wait);
        CHECK(p.resume(answered(502), t0 + seconds(62)).what == step::finish);
        CHECK(p.failed().is(errc::service_error));
    }
}
