#include <ocrpipe/client/detail/service_health.hpp>

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

using namespace ocrpipe;
using namespace std::chrono_literals;
using detail::service_health;
using decision = service_health::decision;

namespace
{

clock::time_point const start = clock::time_point(1'000h);
action const sent_on{step::finish, {}};
action const refused_as_key{step::refused, {}, {}, errc::unauthorized};
action const not_reached{step::unreachable, {}};

exchange_result answered(int status)
{
    http_response r;
    r.status = status;
    return r;
}

exchange_result broken(errc e, bytes_sent sent, std::string detail = "ocr.example:443")
{
    return transport_failure(e, phase::connect, sent, std::move(detail),
                             make_error_code(boost::system::errc::connection_refused));
}

service_health::request const a_submit{lane::submit, false, true, true};
service_health::request const a_poll{lane::poll, false, true, true};

/// What the service said so far, at a time that the test sets.
struct health : service_health {
    explicit health(pace_options o = {}) : service_health(o) {}

    void learn(request const& r, exchange_result const& e, action const& next = sent_on)
    {
        note(r, false, e, next, now, 0);
    }
    decision asks(request const& r) const { return ask(r, now).what; }
    void probe(request const& r, exchange_result const& e, action const& next)
    {
        if (asks(r) == decision::wait) now = ask(r, now).until;
        REQUIRE(asks(r) == decision::probe);
        begin_probe(r, now);
        note(r, true, e, next, now, 0);
    }

    clock::time_point now = start;
};

} // namespace

TEST_CASE("service_health: at first one request goes, and the others when it was accepted, of whatever kind")
{
    health h;
    REQUIRE(h.asks(a_submit) == decision::probe);
    h.begin_probe(a_submit, h.now);
    CHECK(h.asks(a_submit) == decision::wait);
    h.note(a_submit, true, answered(201), sent_on, h.now, 0);
    for (lane const kind : {lane::submit, lane::poll, lane::part})
        CHECK(h.asks({kind}) == decision::send);
}

TEST_CASE("service_health: refusals of one kind -> stop this kind only, with the reason and the count")
{
    health h;
    h.learn(a_submit, answered(403), refused_as_key);
    CHECK(h.is_refusing());
    CHECK(h.asks(a_submit) == decision::wait);
    h.learn(a_poll, answered(200));
    CHECK(h.asks(a_poll) == decision::send);
    h.probe(a_submit, answered(402), refused_as_key);
    CHECK_FALSE(h.is_refused(lane::submit));
    h.probe(a_submit, answered(403), refused_as_key);
    CHECK(h.is_refused(lane::submit));
    service_health::permission const p = h.ask(a_submit, h.now);
    CHECK(p.what == decision::refuse);
    CHECK(p.why == errc::unauthorized);
    CHECK(h.refusal_text(lane::submit) == "the credentials were refused 3 times in a row");
    CHECK(h.asks(a_poll) == decision::send);
}

TEST_CASE("service_health: what cannot become right -> refused at once")
{
    struct {
        errc code;
        char const* text;
    } const cases[] = {
        {errc::certificate_invalid, "the certificate of the service was not accepted: Connection refused "
                                    "(ocr.example:443)"},
        {errc::proxy_refused, "the proxy refused its credentials: Connection refused (ocr.example:443)"},
    };
    for (auto const& c : cases) {
        health h;
        h.learn(a_submit, broken(c.code, bytes_sent::none), action{step::refused, {}, {}, c.code});
        service_health::permission const p = h.ask(a_submit, h.now);
        CHECK(p.what == decision::refuse);
        CHECK(p.why == c.code);
        CHECK(h.refusal_text(lane::submit) == c.text);
    }
}

TEST_CASE("service_health: the service cannot be reached -> patient requests of all kinds wait for one probe")
{
    health h;
    h.learn(a_submit, answered(201));
    h.learn(a_poll, broken(errc::connect_failed, bytes_sent::none), not_reached);
    CHECK(h.outage_text() == "Connection refused (ocr.example:443)");
    CHECK(h.outage_since() == start);
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks(a_poll) == decision::wait);
    CHECK(h.asks({lane::submit}) == decision::send); // one that is not patient

