#include <ocrpipe/core/write_all.hpp>

#include "commands.hpp"
#include "credentials.hpp"
#include "emulator/emulator_main.hpp"
#include "raw_arguments.hpp"
#include "remedy.hpp"
#include "self_description.hpp"
#include "standard_output.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <optional>
#include <string>
#include <type_traits>
#include <unistd.h>
#include <utility>
#include <variant>

namespace ocrpipe::cli
{
namespace
{

std::optional<std::string> process_environment(std::string const& name)
{
    char const* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
}

int finish(early_exit const& e)
{
    if (!e.to_stderr) return write_standard_output(e.text) ? static_cast<int>(exit_code::disk_error) : e.code;
    detail::write_all(STDERR_FILENO, e.text);
    return e.code;
}

exit_code carry_out_plan(planning const& p, logger& log)
{
    if (std::holds_alternative<doctor_plan>(p.plan.command)) return examine(p, log);
    for (std::string const& n : p.notes)
        log.write(message(level::debug, "configuration", n));
    for (std::string const& w : p.warnings)
        log.write(message(level::warn, "configuration", w));
    for (std::string const& problem : p.problems)
        log.write(message(level::error, "usage", problem));
    if (!p.problems.empty()) return exit_code::usage;
    return std::visit(
        [&](auto const& command) {
            if constexpr (std::is_same_v<std::decay_t<decltype(command)>, doctor_plan>)
                return exit_code::usage;
            else
                return carry_out(command, p.plan.client, log);
        },
        p.plan.command);
}

} // namespace

int run_command_line(std::vector<std::string> const& arguments)
{
    // Otherwise a file that we open would get the descriptor of a standard stream, and messages would be
    // written to it.
    int fd = 0;
    do
        fd = ::open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) ::close(fd);
    // If the reader of our output goes away, write() fails instead of ending the run.
    std::signal(SIGPIPE, SIG_IGN);
    // Likewise, a file beyond the limit of the process (RLIMIT_FSIZE) is an error of write().
    std::signal(SIGXFSZ, SIG_IGN);
    // Outside a run, SIGUSR1 is ignored.
    std::signal(SIGUSR1, SIG_IGN);
    if (!arguments.empty() && arguments.front() == "emulator")
        return emulator::emulator_main(std::vector<std::string>(arguments.begin() + 1, arguments.end()));
    if (auto const described = describe_itself(arguments)) return static_cast<int>(*described);

    auto const typed = parse_arguments(arguments);
    if (auto const* e = std::get_if<early_exit>(&typed)) return finish(*e);

    planning const p =
        make_plan(std::get<raw_arguments>(typed),
                  {process_environment, ::isatty(STDERR_FILENO) == 1, ::isatty(STDIN_FILENO) == 1});
    logger log(STDERR_FILENO, p.plan.messages);
    log.mask(p.plan.client.secrets());
    try {
        return static_cast<int>(carry_out_plan(p, log));
    } catch (ocrpipe::error const& e) {
        log.write(message(level::error, "failed", e.what()));
        return static_cast<int>(exit_code_of(e.facts()));
    } catch (std::exception const& e) {
        log.write(message(level::error, "failed", fmt::format("unexpected: {}", e.what())));
        return static_cast<int>(exit_code::documents_failed);
    }
}

} // namespace ocrpipe::cli
