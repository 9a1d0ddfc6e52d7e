#ifndef OCRPIPE_MEASURE_REPORT_MEMBERS_HPP
#define OCRPIPE_MEASURE_REPORT_MEMBERS_HPP

#include <ocrpipe/measure/run_measurements.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe
{

/// What a report says beside the measurements.
struct report_facts {
    std::string_view kind = "run";      ///< or "load"
    std::string_view state = "running"; ///< or "finished", "stopped"
    clock::time_point now{};
    std::chrono::system_clock::time_point updated_at{};

    // Documents of all runs in the directory.
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t left = 0;
    bool total_known = false; ///< no more documents will be found
    std::uint64_t in_doubt = 0;
    std::uint64_t accepted_before =
        0; ///< beside those that were measured, such as by earlier steps of a search
    std::uint64_t possible_duplicates = 0;

    std::string_view limiting; ///< what limits the run now

    // Time that requests waited, added up over all of them.
    std::chrono::nanoseconds waited_for_submit_rate{0};
    std::chrono::nanoseconds waited_for_poll_rate{0};
    std::chrono::nanoseconds waited_for_bytes{0};
    std::chrono::nanoseconds waited_for_pause{0};

    std::map<std::string, std::string> configuration; ///< without secrets
    /// What a user can do about failures of a class; empty text if there is no advice. May be empty.
    std::function<std::string_view(std::string_view failure_class)> remedy;
    std::string verdict; ///< if empty, verdict_of() is used
};

/// One or two sentences: how far the run is, its rate, what limits it, and what would help.
OCRPIPE_DECL std::string verdict_of(run_measurements const& m, report_facts const& facts);

/// The members of report.json that docs/report.md describes, from "kind" on, as JSON text without the braces
/// and without a comma at either end.
///
/// Cost: a few milliseconds, and up to 200 kB.
OCRPIPE_DECL std::string report_members(run_measurements const& m, report_facts const& facts);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/measure/impl/report_members.ipp>
#include <ocrpipe/measure/impl/verdict.ipp>
#endif

#endif
