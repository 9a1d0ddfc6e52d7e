#ifndef OCRPIPE_TOOLS_OPTION_NAMES_HPP
#define OCRPIPE_TOOLS_OPTION_NAMES_HPP

#include "option_table.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// The name of an option in messages: its flag, or the variable that its value comes from. A user who set
/// HTTPS_PROXY a year ago would not look for a flag.
class option_names
{
public:
    option_names() = default;

    /// Names every option that was set by a variable after that variable.
    option_names(typed_options const& typed, environment const& env);

    /// Records that the value of `option`, such as "proxy", comes from `source`, such as "HTTPS_PROXY".
    void set(std::string_view option, std::string source);

    /// The key has no flag of its own, so its source is known only after it has been chosen.
    void set_key(std::string source) { key_ = std::move(source); }

    /// "--proxy", or "HTTPS_PROXY".
    std::string of(std::string_view option) const;

    /// Rewrites a problem reported by validate(), which names a member of client_options, in terms of flags
    /// and variables; returns any other problem unchanged.
    std::string in_problem(std::string problem) const;

    /// Replaces each flag in a sentence by the variable that its value comes from, if any.
    std::string in_sentence(std::string text) const;

private:
    std::map<std::string, std::string, std::less<>> sources_; ///< by flag
    std::string key_ = "api key";
};

} // namespace ocrpipe::cli

#endif
