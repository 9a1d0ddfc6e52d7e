#ifndef OCRPIPE_TOOLS_LIVE_REPORT_HPP
#define OCRPIPE_TOOLS_LIVE_REPORT_HPP

#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// What report.json says about a run that goes on. Members that it does not have are empty.
struct live_report {
    std::string state; ///< "running", "finished" or "stopped"
    std::string updated_at;
    std::string limiting;
    std::optional<double> documents_per_second;
    std::optional<double> seconds_left, low, high; ///< the estimate and its interval
};

/// Reads the text of a report.json; empty members if it is none.
live_report parse_live_report(std::string_view report_json);

/// One line about the process that works on the directory, or about its absence; empty if the last run came
/// to its end and nothing is left to do. `process` names the process, if there is one; `open` says whether
/// documents are unfinished or not sent.
std::string activity_line(live_report const& report, std::optional<std::string> const& process, bool open);

} // namespace ocrpipe::cli

#endif