    for (int i = 0; i != 1'000; ++i)
        h.probe(a_poll, broken(errc::connect_failed, bytes_sent::none), not_reached);
    CHECK(h.outage_since() == start);
    h.probe(a_poll, answered(500), sent_on);
    CHECK(h.outage_text().empty());
    CHECK(h.asks(a_submit) == decision::send);
}

TEST_CASE(
    "service_health: an outage -> has no limit once the service was reached, but a minute if it never was")
{
    for (bool const was_reached : {false, true}) {
        CAPTURE(was_reached);
        health h;
        if (was_reached) h.learn(a_submit, answered(201));
        h.learn(a_submit, broken(errc::connect_failed, bytes_sent::none), not_reached);
        h.now += service_health::first_outage;
        CHECK(h.asks(a_submit) == decision::probe);
        h.now += 1ms;
        CHECK(h.asks(a_submit) == (was_reached ? decision::probe : decision::refuse));
        h.now += 1000h;
        service_health::permission const p = h.ask(a_poll, h.now);
        CHECK(p.what == (was_reached ? decision::probe : decision::refuse));
        if (!was_reached) CHECK(p.why == errc::service_unavailable);
    }
}

TEST_CASE("service_health: max_outage -> ends every outage")
{
    pace_options o;
    o.max_outage = 5s;
    health h(o);
    h.learn(a_submit, answered(201));
    h.learn(a_submit, broken(errc::connect_failed, bytes_sent::none), not_reached);
    h.now += 5s;
    CHECK(h.asks(a_submit) == decision::probe);
    h.now += 1ms;
    CHECK(h.asks(a_submit) == decision::refuse);
}

TEST_CASE(
    "service_health: many submits in a row whose answer is lost -> an outage; an answer between -> none")
{
    health h;
    h.learn(a_submit, answered(201));
    auto const lose = [&h] { h.learn(a_submit, broken(errc::connection_closed, bytes_sent::all)); };
    for (std::uint32_t i = 1; i != service_health::unanswered_is_outage; ++i)
        lose();
    h.learn(a_submit, answered(500));
    for (std::uint32_t i = 1; i != service_health::unanswered_is_outage; ++i)
        lose();
    CHECK(h.asks(a_submit) == decision::send);
    lose();
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK_FALSE(h.outage_text().empty());
    h.probe(a_submit, answered(201), sent_on);
    CHECK(h.asks(a_submit) == decision::send);
}

TEST_CASE("service_health: earlier runs left many results unread -> one is read before another submit")
{
    health few;
    few.learn(a_submit, answered(201));
    few.assume_unread(service_health::max_unread - 1, few.now);
    CHECK(few.asks(a_submit) == decision::send);
    health h;
    h.learn(a_submit, answered(201));
    h.assume_unread(1'000'000, h.now);
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks(a_poll) != decision::wait);
    CHECK(h.outage_text() == "no result could be read since 1000000 documents were accepted");
    h.note_good_read();
    CHECK(h.asks(a_submit) == decision::send);
}

TEST_CASE("service_health: documents are accepted, and none is read -> no more are sent until one is")
{
    health h;
    h.learn(a_submit, answered(201));
    for (std::uint32_t i = 0; i != service_health::max_unread; ++i) {
        CHECK(h.asks(a_submit) == decision::send);
        h.note_accepted();
    }
    CHECK(h.wants_a_read());
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks({lane::submit}) == decision::send); // one that is not patient
    CHECK(h.asks(a_poll) == decision::send);
    CHECK(h.outage_text() == "no result could be read since 100 documents were accepted");
    CHECK_FALSE(h.is_out()); // the first read is usually a matter of milliseconds
    h.now += 2s;
    h.learn(a_poll, answered(200));
    CHECK(h.is_out());
    SUBCASE("a read: on with it")
    {
        h.note_good_read();
        CHECK(h.asks(a_submit) == decision::send);
        CHECK(h.outage_text().empty());
    }
    SUBCASE("no job is left that could be read")
    {
        CHECK(h.asks({lane::submit, false, true, false}) == decision::refuse);
    }
    SUBCASE("none for a minute, and none ever")
    {
        h.now += service_health::first_outage + 1ms;
        CHECK(h.asks(a_submit) == decision::refuse);
        CHECK(h.asks(a_poll) == decision::send);
    }
    SUBCASE("the service asks to wait: that minute does not count")
    {
        h.now += service_health::first_outage;
        h.learn(a_poll, answered(429), action{step::pause_origin, {}});
        h.now += 1s;
        CHECK(h.asks(a_submit) == decision::wait);
    }
}

