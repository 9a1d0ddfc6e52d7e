#ifndef OCRPIPE_EMULATOR_TEXT_HPP
#define OCRPIPE_EMULATOR_TEXT_HPP

#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

using milliseconds = std::chrono::milliseconds;

/// errc::invalid_argument in the phase of preparation.
failure invalid(std::string reason);

std::vector<std::string_view> split(std::string_view text, char separator);

/// Reads a whole text as a number; anything left over is an error.
result<double> parse_number(std::string_view text, double least, double most);

/// Reads a duration such as `250ms`, `2s`, `1.5s`, `2m`; a bare number is milliseconds. At most a day.
result<milliseconds> parse_duration(std::string_view text);

/// Replaces %XX; a percent sign that begins no such triple stays as it is.
std::string percent_decode(std::string_view text);

/// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so that the
/// answer is always JSON.
void append_json(std::string& out, std::string_view text);

/// The time in the form of the Date header (RFC 9110, 5.6.7), whatever the locale.
std::string http_date(std::chrono::system_clock::time_point time);

} // namespace ocrpipe::emulator

#endif
