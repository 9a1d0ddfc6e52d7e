#ifndef OCRPIPE_TOOLS_REPORT_PAGE_HPP
#define OCRPIPE_TOOLS_REPORT_PAGE_HPP

#include <ocrpipe/core/error.hpp>

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// The files of tools/ocrpipe/report/ and the plot library, as they are in the binary.
namespace report_parts
{
extern std::string_view const page, style, chart, script, licence;
/// Hashes in hexadecimal, computed once, when the program is built.
extern std::string_view const style_sha256, chart_sha256, script_sha256;
}

/// Makes report.html from the text of report.json: a single page that loads nothing from anywhere. Its
/// content security policy allows only the scripts and the style that it was made with.
std::string report_page(std::string_view report_json);

/// Writes `folder`/report.html; a reader sees the previous or the complete new file.
///
/// Errors: a system error.
error_code write_report_page(std::string const& folder, std::string_view report_json);

} // namespace ocrpipe::cli

#endif
