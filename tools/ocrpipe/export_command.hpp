#ifndef OCRPIPE_TOOLS_EXPORT_COMMAND_HPP
#define OCRPIPE_TOOLS_EXPORT_COMMAND_HPP

#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/client/client_options.hpp>

#include "exported_results.hpp"
#include "plan.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

/// Begins a line of exported-text.jsonl or exported-parts.jsonl: whose file it is. The caller ends it.
std::string exported_line(result_line const& line);

/// One row of the table: a document that was found in a file, with what was read of it by column.
struct table_row {
    std::string document; ///< its number in the file, from 1; empty when the result tells of none
    std::string document_id;
    std::string document_type;
    std::string text;                                        ///< what belongs to no named field, a line each
    std::vector<std::pair<std::string, std::string>> fields; ///< by column, in the order of the answer
};

/// The rows of a result. A field that occurs again, and its values, are joined by "; ". Fields whose names
/// are those of a fixed column get "field." in front; one named "text" belongs to the text.
std::vector<table_row> table_rows(result_line const& line, response_profile const& profile);

/// Each of the three forms of export.
exit_code export_text(exported_results& results, client_options const& options, logger& log);
exit_code export_csv(exported_results& results, export_plan const& p, client_options const& options,
                     logger& log);
exit_code export_parts(exported_results& results, export_plan const& p, client_options const& options,
                       logger& log);

/// Says that an output could not be written.
exit_code output_failed(std::string_view path, error_code cause, logger& log);

} // namespace ocrpipe::cli

#endif
