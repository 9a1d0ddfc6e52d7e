#ifndef OCRPIPE_BULK_DETAIL_CSV_RECORD_HPP
#define OCRPIPE_BULK_DETAIL_CSV_RECORD_HPP

#include <ocrpipe/config.hpp>

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

/// Reads one record of comma-separated values: quotes doubled within quotes, line breaks within quotes, LF or
/// CRLF after a record.
///
/// `last` says that nothing follows `text`. A quote inside an unquoted field stands for itself.
/// Source: RFC 4180, 2.
OCRPIPE_DECL csv_record parse_csv_record(std::string_view text, bool last, std::vector<std::string>& fields);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/csv_record.ipp>
#endif

#endif
