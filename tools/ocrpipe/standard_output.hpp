#ifndef OCRPIPE_TOOLS_STANDARD_OUTPUT_HPP
#define OCRPIPE_TOOLS_STANDARD_OUTPUT_HPP

#include "exit_code.hpp"
#include "logger.hpp"

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Writes all of `bytes` to standard output.
///
/// Errors: the system's. A reader that has gone away (`| head`) is none: it has seen what it wanted.
error_code write_standard_output(std::string_view bytes);

/// Writes data to standard output, or atomically and readable by nobody else (0600) to a file; `output` is a
/// path or "-".
///
/// What could not be written is said, with `what` it was, and gives exit_code::disk_error.
exit_code deliver(std::string_view bytes, std::string const& output, std::string_view what, logger& log);

} // namespace ocrpipe::cli

#endif
