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
        now = ask(r, now).until;
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

TEST_CASE("service_health: an outage -> has no limit once the service was reached, but a minute if it never was")
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

TEST_CASE("service_health: many submits in a row whose answer is lost -> an outage; an answer between -> none")
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
