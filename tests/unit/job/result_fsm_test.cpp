// The waiting job's machine in a straight line: a read ends, the next action comes out. Time and chance are
// numbers of the test.
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/job/result_fsm.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

// A million jobs wait at once; what a job costs is a promise.
static_assert(sizeof(result_fsm) <= 128);

clock::time_point const t0 = clock::time_point() + std::chrono::hours(1000);
constexpr double nearly_one = 0.999999;

exchange_result answered(int status, std::string body = {}, std::string retry_after = {})
{
    http_response r;
    r.status = status;
    r.content_type = "application/json";
    r.body = std::move(body);
    r.retry_after = std::move(retry_after);
    return r;
}

exchange_result page()
{
    exchange_result r = answered(200, "<html>");
    r->content_type = "text/html";
    return r;
}

exchange_result broken(errc code, bytes_sent sent = bytes_sent::all)
{
    transport_failure f;
    f.code = code;
    f.where = phase::first_byte;
    f.sent = sent;
    f.detail = "ocr.example:443";
    return f;
}

std::string finished(std::string const& status, std::string const& documents)
{
    return R"({"data":{"status":")" + status +
           R"(","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":)" + documents + "}}";
}

std::string const filled = finished(
    "SUCCESS", R"([{"document_id":"d","status":"SUCCESS","ocr_data":[{"name":"total","value":["12"]}]}])");
std::string const unfilled = finished("SUCCESS", R"([{"document_id":"d","ocr_data":null}])");
std::string const in_part =
    finished("PARTIAL_SUCCESS", R"([{"document_id":"d","ocr_data":[{"name":"total","value":["12"]}]}])");
std::string const failed_job = R"({"data":{"status":"FAILED","documents":[]}})";
std::string const not_yet =
    R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";

