#include <ocrpipe/http/answer_head.hpp>
#include <ocrpipe/http/answer_reader.hpp>

#include "support/deflated.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

using namespace ocrpipe;
using namespace std::string_literals;
using ocrpipe::detail::answer_limits;
using ocrpipe::detail::answer_reader;

// What curl 7.88 and Python 3.11's http.client made of each answer, on a connection that ended after it or,
// for what waits, stayed open; and what is made of it here.

namespace
{

enum class peer { reads, refuses, waits };
/// kept: read, and the connection is fit for another exchange; closed: read, and it is not.
enum class here { kept, closed, refused };
using enum peer;
using enum here;

struct row {
    std::string bytes;
    peer curl;
    peer python;
    here ours;
    std::string body = "ok";
};

void check(row const& r, std::string const& answer)
{
    for (std::size_t const step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1} << 20}) {
        CAPTURE(r.bytes);
        CAPTURE(step);
        answer_reader reader;
        error_code ec;
        for (std::size_t at = 0; at < answer.size() && !ec; at += step)
            reader.put(std::string(answer.substr(at, step)), ec);
        if (!ec) reader.put_eof(ec);
        CHECK(ec.failed() == (r.ours == refused));
        if (ec) continue;
        CHECK(reader.complete());
        CHECK(reader.keep_alive() == (r.ours == kept));
        CHECK(reader.response().body == r.body);
    }
}

std::string problem_of(std::string const& section)
{
    http_response response;
    std::string problem;
    error_code ec;
    detail::answer_head head;
    detail::read_answer_head(section, false, head, response, problem, ec);
    CHECK(ec == errc::malformed_answer);
    return problem;
}

} // namespace

TEST_CASE("answer_head: a status line in any form -> read where a status of three digits follows HTTP and a "
          "version")
{
    for (row const& r : {
             row{"HTTP/1.1 200", reads, reads, kept},
             row{"HTTP/1.1 200 ", reads, reads, kept},
             row{"HTTP/1.1  200 OK", reads, reads, kept},
             row{"HTTP/1.1\t200\tOK", refuses, reads, kept},
             row{"HTTP/1.0 200 OK", reads, reads, closed},
             row{"http/1.1 200 OK", reads, refuses, kept},
             row{"Http/1.1 200 OK", reads, refuses, kept},
             row{"HTTP/1.2 200 OK", refuses, reads, closed},
             row{"HTTP/1.9 200 OK", refuses, reads, closed},
             row{"HTTP/1.10 200 OK", refuses, reads, closed},
             row{"HTTP/1 200 OK", refuses, refuses, closed},
             row{"HTTP/0.9 200 OK", refuses, reads, closed},
             row{"HTTP/2 200 OK", reads, refuses, closed},
             row{"HTTP/2.0 200 OK", reads, refuses, closed},
             row{"HTTP/3 200 OK", refuses, refuses, closed},
             row{"HTTP/ 200 OK", refuses, refuses, refused},
             row{"HTTP 200 OK", refuses, refuses, refused},
             row{"ICY 200 OK", refuses, refuses, refused},
             row{" HTTP/1.1 200 OK", refuses, reads, closed},
             row{"\r\nHTTP/1.1 200 OK", refuses, refuses, refused},
             row{"\r\n\r\nHTTP/1.1 200 OK", refuses, refuses, refused},
             row{"\nHTTP/1.1 200 OK", refuses, refuses, refused},
             row{"HTTP/1.1 200 \xc3\xa9\xff", reads, reads, kept},
             row{"HTTP/1.1 200 a\x01"
                 "b",
                 reads, reads, kept},
             row{"HTTP/1.1 200 a\0"
                 "b"s,
                 refuses, reads, refused},
             row{"HTTP/1.1 200 a\tb", reads, reads, kept},
             row{"HTTP/1.1 20 OK", refuses, refuses, refused},
             row{"HTTP/1.1 2000 OK", refuses, refuses, refused},
             row{"HTTP/1.1 abc OK", refuses, refuses, refused},
             row{"HTTP/1.1 200OK", reads, refuses, kept},
             row{"HTTP/1.1 099 OK", refuses, refuses, refused},
             row{"HTTP/1.1 600 OK", reads, reads, kept},
             row{"HTTP/1.1 999 OK", reads, reads, kept},
             row{"HTTP/1.1 +200 OK", refuses, reads, refused},
             row{"HTTP/1.1 200 OK ", reads, reads, kept},
             row{"HTTP/1.1 200\tOK", reads, reads, kept},
             row{"HTTP/1.1 200 OK\rX", reads, reads, closed},
             row{"xHTTP/1.1 200 OK", refuses, refuses, refused},
             row{"HTTP/1.1 200 200 OK", reads, reads, kept},
             row{"\xef\xbb\xbfHTTP/1.1 200 OK", refuses, refuses, refused},
             row{"HTTP/1.1 ", refuses, refuses, refused},
             row{"HTTP/1.1", refuses, refuses, refused},
             row{"HTTP/1.1 200.5 OK", reads, refuses, kept},
             row{"HTTPS/1.1 200 OK", refuses, refuses, refused},
             row{"RTSP/1.0 200 OK", refuses, refuses, refused},
         })
        check(r, r.bytes + "\r\nContent-Length: 2\r\n\r\nok");
}

