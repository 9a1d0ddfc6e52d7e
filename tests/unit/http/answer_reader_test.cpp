#include <ocrpipe/http/answer_reader.hpp>

#include "support/deflated.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace ocrpipe;
using namespace std::string_literals;
using ocrpipe::detail::answer_limits;
using ocrpipe::detail::answer_reader;

namespace
{

/// What a reader makes of `bytes`, given in pieces of `step` and, if `eof`, followed by the end of the
/// stream.
struct outcome {
    error_code ec;
    bool complete = false;
    bool keep_alive = false;
    http_response response;
    std::chrono::seconds hint{0};
};

outcome read(std::string_view bytes, std::size_t step, bool eof = false, answer_limits const& limits = {})
{
    answer_reader reader;
    reader.start(limits);
    outcome o;
    while (!bytes.empty() && !o.ec) {
        std::string const piece(
            bytes.substr(0, step)); // a copy, so that a sanitizer sees who keeps a pointer
        reader.put(piece, o.ec);
        bytes.remove_prefix(piece.size());
    }
    if (eof && !o.ec) reader.put_eof(o.ec);
    o.complete = reader.complete();
    o.keep_alive = reader.keep_alive();
    o.hint = reader.keep_alive_hint();
    o.response = std::move(reader.response());
    return o;
}

constexpr std::array<std::size_t, 4> steps{1, 2, 17, 1 << 20};

std::string with_body(std::string const& head, std::string const& body)
{
    return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

TEST_CASE(
    "answer_reader: Content-Length, however the bytes are cut -> body and the fields that somebody reads")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        outcome const o = read(
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nDate: D\r\nRetry-After: 7\r\n"
            "Location: /x\r\nX-Other: y\r\nKeep-Alive: max=9, timeout=5\r\nContent-Length: 4\r\n\r\nbody",
            step);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK(o.keep_alive);
        CHECK(o.hint == std::chrono::seconds(5));
        CHECK(o.response.status == 201);
        CHECK(o.response.content_type == "application/json");
        CHECK(o.response.date == "D");
        CHECK(o.response.retry_after == "7");
        CHECK(o.response.location == "/x");
        CHECK(o.response.body == "body");
    }
}

TEST_CASE("answer_reader: chunked with extensions and trailers -> body, and trailers change nothing")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        outcome const o = read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nRetry-After: 1\r\n\r\n"
                               "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nRetry-After: 99\r\nX: y\r\n\r\n",
                               step);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK(o.keep_alive);
        CHECK(o.response.body == "hello world");
        CHECK(o.response.retry_after == "1");
    }
}

TEST_CASE("answer_reader: an empty chunked body, however the bytes are cut -> complete")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", step).complete);
        CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n000;a=b\r\nX: y\r\n\r\n", step)
                  .complete);
    }
}

TEST_CASE("answer_reader: no length -> the end of the stream ends the body, and the connection")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        outcome const o = read("HTTP/1.1 200 OK\r\n\r\nuntil the end", step, true);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK_FALSE(o.keep_alive);
        CHECK(o.response.body == "until the end");
    }
    CHECK_FALSE(read("HTTP/1.1 200 OK\r\n\r\nuntil the end", 5).complete);
}

TEST_CASE("answer_reader: answers without a body -> complete at the header")
{
    for (char const* status : {"204 No Content\r\n", "304 Not Modified\r\nContent-Length: 10\r\n"}) {
        outcome const o = read("HTTP/1.1 "s + status + "\r\n", 3);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK(o.keep_alive);
    }
}

TEST_CASE("answer_reader: interim answers -> skipped, and their fields forgotten")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        outcome const o =
            read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLocation: /hint\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                 step);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK(o.response.status == 200);
        CHECK(o.response.location.empty());
        CHECK(o.response.body == "ok");
    }
}

