#ifndef OCRPIPE_CORE_JSON_TEXT_HPP
#define OCRPIPE_CORE_JSON_TEXT_HPP

#include <ocrpipe/core/config.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Whether `text` is valid UTF-8 without control characters, so that a JSON string represents it exactly and
/// readably.
OCRPIPE_DECL bool is_plain_text(std::string_view text) noexcept;

/// `text` as a JSON string with its quotes; each byte that is not valid UTF-8 becomes U+FFFD.
OCRPIPE_DECL void append_json_string(std::string& out, std::string_view text);

/// Appends `"key":"text"`, and if `text` is not plain also `"key_bytes":"..."` with its exact bytes,
/// percent-encoded. File names are arbitrary bytes; two different names must stay distinct.
OCRPIPE_DECL void append_json_name(std::string& out, std::string_view key, std::string_view text);

/// Decodes the `key_bytes` that append_json_name() wrote; nullopt if a percent sign is not followed by two
/// hexadecimal digits.
OCRPIPE_DECL std::optional<std::string> percent_decoded(std::string_view text);

/// Appends `t` as RFC 3339 in UTC with milliseconds.
OCRPIPE_DECL void append_time(std::string& out, std::chrono::system_clock::time_point t);

/// Parses the format of append_time(); nullopt if `text` is anything else.
OCRPIPE_DECL std::optional<std::chrono::system_clock::time_point> parse_time(std::string const& text);

/// Appends the time as a JSON string, or null if there is no time.
OCRPIPE_DECL void append_json_time(std::string& out, std::optional<std::chrono::system_clock::time_point> t);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/json_text.ipp>
#endif

#endif
