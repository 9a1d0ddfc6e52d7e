#ifndef OCRPIPE_TOOLS_LOAD_ARGUMENTS_HPP
#define OCRPIPE_TOOLS_LOAD_ARGUMENTS_HPP

#include <ocrpipe/core/result.hpp>

#include "option_reader.hpp"
#include "plan.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

/// Reads `0->50/s:2m,50/s:10m`; the arrow may also be →. A ramp needs a unit at its second rate only.
///
/// Errors: errc::invalid_argument; the reason names the stage and the remedy.
result<std::vector<arrival_stage>> parse_stages(std::string_view text);

/// Reads `20k` and `lognormal(20k,0.5)`: median and standard deviation of the logarithm.
std::optional<document_sizes> parse_sizes(std::string_view text);

/// The plan of `ocrpipe load`. Adjusts the client: a load test must not be stopped by the client's own
/// bounds.
load_plan read_load(raw_arguments const& raw, option_reader& read, enum file_type type,
                    client_options& client);

} // namespace ocrpipe::cli

#endif