TEST_CASE("answer_reader: between an interim and the final answer -> started but not reading")
{
    answer_reader reader;
    error_code ec;
    CHECK_FALSE(reader.started());
    reader.put("HTTP/1.1 100 Continue\r\n\r\n", ec);
    CHECK(reader.started());
    CHECK_FALSE(reader.reading());
    CHECK_FALSE(reader.has_header());
    reader.put("H", ec);
    CHECK(reader.reading());
    CHECK_FALSE(reader.has_header());
    reader.put("TTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", ec);
    CHECK(reader.has_header());
    CHECK_FALSE(reader.complete());
}

TEST_CASE("answer_reader: endless interim answers, or 101 -> malformed_answer")
{
    std::string many;
    for (int i = 0; i < 200; ++i)
        many += "HTTP/1.1 102 Processing\r\n\r\n";
    CHECK(read(many, 1000).ec == errc::malformed_answer);
    CHECK(read("HTTP/1.1 101 Switching Protocols\r\n\r\n", 1000).ec == errc::malformed_answer);
}

TEST_CASE("answer_reader: framing that contradicts itself -> malformed_answer")
{
    for (char const* fields :
         {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", "Content-Length: 2\r\nContent-Length: 3\r\n",
          "Content-Length: 2, 3\r\n", "Content-Length: -1\r\n", "Content-Length: 0x10\r\n",
          "Content-Length: \r\n", "Content-Length: 99999999999999999999999\r\n"}) {
        for (std::size_t const step : steps) {
            CAPTURE(fields);
            CAPTURE(step);
            CHECK(read("HTTP/1.1 200 OK\r\n"s + fields + "\r\nok\r\n", step).ec == errc::malformed_answer);
        }
    }
}

TEST_CASE("answer_reader: what is no HTTP/1.x -> malformed_answer")
{
    for (char const* bytes :
         {"HTTP/ 200 OK\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "<html>\r\n\r\n",
          "\x15\x03\x01\x01\x02\x02\x50\x50", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 ok\r\n\r\n"}) {
        CAPTURE(bytes);
        CHECK(read(bytes, 100, true).ec == errc::malformed_answer);
    }
    CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 100).ec ==
          errc::malformed_answer);
}

TEST_CASE("answer_reader: the end of the stream where it must not be -> truncated_answer, before anything "
          "connection_closed")
{
    CHECK(read("", 1, true).ec == errc::connection_closed);
    CHECK(read("HTTP/1.1 100 Continue\r\n\r\n", 100, true).ec == errc::connection_closed);
    for (char const* bytes : {"H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n1234",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r",
                              "HTTP/1.1 100 Continue\r\n\r\nHTT"}) {
        for (std::size_t const step : steps) {
            CAPTURE(bytes);
            CAPTURE(step);
            outcome const o = read(bytes, step, true);
            CHECK(o.ec == errc::truncated_answer);
            CHECK_FALSE(o.complete);
        }
    }
}

TEST_CASE("answer_reader: Connection: close, or HTTP/1.0 -> complete and not kept alive")
{
    CHECK_FALSE(read(with_body("HTTP/1.1 200 OK\r\nConnection: close\r\n", "ok"), 9).keep_alive);
    CHECK_FALSE(read(with_body("HTTP/1.0 200 OK\r\n", "ok"), 9).keep_alive);
    CHECK(read(with_body("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", "ok"), 9).keep_alive);
}

TEST_CASE("answer_reader: bytes behind a complete answer -> complete and not kept alive")
{
    for (std::size_t const step : steps) {
        CAPTURE(step);
        outcome const o = read(with_body("HTTP/1.1 200 OK\r\n", "ok") + "HTTP/1.1 200 OK\r\n", step);
        CHECK_FALSE(o.ec);
        CHECK(o.complete);
        CHECK_FALSE(o.keep_alive);
        CHECK(o.response.body == "ok");
    }
}

TEST_CASE("answer_reader: gzip and deflate that nobody asked for -> decoded")
{
    std::string const text(100'000, 'a');
    for (std::size_t const step : {std::size_t{1}, std::size_t{50}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(text, 31)), step)
                  .response.body == text);
        CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: DEFLATE\r\n", deflated(text, 15)), step)
                  .response.body == text);
    }
    CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\n", "ok"), 9).response.body ==
          "ok");
}

