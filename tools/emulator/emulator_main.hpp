#ifndef OCRPIPE_EMULATOR_EMULATOR_MAIN_HPP
#define OCRPIPE_EMULATOR_EMULATOR_MAIN_HPP

#include <string>
#include <vector>

namespace ocrpipe::emulator
{

/// `ocrpipe emulator ARGS...`: serves until SIGINT or SIGTERM. `args` are those behind the subcommand.
///
/// Prints `listening on URL` on standard output once connections are accepted; what went wrong on standard
/// error.
///
/// Returns 0 when it was told to stop, 2 on wrong usage, 4 when a port or file cannot be used.
int emulator_main(std::vector<std::string> const& args);

} // namespace ocrpipe::emulator

#endif
