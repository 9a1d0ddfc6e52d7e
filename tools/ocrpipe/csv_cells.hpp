#ifndef OCRPIPE_TOOLS_CSV_CELLS_HPP
#define OCRPIPE_TOOLS_CSV_CELLS_HPP

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Whether a spreadsheet would treat the text as a formula: it begins with = @ or a tab or carriage return,
/// or with + or - and is not a plain number; likewise with their full-width forms.
bool is_formula(std::string_view text) noexcept;

/// Appends a cell of a CSV (RFC 4180), quoted where it must be.
///
/// Texts come from untrusted documents: a formula is prefixed with an apostrophe, so that it is displayed
/// instead of evaluated. NUL and bytes that are not UTF-8 become U+FFFD.
void append_csv_cell(std::string& out, std::string_view text);

} // namespace ocrpipe::cli

#endif
