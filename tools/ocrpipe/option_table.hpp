#ifndef OCRPIPE_TOOLS_OPTION_TABLE_HPP
#define OCRPIPE_TOOLS_OPTION_TABLE_HPP

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// The topic of an option; a command offers whole groups.
enum class option_group { service, messages, document, inputs, patience, bulk, ending, watching };

/// One option that several commands share. Its environment variable is derived from its name.
struct option_spec {
    std::string_view name;          ///< without the leading dashes
    std::string_view value;         ///< placeholder for the value in --help; empty for a switch
    std::string_view default_value; ///< as a user would write it; empty if there is none
    std::string_view help;
    option_group group;
    bool hidden = false;
};

/// Every shared option, in the order of --help.
std::span<option_spec const> shared_options() noexcept;

/// "base-url" -> "OCRPIPE_BASE_URL".
std::string environment_name(std::string_view option);

/// Reads the environment; tests provide their own.
using environment = std::function<std::optional<std::string>(std::string const&)>;

/// The options given on the command line, with their values; "true" for a switch.
using typed_options = std::map<std::string, std::string, std::less<>>;

/// Where an option's value comes from.
enum class origin { flag, environment, default_value };

struct setting {
    std::string value;
    origin from = origin::default_value;
    std::string shown_as; ///< the flag or variable, for messages
};

/// The order of precedence: flag, then environment, then default. There is no configuration file.
///
/// An empty variable counts as unset, an empty flag as set: `--proxy ''` overrides the environment.
setting resolve(option_spec const& spec, typed_options const& typed, environment const& env);
setting resolve(std::string_view option, typed_options const& typed, environment const& env);

} // namespace ocrpipe::cli

#endif