TEST_CASE("answer_reader: gzip that stops within its Content-Length -> truncated_answer")
{
    std::string const half = deflated("some text that is not very long", 31).substr(0, 20);
    CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", half), 9).ec ==
          errc::truncated_answer);
}

TEST_CASE("answer_reader: encodings that it cannot undo -> unsupported_encoding")
{
    CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n", "x"), 9).ec ==
          errc::unsupported_encoding);
    CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n", "x"), 9).ec ==
          errc::unsupported_encoding);
    CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: x-own, chunked\r\n\r\n", 9).ec ==
          errc::unsupported_encoding);
}

TEST_CASE("answer_reader: a body over the limit, in every framing -> body_too_large")
{
    answer_limits limits;
    limits.max_body = 1000;
    std::string const big(1001, 'x');
    std::string const fits(1000, 'x');
    for (std::size_t const step : {std::size_t{100}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        CHECK(read("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", step, false, limits).ec ==
              errc::body_too_large);
        CHECK(read("HTTP/1.1 200 OK\r\n\r\n" + big, step, false, limits).ec == errc::body_too_large);
        CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + big, step, false, limits)
                  .ec == errc::body_too_large);
        CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(big, 31)), step, false,
                   limits)
                  .ec == errc::body_too_large);
        CHECK(read(with_body("HTTP/1.1 200 OK\r\n", fits), step, false, limits).complete);
        CHECK(read(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(fits, 31)), step,
                   false, limits)
                  .complete);
    }
}

TEST_CASE("answer_reader: a body over the limit -> the detail names the option and the length, if announced")
{
    answer_limits limits;
    limits.max_body = 1000;
    error_code ec;
    answer_reader r(limits);
    r.put("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", ec);
    CHECK(r.detail() == "it has 1001 bytes, max_answer_bytes is 1000");
    r.start(limits);
    r.put(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(std::string(1001, 'x'), 31)),
          ec);
    CHECK(ec == errc::body_too_large);
    CHECK(r.detail() == "max_answer_bytes is 1000");
    r.start(limits);
    r.put("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", ec);
    CHECK(r.detail() == "max_answer_bytes is 1000");
}

