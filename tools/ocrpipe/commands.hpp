#ifndef OCRPIPE_TOOLS_COMMANDS_HPP
#define OCRPIPE_TOOLS_COMMANDS_HPP

#include "exit_code.hpp"
#include "logger.hpp"
#include "plan.hpp"

#include <string>
#include <vector>

namespace ocrpipe::cli
{

/// `ocrpipe run`: the bulk run, with its display. Prints the path of report.json.
exit_code carry_out(run_plan const& p, client_options const& options, logger& log);

/// `ocrpipe retry`: the same over what the ledger knows.
exit_code carry_out(retry_plan const& p, client_options const& options, logger& log);

/// `ocrpipe status`: counts, from a ledger that a run may be working on.
exit_code carry_out(status_plan const& p, client_options const& options, logger& log);

/// `ocrpipe report`: writes report.json again and prints its path.
exit_code carry_out(report_plan const& p, client_options const& options, logger& log);

/// `ocrpipe support`: prints the path of the folder that it fills.
exit_code carry_out(support_plan const& p, client_options const& options, logger& log);

/// `ocrpipe export`: makes files from results. Prints the CSV, or the path of the list of the files it made.
exit_code carry_out(export_plan const& p, client_options const& options, logger& log);

/// `ocrpipe submit`: prints the request id.
exit_code carry_out(submit_plan const& p, client_options const& options, logger& log);

/// `ocrpipe recognize`: submits, says the request id, waits, prints the text or the JSON.
exit_code carry_out(recognize_plan const& p, client_options const& options, logger& log);

/// `ocrpipe result`: prints the JSON or the text.
exit_code carry_out(result_plan const& p, client_options const& options, logger& log);

/// `ocrpipe explain` and `ocrpipe result --explain`: prints how an answer is read, and why.
exit_code carry_out(explain_plan const& p, client_options const& options, logger& log);

/// `ocrpipe profile`: prints the response profile.
exit_code carry_out(profile_plan const& p, client_options const& options, logger& log);

/// `ocrpipe table`, `signature`, `stamp` and `image`.
exit_code carry_out(part_plan const& p, client_options const& options, logger& log);

/// `ocrpipe doctor`: takes the whole planning, since what is wrong with it is the first check.
exit_code examine(planning const& p, logger& log);

/// The program: everything after argv[0], the environment from the process.
int run_command_line(std::vector<std::string> const& arguments);

} // namespace ocrpipe::cli

#endif
