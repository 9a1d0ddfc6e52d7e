#ifndef OCRPIPE_CORE_IMPL_JSON_TEXT_IPP
#define OCRPIPE_CORE_IMPL_JSON_TEXT_IPP

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/percent.hpp>
#include <ocrpipe/core/utf8.hpp>

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <iterator>

namespace ocrpipe
{
namespace detail
{

inline bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

OCRPIPE_DECL bool is_plain_text(std::string_view text) noexcept
{
    while (!text.empty()) {
        std::size_t const n = utf8_sequence_length(text);
        if (n == 0 || is_control(text.front())) return false;
        text.remove_prefix(n);
    }
    return true;
}

OCRPIPE_DECL void append_json_string(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t plain = 0; // leading bytes of `text` that need no escape
    while (plain != text.size()) {
        std::string_view const rest = text.substr(plain);
        char const c = rest.front();
        std::size_t const n = utf8_sequence_length(rest);
        if (n != 0 && c != '"' && c != '\\' && !is_control(c)) {
            plain += n;
            continue;
        }
        out += text.substr(0, plain);
        if (n == 0)
            out += "\\ufffd";
        else if (c == '"' || c == '\\')
            (out += '\\') += c;
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (c == '\t')
            out += "\\t";
        else
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        text.remove_prefix(plain + 1);
        plain = 0;
    }
    (out += text) += '"';
}

OCRPIPE_DECL void append_json_name(std::string& out, std::string_view key, std::string_view text)
{
    append_json_string(out, key);
    out += ':';
    append_json_string(out, text);
    if (is_plain_text(text)) return;
    append_json_string(out += ',', std::string(key) + "_bytes");
    append_json_string(out += ':', percent_encode_segment(text));
}

OCRPIPE_DECL std::optional<std::string> percent_decoded(std::string_view text)
{
    auto const value = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    };
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        int const high = i + 2 < text.size() ? value(text[i + 1]) : -1;
        int const low = i + 2 < text.size() ? value(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

OCRPIPE_DECL void append_time(std::string& out, std::chrono::system_clock::time_point t)
{
    using namespace std::chrono;
    auto const day = floor<days>(t);
    year_month_day const date(day);
    hh_mm_ss const time(floor<milliseconds>(t - day));
    std::array<char, 64> text; // the clock ends in 2262
    char* const end = fmt::format_to(
        text.data(), FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"), static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
        time.minutes().count(), time.seconds().count(), time.subseconds().count());
    out.append(text.data(), end);
}

OCRPIPE_DECL std::optional<std::chrono::system_clock::time_point> parse_time(std::string const& text)
{
    using namespace std::chrono;
    int y = 0;
    unsigned month = 0, d = 0, h = 0, min = 0, s = 0, ms = 0;
    int read = 0;
    int const fields =
        std::sscanf(text.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u.%3uZ%n", &y, &month, &d, &h, &min, &s, &ms, &read);
    year_month_day const date{year(y), std::chrono::month(month), day(d)};
    if (fields != 7 || static_cast<std::size_t>(read) != text.size() || !date.ok()) return std::nullopt;
    return sys_days(date) + hours(h) + minutes(min) + seconds(s) + milliseconds(ms);
}

OCRPIPE_DECL void append_json_time(std::string& out, std::optional<std::chrono::system_clock::time_point> t)
{
    if (!t) {
        out += "null";
        return;
    }
    out += '"';
    append_time(out, *t);
    out += '"';
}

} // namespace detail
} // namespace ocrpipe

#endif