/// Waits two seconds, and keeps what it was told.
class remembering_schedule final : public poll_schedule
{
public:
    milliseconds next_delay(poll_context const& job, double random) const override
    {
        asked.push_back(job);
        return seconds(2) + milliseconds(static_cast<int>(random * 1'000));
    }

    mutable std::vector<poll_context> asked;
};

/// One job under test, with what most cases leave alone.
struct job {
    explicit job(milliseconds deadline = seconds(1800)) : fsm(t0, t0 + deadline) {}

    result_context context(clock::time_point now = t0, double random = 0) const
    {
        return {{default_profile(), retry, now, random, good_reads, recoveries, good_reads != 0, patient,
                 false, 0, in_trouble, good_reads, throttled},
                schedule,
                "r",
                "invoice",
                4711,
                route_succeeded,
                settle_time};
    }
    action start(clock::time_point now = t0, double random = 0) { return fsm.start(context(now, random)); }
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
    read_outcome succeeded()
    {
        auto r = std::move(fsm).outcome();
        REQUIRE(r.has_value());
        return *std::move(r);
    }

    remembering_schedule schedule;
    retry_policy retry;
    bool route_succeeded = true;
    std::uint32_t good_reads = 0;
    std::uint32_t throttled = 0; ///< answers to all requests
    std::uint32_t recoveries = 0;
    bool patient = false;
    bool in_trouble = false;
    milliseconds settle_time{0};
    result_fsm fsm;
};

} // namespace

TEST_CASE("result_fsm: pending answers -> asked again by the schedule, which is told all about the job")
{
    job j;
    action a = j.start();
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(2));
    a = j.resume(answered(200, not_yet), t0 + seconds(2), 0.5);
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + milliseconds(4'500));
    a = j.resume(answered(202), t0 + seconds(5));
    CHECK(a.until == t0 + seconds(7));
    REQUIRE(j.schedule.asked.size() == 3);
    for (int i = 0; i != 3; ++i) {
        poll_context const& seen = j.schedule.asked[static_cast<std::size_t>(i)];
        CHECK(seen.doc_type == "invoice");
        CHECK(seen.document_bytes == 4711);
        CHECK(seen.polls == i);
    }
    CHECK(j.schedule.asked[0].age == seconds(0));
    CHECK(j.schedule.asked[1].age == seconds(2));
    CHECK(j.schedule.asked[2].age == seconds(5));
}

TEST_CASE("result_fsm: done -> the body is moved out, byte for byte, with the number of reads")
{
    std::string const odd = " \r\n" + filled + "\n\t ";
    job j;
    j.start();
    j.resume(answered(200, not_yet));
    exchange_result answer = answered(200, odd);
    char const* const bytes = answer->body.data();
    CHECK(j.fsm.resume(answer, j.context()).what == step::finish);
    read_outcome const r = j.succeeded();
    CHECK(r.raw == odd);
    CHECK(static_cast<void const*>(r.raw.data()) == static_cast<void const*>(bytes));
    CHECK(r.how_complete == completeness::whole);
    CHECK(r.reads == 2);
}

TEST_CASE("result_fsm: some documents failed -> done in part")
{
    job j;
    CHECK(j.resume(answered(200, in_part)).what == step::finish);
    CHECK(j.succeeded().how_complete == completeness::in_part);
}

TEST_CASE("result_fsm: terminal but not filled -> settles, then done empty")
{
    job j;
    CHECK(j.resume(answered(200, unfilled), t0).what == step::wait);
    CHECK(j.resume(answered(200, unfilled), t0 + seconds(4)).what == step::wait);
    CHECK(j.resume(answered(200, unfilled), t0 + seconds(8)).what == step::wait);
    CHECK(j.resume(answered(200, unfilled), t0 + milliseconds(9'999)).what == step::wait);
    CHECK(j.resume(answered(200, unfilled), t0 + seconds(10)).what == step::finish);
    read_outcome const r = j.succeeded();
    CHECK(r.how_complete == completeness::empty);
    CHECK(r.raw == unfilled);
    CHECK(r.reads == 5);
}

TEST_CASE("result_fsm: terminal, and filled while it settles -> done whole")
{
    job j;
    CHECK(j.resume(answered(200, unfilled), t0).what == step::wait);
    CHECK(j.resume(answered(200, filled), t0 + seconds(2)).what == step::finish);
    read_outcome const r = j.succeeded();
    CHECK(r.how_complete == completeness::whole);
    CHECK(r.raw == filled);
}

TEST_CASE("result_fsm: a word for failure -> job_failed only after a confirming read")
{
    job j;
    CHECK(j.resume(answered(200, failed_job)).what == step::wait);
    CHECK(j.resume(answered(200, failed_job)).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::job_failed));
    CHECK(f.attempts == 2);
    CHECK(f.http_status == 200);
    CHECK(f.excerpt == failed_job);

    job recovered;
    CHECK(recovered.resume(answered(200, failed_job)).what == step::wait);
    CHECK(recovered.resume(answered(200, not_yet)).what == step::wait);
    CHECK(recovered.resume(answered(200, failed_job)).what == step::wait);
    CHECK(recovered.resume(answered(200, filled)).what == step::finish);
    CHECK(recovered.succeeded().how_complete == completeness::whole);
}

TEST_CASE("result_fsm: a failed read between the two words for failure -> still confirmed")
{
    job j;
    CHECK(j.resume(answered(200, failed_job)).what == step::wait);
    CHECK(j.resume(broken(errc::connection_closed)).what == step::wait);
    CHECK(j.resume(answered(200, failed_job)).what == step::finish);
    CHECK(j.failed().is(errc::job_failed));
}

TEST_CASE("result_fsm: refused again and again while reads of other jobs pass -> as often as the policy has "
          "attempts")
{
    struct {
        exchange_result answer;
        errc code;
    } const cases[] = {
        {answered(500), errc::service_error}, {answered(503), errc::service_error},
        {answered(408), errc::service_error}, {answered(409), errc::service_error},
        {answered(423), errc::service_error}, {answered(425), errc::service_error},
        {answered(7), errc::service_error},   {page(), errc::unexpected_answer},
    };
    for (auto const& c : cases) {
        CAPTURE(c.answer->status);
        job j;
        j.retry.max_attempts = 3;
        CHECK(j.resume(c.answer).what == step::wait);
        ++j.good_reads;
        CHECK(j.resume(c.answer).what == step::wait);
        ++j.good_reads;
        CHECK(j.resume(c.answer).what == step::finish);
        failure const f = j.failed();
        CHECK(f.is(c.code));
        CHECK(f.attempts == 3);
        CHECK(f.reason.find("3 of 3 attempts in a row used") != std::string::npos);
    }
}

TEST_CASE("result_fsm: refused while no other job's read passes either -> read again until the deadline, "
          "then stuck")
{
    job j(seconds(100));
    j.retry.max_attempts = 3;
    j.good_reads = 0xFFFFFFFF; // before the refusals began
    for (int i = 0; i != 20; ++i)
        CHECK(j.resume(answered(503), t0 + seconds(i)).what == step::wait);
    // Others are read again: of its failures until then, one counts.
    ++j.good_reads;
    CHECK(j.resume(answered(503), t0 + seconds(21)).what == step::wait);
    // The service fails once more.
    for (int i = 22; i != 40; ++i)
        CHECK(j.resume(answered(503), t0 + seconds(i)).what == step::wait);
    ++j.good_reads;
    CHECK(j.resume(answered(503), t0 + seconds(40)).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::service_error));
    CHECK(f.attempts == 40);
    CHECK(f.reason.find("3 of 3 attempts in a row used") != std::string::npos);

    job alone(seconds(100));
    alone.retry.max_attempts = 3;
    for (int i = 0; i != 20; ++i)
        CHECK(alone.resume(answered(503), t0 + seconds(i)).what == step::wait);
    CHECK(alone.resume(answered(503), t0 + seconds(100)).what == step::finish);
    CHECK(alone.failed().is(errc::still_processing));
}

TEST_CASE("result_fsm: a connection that fails -> says nothing of the job, read again until the "
          "deadline, whatever passes meanwhile")
{
    for (exchange_result const& answer : {broken(errc::connection_closed), broken(errc::connect_failed)}) {
        job j(seconds(100));
        j.retry.max_attempts = 3;
        for (int i = 0; i != 20; ++i) {
            ++j.good_reads;
            CHECK(j.resume(answer, t0 + seconds(i)).what == step::wait);
        }
        CHECK(j.resume(answer, t0 + seconds(100)).what == step::finish);
        failure const f = j.failed();
        CHECK(f.is(errc::still_processing));
        CHECK(f.attempts == 21);
        if (!answer) CHECK(f.cause == answer.error().code);
    }
}

TEST_CASE("result_fsm: an answer over the limit -> read once, and the limit is in the reason")
{
    job j;
    transport_failure const large(errc::body_too_large, phase::body, bytes_sent::all,
                                  "max_answer_bytes is 1000");
    CHECK(j.resume(large).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::body_too_large));
    CHECK(f.attempts == 1);
    CHECK(f.reason == "larger than the limit, max_answer_bytes is 1000");

    job long_header;
    transport_failure const header(errc::header_too_large, phase::first_byte, bytes_sent::all,
                                   "max_header_bytes is 1000");
    CHECK(long_header.resume(header).what == step::finish);
    failure const h = long_header.failed();
    CHECK(h.is(errc::header_too_large));
    CHECK(h.reason == "larger than the limit, max_header_bytes is 1000");
}

TEST_CASE("result_fsm: which reads were good -> those that the service answered about this job")
{
    struct {
        exchange_result answer;
        bool good;
    } const cases[] = {
        {answered(200, not_yet), true},
        {answered(202), true},
        {answered(200, filled), true},
        {answered(404), false},
        {answered(502), false},
        {answered(429), false},
        {answered(200, "{"), false},
        {answered(403), false},
        {broken(errc::read_timeout), false},
        {page(), false},
        {answered(422), false},
        {answered(200, {}, "3"), true}, // not ready, and says when to ask again
    };
    for (auto const& c : cases) {
        if (c.answer) CAPTURE(c.answer->status);
        job j;
        CHECK_FALSE(j.fsm.read_well());
        j.resume(c.answer);
        CHECK(j.fsm.read_well() == c.good);
    }
}

TEST_CASE("result_fsm: not yet, with a Retry-After -> this job alone waits, at least its own interval")
{
    job j;
    action a = j.resume(answered(200, not_yet, "30"));
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(30));
    a = j.resume(answered(200, not_yet, "1"));
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(2)); // the schedule's
    for (int const status : {202, 404, 409, 425}) {
        CAPTURE(status);
        a = job().resume(answered(status, {}, "30"));
        CHECK(a.what == step::wait);
        CHECK(a.until == t0 + seconds(30));
    }
    CHECK(j.resume(answered(200, filled, "30")).what == step::finish);
}

