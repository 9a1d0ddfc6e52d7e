#ifndef OCRPIPE_BULK_IMPL_CSV_RECORD_IPP
#define OCRPIPE_BULK_IMPL_CSV_RECORD_IPP

#include <ocrpipe/bulk/detail/csv_record.hpp>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL csv_record parse_csv_record(std::string_view text, bool last, std::vector<std::string>& fields)
{
    using outcome = csv_record::outcome;
    constexpr csv_record incomplete{outcome::incomplete, 0, nullptr};
    // Where the line in which `from` lies has ended; a broken record is left there.
    auto const broken = [&](std::size_t from, char const* reason) {
        std::size_t const end_of_line = text.find('\n', from);
        if (end_of_line != std::string_view::npos)
            return csv_record{outcome::broken, end_of_line + 1, reason};
        return last ? csv_record{outcome::broken, text.size(), reason} : incomplete;
    };

    fields.clear();
    std::size_t at = 0;
    for (;;) {
        std::string& field = fields.emplace_back();
        if (at != text.size() && text[at] == '"') {
            for (++at;; at += 2) {
                std::size_t const quote = text.find('"', at);
                // The rest of the file would be swallowed: only the record's first line is given up.
                if (quote == std::string_view::npos)
                    return last ? broken(0, "a quoted field does not end") : incomplete;
                field += text.substr(at, quote - at);
                at = quote;
                if (at + 1 == text.size() && !last) return incomplete;
                if (at + 1 == text.size() || text[at + 1] != '"') break;
                field += '"';
            }
            ++at;
            if (at != text.size() && text[at] == '\r') {
                if (at + 1 == text.size() && !last) return incomplete;
                if (at + 1 == text.size() || text[at + 1] == '\n') ++at;
            }
            if (at != text.size() && text[at] != ',' && text[at] != '\n')
                return broken(at, "a quoted field is followed by text");
        } else {
            std::size_t const end = text.find_first_of(",\n", at);
            if (end == std::string_view::npos && !last) return incomplete;
            field = text.substr(at, end == std::string_view::npos ? end : end - at);
            at += field.size();
            bool const end_of_record = at == text.size() || text[at] == '\n';
            if (end_of_record && field.ends_with('\r')) field.pop_back();
        }
        if (at == text.size()) return last ? csv_record{outcome::complete, at, nullptr} : incomplete;
        if (text[at++] == '\n') return csv_record{outcome::complete, at, nullptr};
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
