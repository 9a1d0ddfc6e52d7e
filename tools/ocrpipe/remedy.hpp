#ifndef OCRPIPE_TOOLS_REMEDY_HPP
#define OCRPIPE_TOOLS_REMEDY_HPP

#include <ocrpipe/core/result.hpp>

#include "exit_code.hpp"
#include "logger.hpp"
#include "message.hpp"

#include <string_view>

namespace ocrpipe::cli
{

/// What a person can do about a failure, in terms of this command line; empty when there is nothing to
/// advise.
std::string_view remedy(error_code const& code) noexcept;

/// What a failure of one operation, or the failure that ended a run, makes of the process.
exit_code exit_code_of(failure const& f) noexcept;

/// A failure as a message: `what` names the thing, the remedy is appended, the facts stand in the fields.
message describe(level l, std::string_view event, std::string_view what, failure const& f);

/// Says a failure that ends a command before it began, and returns its exit code.
exit_code refuse(failure const& f, std::string_view what, logger& log);

} // namespace ocrpipe::cli

#endif