namespace
{

action const refused_alone{step::finish, {}, {}, errc::unauthorized};

/// Reads the known good result as a probe of submits.
void read(health& h, exchange_result const& e, action const& next, bool is_good)
{
    h.now = h.ask(a_submit, h.now).until;
    REQUIRE(h.asks(a_submit) == decision::read);
    h.begin_read(a_submit, h.now);
    h.note_read(a_submit, e, next, is_good, h.now, 0);
}

} // namespace

TEST_CASE("service_health: a document is refused, and a known result is read -> no other document waits")
{
    health h;
    h.note_result("r-1", 100);
    h.learn(a_submit, answered(403), refused_as_key);
    CHECK(h.next_for_suspects(lane::submit, h.now) == start + service_health::suspect_pause);
    REQUIRE(h.asks(a_submit) == decision::read); // at once
    h.begin_read(a_submit, h.now);
    CHECK(h.asks(a_submit) == decision::wait);
    h.note_read(a_submit, answered(200), sent_on, true, h.now, 0);
    CHECK(h.asks(a_submit) == decision::send);
    CHECK(h.recoveries(lane::submit) == 1);
}

TEST_CASE("service_health: a known result is refused, too -> the credentials are, without another document")
{
    health h;
    h.assume_accepted(lane::submit);
    h.note_result("r-1", 100);
    h.learn(a_submit, answered(403), refused_as_key);
    read(h, answered(403), refused_as_key, false);
    CHECK(h.ask(a_submit, h.now).until == h.now + 2s);
    CHECK_FALSE(h.is_refused(lane::submit));
    read(h, answered(401), refused_as_key, false);
    CHECK(h.is_refused(lane::submit));
    CHECK(h.refusal_text(lane::submit) == "the credentials were refused 3 times in a row");
}

TEST_CASE("service_health: what a read of a known result proves")
{
    struct {
        char const* what;
        exchange_result answer;
        action next;
        bool is_good;
        decision then; ///< when the pause of the next probe is over
    } const cases[] = {
        {"the result", answered(200), sent_on, true, decision::send},
        {"a page of a portal", answered(200), sent_on, false, decision::read},
        {"500", answered(500), sent_on, false, decision::read},
        {"no answer", broken(errc::connection_closed, bytes_sent::all), sent_on, false, decision::read},
        {"429", answered(429), action{step::pause_origin, {}}, false, decision::read},
        {"it is not known, once", answered(404), sent_on, false, decision::read},
    };
    for (auto const& c : cases) {
        CAPTURE(c.what);
        health h;
        h.note_result("r-1", 100);
        h.learn(a_submit, answered(403), refused_as_key);
        read(h, c.answer, c.next, c.is_good);
        h.now += 1s;
        CHECK(h.asks(a_submit) == c.then);
        CHECK_FALSE(h.is_refused(lane::submit));
    }
}

TEST_CASE("service_health: a known result is gone twice in a row -> a document has to probe again")
{
    health h;
    h.note_result("r-1", 100);
    h.learn(a_submit, answered(403), refused_as_key);
    read(h, answered(410), sent_on, false);
    h.now += 1s;
    read(h, answered(410), sent_on, false);
    h.now += 1s;
    CHECK(h.asks(a_submit) == decision::probe);
}

TEST_CASE("service_health: results of several sizes -> the smallest one is read")
{
    health h;
    h.note_result("r-1", 100);
    h.note_result("r-2", 101);
    CHECK(h.known_good() == "r-1");
    h.note_result("r-3", 100);
    CHECK(h.known_good() == "r-3");
}

TEST_CASE(
    "service_health: no document was ever accepted, and many are refused alone -> none is sent any more")
{
    health h;
    h.note_result("r-1", 100);
    for (std::uint32_t i = 1; i != service_health::max_refused_alone; ++i)
        h.learn(a_submit, answered(403), refused_alone);
    CHECK(h.asks(a_submit) != decision::refuse);
    h.learn(a_submit, answered(403), refused_alone);
    service_health::permission const p = h.ask(a_submit, h.now);
    CHECK(p.what == decision::refuse);
    CHECK(p.why == errc::unauthorized);
    CHECK(h.refusal_text(lane::submit) ==
          "the credentials may read results, but not submit documents: 20 in a row "
          "were refused, and none was accepted");
    CHECK(h.asks(a_poll) != decision::refuse);
}

