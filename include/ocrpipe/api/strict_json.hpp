#ifndef OCRPIPE_API_STRICT_JSON_HPP
#define OCRPIPE_API_STRICT_JSON_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// The position and reason of a JSON syntax error.
struct json_error {
    std::size_t offset = 0; ///< in bytes, including a byte order mark; the text's size if it is truncated
    std::size_t line = 1;   ///< lines end in a line feed
    std::size_t column = 1; ///< in characters
    std::string what;       ///< what is wrong, such as "a comma or ] is missing"
};

/// "line 1, column 5 (byte 4): a comma or ] is missing"
OCRPIPE_DECL std::string to_string(json_error const& e);

/// Finds the error in a text that neither Python nor JavaScript accepts as JSON; nullopt if either accepts
/// it.
///
/// Cost: one pass.
OCRPIPE_DECL std::optional<json_error> find_json_error(std::string_view text);

/// Converts lenient JSON to strict JSON (RFC 8259, UTF-8) with the same value. Returns nullopt if `text` is
/// already strict or is not JSON.
///
/// A byte order mark is removed, UTF-16 and UTF-32 become UTF-8, invalid bytes and unpaired surrogates become
/// U+FFFD, NaN and the infinities become null. Everything else is unchanged: white space, number formatting,
/// escapes, duplicate keys.
///
/// Cost: one pass without allocation if there is nothing to do; otherwise two more passes and a copy. If you
/// have already parsed the text with detail::read_json(), its notes say whether there is anything to do.
OCRPIPE_DECL std::optional<std::string> strict_json(std::string_view text);

/// Converts UTF-16 or UTF-32, with or without a byte order mark, to UTF-8 without a mark. Returns nullopt if
/// `text` is in neither encoding. Unpaired surrogates, values beyond Unicode and a truncated code unit become
/// U+FFFD.
///
/// Cost: examines the first bytes; copies only if there is something to do.
/// Source: RFC 4627, section 3, as implemented by Python's json.detect_encoding().
OCRPIPE_DECL std::optional<std::string> json_in_utf8(std::string_view text);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/strict_json.ipp>
#endif

#endif