TEST_CASE("result_fsm: asked to wait beyond the deadline -> a patient job's deadline stands still meanwhile")
{
    for (bool const patient : {false, true}) {
        CAPTURE(patient);
        job j(seconds(10));
        j.patient = patient;
        action const a = j.resume(answered(200, not_yet, "30"));
        CHECK(a.until == t0 + seconds(patient ? 30 : 10));
        CHECK(j.resume(answered(200, not_yet), a.until).what == (patient ? step::wait : step::finish));
    }
}

TEST_CASE("result_fsm: throttled at its deadline -> a patient job is read after the pause")
{
    for (bool const patient : {false, true}) {
        CAPTURE(patient);
        job j(seconds(10));
        j.patient = patient;
        action const a = j.resume(answered(429, {}, "30"), t0 + seconds(10));
        CHECK(a.what == (patient ? step::pause_origin : step::finish));
    }
}

TEST_CASE("result_fsm: the service cannot be reached -> a patient job asks the gate, another one counts it")
{
    for (errc const e : {errc::resolve_failed, errc::connect_failed, errc::connect_timeout, errc::tls_timeout,
                         errc::tls_failed, errc::proxy_refused}) {
        CAPTURE(name(e));
        job j;
        CHECK(j.resume(broken(e, bytes_sent::none)).what == step::wait);
        j.patient = true;
        CHECK(j.resume(broken(e, bytes_sent::none)).what == step::unreachable);
    }
    job j;
    j.patient = true;
    CHECK(j.resume(broken(errc::first_byte_timeout)).what == step::wait);
}

