#include "support/deflated.hpp"
#include "support/http_fixture.hpp"

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// Runs one GET against `script` and returns how it ended.
exchange_result get_from(scripted_server::script script,
                         std::function<void(http_options&)> const& adjust = {})
{
    http_fixture f(std::move(script));
    if (adjust) adjust(f.options);
    return f.run_get();
}

std::string const big_body(5 * 1024 * 1024, 'b');

} // namespace

TEST_CASE(
    "http_transport: GET -> path, credentials and fields as the service wants them, and the answer whole")
{
    std::string seen;
    exchange_result const r = get_from([&](scripted_peer& p) -> task<void> {
        seen = co_await p.read_request();
        co_await p.write(answer("{}", "Content-Type: application/json\r\nRetry-After: 3\r\n"));
        co_await p.until_closed();
    });
    REQUIRE(r.has_value());
    CHECK(r->status == 200);
    CHECK(r->content_type == "application/json");
    CHECK(r->retry_after == "3");
    CHECK(r->body == "{}");
    CHECK(seen.find("GET /maas/user-42/greennode/idp/v1/ocr/ingest/1 HTTP/1.1\r\nHost: 127.0.0.1:") == 0);
    for (char const* field : {"\r\nAuthorization: Bearer top-secret\r\n", "\r\nportal-user-id: 42\r\n",
                              "\r\nUser-Agent: ocrpipe/", "\r\nAccept-Encoding: identity\r\n"}) {
        CAPTURE(field);
        CHECK(seen.find(field) != std::string::npos);
    }
    CHECK(seen.find("Content-Length") == std::string::npos);
}

