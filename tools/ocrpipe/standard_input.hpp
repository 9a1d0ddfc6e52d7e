#ifndef OCRPIPE_TOOLS_STANDARD_INPUT_HPP
#define OCRPIPE_TOOLS_STANDARD_INPUT_HPP

#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/result.hpp>

#include <cstddef>
#include <string_view>

namespace ocrpipe::cli
{

/// Maximum size of a document from a pipe, in bytes. It is kept in memory, because it may have to be sent
/// again.
inline constexpr std::size_t largest_piped_document = 256 * 1024 * 1024;

/// The name of a document from standard input in messages.
inline constexpr std::string_view standard_input = "standard input";

/// Reads the document of `request` from `descriptor`, to its end. Its name is "stdin" with the extension of
/// the format detected from the first bytes or, if none is detected, of the requested type.
///
/// Errors: errc::unreadable_file if it cannot be read or is larger than `most`, errc::empty_document.
result<submit_request> read_document(int descriptor, submit_request request,
                                     std::size_t most = largest_piped_document);

} // namespace ocrpipe::cli

#endif