TEST_CASE("answer_head: a field in any form -> read, but for NUL bytes and a second status line")
{
    for (row const& r : {
             row{"X : 1", reads, reads, closed},
             row{"X\t: 1", reads, reads, closed},
             row{"X Y: 1", reads, reads, kept},
             row{": 1", reads, reads, closed},
             row{"NoColon", refuses, reads, closed},
             row{"X:", reads, reads, kept},
             row{"X: ", reads, reads, kept},
             row{"X:\t1", reads, reads, kept},
             row{"X:1", reads, reads, kept},
             row{"X: 1\r\n folded", reads, reads, closed},
             row{"X: 1\r\n\tfolded", reads, reads, closed},
             row{"X: \r\n folded", reads, reads, closed},
             row{"X: a\0"
                 "b"s,
                 refuses, reads, refused},
             row{"X: a\x01"
                 "b",
                 reads, reads, kept},
             row{"X: \xc3\xa9", reads, reads, kept},
             row{"X\xc3\xa9: 1", reads, reads, kept},
             row{"X(y): 1", reads, reads, kept},
             row{"X: a\rb", reads, reads, closed},
             row{"X: a\r", reads, reads, closed},
             row{"X\0: 1"s, refuses, reads, refused},
             row{"X/y: 1", reads, reads, kept},
             row{"\"X\": 1", reads, reads, kept},
             row{"X@: 1", reads, reads, kept},
             row{" X: 1", refuses, reads, closed},
             row{"  ", refuses, reads, closed},
             row{" ", refuses, reads, closed},
             row{"X: a\x7f"
                 "b",
                 reads, reads, kept},
             row{"HTTP/1.1 200 OK", refuses, reads, refused},
             row{"\0"s, reads, reads, refused},
             row{"X=1;b=2", refuses, reads, closed},
             row{" folded", refuses, reads, closed},
         })
        check(r, "HTTP/1.1 200 OK\r\n" + r.bytes + "\r\nContent-Length: 2\r\n\r\nok");
}