TEST_CASE("result_fsm: refused, while others are read -> rejected at the second time; else the gate decides")
{
    for (int const status : {401, 402, 403}) {
        CAPTURE(status);
        job j;
        action const a = j.resume(answered(status));
        CHECK(a.what == step::refused);
        CHECK(a.why == errc::unauthorized);
        CHECK(j.fsm.is_suspect());
        CHECK(j.resume(answered(status)).what == step::refused);
        j.good_reads = 1; // of requests that were sent before
        j.recoveries = 1; // a probe was accepted
        CHECK(j.resume(answered(status)).what == step::finish);
        failure const f = j.failed();
        CHECK(f.is(errc::rejected));
        CHECK(f.http_status == status);
    }
}

TEST_CASE(
    "result_fsm: refused where others were read before, and none is left to ask -> rejected at the fourth")
{
    job j;
    j.good_reads = 7;
    for (int i = 0; i != 3; ++i) {
        ++j.good_reads; // of requests that were sent before
        CHECK(j.resume(answered(403)).what == step::refused);
    }
    CHECK(j.resume(answered(403)).what == step::finish);
    CHECK(j.failed().is(errc::rejected));
}

TEST_CASE("result_fsm: the proxy refuses its credentials, or a certificate is invalid -> as a refusal")
{
    transport_failure proxy(errc::proxy_refused, phase::connect, bytes_sent::none);
    proxy.status = 407;
    job j;
    j.patient = true;
    CHECK(j.resume(proxy).why == errc::proxy_refused);
    CHECK(j.resume(broken(errc::certificate_invalid, bytes_sent::none)).why == errc::certificate_invalid);
}

TEST_CASE("result_fsm: HTML where nothing was ever read -> the base URL is wrong")
{
    job j;
    j.route_succeeded = false;
    j.retry.max_attempts = 2;
    CHECK(j.resume(page()).what == step::wait);
    CHECK(j.resume(page()).what == step::finish);
    CHECK(j.failed().is(errc::wrong_base_url));
}

TEST_CASE("result_fsm: a pending answer between failed reads -> they are counted anew, the reads are not")
{
    job j;
    j.retry.max_attempts = 2;
    for (int i = 0; i != 10; ++i) {
        CHECK(j.resume(answered(502), t0, nearly_one).until < t0 + milliseconds(250));
        CHECK(j.resume(answered(200, not_yet)).what == step::wait);
    }
    CHECK(j.resume(answered(502)).what == step::wait);
    ++j.good_reads;
    CHECK(j.resume(answered(502)).what == step::finish);
    CHECK(j.failed().attempts == 22);
}

