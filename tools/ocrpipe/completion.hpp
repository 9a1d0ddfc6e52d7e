#ifndef OCRPIPE_TOOLS_COMPLETION_HPP
#define OCRPIPE_TOOLS_COMPLETION_HPP

#include "command_description.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

/// What a shell may offer for an unfinished word.
struct candidate {
    std::string word;
    std::string help; ///< one line; may be empty
};

/// The request ids in a run's directory that begin with `prefix`. Without a directory: those of the runs in
/// the current directory.
using request_ids = std::function<std::vector<std::string>(std::optional<std::string> const& directory,
                                                           std::string_view prefix)>;

/// What may stand for the last of `words`, which are those after `ocrpipe`: a command, an option, or a
/// request id. Nothing where a file or any value is expected.
std::vector<candidate> complete(std::span<command_description const> commands,
                                std::span<std::string const> words, request_ids const& ids);

/// The script that connects a shell to `ocrpipe complete`; nullopt for a shell other than bash and zsh.
std::optional<std::string_view> completion_script(std::string_view shell) noexcept;

} // namespace ocrpipe::cli

#endif
