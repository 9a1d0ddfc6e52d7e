#include "client_fixture.hpp"
#include "support/chunks.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

using namespace client_tests;

namespace
{

std::string const pdf = "%PDF-1.7\n" + std::string(5'000, 'x');

submit_request from(std::shared_ptr<chunks> const& source, std::uint64_t size = pdf.size())
{
    return submit_request(document::from_chunks(source, size, "a.pdf"), "INVOICE");
}

/// A transport that reads a part of each request before it ends: how much, and with what, is scripted.
class partial_transport final : public transport
{
public:
    struct step {
        std::size_t read;
        exchange_result answer;
    };

    explicit partial_transport(std::deque<step>& script) : script_(script) {}

    task<exchange_result> send(http_request request) override
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        step next = script_.front();
        script_.pop_front();
        std::vector<char> buffer(500);
        error_code ec;
        for (std::size_t read = 0; read < next.read && !ec;) {
            std::size_t const n = co_await request.body->fetch(buffer, ec);
            if (n == 0) break;
            read += n;
        }
        co_return next.answer;
    }

    void close() override {}

private:
    std::deque<step>& script_;
};

std::size_t const nothing = 0;
std::size_t const held = 1'200; ///< the head and the first bytes, at most
std::size_t const more = 3'000;
std::size_t const all = 100'000;

struct played {
    std::optional<submitted_job> job;
    failure f;
    std::size_t steps_left = 0;
};

/// Plays a script for one submit.
played play(std::deque<partial_transport::step> script, std::shared_ptr<chunks> const& source,
            client_options o = quick())
{
    played p;
    asio::io_context ioc(1);
    client c(ioc, std::move(o), std::make_unique<partial_transport>(script));
    c.async_submit(from(source), [&](result<submitted_job> r) {
        if (r)
            p.job = *r;
        else
            p.f = r.error();
    });
    ioc.run();
    p.steps_left = script.size();
    return p;
}

exchange_result lost(bytes_sent sent = bytes_sent::some) { return t::fails(errc::connection_closed, sent); }

} // namespace

TEST_CASE_FIXTURE(fixture, "client: a document from chunks -> the request of the same document in memory")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    int done = 0;
    auto const count = [&](result<submitted_job> r) { done += r.has_value(); };
    c.async_submit(from(std::make_shared<chunks>(pdf)), count);
    ioc.run();
    client again = make([](seen_request const&) { return t::json(201, accepted); });
    again.async_submit(submit_request(document::from_bytes(pdf, "a.pdf"), "INVOICE"), count);
    ioc.restart();
    ioc.run();
    CHECK(done == 2);
    REQUIRE(log.size() == 2);
    CHECK(log[0].body == log[1].body);
    CHECK(c.statistics().held_bytes == 0);
    CHECK(c.statistics().bytes_uploaded == again.statistics().bytes_uploaded);
}

TEST_CASE("client: an attempt that failed before it read on from a source -> repeated")
{
    for (std::size_t const read : {nothing, held}) {
        CAPTURE(read);
        auto const source = std::make_shared<chunks>(pdf);
        played const p = play({{read, lost()}, {all, t::json(201, accepted)}}, source);
        CHECK(p.job.has_value());
        CHECK(p.steps_left == 0);
        CHECK(source->taken == pdf.size());
    }
}

TEST_CASE("client: an attempt that failed after it read on from a source -> its own failure, and no repeat")
{
    struct row {
        exchange_result answer;
        errc code;
        int status;
    };
    exchange_result throttled = t::json(429, "{}");
    throttled->retry_after = "1";
    client_options resubmits = quick();
    resubmits.retry.resubmit_ambiguous = true;
    for (row const& r : {row{lost(), errc::connection_closed, 0}, row{throttled, errc::throttled, 429},
                         row{t::json(503, "{}"), errc::service_error, 503},
                         row{t::json(425, "{}"), errc::service_error, 425},
                         row{t::json(403, "Forbidden"), errc::unauthorized, 403},
                         row{lost(bytes_sent::all), errc::ambiguous_submit, 0},
                         row{t::json(500, "{}"), errc::ambiguous_submit, 500}}) {
        CAPTURE(name(r.code));
        played const p =
            play({{more, r.answer}, {all, t::json(201, accepted)}}, std::make_shared<chunks>(pdf), resubmits);
        CHECK_FALSE(p.job.has_value());
        CHECK(p.f.is(r.code));
        CHECK(p.f.http_status == r.status);
        CHECK(p.f.attempts == 1);
        CHECK(p.f.reason.find("the source of the document cannot rewind") != std::string::npos);
        CHECK(p.steps_left == 1);
    }
}

TEST_CASE("client: a source that can rewind -> attempts are repeated from its first byte")
{
    auto const source = std::make_shared<chunks>(pdf);
    source->rewindable = true;
    played const p = play({{more, lost()}, {all, t::json(201, accepted)}}, source);
    REQUIRE(p.job.has_value());
    CHECK(p.job->attempts == 2);
    CHECK(source->rewinds == 1);
    CHECK(source->taken == pdf.size());
}