TEST_CASE("service_health: a document was accepted -> any number may be refused alone, but not for payment")
{
    for (int const status : {403, 402}) {
        CAPTURE(status);
        health h;
        h.learn(a_submit, answered(201));
        h.note_accepted();
        for (std::uint32_t i = 0; i != 100; ++i)
            h.learn(a_submit, answered(status), refused_alone);
        CHECK((h.asks(a_submit) == decision::refuse) == (status == 402));
    }
}

TEST_CASE("service_health: requests in a row without an answer -> silent, if something can show whether it "
          "concerns all")
{
    health h;
    auto const lose = [&h] { h.learn(a_poll, broken(errc::connection_closed, bytes_sent::all)); };
    for (std::uint32_t i = 1; i != service_health::silent_is_outage; ++i)
        lose();
    CHECK_FALSE(h.is_silent(true));
    lose();
    CHECK(h.is_silent(false)); // the service was never reached
    h.learn(a_poll, answered(500));
    CHECK(h.answers() == 1);
    CHECK_FALSE(h.is_silent(true));
    for (std::uint32_t i = 0; i != service_health::silent_is_outage; ++i)
        lose();
    CHECK(h.is_silent(true));
    CHECK_FALSE(h.is_silent(false));
    h.note_result("r-1", 100);
    CHECK(h.is_silent(false));
}

TEST_CASE("service_health: an outage, and a result was read before -> it is read as the probe")
{
    health h;
    h.learn(a_submit, answered(201));
    h.note_result("r-1", 100);
    h.learn(a_submit, broken(errc::connect_failed, bytes_sent::none), not_reached);
    read(h, broken(errc::connection_closed, bytes_sent::all), not_reached, false);
    CHECK(h.asks(a_submit) == decision::wait);
    read(h, answered(500), sent_on, false);
    CHECK(h.asks(a_submit) == decision::send);
}

namespace
{

service_health::request const a_part{lane::part, false, true, true};
action const in_trouble{step::wait, {}, {}, errc::ok, true};

service_health::request again(service_health::request r)
{
    r.has_failed = true;
    return r;
}

/// Reads the known good result, to learn whether the service fails or a request.
void check(health& h, exchange_result const& e, action const& next)
{
    h.note_read(a_poll, e, next, !next.is_trouble, h.now, 0);
}

} // namespace

TEST_CASE(
    "service_health: different requests of a kind fail in a row -> others of this kind wait for a probe")
{
    struct {
        service_health::request kind;
        std::uint32_t enough;
        exchange_result answer;
        char const* text;
    } const cases[] = {
        {a_submit, service_health::submits_are_trouble, answered(502), "submits are answered with HTTP 502"},
        {a_submit, service_health::submits_are_trouble, answered(200),
         "submits get an answer that is not the service's"},
        {a_poll, service_health::reads_are_trouble, answered(503),
         "reads of results are answered with HTTP 503"},
        {a_part, service_health::reads_are_trouble, answered(500),
         "reads of parts are answered with HTTP 500"},
        {a_part, service_health::reads_are_trouble, broken(errc::first_byte_timeout, bytes_sent::all),
         "reads of parts fail: Connection refused (ocr.example:443)"},
    };
    for (auto const& c : cases) {
        CAPTURE(c.text);
        health h;
        h.learn(c.kind, answered(200));
        auto const fail = [&](std::uint32_t n) {
            for (std::uint32_t i = 0; i != n; ++i)
                h.learn(c.kind, c.answer, in_trouble);
        };
        fail(c.enough - 1);
        h.learn(c.kind, answered(200));
        fail(c.enough - 1);
        for (int i = 0; i != 100; ++i)
            h.learn(again(c.kind), c.answer, in_trouble);
        CHECK(h.asks(c.kind) == decision::send);
        CHECK_FALSE(h.is_out());
        h.now += 1h;
        fail(1);
        clock::time_point const began = h.now;
        CHECK(h.is_out());
        CHECK(h.outage_text() == c.text);
        CHECK(h.outage_since() == began);
        CHECK(h.is_in_trouble(c.kind.kind));
        CHECK(h.ask(c.kind, h.now).until == began + 1s);
        service_health::request impatient = c.kind;
        impatient.is_patient = false;
        CHECK(h.asks(impatient) == decision::send);
        h.now += 1s;
        CHECK(h.asks(again(c.kind)) == decision::wait); // others first
        h.probe(c.kind, c.answer, in_trouble);
        CHECK(h.ask(c.kind, h.now).until == h.now + 2s);
        h.probe(c.kind, answered(200), sent_on);
        CHECK_FALSE(h.is_out());
        CHECK(h.asks(c.kind) == decision::send);
    }
}

