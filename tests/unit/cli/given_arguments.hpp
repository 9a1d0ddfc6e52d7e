#ifndef OCRPIPE_TESTS_UNIT_CLI_GIVEN_ARGUMENTS_HPP
#define OCRPIPE_TESTS_UNIT_CLI_GIVEN_ARGUMENTS_HPP

#include "plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{

using variables = std::map<std::string, std::string>;

/// An environment with these variables alone.
inline surroundings with(variables values, bool terminal = false)
{
    return {[values = std::move(values)](std::string const& name) -> std::optional<std::string> {
                auto const found = values.find(name);
                if (found == values.end()) return std::nullopt;
                return found->second;
            },
            terminal};
}

inline variables const account{{"OCRPIPE_API_KEY", "sk-1"}, {"OCRPIPE_PORTAL_USER_ID", "42"}};

/// The arguments of `ocrpipe run INPUTS --out out`.
inline raw_arguments run_of(std::vector<std::string> inputs,
                            typed_options options = {{"doc-type", "invoice"}})
{
    raw_arguments raw;
    raw.command = command::run;
    raw.inputs = std::move(inputs);
    raw.output = "out";
    raw.options = std::move(options);
    return raw;
}

inline bool mentions(std::vector<std::string> const& problems, std::string_view what)
{
    return std::any_of(problems.begin(), problems.end(),
                       [&](std::string const& p) { return p.find(what) != std::string::npos; });
}

} // namespace ocrpipe::cli

#endif