TEST_CASE_FIXTURE(fixture,
                  "client: the first chunk is no known format -> unsupported_file_type, nothing sent")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    std::optional<failure> f;
    c.async_submit(from(std::make_shared<chunks>("plain text"), 10),
                   [&](result<submitted_job> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::unsupported_file_type));
    CHECK(log.empty());
}

TEST_CASE_FIXTURE(fixture, "client: a source that fails or has another length -> said so, and not repeated")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    std::optional<failure> f;
    auto const note = [&](result<submitted_job> r) { f = r.error(); };
    c.async_submit(from(std::make_shared<chunks>(pdf), 6'000), note);
    ioc.run();
    CHECK(f->is(errc::invalid_argument));
    CHECK(f->reason.find("6000 bytes were promised, and the source ended after 5009") != std::string::npos);
    auto const failing = std::make_shared<chunks>(pdf);
    failing->fail_at = 2'000;
    failing->failure = asio::error::eof;
    c.async_submit(from(failing), note);
    ioc.restart();
    ioc.run();
    CHECK(f->is(errc::unreadable_file));
    CHECK(f->cause == asio::error::eof);
    CHECK(f->attempts == 1);
    CHECK(log.empty());
    CHECK(c.statistics().active_submits == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "client: cancelled or closed while a source stalls -> the source is cancelled, too")
{
    for (std::size_t const at : {0u, 3'000u}) {
        for (bool const close : {false, true}) {
            CAPTURE(at);
            CAPTURE(close);
            client c = make([](seen_request const&) { return t::json(201, accepted); });
            auto const source = std::make_shared<chunks>(pdf);
            source->stall_at = at;
            asio::cancellation_signal stop;
            std::optional<failure> f;
            c.async_submit(from(source), asio::bind_cancellation_slot(
                                             stop.slot(), [&](result<submitted_job> r) { f = r.error(); }));
            ioc.restart();
            while (source->stalled == 0 && ioc.run_one() != 0) {
            }
            REQUIRE(source->stalled == 1);
            if (close)
                c.close();
            else
                stop.emit(asio::cancellation_type::terminal);
            ioc.run();
            REQUIRE(f.has_value());
            CHECK((f->is(errc::cancelled) || (close && f->is(errc::client_closed))));
            CHECK(source->cancelled == 1);
            CHECK(log.empty());
        }
    }
}

TEST_CASE_FIXTURE(fixture,
                  "client: cancelled while a source yields its first bytes -> cancelled, no more is read")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    auto const source = std::make_shared<chunks>(pdf);
    source->stall_at = 0;
    source->yields_when_cancelled = true;
    asio::cancellation_signal stop;
    std::optional<failure> f;
    c.async_submit(from(source), asio::bind_cancellation_slot(
                                     stop.slot(), [&](result<submitted_job> r) { f = r.error(); }));
    while (source->stalled == 0 && ioc.run_one() != 0) {
    }
    stop.emit(asio::cancellation_type::terminal);
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::cancelled));
    CHECK(source->taken == 100);
    CHECK(log.empty());
}

TEST_CASE_FIXTURE(fixture, "client: a source that yields nothing until the deadline -> deadline_exceeded")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    auto const source = std::make_shared<chunks>(pdf);
    source->stall_at = 0;
    submit_request request = from(source);
    request.deadline = std::chrono::milliseconds(20);
    std::optional<failure> f;
    c.async_submit(request, [&](result<submitted_job> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::deadline_exceeded));
    CHECK(f->reason == "a.pdf: its source has not yielded its first bytes");
    CHECK(source->cancelled == 1);
    CHECK(log.empty());
}

TEST_CASE_FIXTURE(fixture, "client: the same chunks in two submits -> one is sent, the other refused")
{
    client c = make([](seen_request const&) { return t::json(201, accepted); });
    submit_request const request = from(std::make_shared<chunks>(pdf));
    int good = 0;
    int refused = 0;
    auto const note = [&](result<submitted_job> r) {
        good += r.has_value();
        refused += !r && r.error().is(errc::invalid_argument);
    };
    c.async_submit(request, note);
    c.async_submit(request, note);
    ioc.run();
    c.async_submit(request, note);
    ioc.restart();
    ioc.run();
    CHECK(good == 1);
    CHECK(refused == 2);
    CHECK(posts() == 1);
}

TEST_CASE("client: its context is destroyed while a source stalls -> the source is released")
{
    for (std::size_t const at : {0u, 3'000u}) {
        CAPTURE(at);
        auto const source = std::make_shared<chunks>(pdf);
        source->stall_at = at;
        std::vector<seen_request> log;
        {
            asio::io_context ioc(1);
            auto const answer = [](seen_request const&) { return t::json(201, accepted); };
            client c(ioc, quick(), std::make_unique<t>(answer, log));
            c.async_submit(from(source), [](result<submitted_job>) { FAIL("called"); });
            while (source->stalled == 0 && ioc.run_one() != 0) {
            }
        }
        CHECK(source->stalled == 1);
        CHECK(source.use_count() == 1);
    }
}
