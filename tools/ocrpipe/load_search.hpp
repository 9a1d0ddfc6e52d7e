#ifndef OCRPIPE_TOOLS_LOAD_SEARCH_HPP
#define OCRPIPE_TOOLS_LOAD_SEARCH_HPP

#include <ocrpipe/load/capacity_search.hpp>

#include "exit_code.hpp"
#include "load_outcome.hpp"
#include "logger.hpp"
#include "plan.hpp"

#include <functional>
#include <optional>

namespace ocrpipe::cli
{

/// Makes the steps of --find-capacity by `run`, as far as --max-documents and --duration allow. Returns the
/// last step, or nothing if none was made.
std::optional<load_outcome>
search_capacity(load_plan const& p,
                std::function<std::optional<load_outcome>(arrival_plan const&)> const& run,
                capacity_search& searched, logger& log);

/// If no rate passed: whether the service is too slow for all of them, or fails.
exit_code exit_code_of(capacity_search const& searched);

} // namespace ocrpipe::cli

#endif
