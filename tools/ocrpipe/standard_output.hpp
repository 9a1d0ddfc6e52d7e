#ifndef OCRPIPE_TOOLS_STANDARD_OUTPUT_HPP
#define OCRPIPE_TOOLS_STANDARD_OUTPUT_HPP

#include <ocrpipe/core/error.hpp>

#include "exit_code.hpp"
#include "logger.hpp"

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Writes all of `bytes` to standard output.
///
/// Errors: a system error. A reader that has gone away (`| head`) is not an error.
error_code write_standard_output(std::string_view bytes);

/// Writes data to standard output, or atomically to a file with mode 0600; `output` is a path or "-".
///
/// A write error is reported, with `what` naming the data, and gives exit_code::disk_error.
exit_code deliver(std::string_view bytes, std::string const& output, std::string_view what, logger& log);

} // namespace ocrpipe::cli

#endif
