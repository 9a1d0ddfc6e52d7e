#ifndef OCRPIPE_BULK_SOURCE_DETAIL_CSV_RECORD_HPP
#define OCRPIPE_BULK_SOURCE_DETAIL_CSV_RECORD_HPP

#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// The outcome of reading a record at the beginning of a text.
struct csv_record {
    enum class outcome {
        complete,
        incomplete, ///< more text is needed
        broken,     ///< `reason` says why; consumed skips to the line where reading can resume
    };

    outcome what;
    std::size_t consumed; ///< bytes, including the line end; 0 if incomplete
    char const* reason;   ///< for broken
};

/// Reads one record. Quoted fields may contain doubled quotes and line breaks; a record ends with LF, CRLF or
/// CR.
///
/// `last`: no more input follows `text`. A quote inside an unquoted field is literal; spaces between a
/// field's quotes and the separators are dropped.
/// Source: RFC 4180, 2, and the output of spreadsheets.
OCRPIPE_DECL csv_record parse_csv_record(std::string_view text, bool last, std::vector<std::string>& fields,
                                         char separator = ',');

/// The number of lines that end within `text`, given that it is complete up to its end.
OCRPIPE_DECL std::size_t line_ends_in(std::string_view text) noexcept;

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/csv_record.ipp>
#endif

#endif