TEST_CASE("http_transport: POST of every size around the chunk -> the server gets exactly the body")
{
    for (std::size_t const size :
         {std::size_t{0}, std::size_t{1}, std::size_t{65'000}, std::size_t{65'535}, std::size_t{65'536},
          std::size_t{65'537}, std::size_t{131'072}, std::size_t{3'000'000}}) {
        CAPTURE(size);
        std::string bytes(size, '\0');
        for (std::size_t i = 0; i < size; ++i)
            bytes[i] = static_cast<char>(i * 31 + i / 997);
        std::string seen;
        http_fixture f([&](scripted_peer& p) -> task<void> {
            seen = co_await p.read_request();
            co_await p.write(answer());
            co_await p.until_closed();
        });
        test_body body(bytes);
        CHECK(f.run_post(body).has_value());
        auto const end = seen.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        CHECK((seen.substr(end + 4) == bytes));
        CHECK(seen.find("POST ") == 0);
        CHECK(seen.find("\r\nContent-Type: application/octet-stream\r\n") < end);
        CHECK(seen.find("\r\nContent-Length: " + std::to_string(size) + "\r\n") < end);
    }
}

TEST_CASE("http_transport: 1xx, chunked with trailers, gzip nobody asked for, until close -> the same body")
{
    std::string const text(10'000, 't');
    std::string const chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n" + text + "\r\n0\r\nX: y\r\n\r\n";
    std::string const gzip = answer(deflated(text, 31), "Content-Encoding: gzip\r\n");
    for (std::string const& bytes : std::vector<std::string>{"HTTP/1.1 100 Continue\r\n\r\n" + answer(text),
                                                             chunked, gzip, answer(text)}) {
        exchange_result const r = get_from(once(bytes));
        REQUIRE(r.has_value());
        CHECK((r->body == text));
    }
    exchange_result const r = get_from(once_and_close("HTTP/1.1 200 OK\r\n\r\n" + text));
    REQUIRE(r.has_value());
    CHECK((r->body == text));
}

TEST_CASE("http_transport: a large answer -> whole")
{
    std::string const text(3'000'000, 'x');
    exchange_result const r = get_from(once(answer(text)));
    REQUIRE(r.has_value());
    CHECK((r->body == text));
}

TEST_CASE("http_transport: answers that break a rule -> each its own error, in the phase of the body, after "
          "all was sent")
{
    auto const limits = [](http_options& o) {
        o.limits.max_header_bytes = 4096;
        o.limits.max_answer_bytes = 100'000;
    };
    struct row {
        char const* what;
        std::string bytes;
        errc code;
    };
    std::string endless_header = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 2000; ++i)
        endless_header += "X-" + std::to_string(i) + ": y\r\n";
    for (row const& r : std::vector<row>{
             {"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
              errc::malformed_answer},
             {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
              errc::malformed_answer},
             {"no HTTP", "220 smtp.example ESMTP\r\n", errc::malformed_answer},
             {"endless header", endless_header, errc::header_too_large},
             {"announced too large", "HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
              errc::body_too_large},
             {"too large", "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'001, 'x'), errc::body_too_large},
             {"gzip bomb", answer(deflated(std::string(20'000'000, 'x'), 31), "Content-Encoding: gzip\r\n"),
              errc::body_too_large},
             {"brotli", answer("x", "Content-Encoding: br\r\n"), errc::unsupported_encoding}}) {
        CAPTURE(r.what);
        exchange_result const got = get_from(once(r.bytes), limits);
        REQUIRE(got.has_error());
        CHECK(got.error().code == r.code);
        CHECK(got.error().sent == bytes_sent::all);
        CHECK(got.error().detail.find("top-secret") == std::string::npos);
    }
}

TEST_CASE("http_transport: the end of the stream within the answer -> truncated_answer, before it "
          "connection_closed")
{
    for (char const* bytes :
         {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"}) {
        CAPTURE(bytes);
        exchange_result const r = get_from(once_and_close(bytes));
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::truncated_answer);
        CHECK(r.error().where == phase::body);
    }
    exchange_result const nothing = get_from(once_and_close(""));
    REQUIRE(nothing.has_error());
    CHECK(nothing.error().code == errc::connection_closed);
    CHECK(nothing.error().where == phase::first_byte);
    CHECK(nothing.error().sent == bytes_sent::all);
    exchange_result const reset = get_from([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        p.reset();
    });
    REQUIRE(reset.has_error());
    CHECK(reset.error().code == errc::connection_closed);
    CHECK(reset.error().cause == asio::error::connection_reset);
}

TEST_CASE(
    "http_transport: silence, a stall, a steady drip, an upload nobody reads -> the phase's own time-out")
{
    exchange_result const silent = get_from(once(""), [](http_options& o) { o.timeouts.first_byte = 20ms; });
    REQUIRE(silent.has_error());
    CHECK(silent.error().code == errc::first_byte_timeout);
    CHECK(silent.error().where == phase::first_byte);
    CHECK(silent.error().sent == bytes_sent::all);

    exchange_result const stalled = get_from(once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1"),
                                             [](http_options& o) { o.timeouts.read_stall = 20ms; });
    REQUIRE(stalled.has_error());
    CHECK(stalled.error().code == errc::read_timeout);
    CHECK(stalled.error().where == phase::body);

    auto const drip = [](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while (!p.ended())
            co_await p.write(std::string(10, 'x'));
    };
    exchange_result const dripped = get_from(drip, [](http_options& o) {
        o.limits.max_answer_bytes = 2'000'000'000;
        o.timeouts.answer = 30ms;
    });
    REQUIRE(dripped.has_error());
    CHECK(dripped.error().code == errc::read_timeout);

    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        co_await p.hold();
    });
    f.options.timeouts.write_stall = 30ms;
    test_body body(std::string(50'000'000, 'x'));
    exchange_result const unread = f.run_post(body);
    REQUIRE(unread.has_error());
    CHECK(unread.error().code == errc::write_timeout);
    CHECK(unread.error().where == phase::write);
    CHECK(unread.error().sent == bytes_sent::some);
}

