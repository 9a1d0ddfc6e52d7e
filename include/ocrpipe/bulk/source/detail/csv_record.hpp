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

/// What stands at the beginning of a text.
struct csv_record {
    enum class outcome {
        complete,
        incomplete, ///< more text is needed to tell
        broken,     ///< `reason` says why; consumed leads to the line where reading can go on
    };

    outcome what;
    std::size_t consumed; ///< bytes, the end of line included; 0 when incomplete
    char const* reason;   ///< for broken
};

/// Reads one record: quotes doubled within quotes, line breaks within quotes; LF, CRLF or CR after a record.
///
/// `last` says that nothing follows `text`. A quote inside an unquoted field stands for itself; spaces
/// between a field's quotes and the separators are dropped.
/// Source: RFC 4180, 2, and what spreadsheets write.
OCRPIPE_DECL csv_record parse_csv_record(std::string_view text, bool last, std::vector<std::string>& fields,
                                         char separator = ',');

/// How many lines have ended within `text`, of which nothing is missing but what follows it.
OCRPIPE_DECL std::size_t line_ends_in(std::string_view text) noexcept;

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/csv_record.ipp>
#endif

#endif
