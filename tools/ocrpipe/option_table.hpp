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

/// What an option is about; a command offers whole groups.
enum class option_group { service, messages, document, inputs, patience, bulk, ending };

/// One option that several commands share. Its environment variable follows from its name.
struct option_spec {
    std::string_view name;          ///< without the leading dashes
    std::string_view value;         ///< what stands for the value in --help; empty for a switch
    std::string_view default_value; ///< as a user would write it; empty when there is none
    std::string_view help;
    option_group group;
    bool hidden = false;
};

/// Every shared option, in the order of --help.
std::span<option_spec const> shared_options() noexcept;

/// "base-url" -> "OCRPIPE_BASE_URL".
std::string environment_name(std::string_view option);

/// Reads the environment; a test gives its own.
using environment = std::function<std::optional<std::string>(std::string const&)>;

/// What was typed: the value of every option that stood on the command line; "true" for a switch.
using typed_options = std::map<std::string, std::string, std::less<>>;

/// Where an option's value comes from.
enum class origin { flag, environment, default_value };

struct setting {
    std::string value;
    origin from = origin::default_value;
    std::string shown_as; ///< the flag or variable, for messages
};

/// The order of precedence, written once: flag, then environment, then default. There is no configuration
/// file.
///
/// An empty variable counts as not set, an empty flag as given: `--proxy ''` switches off what the
/// environment says.
setting resolve(option_spec const& spec, typed_options const& typed, environment const& env);
setting resolve(std::string_view option, typed_options const& typed, environment const& env);

} // namespace ocrpipe::cli

#endif
