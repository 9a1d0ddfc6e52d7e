#include "emulator/text.hpp"

#include <ocrpipe/core/utf8.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

namespace ocrpipe::emulator
{

failure invalid(std::string reason)
{
    failure f;
    f.code = errc::invalid_argument;
    f.where = phase::prepare;
    f.reason = std::move(reason);
    return f;
}

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    for (;;) {
        auto const at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

result<double> parse_number(std::string_view text, double least, double most)
{
    double value = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (ec != std::errc() || end != text.data() + text.size() || !(value >= least && value <= most))
        return invalid(fmt::format("'{}' is not a number from {} to {}", text, least, most));
    return value;
}

result<milliseconds> parse_duration(std::string_view text)
{
    std::string_view number = text;
    double unit = 1;
    if (number.ends_with("ms")) {
        number.remove_suffix(2);
    } else if (number.ends_with("s")) {
        number.remove_suffix(1);
        unit = 1000;
    } else if (number.ends_with("m")) {
        number.remove_suffix(1);
        unit = 60'000;
    }
    auto const value = parse_number(number, 0, 86'400'000 / unit);
    if (!value)
        return invalid(fmt::format("'{}' is not a duration such as 250ms, 2s or 5m, at most a day", text));
    return milliseconds(std::llround(*value * unit));
}

std::string percent_decode(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        if (text[i] == '%' && i + 2 < text.size()) {
            auto const [end, ec] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
            if (ec == std::errc() && end == text.data() + i + 3) {
                out += static_cast<char>(byte);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

void append_json(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        auto const c = static_cast<unsigned char>(text.front());
        std::size_t const n = detail::utf8_sequence_length(text);
        if (n == 0)
            out += "\uFFFD";
        else if (c == '"' || c == '\\')
            (out += '\\') += static_cast<char>(c);
        else if (c == '\n')
            out += "\\n";
        else if (c < 0x20)
            out += fmt::format("\\u{:04x}", c);
        else
            out.append(text.substr(0, n));
        text.remove_prefix(n == 0 ? 1 : n);
    }
    out += '"';
}

std::string http_date(std::chrono::system_clock::time_point time)
{
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::time_t const seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                       days.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                       months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
}

} // namespace ocrpipe::emulator
