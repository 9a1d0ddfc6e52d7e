#ifndef OCRPIPE_BULK_SOURCE_IMPL_CSV_RECORD_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_CSV_RECORD_IPP

#include <ocrpipe/bulk/source/detail/csv_record.hpp>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL std::size_t line_ends_in(std::string_view text) noexcept
{
    std::size_t ends = 0;
    for (std::size_t i = 0; i != text.size(); ++i)
        ends += text[i] == '\n' ? i == 0 || text[i - 1] != '\r' : text[i] == '\r';
    return ends;
}

OCRPIPE_DECL csv_record parse_csv_record(std::string_view text, bool last, std::vector<std::string>& fields,
                                         char separator)
{
    using outcome = csv_record::outcome;
    constexpr csv_record incomplete{outcome::incomplete, 0, nullptr};
    // Returns the outcome for a record that ends at the line end at `at`. After a CR, the next byte is
    // needed.
    auto const ended = [&](outcome what, std::size_t at, char const* reason) {
        if (text[at] == '\n') return csv_record{what, at + 1, reason};
        if (at + 1 == text.size()) return last ? csv_record{what, at + 1, reason} : incomplete;
        return csv_record{what, at + (text[at + 1] == '\n' ? 2u : 1u), reason};
    };
    // Returns the end of the line that contains `from`; reading resumes there after a broken record.
    auto const broken = [&](std::size_t from, char const* reason) {
        std::size_t const end_of_line = text.find_first_of("\r\n", from);
        if (end_of_line != std::string_view::npos) return ended(outcome::broken, end_of_line, reason);
        return last ? csv_record{outcome::broken, text.size(), reason} : incomplete;
    };
    char const ends_of_field[] = {separator, '\r', '\n', '\0'};

    fields.clear();
    std::size_t at = 0;
    for (;;) {
        std::string& field = fields.emplace_back();
        std::size_t const begin = text.find_first_not_of(' ', at);
        if (begin != std::string_view::npos && text[begin] == '"') {
            for (at = begin + 1;; at += 2) {
                std::size_t const quote = text.find('"', at);
                // Skip only the first line of the record, or the rest of the file would be lost.
                if (quote == std::string_view::npos)
                    return last ? broken(0, "a quoted field is not closed") : incomplete;
                field += text.substr(at, quote - at);
                at = quote;
                if (at + 1 == text.size() && !last) return incomplete;
                if (at + 1 == text.size() || text[at + 1] != '"') break;
                field += '"';
            }
            at = std::min(text.find_first_not_of(' ', at + 1), text.size());
            if (at != text.size() && text[at] != separator && text[at] != '\r' && text[at] != '\n')
                return broken(at, "a quoted field is followed by text");
        } else {
            std::size_t const end = text.find_first_of(ends_of_field, at);
            if (end == std::string_view::npos && !last) return incomplete;
            field = text.substr(at, end == std::string_view::npos ? end : end - at);
            at += field.size();
        }
        if (at == text.size()) return last ? csv_record{outcome::complete, at, nullptr} : incomplete;
        if (text[at] != separator) return ended(outcome::complete, at, nullptr);
        ++at;
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
