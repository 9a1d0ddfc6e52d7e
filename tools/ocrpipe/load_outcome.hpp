#ifndef OCRPIPE_TOOLS_LOAD_OUTCOME_HPP
#define OCRPIPE_TOOLS_LOAD_OUTCOME_HPP

#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/load.hpp>
#include <ocrpipe/measure/report_members.hpp>

#include "plan.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// What one test at given arrivals has shown.
struct load_outcome {
    load_summary summary;
    generator_health generator;
    double sampled_in_flight = 0;
    bool stopped = false;
    std::optional<failure> ended_by; ///< what ended it early; see load_run::ended_by()
    run_report counts;
    run_measurements measured;
    report_facts facts;
};

/// The counts of a test that goes on or has ended.
run_report counts_of(load_run const& run, client_statistics const& traffic,
                     std::chrono::system_clock::time_point started_at);

/// Enters the counts of the summary.
void enter(load_summary const& s, run_report& r);

/// What report_members() needs beside the measurements. `state`: as in report.json.
report_facts report_facts_of(load_plan const& p, client_options const& options,
                             client_statistics const& traffic, run_report const& counts,
                             std::string_view state);

/// What a user can do about failures of a class; empty if there is no advice.
std::string_view remedy_of_class(std::string_view failure_class);

/// The result of a test that has ended. `cpu_share`: of one core, used by the thread of the test.
load_outcome outcome_of(load_run const& run, load_plan const& p, client_options const& options,
                        client_statistics const& traffic, std::chrono::system_clock::time_point started_at,
                        double cpu_share);

/// What the report says beside the summary; without a capacity.
load_facts facts_of(load_plan const& p, load_outcome const& t);

/// Whether a threshold does not hold.
bool misses(load_facts const& f);

/// Writes report.json and report.html.
///
/// Errors: a system error.
error_code write_load_report(std::string const& folder, run_report const& r);

} // namespace ocrpipe::cli

#endif
