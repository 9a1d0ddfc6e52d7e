#ifndef OCRPIPE_TOOLS_SELF_DESCRIPTION_HPP
#define OCRPIPE_TOOLS_SELF_DESCRIPTION_HPP

#include "exit_code.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ocrpipe::cli
{

/// Carries out the commands by which the program describes itself; nullopt for any other command.
///
/// `completion SHELL` prints the script for bash or zsh. Two commands are not for people: `complete WORD...`
/// prints what may stand for the last word, for that script, and `manual DIR` writes every manual page, for
/// the package.
std::optional<exit_code> describe_itself(std::vector<std::string> const& arguments);

} // namespace ocrpipe::cli

#endif
