#include <ocrpipe/core/result.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;

TEST_CASE("errc: every enumerator has a name of its own and a message")
{
    for (int i = 1; i <= static_cast<int>(errc::saturated); ++i) {
        auto const e = static_cast<errc>(i);
        CHECK(name(e) != "unknown");
        CHECK(make_error_code(e).message() != "unknown error");
        CHECK(name(e) != name(static_cast<errc>(i - 1)));
    }
    CHECK(name(static_cast<errc>(9999)) == "unknown");
}

TEST_CASE("is_transport: the network's errors and no others")
{
    CHECK(is_transport(errc::resolve_failed));
    CHECK(is_transport(errc::redirect_refused));
    CHECK_FALSE(is_transport(errc::cancelled));
    CHECK_FALSE(is_transport(errc::unauthorized));
    CHECK_FALSE(
        is_transport(error_code(static_cast<int>(errc::resolve_failed), boost::system::system_category())));
}

TEST_CASE("failure: its line holds the facts and the request id")
{
    failure f;
    f.code = errc::service_error;
    f.where = phase::classify;
    f.http_status = 500;
    f.attempts = 3;
    f.request_id = "r-1";
    f.reason = "3 of 3 attempts used";
    f.excerpt = "oops";
    CHECK(to_string(f) == "the service keeps failing: 3 of 3 attempts used (phase classify, HTTP 500, "
                          "attempts 3, request_id r-1); "
                          "the answer began: oops");
}

TEST_CASE("result: value() of a failure throws an error that keeps the facts")
{
    failure f;
    f.code = errc::job_failed;
    f.request_id = "r-2";
    result<int> const r(f);
    REQUIRE_FALSE(r.has_value());
    try {
        (void)r.value();
        FAIL("value() did not throw");
    } catch (error const& e) {
        CHECK(e.facts().is(errc::job_failed));
        CHECK(e.facts().request_id == "r-2");
        CHECK(std::string(e.what()).find("r-2") != std::string::npos);
    }
}

TEST_CASE("printable_excerpt: control characters and broken UTF-8 are replaced, Vietnamese is kept")
{
    CHECK(printable_excerpt("Hóa đơn\r\n\x1b[31mđỏ\x7f") == "Hóa đơn  ?[31mđỏ?");
    CHECK(printable_excerpt("a\xC3(\xFF") == "a?(?");
    CHECK(printable_excerpt("\xED\xA0\x80") == "???");      // a surrogate
    CHECK(printable_excerpt("\xF4\x90\x80\x80") == "????"); // beyond U+10FFFF
    CHECK(printable_excerpt("a\u009B31m\u2028\u202Eb\u2066") ==
          "a?31m??b?"); // CSI of C1, separators, directions
    CHECK(printable_excerpt("\u00A0\u2013\u20AC") == "\u00A0\u2013\u20AC");
}

TEST_CASE("printable_excerpt: a limit inside a character -> the whole character is left out")
{
    CHECK(printable_excerpt("ađ", 2) == "a");
    CHECK(printable_excerpt("ađ", 3) == "ađ");
    CHECK(printable_excerpt(std::string(2000, 'x')).size() == 512);
}
