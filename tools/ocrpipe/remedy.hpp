#ifndef OCRPIPE_TOOLS_REMEDY_HPP
#define OCRPIPE_TOOLS_REMEDY_HPP

#include <ocrpipe/bulk/source/input.hpp>
#include <ocrpipe/core/result.hpp>

#include "exit_code.hpp"
#include "logger.hpp"
#include "message.hpp"

#include <string_view>

namespace ocrpipe::cli
{

/// What the user can do about a failure, in terms of this command line; empty if there is no advice.
std::string_view remedy(error_code const& code) noexcept;

/// The exit code for a failure of one operation, or for the failure that ended a run.
exit_code exit_code_of(failure const& f) noexcept;

/// A failure as a message: `what` names the subject, the remedy is appended, and the facts are in the fields.
message describe(level l, std::string_view event, std::string_view what, failure const& f);

/// An input that cannot be read, as a warning.
message describe(input_problem const& p);

/// Reports a failure that prevents a command from starting, and returns its exit code.
exit_code refuse(failure const& f, std::string_view what, logger& log);

} // namespace ocrpipe::cli

#endif