TEST_CASE("http_transport: the request's deadline before the phase's -> deadline_exceeded")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.write(answer());
        co_await p.until_closed();
    });
    f.run([&]() -> task<void> {
        exchange_result const warm = co_await f.get();
        REQUIRE(warm.has_value());
        http_request request(lane::poll, http_method::get, "ingest/1");
        request.deadline = clock::now() + 100ms;
        exchange_result const r = co_await f.transport->send(std::move(request));
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::deadline_exceeded);
        CHECK(r.error().where == phase::first_byte);
        CHECK(r.error().sent == bytes_sent::all);
        http_request late(lane::poll, http_method::get, "ingest/1");
        late.deadline = clock::now() - 1ms;
        exchange_result const never = co_await f.transport->send(std::move(late));
        REQUIRE(never.has_error());
        CHECK(never.error().code == errc::deadline_exceeded);
        CHECK(never.error().sent == bytes_sent::none);
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: a deadline that has passed, with an idle connection at hand -> nothing is sent")
{
    int requests = 0;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        for (;;) {
            co_await p.read_request();
            if (p.ended()) co_return;
            ++requests;
            co_await p.write(answer());
        }
    });
    f.run([&]() -> task<void> {
        exchange_result const first = co_await f.get();
        REQUIRE(first.has_value());
        http_request late(lane::poll, http_method::get, "ingest/1");
        late.deadline = clock::now() - 1ms;
        exchange_result const never = co_await f.transport->send(std::move(late));
        REQUIRE(never.has_error());
        CHECK(never.error().code == errc::deadline_exceeded);
        CHECK(never.error().sent == bytes_sent::none);
        co_await turns(20);
        CHECK(requests == 1);
        exchange_result const next = co_await f.get();
        CHECK(next.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: 413 during an upload, then close -> seen as 413, every time")
{
    int const rounds = 40;
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        co_await p.write(answer("too large", "Connection: close\r\n", "413 Content Too Large"));
    });
    f.run([&]() -> task<void> {
        for (int i = 0; i < rounds; ++i) {
            test_body body(big_body);
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_value());
            CHECK(r->status == 413);
            CHECK(r->body == "too large");
        }
    });
    CHECK(f.server.accepted() == rounds);
}

TEST_CASE("http_transport: 413 during an upload that the server stops reading -> seen at once, connection "
          "not reused")
{
    bool answered = false;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        co_await p.write("HTTP/1.1 100 Continue\r\n\r\n");
        co_await p.write(answer("too large", {}, "413 Content Too Large"));
        auto const seen = [&answered] { return answered; };
        co_await until(seen);
        co_await p.until_closed();
    });
    f.run([&]() -> task<void> {
        test_body body(std::string(50'000'000, 'x'));
        exchange_result const r = co_await f.post(body);
        REQUIRE(r.has_value());
        CHECK(r->status == 413);
        answered = true;
        co_await f.async_closed(1);
    });
}

TEST_CASE("http_transport: an interim answer during an upload -> the upload goes on")
{
    std::string seen;
    http_fixture f([&](scripted_peer& p) -> task<void> {
        std::string head = co_await p.read_head();
        co_await p.write("HTTP/1.1 102 Processing\r\n\r\n");
        std::size_t const length = big_body.size();
        for (char const* hint = "HTTP/1.1 103 Early Hints\r\n\r\n"; seen.size() < length && !p.ended();
             hint = "") {
            seen += co_await p.read_available();
            co_await p.write(hint);
        }
        co_await p.write(answer());
        co_await p.until_closed();
    });
    test_body body(big_body);
    exchange_result const r = f.run_post(body);
    REQUIRE(r.has_value());
    CHECK(r->status == 200);
    CHECK((seen == big_body));
}

TEST_CASE(
    "http_transport: the connection breaks during an upload without an answer -> some was sent, not repeated")
{
    for (bool const by_reset : {false, true}) {
        CAPTURE(by_reset);
        http_fixture f([&](scripted_peer& p) -> task<void> {
            co_await p.read_head();
            if (by_reset) p.reset();
        });
        test_body body(std::string(50'000'000, 'x'));
        exchange_result const r = f.run_post(body);
        REQUIRE(r.has_error());
        CHECK((r.error().code == errc::write_failed || r.error().code == errc::connection_closed));
        CHECK(r.error().sent == bytes_sent::some);
        CHECK(r.error().where == phase::write);
        CHECK(body.rewinds == 0);
        CHECK(f.server.accepted() == 1);
    }
}

TEST_CASE("http_transport: the deadline passes while a POST is under way -> it is carried through")
{
    for (std::size_t const size : {std::size_t(100), std::size_t(20'000'000)}) {
        CAPTURE(size);
        clock::time_point const deadline = clock::now() + 200ms;
        http_fixture f([&](scripted_peer& p) -> task<void> {
            std::string const head = co_await p.read_head();
            auto const over = [&] { return clock::now() > deadline; };
            co_await until(over);
            std::size_t seen = 0;
            while (seen < size && !p.ended()) {
                std::string const piece = co_await p.read_available();
                seen += piece.size();
            }
            co_await p.write(answer());
            co_await p.until_closed();
        });
        f.run([&]() -> task<void> {
            test_body body(std::string(size, 'x'));
            http_request request(lane::submit, http_method::post, "ingest");
            request.body = &body;
            request.deadline = deadline;
            exchange_result const r = co_await f.transport->send(std::move(request));
            REQUIRE(r.has_value());
            CHECK(r->sent == bytes_sent::all);
        });
    }
}

