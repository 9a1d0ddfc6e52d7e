#ifndef OCRPIPE_API_STRICT_JSON_HPP
#define OCRPIPE_API_STRICT_JSON_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// Where a text stops being JSON.
struct json_error {
    std::size_t offset =
        0; ///< bytes before it, a byte order mark included; the text's size when it ends too early
    std::size_t line = 1;   ///< lines end in a line feed
    std::size_t column = 1; ///< in characters
    std::string what;       ///< is wrong there, such as "a comma or ] is missing"
};

/// "line 1, column 5 (byte 4): a comma or ] is missing"
OCRPIPE_DECL std::string to_string(json_error const& e);

/// What is wrong with a text that neither Python nor JavaScript reads as JSON; nothing when one of them does.
///
/// Cost: one pass.
OCRPIPE_DECL std::optional<json_error> find_json_error(std::string_view text);

/// The same value as JSON that every reader takes (RFC 8259, UTF-8). Nothing when `text` is that already, and
/// when it is no JSON.
///
/// A byte order mark is removed, UTF-16 and UTF-32 become UTF-8, invalid bytes and halves of surrogate pairs
/// become U+FFFD, NaN and the infinities become null. All else stays as it was written: white space, the
/// spelling of numbers, escapes, keys that come twice.
///
/// Cost: one pass and no allocation when there is nothing to do; else two more and a copy. A caller that has
/// read the text with detail::read_json() knows from its notes whether there is anything to do.
OCRPIPE_DECL std::optional<std::string> strict_json(std::string_view text);

/// A text in UTF-16 or UTF-32, with or without a byte order mark, in UTF-8 and without the mark; nothing when
/// `text` is in neither. Halves of surrogate pairs, values beyond Unicode and a unit that is cut become
/// U+FFFD.
///
/// Cost: a look at the first bytes, and a copy when there is something to do.
/// Source: RFC 4627, section 3, as Python's json.detect_encoding() reads it.
OCRPIPE_DECL std::optional<std::string> json_in_utf8(std::string_view text);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/strict_json.ipp>
#endif

#endif
