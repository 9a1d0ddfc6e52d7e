#ifndef OCRPIPE_EMULATOR_MULTIPART_HPP
#define OCRPIPE_EMULATOR_MULTIPART_HPP

#include <ocrpipe/core/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

/// One part of a multipart/form-data body. The content is a view into the body.
struct form_part {
    std::string name;
    /// Decoded: RFC 5987, backslash escapes, and the percent escapes of browsers.
    std::optional<std::string> file_name;
    std::string content_type;
    std::string_view content;
};

/// Takes a whole body apart (RFC 7578, RFC 2046).
///
/// Strict where a client could be wrong: a missing closing delimiter, a part without a name, bare LF line
/// ends are errors.
///
/// Errors: errc::invalid_argument, which says what is wrong.
result<std::vector<form_part>> parse_form(std::string_view content_type, std::string_view body);

} // namespace ocrpipe::emulator

#endif
