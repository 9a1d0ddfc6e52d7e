#ifndef OCRPIPE_TOOLS_OPTION_NAMES_HPP
#define OCRPIPE_TOOLS_OPTION_NAMES_HPP

#include "option_table.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// What messages call an option: its flag, or the variable that its value comes from. A person who set
/// HTTPS_PROXY a year ago does not look for a flag.
class option_names
{
public:
    option_names() = default;

    /// Every option that a variable decides is called by that.
    option_names(typed_options const& typed, environment const& env);

    /// The value of `option`, such as "proxy", comes from `source`, such as "HTTPS_PROXY".
    void set(std::string_view option, std::string source);

    /// The key has no flag of its own, so that its source is known only once it is chosen.
    void set_key(std::string source) { key_ = std::move(source); }

    /// "--proxy", or "HTTPS_PROXY".
    std::string of(std::string_view option) const;

    /// A problem that names a member of client_options, as validate() reports it, in terms of flags and
    /// variables; another one as it is.
    std::string in_problem(std::string problem) const;

    /// A sentence with the variable in place of each flag whose value comes from one.
    std::string in_sentence(std::string text) const;

private:
    std::map<std::string, std::string, std::less<>> sources_; ///< by flag
    std::string key_ = "api key";
};

} // namespace ocrpipe::cli

#endif
