#ifndef OCRPIPE_TOOLS_METRICS_TEXT_HPP
#define OCRPIPE_TOOLS_METRICS_TEXT_HPP

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// The figures of a report.json in the text format of Prometheus, so that both always say the same.
///
/// Names and units follow the conventions of Prometheus. Counters count this run; `ocrpipe_documents` has the
/// documents of all runs in the directory by state. A member that the report does not have is left out.
std::string metrics_text(std::string_view report_json);

} // namespace ocrpipe::cli

#endif
