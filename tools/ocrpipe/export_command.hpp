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

/// Begins a line of exported-text.jsonl or exported-parts.jsonl with the document that the file belongs to.
/// The caller completes it.
std::string exported_line(result_line const& line);

/// One row of the table: a document found in a file, with its values by column.
struct table_row {
    std::string document; ///< number in the file, from 1; empty if the result contains none
    std::string document_id;
    std::string document_type;
    std::string text;                                        ///< text outside named fields, one line each
    std::vector<std::pair<std::string, std::string>> fields; ///< by column, in the order of the answer
};

/// The rows of a result. The values of a repeated field are joined by "; ". A field with the name of a fixed
/// column is prefixed with "field."; a field named "text" is added to the text.
std::vector<table_row> table_rows(result_line const& line, response_profile const& profile);

/// The three forms of export.
exit_code export_text(exported_results& results, client_options const& options, logger& log);
exit_code export_csv(exported_results& results, export_plan const& p, client_options const& options,
                     logger& log);
exit_code export_parts(exported_results& results, export_plan const& p, client_options const& options,
                       logger& log);

/// Reports that an output could not be written.
exit_code output_failed(std::string_view path, error_code cause, logger& log);

} // namespace ocrpipe::cli

#endif
