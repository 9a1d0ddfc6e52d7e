#ifndef OCRPIPE_TOOLS_CSV_CELLS_HPP
#define OCRPIPE_TOOLS_CSV_CELLS_HPP

#include <string>
#include <string_view>

namespace ocrpipe::cli
{

/// Whether a spreadsheet would calculate with the text instead of showing it: it begins with = @ or a tab or
/// carriage return, or with + or - and is no plain number; likewise with their full-width forms.
bool is_formula(std::string_view text) noexcept;

/// Appends a cell of a CSV (RFC 4180), quoted where it must be.
///
/// Texts come from documents of strangers: a formula gets an apostrophe in front, so that it is shown and not
/// calculated. What is not UTF-8, and NUL, becomes U+FFFD.
void append_csv_cell(std::string& out, std::string_view text);

} // namespace ocrpipe::cli

#endif