TEST_CASE(
    "result_fsm: backoff after failed reads -> from nothing to below a bound that doubles up to the cap")
{
    job least;
    job most;
    least.retry.max_attempts = most.retry.max_attempts = 100;
    for (int const bound : {250, 500, 1'000, 2'000, 4'000, 8'000, 16'000, 20'000, 20'000}) {
        CAPTURE(bound);
        CHECK(least.resume(answered(502), t0, 0).until == t0);
        action const a = most.resume(answered(502), t0, nearly_one);
        CHECK(a.what == step::wait);
        CHECK(a.until < t0 + milliseconds(bound));
        CHECK(a.until >= t0 + milliseconds(bound - 1));
    }
}

TEST_CASE(
    "result_fsm: throttled more often than there are attempts -> pauses everybody and costs the job nothing")
{
    job j;
    j.retry.max_attempts = 2;
    CHECK(j.resume(answered(502)).what == step::wait);
    for (int i = 0; i != 20; ++i) {
        action const a = j.resume(answered(429, {}, "30"));
        CHECK(a.what == step::pause_origin);
        CHECK(a.until >= t0 + seconds(30));
    }
    CHECK(j.resume(answered(200, filled)).what == step::finish);
    CHECK(j.succeeded().reads == 22);
}

TEST_CASE("result_fsm: throttled again and again while others are read -> it waits alone, and in the end not "
          "beyond its deadline")
{
    job j(seconds(60));
    j.patient = true;
    clock::time_point now = t0;
    auto const next = [&] {
        ++j.good_reads;
        action const a = j.resume(answered(503, {}, "30"), now);
        ++j.throttled;
        now = std::max(a.until, a.own);
        return a;
    };
    for (int i = 0; i != 3; ++i) {
        action const a = next();
        CHECK(a.what == step::pause_origin);
        CHECK_FALSE(a.is_throttled_alone);
        j.fsm.hold(now, j.context(now - seconds(30))); // as the shell does
    }
    for (int i = 3; i != 9; ++i) {
        CAPTURE(i);
        action const a = next();
        CHECK(a.what == step::wait);
        CHECK(a.is_throttled_alone);
    }
    CHECK(next().what == step::wait); // the deadline does not stand still any more
    CHECK(next().what == step::wait);
    action const last = next();
    CHECK(last.what == step::finish);
    CHECK(last.until == clock::time_point());
    CHECK(j.failed().is(errc::still_processing));
}

TEST_CASE("result_fsm: throttled again and again while no other is read -> pauses everybody")
{
    job j;
    j.good_reads = 5;
    for (int i = 0; i != 20; ++i) {
        CHECK(j.resume(answered(503, {}, "30")).what == step::pause_origin);
        ++j.throttled;
    }
}

TEST_CASE("result_fsm: throttled again and again as others are -> pauses everybody")
{
    job j;
    for (int i = 0; i != 20; ++i) {
        ++j.good_reads;
        j.throttled += 2;
        CHECK(j.resume(answered(503, {}, "30")).what == step::pause_origin);
    }
}

TEST_CASE("result_fsm: throttled alone, then a good answer -> the next throttled answer pauses everybody")
{
    job j;
    for (int i = 0; i != 4; ++i) {
        ++j.good_reads;
        j.resume(answered(429, {}, "30"));
        ++j.throttled;
    }
    CHECK(j.resume(answered(200, not_yet)).what == step::wait);
    ++j.good_reads;
    CHECK(j.resume(answered(429, {}, "30")).what == step::pause_origin);
}

TEST_CASE(
    "result_fsm: throttled without Retry-After -> the longer of its own interval and a backoff that grows")
{
    job j;
    auto const again = [&j] {
        action const a = j.resume(answered(429), t0, 0.5);
        return std::max(a.until, a.own);
    };
    CHECK(again() == t0 + milliseconds(2'500)); // the schedule's
    CHECK(again() == t0 + milliseconds(2'500));
    CHECK(again() == t0 + milliseconds(2'500));
    CHECK(again() == t0 + milliseconds(4'000)); // half of 1 s doubled three times
    CHECK(j.resume(answered(200, not_yet)).what == step::wait);
    CHECK(again() == t0 + milliseconds(2'500));
}

TEST_CASE("result_fsm: our own queue was full for a moment -> the paid job waits on; at the deadline it is "
          "still_processing")
{
    transport_failure full;
    full.code = errc::too_many_waiting;
    job j(seconds(10));
    CHECK(j.resume(exchange_result(full), t0, 0.5).what == step::wait);
    CHECK(j.resume(exchange_result(full), t0 + seconds(10), 0.5).what == step::finish);
    CHECK(j.failed().is(errc::still_processing));
}

TEST_CASE("result_fsm: a wait that would pass the deadline -> ends at it, for the last read")
{
    job j(seconds(3));
    CHECK(j.start(t0 + seconds(2)).until == t0 + seconds(3));
    CHECK(j.resume(answered(200, not_yet), t0 + milliseconds(2'999)).until == t0 + seconds(3));
    CHECK(j.resume(answered(502), t0 + milliseconds(2'999), nearly_one).until == t0 + seconds(3));
}

TEST_CASE("result_fsm: the deadline has passed before the start -> read once, at once")
{
    job j(milliseconds(0));
    action const a = j.start(t0 + seconds(1));
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(1));
}

TEST_CASE("result_fsm: the last read at the deadline finds it done -> done")
{
    job j(seconds(3));
    j.start();
    CHECK(j.resume(answered(200, filled), t0 + seconds(3)).what == step::finish);
    CHECK(j.succeeded().raw == filled);
}

TEST_CASE("result_fsm: the last read at the deadline does not -> still processing, whatever it was; read "
          "once -> what it was")
{
    struct {
        exchange_result answer;
        errc once;
    } const cases[] = {
        {answered(200, not_yet), errc::still_processing},
        {answered(200, unfilled), errc::still_processing},
        {answered(200, failed_job), errc::still_processing},
        {answered(429), errc::still_processing},
        {answered(408), errc::service_error},
        {answered(422), errc::rejected},
        {answered(200, "{"), errc::unexpected_answer},
        {answered(502), errc::service_error},
        {broken(errc::read_timeout), errc::read_timeout},
    };
    for (auto const& c : cases) {
        CAPTURE(name(c.once));
        job j(seconds(3));
        CHECK(j.resume(answered(200, not_yet), t0 + seconds(1)).what == step::wait);
        CHECK(j.resume(c.answer, t0 + seconds(3)).what == step::finish);
        failure const f = j.failed();
        CHECK(f.is(errc::still_processing));
        CHECK(f.attempts == 2);
        CHECK(f.reason.find("the deadline has passed") != std::string::npos);

        job once(seconds(0));
        CHECK(once.resume(c.answer, t0 + seconds(1)).what == step::finish);
        CHECK(once.failed().is(c.once));
    }
}

TEST_CASE(
    "result_fsm: an answer that no JSON parser takes, twice the same -> the failure holds it byte for byte")
{
    std::string const damaged = "{\"data\":{\"text\":\"Hello\"";
    job j(seconds(100));
    CHECK(j.resume(answered(200, damaged), t0 + seconds(2)).what == step::wait);
    CHECK(j.resume(answered(200, damaged + " wor"), t0 + seconds(4)).what == step::wait);
    CHECK(j.resume(answered(200, damaged + " wor"), t0 + seconds(6)).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::unreadable_answer));
    REQUIRE(f.answer);
    CHECK(*f.answer == damaged + " wor");
    CHECK(f.reason.find("line 1, column 25 (byte 24)") != std::string::npos);
}

TEST_CASE("result_fsm: 404 on a young id -> pending; three of them over 30 s -> lost")
{
    std::string const unknown = R"({"message":"no such request"})";
    job j;
    CHECK(j.resume(answered(404, unknown), t0).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + seconds(15)).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + milliseconds(29'999)).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + seconds(30)).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::job_lost));
    CHECK(f.http_status == 404);
    CHECK(f.attempts == 4);
}

TEST_CASE("result_fsm: seen again between 404s -> not lost")
{
    std::string const unknown = R"({"message":"no such request"})";
    job j;
    CHECK(j.resume(answered(404, unknown), t0).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + seconds(20)).what == step::wait);
    CHECK(j.resume(answered(200, not_yet), t0 + seconds(25)).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + seconds(40)).what == step::wait);
    CHECK(j.resume(answered(404, unknown), t0 + seconds(50)).what == step::wait);
    CHECK(j.resume(answered(200, filled), t0 + seconds(60)).what == step::finish);
    CHECK(j.succeeded().reads == 6);
}

TEST_CASE("result_fsm: a gateway's 404 -> the base URL is wrong, unless a result was read before")
{
    job first;
    first.route_succeeded = false;
    action const a = first.resume(answered(404, "404 page not found"));
    CHECK(a.what == step::refused); // a probe decides
    CHECK(a.why == errc::wrong_base_url);

    job later;
    CHECK(later.resume(answered(404, "404 page not found")).what == step::wait);
}

TEST_CASE("result_fsm: refused twice the same -> rejected; refused differently -> read again")
{
    job j;
    CHECK(j.resume(answered(400)).what == step::wait);
    CHECK(j.resume(answered(422)).what == step::wait);
    CHECK(j.resume(answered(422)).what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::rejected));
    CHECK(f.http_status == 422);
    CHECK(f.attempts == 3);
}

TEST_CASE("result_fsm: gone, redirected, stopped -> ends at once, each with its own code")
{
    struct {
        exchange_result answer;
        errc code;
    } const cases[] = {
        {answered(410), errc::job_expired},
        {answered(302), errc::redirect_refused},
        {broken(errc::redirect_refused), errc::redirect_refused},
        {broken(errc::cancelled), errc::cancelled},
        {broken(errc::client_closed), errc::client_closed},
    };
    for (auto const& c : cases) {
        CAPTURE(name(c.code));
        job j;
        j.route_succeeded = false;
        CHECK(j.resume(c.answer).what == step::finish);
        failure const f = j.failed();
        CHECK(f.is(c.code));
        CHECK(f.attempts == 1);
    }
}

TEST_CASE("result_fsm: refused although this job was read before -> the gate decides, however often")
{
    job j;
    j.good_reads = 7;
    CHECK(j.resume(answered(200, not_yet)).what == step::wait);
    for (int i = 0; i != 10; ++i)
        CHECK(j.resume(answered(403)).what == step::refused);
}

TEST_CASE("result_fsm: credentials refused -> asks the gate, costs no attempt in a row")
{
    job j;
    j.retry.max_attempts = 2;
    for (int const status : {401, 402, 403})
        CHECK(j.resume(answered(status, "Forbidden")).what == step::refused);
    CHECK(j.resume(answered(502)).what == step::wait);
    CHECK(j.resume(answered(200, filled)).what == step::finish);
    CHECK(j.succeeded().reads == 5);
}

TEST_CASE("result_fsm: given up while it waits -> the reason it was given up for, and the reads so far")
{
    job j;
    j.start();
    j.resume(answered(200, not_yet));
    CHECK(j.fsm.give_up(errc::cancelled, "cancelled by the caller").what == step::finish);
    failure const f = j.failed();
    CHECK(f.is(errc::cancelled));
    CHECK(f.where == phase::wait);
    CHECK(f.reason == "cancelled by the caller");
    CHECK(f.attempts == 1);
    CHECK(f.http_status == 0);
}

TEST_CASE("result_fsm: when it ends although it cannot be read -> at its deadline; never when it is to be "
          "read once")
{
    CHECK(job(seconds(3)).fsm.latest() == t0 + seconds(3));
    CHECK(job(seconds(0)).fsm.latest() == clock::time_point::max());
}

TEST_CASE("result_fsm: held by a pause -> waits until it ends or until the deadline, and then may not")
{
    job j(seconds(10));
    action a = j.fsm.hold(t0 + seconds(3), j.context());
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(3));
    a = j.fsm.hold(t0 + seconds(30), j.context());
    CHECK(a.what == step::wait);
    CHECK(a.until == t0 + seconds(10));
    CHECK_FALSE(j.fsm.may_wait(j.context(t0 + seconds(10))));

    job once(seconds(0));
    CHECK(once.fsm.may_wait(once.context(t0 + seconds(10))));
    CHECK(once.fsm.hold(t0 + seconds(30), once.context()).until == t0 + seconds(30));

    job patient(seconds(10));
    patient.patient = true;
    CHECK(patient.fsm.may_wait(patient.context(t0 + seconds(10))));
    CHECK(patient.fsm.hold(t0 + seconds(40), patient.context(t0 + seconds(10))).until == t0 + seconds(40));
    CHECK(patient.fsm.latest() == t0 + seconds(40));
}

TEST_CASE("result_fsm: content after the end of the job -> how long it took is part of the outcome")
{
    job j;
    j.start();
    j.resume(answered(200, not_yet), t0);
    j.resume(answered(200, unfilled), t0 + seconds(2));
    j.resume(answered(200, unfilled), t0 + seconds(4));
    j.resume(broken(errc::read_timeout), t0 + seconds(6));
    CHECK(j.resume(answered(200, filled), t0 + seconds(9)).what == step::finish);
    CHECK(j.succeeded().content_delay == seconds(7));
}

TEST_CASE("result_fsm: content at once, or never -> nothing to learn")
{
    job at_once;
    at_once.start();
    at_once.resume(answered(200, filled), t0 + seconds(2));
    CHECK(at_once.succeeded().content_delay == seconds(0));
    job never;
    never.start();
    for (int s : {2, 7, 12})
        never.resume(answered(200, unfilled), t0 + seconds(s));
    read_outcome const empty = never.succeeded();
    CHECK(empty.how_complete == completeness::empty);
    CHECK(empty.content_delay == seconds(0));
}

TEST_CASE("result_fsm: the service was seen to need 30 s -> an empty job waits that long, but not beyond its "
          "deadline")
{
    job j(seconds(100));
    j.settle_time = seconds(30);
    j.start();
    for (int s : {2, 7, 12, 20, 31})
        CHECK(j.resume(answered(200, unfilled), t0 + seconds(s)).what == step::wait);
    CHECK(j.resume(answered(200, unfilled), t0 + seconds(32)).what == step::finish);
    CHECK(j.succeeded().how_complete == completeness::empty);

    job late(seconds(15));
    late.settle_time = seconds(30);
    late.start();
    for (int s : {2, 7, 12})
        CHECK(late.resume(answered(200, unfilled), t0 + seconds(s)).what == step::wait);
    CHECK(late.resume(answered(200, unfilled), t0 + seconds(15)).what == step::finish);
    CHECK(late.succeeded().how_complete == completeness::empty);
}

TEST_CASE("result_fsm: a job that was finished before -> one read decides")
{
    for (auto const& [body, how] :
         {std::pair(&unfilled, completeness::empty), std::pair(&filled, completeness::whole)}) {
        job j(milliseconds(0));
        j.fsm.assume_settled();
        j.start();
        CHECK(j.resume(answered(200, *body)).what == step::finish);
        CHECK(j.succeeded().how_complete == how);
    }
    job pending(milliseconds(0));
    pending.fsm.assume_settled();
    pending.start();
    CHECK(pending.resume(answered(200, not_yet)).what == step::finish);
    CHECK(pending.failed().is(errc::still_processing));
}

TEST_CASE(
    "result_fsm: the times of a job -> the first and the last \"not yet\" to a tenth of a millisecond, and "
    "when the result was read")
{
    using std::chrono::microseconds;
    job j;
    j.start();
    CHECK_FALSE(is_known(j.fsm.times().first_pending));
    CHECK(j.fsm.times().polls == 0);
    j.resume(answered(200, not_yet), t0 + microseconds(2'000'150));
    j.resume(answered(500), t0 + seconds(3));
    j.resume(answered(200, not_yet), t0 + microseconds(4'000'299));
    j.resume(answered(429), t0 + seconds(5));
    CHECK(j.resume(answered(200, filled), t0 + seconds(6)).what == step::finish);
    job_times const times = j.fsm.times();
    CHECK(times.first_pending == t0 + microseconds(2'000'100));
    CHECK(times.last_pending == t0 + microseconds(4'000'200));
    CHECK(times.polls == 5);
    CHECK(j.succeeded().read_at == t0 + seconds(6));
}

TEST_CASE(
    "result_fsm: \"not yet\" at once, and after more than five days -> the times are not after the truth")
{
    job j(std::chrono::hours(1'000));
    j.start();
    j.resume(answered(200, not_yet), t0);
    CHECK(is_known(j.fsm.times().first_pending));
    CHECK(j.fsm.times().first_pending - t0 <= milliseconds(1));
    j.resume(answered(200, not_yet), t0 + std::chrono::hours(500));
    CHECK(j.fsm.times().last_pending > t0 + std::chrono::hours(119));
    CHECK(j.fsm.times().last_pending < t0 + std::chrono::hours(500));
}

TEST_CASE("result_fsm: a failed read -> may be the trouble of the service; one about the job itself is not")
{
    for (exchange_result const& answer :
         {answered(500), answered(503), answered(408), page(), answered(404, "<html>"),
          broken(errc::first_byte_timeout), answered(302), broken(errc::redirect_refused)}) {
        job j;
        j.route_succeeded = true;
        CHECK(j.resume(answer).is_trouble);
    }
    for (exchange_result const& answer : {answered(400), answered(404, "{}"), answered(410), answered(429),
                                          answered(403), answered(200, not_yet), answered(200, "{")}) {
        job j;
        j.route_succeeded = true;
        CHECK_FALSE(j.resume(answer).is_trouble);
    }
    job wrong_address;
    wrong_address.route_succeeded = false;
    CHECK_FALSE(wrong_address.resume(page()).is_trouble);
}

TEST_CASE("result_fsm: one job alone is redirected elsewhere -> it fails after its attempts")
{
    job j;
    j.route_succeeded = j.patient = true;
    j.retry.max_attempts = 3;
    for (int i = 0; i != 2; ++i) {
        CHECK(j.resume(answered(302)).what == step::wait);
        ++j.good_reads;
    }
    CHECK(j.resume(answered(302)).what == step::finish);
    CHECK(j.failed().is(errc::redirect_refused));
}

TEST_CASE("result_fsm: the service is in trouble -> a failure costs a patient job no attempt")
{
    job j(seconds(3));
    j.retry.max_attempts = 2;
    j.route_succeeded = j.patient = j.in_trouble = true;
    for (int i = 0; i != 100; ++i) {
        action const a = j.resume(i % 2 == 0 ? answered(502) : page(), t0 + seconds(i));
        CHECK(a.what == step::unreachable);
        CHECK(a.is_trouble);
    }
    CHECK_FALSE(j.fsm.is_failing());
    j.patient = false;
    CHECK(j.resume(answered(502), t0 + seconds(100)).what == step::finish);
}

TEST_CASE("result_fsm: failed reads that may be an outage -> their time does not count against the deadline")
{
    job j(seconds(3));
    j.patient = true;
    CHECK(j.resume(answered(502), t0 + seconds(2)).what == step::wait);
    exchange_result silent = broken(errc::first_byte_timeout);
    transport_failure f = silent.error();
    f.sent_at = t0 + seconds(2);
    CHECK(j.resume(exchange_result(f), t0 + seconds(61)).what == step::wait);
    SUBCASE("the job is not ready: the time that is left counts again")
    {
        action const a = j.resume(answered(200, not_yet), t0 + seconds(61));
        CHECK(a.what == step::wait);
        CHECK(a.until == t0 + seconds(62));
        CHECK(j.resume(answered(200, not_yet), a.until).what == step::finish);
        CHECK(j.failed().is(errc::still_processing));
    }
    SUBCASE("others are read: from now on, the time counts")
    {
        ++j.good_reads;
        CHECK(j.resume(answered(502), t0 + seconds(62)).what == step::finish);
        CHECK(j.failed().is(errc::still_processing));
    }
    SUBCASE("no other job shows whether it is an outage: after its attempts, the time counts")
    {
        j.retry.max_attempts = 3;
        CHECK(j.resume(answered(502), t0 + seconds(62)).what == step::finish);
        CHECK(j.failed().is(errc::still_processing));
    }
}
