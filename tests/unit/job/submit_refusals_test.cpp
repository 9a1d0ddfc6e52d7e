// Refusals and outages: whether they concern this submit alone.
#include "submit_fixture.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace submit_tests;

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
    for (int const status : {401, 402, 403}) {
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
    "submit_fsm: others were accepted, then a 4xx that is not the service's own -> trouble, and sent again")
{
    for (int const status : {405, 406, 407, 410, 414, 418, 426, 431, 451, 499}) {
        for (char const* const body : {"", "default backend", "<html>no</html>"}) {
            CAPTURE(status);
            retry_policy policy;
            policy.max_attempts = 3;
            submit s(policy);
            s.others_accepted = 7;
            for (int i = 0; i != 2; ++i) {
                action const a = s.resume(answered(status, body));
                CHECK(a.what == step::wait);
                CHECK(a.is_trouble);
            }
            CHECK(s.resume(answered(status, body)).what == step::finish);
            CHECK(s.failed().is(errc::rejected));
        }
    }
}

TEST_CASE("submit_fsm: others were accepted, then a gateway's 404 -> the gate decides, then it is trouble")
{
    retry_policy policy;
    policy.max_attempts = 2;
    submit s(policy);
    s.others_accepted = 7;
    action a = s.resume(answered(404, "404 page not found"));
    CHECK(a.what == step::refused);
    CHECK(a.why == errc::wrong_base_url);
    ++s.recoveries; // reads are answered
    a = s.resume(answered(404, "404 page not found"));
    CHECK(a.what == step::wait);
    CHECK(a.is_trouble);
    s.patient = s.in_trouble = s.others_may_probe = true;
    for (int i = 0; i != 100; ++i)
        CHECK(s.resume(answered(404, "404 page not found")).what == step::unreachable);
    s.others_may_probe = false;
    CHECK(s.resume(answered(404, "404 page not found")).what == step::finish);
    CHECK(s.failed().is(errc::rejected));
}

TEST_CASE("submit_fsm: a 4xx that may judge the document -> rejected at once; trouble if it is not the "
          "service's own")
{
    for (int const status : {400, 409, 413, 415, 422}) {
        for (bool const is_page : {false, true}) {
            submit s;
            s.others_accepted = 7;
            action const a = s.resume(answered(status, is_page ? "<html>no</html>" : R"({"message":"no"})"));
            CHECK(a.what == step::finish);
            CHECK(a.is_trouble == is_page);
            CHECK(s.failed().is(errc::rejected));
        }
    }
}

TEST_CASE("submit_fsm: refused while submits are in trouble -> costs nothing while others may probe")
{
    for (int const status : {405, 423, 511}) {
        CAPTURE(status);
        retry_policy policy;
        policy.max_attempts = 2;
        submit s(policy);
        s.others_accepted = 7;
        s.patient = s.in_trouble = s.others_may_probe = true;
        for (int i = 0; i != 100; ++i) {
            action const a = s.resume(answered(status, "<html>no</html>"));
            CHECK(a.what == step::unreachable);
            CHECK(a.is_trouble);
        }
        // No other document is left, so this one fails.
        s.others_may_probe = false;
        action a;
        for (int i = 0; i != 4 && a.what != step::finish; ++i)
            a = s.resume(answered(status, "<html>no</html>"));
        CHECK(a.what == step::finish);
        CHECK(a.is_trouble);
    }
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

TEST_CASE("submit_fsm: an ambiguous answer, or many 503s -> may be the trouble of the service")
{
    for (exchange_result const& answer :
         {answered(500), answered(502), answered(504), answered(200, "<html>"), answered(302),
          broken(errc::malformed_answer, bytes_sent::all),
          broken(errc::connection_closed, bytes_sent::all)}) {
        submit s;
        action const a = s.resume(answer);
        CHECK(a.what == step::finish);
        CHECK(a.is_trouble);
    }
    for (exchange_result const& answer :
         {answered(400, "{}"), answered(403), answered(404, "{}"), answered(413, "{}"), answered(429),
          answered(503), broken(errc::connection_closed, bytes_sent::some),
          broken(errc::cancelled, bytes_sent::all)}) {
        submit s;
        s.others_accepted = 7;
        CHECK_FALSE(s.resume(answer).is_trouble);
    }
    for (int const status : {423, 425}) {
        submit s;
        action const a = s.resume(answered(status));
        CHECK(a.what == step::wait);
        CHECK(a.is_trouble);
    }
    submit s;
    for (int i = 1; i != submit_fsm::trouble_after; ++i)
        CHECK_FALSE(s.resume(answered(503)).is_trouble);
    CHECK(s.resume(answered(503)).is_trouble);
}

TEST_CASE("submit_fsm: refused for good in an unusual way -> the trouble of a service that accepted others")
{
    for (int const status : {501, 507, 307, 308}) {
        CAPTURE(status);
        submit before;
        CHECK_FALSE(before.resume(answered(status)).is_trouble);
        submit after;
        after.others_accepted = 7;
        CHECK(after.resume(answered(status)).is_trouble);
    }
}
