#ifndef OCRPIPE_TOOLS_COMMAND_DESCRIPTION_HPP
#define OCRPIPE_TOOLS_COMMAND_DESCRIPTION_HPP

#include <string>
#include <vector>

namespace CLI
{
class App;
}

namespace ocrpipe::cli
{

/// An option or a positional argument, as --help shows it.
struct argument_description {
    std::vector<std::string> flags; ///< with dashes, the long one last; empty for a positional argument
    std::string value;              ///< placeholder of the value, or the name of a positional argument
    std::string help;
    std::string group;       ///< its heading in --help
    std::string environment; ///< the variable that sets it, too; may be empty
    bool required = false;
    bool repeated = false;

    bool is_option() const noexcept { return !flags.empty(); }
    bool takes_value() const noexcept { return !value.empty(); }
};

struct command_description {
    std::string name; ///< one or two words; empty for the program itself
    std::string help;
    std::string footer; ///< whole lines: examples, exit codes
    std::vector<argument_description> arguments;
};

/// Reads a parser's declarations. Options that --help hides are left out.
command_description describe(CLI::App const& app);

/// The program, then its commands in the order of --help, the emulator included.
std::vector<command_description> describe_commands();

} // namespace ocrpipe::cli

#endif