TEST_CASE("service_health: submits or parts are in trouble -> results are read, and the other kind goes on")
{
    health h;
    h.learn(a_poll, answered(200));
    for (int i = 0; i != 4; ++i)
        h.learn(a_submit, answered(500), in_trouble);
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks(a_poll) == decision::send);
    CHECK(h.asks(a_part) == decision::send);
    for (int i = 0; i != 4; ++i)
        h.learn(a_part, answered(500), in_trouble);
    CHECK(h.asks(a_poll) == decision::send);
}

TEST_CASE("service_health: results cannot be read -> submits wait, too, as long as results are awaited")
{
    health h;
    h.learn(a_submit, answered(201));
    for (int i = 0; i != 3; ++i)
        h.learn(a_poll, answered(502), in_trouble);
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks({lane::submit, false, true, false}) == decision::send);
    CHECK(h.asks(a_part) == decision::send);
    h.now += 1s;
    CHECK(h.asks(a_submit) == decision::wait); // a job is the probe
    CHECK(h.asks(a_poll) == decision::probe);
    h.note_result("r-1", 100);
    CHECK(h.asks(a_submit) == decision::read);
    h.begin_read(a_submit, h.now);
    CHECK(h.asks(a_poll) == decision::wait);
    h.note_read(a_submit, answered(200), sent_on, true, h.now, 0);
    CHECK(h.asks(a_submit) == decision::send);
}

TEST_CASE("service_health: jobs cannot be read -> a known result decides whether the service fails")
{
    health h;
    h.note_result("r-1", 100);
    for (int i = 0; i != 100; ++i)
        h.learn(a_poll, answered(500), in_trouble);
    CHECK(h.asks(a_poll) == decision::send);
    SUBCASE("it can be read: they fail")
    {
        check(h, answered(200), sent_on);
        h.learn(a_poll, answered(500), in_trouble);
        CHECK(h.asks(a_poll) == decision::send);
    }
    SUBCASE("the service does not know it any more: it answers")
    {
        h.note_read(a_poll, answered(404), sent_on, false, h.now, 0);
        CHECK(h.asks(a_poll) == decision::send);
    }
    SUBCASE("it cannot: the service fails")
    {
        check(h, answered(500), in_trouble);
        CHECK(h.asks(a_poll) == decision::wait);
        h.now += 1s;
        CHECK(h.asks(a_poll) == decision::read);
        h.begin_read(a_poll, h.now);
        h.note_read(a_poll, answered(500), in_trouble, false, h.now, 0);
        CHECK(h.ask(a_poll, h.now).until == h.now + 2s);
        h.now += 2s;
        h.begin_read(a_poll, h.now);
        h.note_read(a_poll, answered(200), sent_on, true, h.now, 0);
        CHECK(h.asks(a_poll) == decision::send);
    }
}

TEST_CASE(
    "service_health: a submit fails, and so does a read of a known result -> no other document is risked")
{
    health h;
    h.learn(a_submit, answered(201));
    h.note_result("r-1", 100);
    check(h, answered(500), in_trouble); // alone, it says nothing
    CHECK(h.asks(a_submit) == decision::send);
    h.learn(a_submit, answered(500), in_trouble);
    check(h, answered(500), in_trouble);
    CHECK(h.asks(a_submit) == decision::wait);
    CHECK(h.asks(a_poll) == decision::wait);
}

