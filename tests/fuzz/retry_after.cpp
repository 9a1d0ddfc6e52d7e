// A Retry-After and the Date beside it, a line each: how long we wait is bounded whatever they say, and a
// date that was read means what a formatter of our own writes for it.

#include <ocrpipe/pace/retry_after.hpp>

#include "fuzz_input.hpp"

#include <cstdio>

namespace
{

constexpr char const* short_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr char const* long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
constexpr char const* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct written_date {
    char fixdate[64];
    char rfc850[64];
    char asctime[64];
};

written_date write(std::chrono::sys_seconds t)
{
    using namespace std::chrono;
    sys_days const day = floor<days>(t);
    year_month_day const date(day);
    hh_mm_ss const time(t - day);
    unsigned const weekday = std::chrono::weekday(day).c_encoding();
    unsigned const d = static_cast<unsigned>(date.day());
    char const* const month = months[static_cast<unsigned>(date.month()) - 1];
    int const y = static_cast<int>(date.year());
    int const h = static_cast<int>(time.hours().count());
    int const m = static_cast<int>(time.minutes().count());
    int const s = static_cast<int>(time.seconds().count());
    written_date out;
    std::snprintf(out.fixdate, sizeof out.fixdate, "%s, %02u %s %04d %02d:%02d:%02d GMT", short_days[weekday],
                  d, month, y, h, m, s);
    std::snprintf(out.rfc850, sizeof out.rfc850, "%s, %02u-%s-%02d %02d:%02d:%02d GMT", long_days[weekday], d,
                  month, y % 100, h, m, s);
    std::snprintf(out.asctime, sizeof out.asctime, "%s %s %2u %02d:%02d:%02d %04d", short_days[weekday],
                  month, d, h, m, s, y);
    return out;
}

void check_date(std::string_view text)
{
    using namespace std::chrono;
    auto const t = ocrpipe::parse_http_date(text);
    require(ocrpipe::parse_http_date(std::string("\t ") + std::string(text) + " ") == t,
            "white space around a date changes it");
    if (!t) return;
    constexpr sys_seconds first = sys_days(year(0) / 1 / 1);
    constexpr sys_seconds behind = sys_days(year(10000) / 1 / 1);
    require(*t >= first && *t <= behind, "a date lies in the years 0 to 9999");
    if (*t == behind) return; // the leap second at the end of 9999
    written_date const w = write(*t);
    require(ocrpipe::parse_http_date(w.fixdate) == t,
            "a date that was read is read again from its IMF-fixdate");
    require(ocrpipe::parse_http_date(w.asctime) == t,
            "a date that was read is read again from its asctime form");
    require(ocrpipe::parse_http_date(w.rfc850, *t) == t,
            "a date that was read is read again from its RFC 850 form");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace std::chrono;
    fuzz_input input(data, size);
    std::string_view const retry_after = input.line();
    std::string_view const date = input.line();
    check_date(retry_after);
    check_date(date);

    auto const wait = ocrpipe::parse_retry_after(retry_after, date);
    bool const digits = !retry_after.empty() && std::all_of(retry_after.begin(), retry_after.end(),
                                                            [](char c) { return c >= '0' && c <= '9'; });
    require(wait.has_value() || !digits, "a number of seconds is always understood");
    if (!wait) return 0;
    require(*wait >= milliseconds::zero(), "a wait is not negative");
    require(*wait <= ocrpipe::retry_after_limit, "a wait is bounded");
    if (digits) {
        require(ocrpipe::parse_retry_after(retry_after, {}) == wait, "seconds do not depend on the Date");
    } else if (auto const until = ocrpipe::parse_http_date(retry_after),
               sent = ocrpipe::parse_http_date(date);
               until && sent) {
        auto const expected = std::clamp<seconds>(*until - *sent, seconds::zero(),
                                                  duration_cast<seconds>(ocrpipe::retry_after_limit));
        // A year of two digits is read beside the Date.
        if (retry_after.find('-') == std::string_view::npos)
            require(*wait == expected, "a date is measured against the Date");
    }
    return 0;
}