TEST_CASE("answer_reader: headers, trailers and chunk extensions without end -> header_too_large")
{
    answer_limits limits;
    limits.max_header = 2000;
    std::string many = "HTTP/1.1 200 OK\r\n";
    std::string trailers = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    for (int i = 0; i < 1000; ++i) {
        many += "X-" + std::to_string(i) + ": y\r\n";
        trailers += "X-" + std::to_string(i) + ": y\r\n";
    }
    std::string const one = "HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'y');
    std::string const extension =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=" + std::string(5000, 'y');
    std::string const reason = "HTTP/1.1 200 " + std::string(5000, 'y');
    for (std::size_t const step : {std::size_t{1}, std::size_t{100}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        for (std::string const* bytes :
             std::initializer_list<std::string const*>{&many, &one, &trailers, &extension, &reason})
            CHECK(read(*bytes, step, false, limits).ec == errc::header_too_large);
    }
}

TEST_CASE("answer_reader: a header over the limit -> the limit is named")
{
    answer_limits limits;
    limits.max_header = 1000;
    answer_reader r(limits);
    error_code ec;
    r.put("HTTP/1.1 200 OK\r\nX: " + std::string(5000, 'y'), ec);
    CHECK(ec == errc::header_too_large);
    CHECK(r.detail() == "max_header_bytes is 1000");
}

TEST_CASE("answer_reader: a body over its share -> waits, in bounded memory, and is the same after the release")
{
    std::string body; // compresses to a third
    for (int i = 0; body.size() < 300'000; ++i)
        body += std::to_string(i * 7919) + ' ';
    body.resize(300'000);
    std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i != 300; ++i)
        chunked += "3e8\r\n" + body.substr(static_cast<std::size_t>(i) * 1000, 1000) + "\r\n";
    chunked += "0\r\n\r\n";
    struct row {
        char const* name;
        std::string bytes;
        bool until_close = false;
    };
    for (row const& r : std::vector<row>{
             {"length", with_body("HTTP/1.1 200 OK\r\n", body)},
             {"chunked", chunked},
             {"gzip", with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(body, 31))},
             {"until the end", "HTTP/1.1 200 OK\r\n\r\n" + body, true}}) {
        CAPTURE(std::string(r.name));
        for (std::size_t const step : {std::size_t{100}, std::size_t{20'000}}) {
            CAPTURE(step);
            answer_limits limits;
            limits.share = 50'000;
            answer_reader reader(limits);
            error_code ec;
            std::size_t at = 0;
            for (; at < r.bytes.size() && !reader.waits(); at += step)
                reader.put(std::string_view(r.bytes).substr(at, step), ec);
            CHECK_FALSE(ec);
            CHECK(reader.waits());
            CHECK_FALSE(reader.complete());
            CHECK(reader.response().body.size() < 50'000 + step + 10'000);
            reader.release(ec);
            CHECK_FALSE(ec);
            CHECK_FALSE(reader.waits());
            for (; at < r.bytes.size(); at += step)
                reader.put(std::string_view(r.bytes).substr(at, step), ec);
            if (r.until_close && !reader.complete()) reader.put_eof(ec);
            CHECK_FALSE(ec);
            CHECK(reader.complete());
            CHECK(reader.response().body == body);
            CHECK_FALSE(reader.surplus());
        }
    }
}

TEST_CASE("answer_reader: the stream ends while the reader waits -> the answer is complete after the release")
{
    answer_limits limits;
    limits.share = 10;
    answer_reader reader(limits);
    error_code ec;
    reader.put("HTTP/1.1 200 OK\r\n\r\n0123456789", ec);
    reader.put("abc", ec);
    reader.put_eof(ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(reader.complete());
    reader.release(ec);
    CHECK_FALSE(ec);
    CHECK(reader.complete());
    CHECK(reader.response().body == "0123456789abc");
    reader.start(limits);
    reader.put("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789", ec);
    reader.put_eof(ec);
    reader.release(ec);
    CHECK(ec == errc::truncated_answer);
}

TEST_CASE("answer_reader: a gzip bomb over its share in one piece -> a bounded part is decoded before the release")
{
    answer_limits limits;
    limits.share = 50'000;
    answer_reader reader(limits);
    error_code ec;
    reader.put(with_body("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", deflated(std::string(20'000'000, 'x'), 31)), ec);
    CHECK_FALSE(ec);
    CHECK(reader.waits());
    CHECK(reader.response().body.size() < 1'200'000);
    reader.release(ec);
    CHECK_FALSE(ec);
    CHECK(reader.response().body.size() == 20'000'000);
}

TEST_CASE("answer_reader: a header within the limit and a body far over it in one piece -> complete")
{
    answer_limits limits;
    limits.max_header = 1024;
    outcome const o =
        read(with_body("HTTP/1.1 200 OK\r\n", std::string(50'000, 'x')), 1 << 20, false, limits);
    CHECK_FALSE(o.ec);
    CHECK(o.complete);
}

TEST_CASE("answer_reader: the answer to CONNECT -> complete at the header, and what follows is surplus")
{
    answer_limits limits;
    limits.to_connect = true;
    answer_reader reader;
    reader.start(limits);
    error_code ec;
    reader.put("HTTP/1.1 200 Connection established\r\nTransfer-Encoding: chunked\r\n\r\n", ec);
    CHECK_FALSE(ec);
    CHECK(reader.complete());
    CHECK_FALSE(reader.surplus());
    reader.put("x", ec);
    CHECK(reader.surplus());
}

TEST_CASE("answer_reader: started again after an answer or an error -> nothing of it is left")
{
    answer_reader reader;
    error_code ec;
    reader.put("HTTP/1.1 200 OK\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 5\r\n\r\n12", ec);
    reader.start(answer_limits());
    CHECK_FALSE(reader.started());
    reader.put("HTTP/1.1 204 No Content\r\n\r\n", ec);
    CHECK(reader.complete());
    CHECK(reader.keep_alive());
    CHECK(reader.response().retry_after.empty());
    CHECK(reader.response().body.empty());
}