TEST_CASE("service_health: nothing shows whether the service or some parts fail -> they wait for ten minutes")
{
    health h;
    for (int i = 0; i != 3; ++i)
        h.learn(a_part, answered(500), in_trouble);
    clock::time_point const began = h.now;
    while (h.asks(a_part) != decision::send)
        h.probe(a_part, answered(500), in_trouble);
    CHECK(h.now > began + detail::trouble_gate::longest_unproved);
    CHECK(h.now <= began + detail::trouble_gate::longest_unproved + 10s);
    for (int i = 0; i != 100; ++i)
        h.learn(a_part, answered(500), in_trouble);
    CHECK(h.asks(a_part) == decision::send);
    h.learn(a_part, answered(200));
    for (int i = 0; i != 3; ++i)
        h.learn(a_part, answered(500), in_trouble);
    CHECK(h.asks(a_part) == decision::wait);
}

TEST_CASE("service_health: trouble -> max_outage limits it; without, a minute if nothing was good before")
{
    struct {
        service_health::request kind;
        std::chrono::milliseconds max_outage;
        bool was_good;
        std::chrono::milliseconds limit; ///< 0: none
    } const cases[] = {
        {a_submit, 0s, false, service_health::first_outage},
        {a_submit, 0s, true, 0s},
        {a_submit, 5s, true, 5s},
        {a_poll, 0s, false, service_health::first_outage},
        {a_poll, 0s, true, 0s},
        {a_poll, 5s, true, 5s},
        {a_part, 0s, false, 0s},
        {a_part, 5s, false, 5s},
    };
    for (auto const& c : cases) {
        CAPTURE(static_cast<int>(c.kind.kind));
        CAPTURE(c.was_good);
        CAPTURE(c.max_outage.count());
        pace_options o;
        o.max_outage = c.max_outage;
        health h(o);
        if (c.was_good) {
            h.note_accepted();
            h.note_good_read();
        }
        for (int i = 0; i != 4; ++i)
            h.learn(c.kind, answered(502), in_trouble);
        h.now += c.limit.count() > 0 ? c.limit : std::chrono::milliseconds(1000h);
        CHECK(h.asks(c.kind) == decision::probe);
        if (c.limit.count() == 0) continue;
        h.now += 1ms;
        service_health::permission const p = h.ask(c.kind, h.now);
        CHECK(p.what == decision::refuse);
        CHECK(p.why == errc::service_unavailable);
        if (c.kind.kind == lane::poll) CHECK(h.asks(a_submit) == decision::refuse);
    }
}

TEST_CASE("service_health: the service asks to wait for longer than max_outage -> no request is sent")
{
    auto const asks_for = [](char const* time) {
        http_response r;
        r.status = 503;
        r.retry_after = time;
        return exchange_result(r);
    };
    action const pause{step::pause_origin, {}};
    for (bool const is_limited : {true, false}) {
        pace_options o;
        if (is_limited) o.max_outage = 4s;
        health h(o);
        h.learn(a_submit, answered(201));
        h.learn(a_poll, asks_for("3"), pause);
        CHECK(h.asks(a_submit) == decision::send);
        h.now += 3s;
        h.learn(a_poll, asks_for("nonsense"), pause);
        CHECK(h.asks(a_submit) == decision::send);
        h.learn(a_poll, answered(200)); // the next wait is another one
        h.learn(a_poll, asks_for("4"), pause);
        CHECK_FALSE(h.asks_too_much(h.now));
        h.now += 4s;
        h.learn(a_poll, asks_for("86400"), pause);
        CHECK(h.asks_too_much(h.now) == is_limited);
        // An answer to what was sent before says nothing about the wait.
        http_response earlier;
        earlier.status = 201;
        earlier.sent_at = h.now - 5s;
        h.learn(a_submit, earlier);
        CHECK(h.asks_too_much(h.now) == is_limited);
        for (auto const& kind : {a_submit, a_poll, a_part})
            CHECK(h.asks(kind) == (is_limited ? decision::refuse : decision::send));
        CHECK(h.asks({lane::submit}) == decision::send); // one that is not patient
        if (is_limited)
            CHECK(h.unavailable_text(h.now) ==
                  "the service asks to wait for 86400 s, which is longer than an outage may last");
        h.now += 86400s;
        CHECK(h.asks(a_submit) == decision::send);
    }
}
