#ifndef OCRPIPE_EMULATOR_EMULATOR_MAIN_HPP
#define OCRPIPE_EMULATOR_EMULATOR_MAIN_HPP

#include <functional>
#include <string>
#include <vector>

namespace CLI
{
class App;
}

namespace ocrpipe::emulator
{

/// `ocrpipe emulator ARGS...`: serves until SIGINT or SIGTERM. `args` are those behind the subcommand.
///
/// Prints `listening on URL` on standard output once connections are accepted; what went wrong on standard
/// error.
///
/// Returns 0 when it was told to stop, 2 on wrong usage, 4 when a port or file cannot be used.
int emulator_main(std::vector<std::string> const& args);

/// Calls `use` with the parser of the arguments, for manual pages and completion.
void with_emulator_arguments(std::function<void(CLI::App const&)> const& use);

} // namespace ocrpipe::emulator

#endif
