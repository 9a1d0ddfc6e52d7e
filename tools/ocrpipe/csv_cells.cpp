#include "csv_cells.hpp"

#include <ocrpipe/core/utf8.hpp>

#include <algorithm>
#include <array>

namespace ocrpipe::cli
{

bool is_formula(std::string_view text) noexcept
{
    static constexpr std::array<std::string_view, 8> always{"=",      "@",      "\t",     "\r",
                                                            "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"};
    if (std::any_of(always.begin(), always.end(), [&](std::string_view a) { return text.starts_with(a); }))
        return true;
    if (!text.starts_with('+') && !text.starts_with('-')) return false;
    // An amount or a telephone number; a second sign would make it a formula.
    return text.find_first_not_of("0123456789., %", 1) != std::string_view::npos;
}

void append_csv_cell(std::string& out, std::string_view text)
{
    bool const quoted = text.find_first_of("\",\r\n") != std::string_view::npos || text.starts_with(' ') ||
                        text.ends_with(' ');
    if (quoted) out += '"';
    if (is_formula(text)) out += '\'';
    while (!text.empty()) {
        std::size_t const n = detail::utf8_sequence_length(text);
        if (n == 0 || text.front() == '\0')
            out += "\uFFFD";
        else if (text.front() == '"')
            out += "\"\"";
        else
            out += text.substr(0, n);
        text.remove_prefix(std::max<std::size_t>(n, 1));
    }
    if (quoted) out += '"';
}

} // namespace ocrpipe::cli
