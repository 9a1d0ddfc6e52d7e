#ifndef OCRPIPE_TOOLS_EXIT_CODE_HPP
#define OCRPIPE_TOOLS_EXIT_CODE_HPP

#include <algorithm>
#include <array>

namespace ocrpipe::cli
{

/// Exit code of the process. The numbers are a contract with scripts; scripts should treat an unknown number
/// as failure.
enum class exit_code : int {
    all_done = 0,
    documents_failed = 1,
    usage = 2,
    inputs_unreadable = 3, ///< or empty, or modified too recently
    refused = 4,           ///< credentials or configuration
    stopped_by_limit = 5,
    failure_budget_used_up = 6,
    ledger_in_use = 7,
    disk_error = 8,
    generator_bottleneck = 98, ///< of load: what it measured is about itself
    threshold_missed = 99,     ///< of load
    hung_up = 129,             ///< SIGHUP: the terminal or the session is gone
    interrupted = 130,         ///< SIGINT
    terminated = 143,          ///< SIGTERM
};

/// In order of increasing severity: if several apply, the last one is reported.
///
/// A failed document outranks an unreadable input, since the service took it and work was lost; an incomplete
/// run outranks both; problems that must be fixed before running again come last.
inline constexpr std::array exit_codes_by_gravity{
    exit_code::all_done,
    exit_code::inputs_unreadable,
    exit_code::documents_failed,
    exit_code::stopped_by_limit,
    exit_code::failure_budget_used_up,
    exit_code::threshold_missed,
    exit_code::generator_bottleneck,
    exit_code::hung_up,
    exit_code::interrupted,
    exit_code::terminated,
    exit_code::refused,
    exit_code::ledger_in_use,
    exit_code::disk_error,
    exit_code::usage,
};

/// The more severe of two codes.
constexpr exit_code worst(exit_code a, exit_code b) noexcept
{
    auto const rank = [](exit_code c) {
        return std::find(exit_codes_by_gravity.begin(), exit_codes_by_gravity.end(), c);
    };
    return rank(a) < rank(b) ? b : a;
}

} // namespace ocrpipe::cli

#endif