TEST_CASE("answer_head: lengths and transfer codings -> read where the end of the body is beyond doubt")
{
    std::string const gzip = deflated("ok", 31);
    std::string const in_chunk = "16\r\n" + gzip + "\r\n0\r\n\r\n";
    REQUIRE(gzip.size() == 0x16);
    for (row const& r : {
             row{"Content-Length : 2\r\n\r\nok", waits, waits, closed},
             row{"Content-Length:\r\n 2\r\n\r\nok", refuses, reads, closed},
             row{"Transfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", waits, waits, closed},
             row{"Transfer-Encoding : chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", waits, waits, closed},
             row{"Content-Length: 2\r\n\r\nok", reads, reads, kept},
             row{"Content-Length: 002\r\n\r\nok", reads, reads, kept},
             row{"Content-Length: +2\r\n\r\nok", reads, reads, closed},
             row{"Content-Length:  2 \r\n\r\nok", reads, reads, kept},
             row{"Content-Length: 2\t\r\n\r\nok", reads, reads, kept},
             row{"Content-Length: 2;x\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: 2.0\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: 0x2\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: -1\r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: \r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: 2 2\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: abc\r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: 2, 2\r\n\r\nok", reads, reads, closed},
             row{"Content-Length: 2,2\r\n\r\nok", reads, reads, closed},
             row{"Content-Length: 2,\r\n\r\nok", reads, reads, kept},
             row{"Content-Length: , 2\r\n\r\nok", refuses, reads, closed},
             row{"Content-Length: 2, 3\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: 3, 2\r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: 2a\r\n\r\nok", reads, reads, refused},
             row{"Content-Length: 99999999999999999999\r\n\r\nok", reads, refuses, refused},
             row{"Content-Length: 0\r\n\r\nok", reads, reads, closed, ""},
             row{"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", reads, reads, closed},
             row{"Content-Length: 2\r\nContent-Length: 02\r\n\r\nok", reads, reads, closed},
             row{"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: 3\r\nContent-Length: 2\r\n\r\nok", reads, refuses, refused},
             row{"Content-Length:\r\nContent-Length: 2\r\n\r\nok", refuses, reads, refused},
             row{"Content-Length: 5\r\n\r\nok", refuses, refuses, refused},
             row{"Content-Length: 1\r\n\r\nok", reads, reads, closed, "o"},
             row{"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads,
                 closed},
             row{"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads,
                 closed},
             row{"Transfer-Encoding: chunked\r\nContent-Length: 12\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads,
                 closed},
             row{"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nok", refuses, refuses, refused},
             row{"Transfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"Transfer-Encoding: CHUNKED\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, closed},
             row{"Transfer-Encoding: identity, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, closed},
             row{"Transfer-Encoding: chunked, identity\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, closed},
             row{"Transfer-Encoding:  chunked \r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, kept},
             row{"Transfer-Encoding: chunked;x\r\n\r\n2\r\nok\r\n0\r\n\r\n", refuses, waits, refused},
             row{"Transfer-Encoding: chunked;q=1\r\n\r\n2\r\nok\r\n0\r\n\r\n", refuses, waits, refused},
             row{"Transfer-Encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", refuses, waits, refused},
             row{"Transfer-Encoding: x-foo\r\n\r\n2\r\nok\r\n0\r\n\r\n", refuses, waits, refused},
             row{"Transfer-Encoding: \"chunked\"\r\n\r\n2\r\nok\r\n0\r\n\r\n", refuses, waits, refused},
             row{"Transfer-Encoding: ,chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, closed},
             row{"Transfer-Encoding: chunked,\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, waits, kept},
             row{"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", waits, reads, closed},
             row{"Transfer-Encoding: identity\r\n\r\nok", reads, reads, closed},
             row{"Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nok", waits, reads, closed},
             row{"Transfer-Encoding:\r\n\r\nok", reads, reads, closed},
             row{"Transfer-Encoding: x-foo\r\n\r\nok", refuses, reads, refused},
             row{"Transfer-Encoding: x-foo\r\nContent-Length: 2\r\n\r\nok", refuses, reads, refused},
             row{"Transfer-Encoding: 8bit\r\nContent-Length: 2\r\n\r\nok", refuses, reads, refused},
             row{"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                 reads, reads, closed},
             row{"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                 reads, waits, closed},
             row{"Transfer-Encoding: gzip, chunked\r\n\r\n" + in_chunk, reads, waits, closed},
             row{"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + in_chunk, reads, waits,
                 closed},
             row{"Transfer-Encoding: gzip\r\n\r\n" + gzip, reads, reads, closed},
             row{"Transfer-Encoding: chunked, gzip\r\n\r\n" + in_chunk, refuses, waits, refused},
         })
        check(r, "HTTP/1.1 200 OK\r\n" + r.bytes);
}

TEST_CASE(
    "answer_reader: chunks in any form -> read where each has a hexadecimal size and the last one is there")
{
    for (row const& r : {
             row{"2\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"0A\r\n0123456789\r\n0\r\n\r\n", reads, reads, kept, "0123456789"},
             row{"0a\r\n0123456789\r\n0\r\n\r\n", reads, reads, kept, "0123456789"},
             row{"00002\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"0000000000000000000002\r\nok\r\n0\r\n\r\n", refuses, reads, kept},
             row{" 2\r\nok\r\n0\r\n\r\n", refuses, reads, closed},
             row{"2 \r\nok\r\n0 \r\n\r\n", reads, reads, kept},
             row{"2\t\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"2;a=b\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"2 ; a=\"b;c\"\r\nok\r\n0;x\r\n\r\n", reads, reads, kept},
             row{"2;\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"2;=\r\nok\r\n0\r\n\r\n", reads, reads, kept},
             row{"2 x\r\nok\r\n0\r\n\r\n", reads, refuses, refused},
             row{"0x2\r\nok\r\n0\r\n\r\n", refuses, reads, refused},
             row{"+2\r\nok\r\n0\r\n\r\n", refuses, reads, refused},
             row{"-2\r\nok\r\n0\r\n\r\n", refuses, refuses, refused},
             row{"\r\n2\r\nok\r\n0\r\n\r\n", refuses, refuses, refused},
             row{"fffffffffffffffff\r\nok", refuses, refuses, refused},
             row{"2\nok\n0\n\n", reads, refuses, closed},
             row{"2\r\nok\n0\r\n\r\n", reads, refuses, closed},
             row{"2\nok\r\n0\r\n\r\n", reads, reads, closed},
             row{"2\r\nok0\r\n\r\n", refuses, refuses, refused},
             row{"2\r\nok\r\n0\r\n", refuses, reads, closed},
             row{"2\r\nok\r\n0", refuses, reads, refused},
             row{"2\r\nok\r\n", refuses, refuses, refused},
             row{"2\r\nok", refuses, refuses, refused},
             row{"2\r\no", refuses, refuses, refused},
             row{"2\r\nok\r\n000\r\n\r\n", reads, reads, kept},
             row{"2\r\nok\r\n0\r\nX: y\r\n\r\n", reads, reads, kept},
             row{"2\r\nok\r\n0\r\nNoColon\r\n\r\n", refuses, reads, kept},
             row{"2\r\nok\r\n0\r\nX : y\r\n\r\n", reads, reads, kept},
             row{"2\r\nok\r\n0\r\nX: y\r\n", refuses, reads, closed},
             row{"2\r\nok\r\n0\r\n\n", reads, reads, closed},
             row{"2\r\nok\r\n0\n\n", reads, reads, closed},
             row{"2\r\nok\r\n0\r\n\r\nsurplus", reads, reads, closed},
             row{"2\r\nok\r\n0\r\nX: y\n\n", reads, reads, closed},
             row{"2\r\nokay\r\n0\r\n\r\n", refuses, refuses, refused},
             row{"g\r\n", refuses, refuses, refused},
             row{"2,\r\nok\r\n0\r\n\r\n", reads, refuses, refused},
         })
        check(r, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + r.bytes);
}

TEST_CASE(
    "answer_reader: line ends, answers without a body and interim answers in any form -> read where nothing "
    "was cut")
{
    std::string hints;
    for (int i = 0; i != 60; ++i)
        hints += "HTTP/1.1 102 Processing\r\n\r\n";
    for (row const& r : {
             row{"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\n\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\nContent-Length: 2\n\r\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\rContent-Length: 2\r\rok", refuses, reads, refused},
             row{"HTTP/1.1 200 OK\r\r\nContent-Length: 2\r\r\n\r\r\nok", reads, refuses, closed},
             row{"{\"a\":1}\n", refuses, refuses, refused},
             row{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", refuses, refuses, refused},
             row{"HTTP/1.1 200 OK\r\n", reads, reads, refused},
             row{"HTTP/1.1 200 OK", refuses, reads, refused},
             row{"HTTP/1.1 200 OK\r\n\r\nok", reads, reads, closed},
             row{"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nok", reads, reads, closed},
             row{"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", reads, reads,
                 closed},
             row{"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", reads, reads, closed, ""},
             row{"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", reads, reads, closed, ""},
             row{"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reads, reads,
                 closed, ""},
             row{"HTTP/1.1 204 No Content\r\n\r\n", reads, reads, kept, ""},
             row{"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", reads, reads, kept, ""},
             row{"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", reads, reads, closed, ""},
             row{"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reads, reads,
                 closed, ""},
             row{"HTTP/1.1 304 Not Modified\r\n\r\n", reads, reads, kept, ""},
             row{"HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok", reads, reads, kept},
             row{"HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", reads, reads,
                 kept, ""},
             row{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads,
                 kept},
             row{"HTTP/1.1 100\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads, kept},
             row{"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads,
                 reads, kept},
             row{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads,
                 reads, kept},
             row{"HTTP/1.1 199 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads, kept},
             row{"HTTP/1.1 101 Switching Protocols\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                 waits, reads, refused},
             row{"HTTP/1.1 110 X\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads, kept},
             row{"HTTP/1.1 100 Continue\r\nContent-Length: 2\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
                 "2\r\n\r\nok",
                 reads, reads, kept},
             row{"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads,
                 closed},
             row{"HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, reads,
                 closed},
             row{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok\r\n", reads, reads, closed},
             row{hints + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", reads, refuses, kept},
         })
        check(r, r.bytes);
}

TEST_CASE("answer_reader: a body said to be encoded -> decoded; as it is where it is not, or the word is no "
          "encoding")
{
    std::string const gzip = deflated("ok", 31);
    std::string const zlib = deflated("ok", 15);
    struct coded {
        std::string encoding;
        std::string sent;
        here ours;
    };
    for (auto const& [encoding, sent, ours] : {
             coded{"", "ok", kept},
             coded{"identity", "ok", kept},
             coded{"none", "ok", kept},
             coded{"utf-8", "ok", kept},
             coded{"binary", "ok", kept},
             coded{"GZIP", gzip, kept},
             coded{"x-gzip", gzip, kept},
             coded{"gzip, identity", gzip, kept},
             coded{"identity,gzip", gzip, kept},
             coded{"gzip", "ok", kept},
             coded{"gzip", gzip + std::string(3, '\0'), kept},
             coded{"gzip", gzip + "garbage", kept},
             coded{"Deflate", zlib, kept},
             coded{"deflate", zlib.substr(2, zlib.size() - 6), kept},
             coded{"deflate", zlib + "xx", kept},
             coded{"gzip", gzip.substr(0, gzip.size() - 4), refused},
             coded{"gzip", gzip.substr(0, 5), refused},
             coded{"gzip", gzip.substr(0, gzip.size() - 8) + "12345678", refused},
             coded{"deflate", "ok", refused},
             coded{"br", "ok", refused},
             coded{"zstd", "ok", refused},
             coded{"compress", "ok", refused},
             coded{"gzip, gzip", gzip, refused},
             coded{"gzip, br", gzip, refused},
         }) {
        CAPTURE(encoding);
        check(row{encoding, reads, reads, ours}, "HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding +
                                                     "\r\nContent-Length: " + std::to_string(sent.size()) +
                                                     "\r\n\r\n" + sent);
    }
}

TEST_CASE("answer_head: an encoding of a body that is not there -> no matter")
{
    check(row{"", reads, reads, kept, ""}, "HTTP/1.1 304 Not Modified\r\nContent-Encoding: br\r\n\r\n");
}

TEST_CASE("answer_head: fields in any form -> the values that somebody reads")
{
    http_response response;
    std::string problem;
    error_code ec;
    detail::answer_head head;
    std::string const section = "HTTP/1.1 429\nRETRY-AFTER : 7\ncontent-type:application/json;\n\tcharset=x\n"
                                "Location: /a\rb\n no: field\nNoColon\nKeep-Alive: Timeout=5\n\n";
    CHECK(detail::read_answer_head(section, false, head, response, problem, ec) == section.size());
    REQUIRE_FALSE(ec);
    CHECK(head.status == 429);
    CHECK_FALSE(head.persistent);
    CHECK(head.keep_alive_hint == std::chrono::seconds(5));
    CHECK_FALSE(head.keep_alive_max.has_value());
    CHECK(response.status == 429);
    CHECK(response.retry_after == "7");
    CHECK(response.content_type == "application/json; charset=x");
    CHECK(response.location == "/a b no: field");
}

TEST_CASE("answer_head: what is refused -> said in words")
{
    CHECK(problem_of("HTTP/1.1 OK\r\n\r\n") == "no HTTP status of three digits");
    CHECK(problem_of("HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n") ==
          "a Content-Length that is not a number");
    CHECK(problem_of("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n") ==
          "two values of Content-Length that differ");
    CHECK(problem_of("HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\n\r\n") == "a second status line in the header");
    CHECK(problem_of("HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"s) == "a NUL byte in the header");
}

TEST_CASE("answer_head: a header of nothing but folded lines -> read in time that grows with its size")
{
    std::string section = "HTTP/1.1 200 OK\r\nLocation: /\r\n";
    for (int i = 0; i != 200'000; ++i)
        section += " x\r\n";
    http_response response;
    std::string problem;
    error_code ec;
    detail::answer_head head;
    CHECK(detail::read_answer_head(section, false, head, response, problem, ec) == 0);
    response = http_response();
    CHECK(detail::read_answer_head(section + "\r\nbody", false, head, response, problem, ec) ==
          section.size() + 2);
    CHECK_FALSE(ec);
    CHECK(response.location.size() == 400'001);
}

TEST_CASE("section_size: lines up to an empty one -> its end; searched again from where it was -> the same")
{
    for (std::string const& section : {"a\r\nb\r\n\r\n"s, "a\n\n"s, "a\r\r\n\r\r\n"s, "\r\n"s, "\n"s}) {
        CAPTURE(section);
        CHECK(detail::section_size(section + "rest", 0) == section.size());
        for (std::size_t part = 0; part != section.size(); ++part) {
            CHECK(detail::section_size(section.substr(0, part), 0) == 0);
            CHECK(detail::section_size(section + "rest", part) == section.size());
        }
    }
}