TEST_CASE("http_transport: an answer before the body was sent -> says how much was sent")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_head();
        co_await p.write(answer("", {}, "502 Bad Gateway"));
        co_await p.until_closed();
    });
    test_body body(std::string(50'000'000, 'x'));
    exchange_result const r = f.run_post(body);
    REQUIRE(r.has_value());
    CHECK(r->sent == bytes_sent::some);
}

TEST_CASE("http_transport: an exchange -> says when its first byte was sent; one that sent none says nothing")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        clock::time_point const before = clock::now();
        test_body body(big_body);
        exchange_result const whole = co_await f.post(body);
        REQUIRE(whole.has_value());
        CHECK(whole->sent_at >= before);
        CHECK(whole->sent_at <= clock::now());

        test_body broken(big_body);
        broken.fail_at = 0;
        broken.failure = make_error_code(errc::unreadable_file);
        exchange_result const none = co_await f.post(broken);
        REQUIRE(none.has_error());
        CHECK_FALSE(is_known(none.error().sent_at));

        test_body cut(big_body);
        cut.fail_at = 1'000'000;
        cut.failure = make_error_code(errc::unreadable_file);
        exchange_result const some = co_await f.post(cut);
        REQUIRE(some.has_error());
        CHECK(some.error().sent == bytes_sent::some);
        CHECK(some.error().sent_at > whole->sent_at);
    });
}

TEST_CASE("http_transport: the answer to a POST -> waited for as long as the option and the body's size say")
{
    http_fixture f([](scripted_peer& p) -> task<void> {
        co_await p.read_request();
        co_await p.until_closed();
    });
    f.options.timeouts.submit = 20ms;
    test_body body("document");
    exchange_result const r = f.run_post(body);
    REQUIRE(r.has_error());
    CHECK(r.error().code == errc::first_byte_timeout);
    CHECK(r.error().sent == bytes_sent::all);
}

TEST_CASE("http_transport: the body fails before a byte went out -> its error, nothing sent, connection kept")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        test_body body(big_body);
        body.fail_at = 0;
        body.failure = make_error_code(errc::unreadable_file);
        exchange_result const r = co_await f.post(body);
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::unreadable_file);
        CHECK(r.error().sent == bytes_sent::none);
        exchange_result const next = co_await f.get();
        CHECK(next.has_value());
    });
    CHECK(f.server.accepted() == 1);
}

TEST_CASE("http_transport: the body changes or fails on the way -> its error, some sent, connection closed")
{
    for (errc const code : {errc::file_changed, errc::unreadable_file}) {
        http_fixture f(always(answer()));
        f.run([&]() -> task<void> {
            test_body body(big_body);
            body.fail_at = 1'000'000;
            body.failure = make_error_code(code);
            exchange_result const r = co_await f.post(body);
            REQUIRE(r.has_error());
            CHECK(r.error().code == code);
            CHECK(r.error().sent == bytes_sent::some);
            co_await f.async_closed(1);
        });
    }
}

TEST_CASE("http_transport: a body that ends before its size -> file_changed")
{
    class short_body final : public body_source
    {
    public:
        std::uint64_t size() const noexcept override { return 100; }
        std::size_t read(std::span<char>, error_code& ec) override { return ec = {}, 0; }
        void rewind() override {}
    };
    http_fixture f(always(answer()));
    short_body body;
    CHECK(failure_of(f.run_post(body)).code == errc::file_changed);
}

TEST_CASE("http_transport: a target or content type that would break the head -> invalid_argument, nothing "
          "connected")
{
    http_fixture f(always(answer()));
    f.run([&]() -> task<void> {
        for (char const* target : {"ingest/a b", "ingest/a\r\nX: y", "ingest/\xC3\xA9"}) {
            exchange_result const r = co_await f.get(target);
            REQUIRE(r.has_error());
            CHECK(r.error().code == errc::invalid_argument);
        }
        http_request request(lane::submit, http_method::post, "ingest");
        request.content_type = "text/plain\r\nX: y";
        exchange_result const r = co_await f.transport->send(std::move(request));
        REQUIRE(r.has_error());
        CHECK(r.error().code == errc::invalid_argument);
    });
    CHECK(f.server.accepted() == 0);
}
