#ifndef OCRPIPE_TOOLS_STANDARD_INPUT_HPP
#define OCRPIPE_TOOLS_STANDARD_INPUT_HPP

#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/result.hpp>

#include <cstddef>
#include <string_view>

namespace ocrpipe::cli
{

/// A document from a pipe is held in memory whole, since it may have to be sent a second time.
inline constexpr std::size_t largest_piped_document = 256 * 1024 * 1024;

/// What messages call a document that came from standard input.
inline constexpr std::string_view standard_input = "standard input";

/// Reads the document of `request` from `descriptor`, to its end. Its name is "stdin" with the extension of
/// the format that its first bytes show; where they show none, of the type that was asked for.
///
/// Errors: errc::unreadable_file when it cannot be read or is larger than `most`, errc::empty_document.
result<submit_request> read_document(int descriptor, submit_request request,
                                     std::size_t most = largest_piped_document);

} // namespace ocrpipe::cli

#endif
