#ifndef OCRPIPE_PACE_IMPL_RETRY_AFTER_IPP
#define OCRPIPE_PACE_IMPL_RETRY_AFTER_IPP

#include <ocrpipe/pace/retry_after.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ocrpipe
{
namespace detail
{

inline std::string_view trim_field_value(std::string_view s) noexcept
{
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t'))
        s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t'))
        s.remove_suffix(1);
    return s;
}

/// Scans the tokens of an HTTP date from the front of a text. After the first mismatch, all later calls fail
/// too.
class http_date_scanner
{
public:
    explicit http_date_scanner(std::string_view text) noexcept : rest_(text) {}

    bool literal(std::string_view word) noexcept
    {
        if (!ok_ || !rest_.starts_with(word)) return ok_ = false;
        rest_.remove_prefix(word.size());
        return true;
    }

    /// Exactly `digits` digits; `padded` allows a leading space instead of a zero, as asctime writes.
    int number(std::size_t digits, bool padded = false) noexcept
    {
        int value = 0;
        ok_ = ok_ && rest_.size() >= digits;
        for (std::size_t i = 0; ok_ && i != digits; ++i) {
            char const c = rest_[i];
            if (padded && i == 0 && c == ' ') continue;
            ok_ = c >= '0' && c <= '9';
            value = value * 10 + (c - '0');
        }
        if (ok_) rest_.remove_prefix(digits);
        return value;
    }

    /// Consumes the word at the front and returns its index.
    template<std::size_t N>
    unsigned one_of(std::array<std::string_view, N> const& words) noexcept
    {
        for (unsigned i = 0; ok_ && i != N; ++i) {
            if (!rest_.starts_with(words[i])) continue;
            rest_.remove_prefix(words[i].size());
            return i;
        }
        ok_ = false;
        return 0;
    }

    std::chrono::month month() noexcept
    {
        static constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        return std::chrono::month(one_of(names) + 1);
    }

    std::chrono::seconds time_of_day() noexcept
    {
        int const h = number(2);
        literal(":");
        int const m = number(2);
        literal(":");
        int const s = number(2);
        ok_ = ok_ && h < 24 && m < 60 && s <= 60; // 60: a leap second
        return std::chrono::hours(h) + std::chrono::minutes(m) + std::chrono::seconds(s);
    }

    std::size_t left() const noexcept { return rest_.size(); }
    char front() const noexcept { return rest_.empty() ? '\0' : rest_.front(); }
    bool complete() const noexcept { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

inline std::optional<std::chrono::sys_seconds> http_date_of(bool complete, std::chrono::year_month_day day,
                                                            std::chrono::seconds time) noexcept
{
    if (!complete || !day.ok()) return std::nullopt;
    return std::chrono::sys_days(day) + time;
}

} // namespace detail

OCRPIPE_DECL std::optional<std::chrono::sys_seconds>
parse_http_date(std::string_view text, std::chrono::sys_seconds reference) noexcept
{
    using namespace std::chrono;
    static constexpr std::array<std::string_view, 7> short_days{"Mon", "Tue", "Wed", "Thu",
                                                                "Fri", "Sat", "Sun"};
    static constexpr std::array<std::string_view, 7> rest_of_days{"day", "sday",  "nesday", "rsday",
                                                                  "day", "urday", "day"};

    detail::http_date_scanner s(detail::trim_field_value(text));
    unsigned const weekday = s.one_of(short_days);
    if (s.front() == ',') { // Sun, 06 Nov 1994 08:49:37 GMT
        s.literal(", ");
        auto const d = static_cast<unsigned>(s.number(2));
        s.literal(" ");
        month const m = s.month();
        s.literal(" ");
        year const y(s.number(4));
        s.literal(" ");
        seconds const time = s.time_of_day();
        s.literal(" GMT");
        return detail::http_date_of(s.complete(), y / m / day(d), time);
    }
    if (s.front() == ' ') { // Sun Nov  6 08:49:37 1994
        s.literal(" ");
        month const m = s.month();
        s.literal(" ");
        auto const d = static_cast<unsigned>(s.number(2, true));
        s.literal(" ");
        seconds const time = s.time_of_day();
        s.literal(" ");
        year const y(s.number(4));
        return detail::http_date_of(s.complete(), y / m / day(d), time);
    }
    // Sunday, 06-Nov-94 08:49:37 GMT
    s.literal(rest_of_days[weekday]);
    s.literal(", ");
    auto const d = static_cast<unsigned>(s.number(2));
    s.literal("-");
    month const m = s.month();
    s.literal("-");
    int const two_digits = s.number(2);
    s.literal(" ");
    seconds const time = s.time_of_day();
    s.literal(" GMT");
    int const newest = static_cast<int>(year_month_day(floor<days>(reference)).year()) + 50;
    int const y = newest - ((newest - two_digits) % 100 + 100) % 100;
    return detail::http_date_of(s.complete(), year(y) / m / day(d), time);
}

OCRPIPE_DECL std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view retry_after,
                                                                        std::string_view date) noexcept
{
    using std::chrono::seconds;
    constexpr seconds limit = std::chrono::duration_cast<seconds>(retry_after_limit);
    std::string_view text = detail::trim_field_value(retry_after);
    bool const negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (!text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        if (negative) return std::chrono::milliseconds::zero();
        std::int64_t value = 0;
        for (char const c : text)
            value = std::min<std::int64_t>(value * 10 + (c - '0'), limit.count());
        return seconds(value);
    }
    if (negative) return std::nullopt;
    auto const sent = parse_http_date(date);
    if (!sent) return std::nullopt;
    auto const until = parse_http_date(text, *sent);
    if (!until) return std::nullopt;
    return std::clamp(*until - *sent, seconds::zero(), limit);
}

} // namespace ocrpipe

#endif
