#ifndef OCRPIPE_TOOLS_COMMANDS_HPP
#define OCRPIPE_TOOLS_COMMANDS_HPP

#include "exit_code.hpp"
#include "logger.hpp"
#include "plan.hpp"

#include <string>
#include <vector>

namespace ocrpipe::cli
{

/// `ocrpipe run`: the bulk run, with its progress display. Prints the path of report.json.
exit_code carry_out(run_plan const& p, client_options const& options, logger& log);

/// `ocrpipe retry`: the same for documents from the ledger.
exit_code carry_out(retry_plan const& p, client_options const& options, logger& log);

/// `ocrpipe status`: counts from the ledger; works while a run is active.
exit_code carry_out(status_plan const& p, client_options const& options, logger& log);

/// `ocrpipe report`: writes report.json again and prints its path.
exit_code carry_out(report_plan const& p, client_options const& options, logger& log);

/// `ocrpipe support`: collects files for a support request and prints the path of their folder.
exit_code carry_out(support_plan const& p, client_options const& options, logger& log);

/// `ocrpipe export`: creates files from results. Prints the CSV, or the path of the list of the files it
/// made.
exit_code carry_out(export_plan const& p, client_options const& options, logger& log);

/// `ocrpipe submit`: prints the request id.
exit_code carry_out(submit_plan const& p, client_options const& options, logger& log);

/// `ocrpipe recognize`: submits, reports the request id, waits, and prints the text or the JSON.
exit_code carry_out(recognize_plan const& p, client_options const& options, logger& log);

/// `ocrpipe result`: prints the JSON or the text.
exit_code carry_out(result_plan const& p, client_options const& options, logger& log);

/// `ocrpipe explain` and `ocrpipe result --explain`: prints how an answer is interpreted, and why.
exit_code carry_out(explain_plan const& p, client_options const& options, logger& log);

/// `ocrpipe profile`: prints the response profile.
exit_code carry_out(profile_plan const& p, client_options const& options, logger& log);

/// `ocrpipe table`, `signature`, `stamp` and `image`.
exit_code carry_out(part_plan const& p, client_options const& options, logger& log);

/// `ocrpipe load`: the load test, with its progress display. Prints the path of report.json.
exit_code carry_out(load_plan const& p, client_options const& options, logger& log);

/// `ocrpipe load compare`: prints what changed between two load tests.
exit_code carry_out(load_compare_plan const& p, client_options const& options, logger& log);

/// `ocrpipe load merge`: joins the records of several load tests. Prints the path of report.json.
exit_code carry_out(load_merge_plan const& p, client_options const& options, logger& log);

/// `ocrpipe doctor`: takes the whole planning outcome, because its problems are the first check.
exit_code examine(planning const& p, logger& log);

/// Runs the program with the arguments after argv[0] and the environment of the process.
int run_command_line(std::vector<std::string> const& arguments);

} // namespace ocrpipe::cli

#endif
