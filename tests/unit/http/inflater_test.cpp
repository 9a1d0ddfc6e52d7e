#include <ocrpipe/http/inflater.hpp>

#include "support/deflated.hpp"

#include <doctest/doctest.h>

using namespace ocrpipe;
using ocrpipe::detail::inflater;

namespace
{

constexpr std::uint64_t no_limit = 1 << 30;

/// Decodes in pieces of `step` bytes.
std::string decode(inflater& i, std::string_view in, std::size_t step, error_code& ec,
                   std::uint64_t limit = no_limit)
{
    std::string out;
    ec = {};
    while (!in.empty() && !ec) {
        std::size_t const n = std::min(step, in.size());
        i.decode(in.substr(0, n), out, limit, ec);
        in.remove_prefix(n);
    }
    return out;
}

std::string text()
{
    std::string t;
    for (int i = 0; i < 5000; ++i)
        t += std::to_string(i * i);
    return t;
}

} // namespace

TEST_CASE("inflater: gzip, zlib and raw deflate, whole or byte by byte -> the text")
{
    for (std::size_t const step : {std::size_t{1}, std::size_t{7}, std::size_t{1 << 20}}) {
        CAPTURE(step);
        error_code ec;
        inflater gzip(inflater::format::gzip);
        CHECK(decode(gzip, deflated(text(), 15 + 16), step, ec) == text());
        CHECK_FALSE(ec);
        CHECK(gzip.finished());
        inflater zlib(inflater::format::deflate);
        CHECK(decode(zlib, deflated(text(), 15), step, ec) == text());
        CHECK(zlib.finished());
        inflater raw(inflater::format::deflate);
        CHECK(decode(raw, deflated(text(), -15), step, ec) == text());
        CHECK(raw.finished());
    }
}

TEST_CASE("inflater: a stream that ends early -> not finished")
{
    error_code ec;
    inflater i(inflater::format::gzip);
    std::string const whole = deflated(text(), 15 + 16);
    decode(i, std::string_view(whole).substr(0, whole.size() - 4), 100, ec);
    CHECK_FALSE(ec);
    CHECK_FALSE(i.finished());
}

TEST_CASE("inflater: nothing at all -> finished, an empty body needs no encoding")
{
    CHECK(inflater(inflater::format::gzip).finished());
    CHECK(inflater(inflater::format::deflate).finished());
}

TEST_CASE("inflater: gzip of several members -> all of them")
{
    error_code ec;
    inflater i(inflater::format::gzip);
    CHECK(decode(i, deflated("first ", 31) + deflated("second", 31), 1, ec) == "first second");
    CHECK_FALSE(ec);
    CHECK(i.finished());
}

TEST_CASE("inflater: bytes that are not compressed -> malformed_answer")
{
    error_code ec;
    inflater plain(inflater::format::gzip);
    decode(plain, "this is no gzip", 100, ec);
    CHECK(ec == errc::malformed_answer);
    inflater second(inflater::format::gzip);
    decode(second, deflated("x", 31) + "\x1F\x8Bno gzip", 100, ec);
    CHECK(ec == errc::malformed_answer);
}

TEST_CASE("inflater: bytes after the end that begin no member -> dropped, however they are cut")
{
    for (std::size_t const step : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
        for (int const kind : {31, 15}) {
            CAPTURE(step);
            CAPTURE(kind);
            error_code ec;
            inflater i(kind == 31 ? inflater::format::gzip : inflater::format::deflate);
            CHECK(decode(i, deflated("x", kind) + std::string("\0\0tail\x1F\x8B", 8), step, ec) == "x");
            CHECK_FALSE(ec);
            CHECK(i.finished());
        }
    }
}

TEST_CASE("inflater: a bomb -> body_too_large with no more held than the limit")
{
    error_code ec;
    inflater i(inflater::format::gzip);
    std::string const bomb = deflated(std::string(50'000'000, 'x'), 31);
    REQUIRE(bomb.size() < 100'000);
    std::string const out = decode(i, bomb, 1000, ec, 1'000'000);
    CHECK(ec == errc::body_too_large);
    CHECK(out.size() <= 1'000'000);
    CHECK(out.capacity() <= 2'100'000);
}

TEST_CASE("inflater: exactly the limit -> decoded")
{
    error_code ec;
    inflater i(inflater::format::gzip);
    CHECK(decode(i, deflated(text(), 31), 1000, ec, text().size()) == text());
    CHECK_FALSE(ec);
}
