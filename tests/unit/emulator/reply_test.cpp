#include "emulator/reply.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe::emulator;
using kind = wire_step::kind;

namespace
{

std::chrono::system_clock::time_point const epoch{};

std::vector<wire_step> plan(delivery how, bool keep_alive = true)
{
    reply r;
    r.body = "{\"data\":{}}";
    r.how = how;
    r.bytes = 3;
    r.ms = std::chrono::milliseconds(160);
    return wire_plan(r, keep_alive, epoch);
}

std::string bytes_of(std::vector<wire_step> const& steps)
{
    std::string out;
    for (auto const& step : steps)
        out += step.bytes;
    return out;
}

} // namespace

TEST_CASE("wire_plan: a plain answer -> one write, the connection stays open")
{
    auto const steps = plan(delivery::plain);
    REQUIRE(steps.size() == 1);
    CHECK(steps[0].bytes ==
          "HTTP/1.1 200 OK\r\nServer: ocrpipe-emulator\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
          "Content-Type: application/json\r\nContent-Length: 11\r\nConnection: keep-alive\r\n\r\n"
          "{\"data\":{}}");
}

TEST_CASE("wire_plan: the client asked to close -> the answer says so and the connection closes")
{
    auto const steps = plan(delivery::plain, false);
    REQUIRE(steps.size() == 2);
    CHECK(steps[0].bytes.find("Connection: close\r\n") != std::string::npos);
    CHECK(steps[1].what == kind::close);
}

TEST_CASE("wire_plan: resets -> nothing or a part, then a reset")
{
    auto const at_once = plan(delivery::reset);
    REQUIRE(at_once.size() == 1);
    CHECK(at_once[0].what == kind::reset);
    auto const mid_body = plan(delivery::reset_mid_body);
    CHECK(bytes_of(mid_body).ends_with("\r\n\r\n{\"d"));
    CHECK(mid_body.back().what == kind::reset);
    CHECK_FALSE(arrives_whole(delivery::reset_mid_body));
}

TEST_CASE("wire_plan: a dripping body -> all of it, with the pauses between the pieces adding up")
{
    auto const steps = plan(delivery::drip);
    CHECK(bytes_of(steps).ends_with("{\"data\":{}}"));
    std::chrono::milliseconds sum{0};
    for (auto const& step : steps)
        sum += step.ms;
    CHECK(sum == std::chrono::milliseconds(110));
    CHECK(steps.size() == 1 + 2 * 11);
}

TEST_CASE("wire_plan: chunks -> their sizes, extensions and trailers are in place")
{
    std::string const bytes = bytes_of(plan(delivery::chunked));
    CHECK(bytes.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(bytes.find("Content-Length") == std::string::npos);
    CHECK(bytes.ends_with(
        "3;part=yes\r\n{\"d\r\n3;part=yes\r\nata\r\n3;part=yes\r\n\":{\r\n2;part=yes\r\n}}\r\n"
        "0\r\nX-Checksum: none\r\nX-Trailer: last\r\n\r\n"));
}

TEST_CASE("wire_plan: 204 -> neither body nor length")
{
    reply r;
    r.status = 204;
    r.body = "ignored";
    auto const steps = wire_plan(r, true, epoch);
    CHECK(steps[0].bytes.find("Content-Length") == std::string::npos);
    CHECK(steps[0].bytes.ends_with("\r\n\r\n"));
}
