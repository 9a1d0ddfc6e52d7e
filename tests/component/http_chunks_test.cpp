#include "support/chunks.hpp"
#include "support/http_fixture.hpp"
#include "support/trusted_certificates.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

using namespace ocrpipe;

namespace
{

/// A body that is waited for.
class streamed_body final : public body_source
{
public:
    explicit streamed_body(std::string bytes) : size_(bytes.size()), source(std::move(bytes), 10'000) {}

    std::uint64_t size() const noexcept override { return size_; }
    std::size_t read(std::span<char>, error_code& ec) override
    {
        ec = make_error_code(errc::unreadable_file);
        return 0;
    }
    bool is_streamed() const noexcept override { return true; }
    task<std::size_t> fetch(std::span<char> out, error_code& ec) override
    {
        std::size_t n = 0;
        try {
            n = co_await source.read(out, ec);
        } catch (boost::system::system_error const& e) {
            ec = e.code();
        }
        co_return n;
    }
    bool can_rewind() const noexcept override { return source.taken == 0; }
    void rewind() override {}

private:
    std::uint64_t size_;

public:
    chunks source;
};

std::string const document(300'000, 'd');

/// Waits until the body has no bytes, then does `then`.
scripted_server::script at_stall(streamed_body& body, std::function<task<void>(scripted_peer&)> then)
{
    body.source.stall_at = 100'000;
    return [&body, then](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        auto const stalled = [&body] { return body.source.stalled != 0; };
        co_await until(stalled);
        co_await then(p);
    };
}

task<void> answer_413(scripted_peer& p)
{
    co_await p.write(answer("too large", {}, "413 Too Large"));
    co_await p.until_closed();
}

task<void> close_at_once(scripted_peer&) { co_return; }

} // namespace

TEST_CASE("exchange: a streamed body -> all of it, with TLS or without")
{
    for (bool const tls : {false, true}) {
        CAPTURE(tls);
        std::string seen;
        auto const script = [&seen](scripted_peer& p) -> task<void> {
            seen = co_await p.read_request();
            co_await p.write(answer());
            co_await p.until_closed();
        };
        trusted_certificates const certificates;
        auto const f = tls ? std::make_unique<http_fixture>(script, certificates.server)
                           : std::make_unique<http_fixture>(script);
        f->options.tls.ca_file = certificates.ca_file;
        streamed_body body(document);
        exchange_result const r = f->run_post(body);
        REQUIRE(r.has_value());
        CHECK(r->status == 200);
        CHECK(r->sent == bytes_sent::all);
        CHECK(seen.size() > document.size());
        CHECK(seen.substr(seen.size() - document.size()) == document);
    }
}

TEST_CASE(
    "exchange: an early answer while a streamed body has no bytes -> the answer, and the body is stopped")
{
    streamed_body body(document);
    http_fixture f(at_stall(body, answer_413));
    exchange_result const r = f.run_post(body);
    REQUIRE(r.has_value());
    CHECK(r->status == 413);
    CHECK(r->sent == bytes_sent::some);
    CHECK(body.source.cancelled == 1);
}

TEST_CASE("exchange: the peer closes while a streamed body has no bytes -> connection_closed, not repeated")
{
    streamed_body body(document);
    http_fixture f(at_stall(body, close_at_once));
    transport_failure const e = failure_of(f.run_post(body));
    CHECK(e.code == errc::connection_closed);
    CHECK(e.sent == bytes_sent::some);
    CHECK(body.source.cancelled == 1);
    CHECK(f.server.accepted() == 1);
}

TEST_CASE(
    "exchange: a streamed body that stalls or fails -> its failure, and the peer gets an incomplete request")
{
    for (bool const stalls : {false, true}) {
        CAPTURE(stalls);
        std::size_t got = 0;
        http_fixture f([&got](scripted_peer& p) -> task<void> {
            while (!p.ended()) {
                std::string const piece = co_await p.read_available();
                got += piece.size();
            }
        });
        f.options.timeouts.write_stall = std::chrono::milliseconds(50);
        streamed_body body(document);
        (stalls ? body.source.stall_at : body.source.fail_at) = 100'000;
        body.source.failure = asio::error::eof;
        exchange_result r;
        f.run([&]() -> task<void> {
            r = co_await f.post(body);
            co_await f.async_closed(1);
        });
        transport_failure const e = failure_of(r);
        CHECK(e.code == errc::unreadable_file);
        CHECK(e.cause == (stalls ? error_code(asio::error::timed_out) : error_code(asio::error::eof)));
        CHECK(e.sent == bytes_sent::some);
        CHECK(body.source.cancelled == (stalls ? 1 : 0));
        CHECK(got >= 100'000);
        CHECK(got < document.size());
    }
}

TEST_CASE("exchange: cancelled while a streamed body has no bytes -> cancelled, and so is the body")
{
    http_fixture f([](scripted_peer& p) -> task<void> { co_await p.until_closed(); });
    streamed_body body(document);
    body.source.stall_at = 100'000;
    transport_failure e;
    f.run([&]() -> task<void> {
        background_exchange exchange(f, f.post(body));
        auto const stalled = [&body] { return body.source.stalled != 0; };
        co_await until(stalled);
        exchange.cancel();
        co_await exchange.async_done();
        e = failure_of(exchange.result());
        co_await f.async_closed(1);
    });
    CHECK(e.code == errc::cancelled);
    CHECK(e.sent == bytes_sent::some);
    CHECK(body.source.cancelled == 1);
}

TEST_CASE("exchange: a redirect of a streamed body that cannot rewind -> refused")
{
    http_fixture f(always(answer("", "Location: /elsewhere\r\n", "307 Temporary Redirect")));
    streamed_body body(document);
    transport_failure const e = failure_of(f.run_post(body));
    CHECK(e.code == errc::redirect_refused);
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("exchange: its context is destroyed while a streamed body has no bytes -> nothing is called")
{
    streamed_body body(document);
    body.source.stall_at = 100'000;
    {
        http_fixture f([](scripted_peer& p) -> task<void> { co_await p.until_closed(); });
        f.transport = http_transport::make(f.ioc.get_executor(), f.options).value();
        asio::co_spawn(f.ioc, f.post(body), asio::detached);
        while (body.source.stalled == 0 && f.ioc.run_one() != 0) {
        }
    }
    CHECK(body.source.stalled == 1);
    CHECK(body.source.cancelled == 0);
}
