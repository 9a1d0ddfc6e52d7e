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

/// Valid UTF-8 without control characters: the JSON string says it exactly, and people can read it.
OCRPIPE_DECL bool is_plain_text(std::string_view text) noexcept;

/// `text` as a JSON string with its quotes; each byte that is not valid UTF-8 becomes U+FFFD.
OCRPIPE_DECL void append_json_string(std::string& out, std::string_view text);

/// `"key":"text"`, and for what is not plain text also `"key_bytes":"..."` with its exact bytes,
/// percent-encoded: file names are bytes, and two that differ must stay different.
OCRPIPE_DECL void append_json_name(std::string& out, std::string_view key, std::string_view text);

/// What append_json_name() wrote as `key_bytes`; nothing when a percent sign is not followed by two
/// hexadecimal digits.
OCRPIPE_DECL std::optional<std::string> percent_decoded(std::string_view text);

/// RFC 3339 in UTC with milliseconds.
OCRPIPE_DECL void append_time(std::string& out, std::chrono::system_clock::time_point t);

/// What append_time() wrote; nothing when `text` is something else.
OCRPIPE_DECL std::optional<std::chrono::system_clock::time_point> parse_time(std::string const& text);

/// append_time() as a JSON string; null without a time.
OCRPIPE_DECL void append_json_time(std::string& out, std::optional<std::chrono::system_clock::time_point> t);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/json_text.ipp>
#endif

#endif
