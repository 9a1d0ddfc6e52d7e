#include <ocrpipe/pace/retry_after.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace std::chrono;

namespace
{

constexpr sys_seconds example = sys_days(year(1994) / 11 / 6) + hours(8) + minutes(49) + seconds(37);

} // namespace

TEST_CASE("parse_http_date: the three forms of the standard's example -> the same time")
{
    CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == example);
    CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == example);
    CHECK(parse_http_date("Sun Nov  6 08:49:37 1994") == example);
    CHECK(parse_http_date(" \tSun, 06 Nov 1994 08:49:37 GMT ") == example);
}

TEST_CASE("parse_http_date: every weekday in its long form -> read")
{
    for (std::string const day : {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}) {
        CAPTURE(day);
        CHECK(parse_http_date(day + ", 06-Nov-94 08:49:37 GMT") == example);
    }
}

TEST_CASE("parse_http_date: a two-digit year -> never more than fifty years after the reference")
{
    sys_seconds const reference = sys_days(year(2026) / 5 / 1);
    CHECK(parse_http_date("Friday, 01-May-26 00:00:00 GMT", reference) == sys_days(year(2026) / 5 / 1));
    CHECK(parse_http_date("Friday, 01-May-76 00:00:00 GMT", reference) == sys_days(year(2076) / 5 / 1));
    CHECK(parse_http_date("Friday, 01-May-77 00:00:00 GMT", reference) == sys_days(year(1977) / 5 / 1));
    CHECK(parse_http_date("Friday, 01-May-00 00:00:00 GMT", reference) == sys_days(year(2000) / 5 / 1));
}

TEST_CASE("parse_http_date: a leap second and a leap day -> read; a day that does not exist -> nothing")
{
    CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == sys_days(year(2017) / 1 / 1));
    CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == sys_days(year(2024) / 2 / 29));
    CHECK_FALSE(parse_http_date("Wed, 29 Feb 2023 00:00:00 GMT"));
    CHECK_FALSE(parse_http_date("Sun, 00 Nov 1994 08:49:37 GMT"));
    CHECK_FALSE(parse_http_date("Sun, 06 Nov 1994 24:00:00 GMT"));
    CHECK_FALSE(parse_http_date("Sun, 06 Nov 1994 08:60:00 GMT"));
}

TEST_CASE("parse_http_date: cut off anywhere -> nothing")
{
    for (std::string const text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"})
        for (std::size_t n = 0; n != text.size(); ++n) {
            CAPTURE(text.substr(0, n));
            CHECK_FALSE(parse_http_date(std::string_view(text).substr(0, n)));
        }
}

TEST_CASE("parse_http_date: near misses -> nothing")
{
    for (char const* text : {"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Mox, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT!",
                             "Sun, 06 Nov 1994 -8:49:37 GMT", "Sunmorning, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z", "784111777"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_http_date(text));
    }
}

TEST_CASE("parse_retry_after: seconds -> as milliseconds, whatever the Date is")
{
    CHECK(parse_retry_after("120", "") == milliseconds(120'000));
    CHECK(parse_retry_after(" 7\t", "nonsense") == milliseconds(7'000));
    CHECK(parse_retry_after("0", "") == milliseconds(0));
    CHECK(parse_retry_after("007", "") == milliseconds(7'000));
}

TEST_CASE("parse_retry_after: a date -> the distance to the same answer's Date")
{
    char const* const date = "Sun, 06 Nov 1994 08:49:37 GMT";
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:51:37 GMT", date) == minutes(2));
    CHECK(parse_retry_after("Sunday, 06-Nov-94 08:49:39 GMT", date) == seconds(2));
    CHECK(parse_retry_after("Sun Nov  6 09:49:37 1994", date) == hours(1));
}

TEST_CASE("parse_retry_after: a date without a Date to measure against -> nothing, so that the backoff decides")
{
    CHECK_FALSE(parse_retry_after("Sun, 06 Nov 1994 08:51:37 GMT", ""));
    CHECK_FALSE(parse_retry_after("Sun, 06 Nov 1994 08:51:37 GMT", "today"));
}

TEST_CASE("parse_retry_after: a time already past -> zero")
{
    CHECK(parse_retry_after("-5", "") == milliseconds(0));
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == milliseconds(0));
}

TEST_CASE("parse_retry_after: more than a year -> cut to a year")
{
    CHECK(parse_retry_after("31536001", "") == retry_after_limit);
    CHECK(parse_retry_after(std::string(400, '9'), "") == retry_after_limit);
    CHECK(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == retry_after_limit);
}

TEST_CASE("parse_retry_after: garbage -> nothing")
{
    for (char const* text : {"", " ", "-", "--5", "+5", "1.5", "5s", "0x10", "soon", "1e3", "- 5"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_retry_after(text, "Sun, 06 Nov 1994 08:49:37 GMT"));
    }
}
