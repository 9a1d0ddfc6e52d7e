#ifndef OCRPIPE_BULK_LEDGER_DETAIL_LEDGER_CHANGE_HPP
#define OCRPIPE_BULK_LEDGER_DETAIL_LEDGER_CHANGE_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace ocrpipe::detail
{

struct intent_change {
    ledger_document document;
    std::optional<row_version> seen;
};
struct submitted_change {
    std::string id;
    submit_record what;
};
struct finished_change {
    std::string id;
    finish_record what;
};
struct parts_change {
    std::string id;
    parts_record what;
};
struct not_sent_change {
    std::string id;
};
struct skip_change {
    ledger_document document;
    std::string duplicate_of;
    result_location where;
};
struct metadata_change {
    std::string key;
    std::string value;
};
struct index_change {
};
struct flush_change {
};

using ledger_change = std::variant<intent_change, submitted_change, finished_change, parts_change,
                                   not_sent_change, skip_change, metadata_change, index_change, flush_change>;

/// A change that waits for its commit.
struct pending_change {
    ledger_change what;
    std::int64_t at; ///< milliseconds since the epoch
    ledger_handler handler;
    error_code outcome;
};

/// Whether the change refers to a line of a results file, which must be durable first.
inline bool records_result(ledger_change const& c) noexcept
{
    auto const* const end = std::get_if<finished_change>(&c);
    auto const* const parts = std::get_if<parts_change>(&c);
    return std::holds_alternative<skip_change>(c) || (end && end->what.state == document_state::done) ||
           (parts && parts->what.from != parts->what.to);
}

/// Whether the state is one in which a document can end, with a result if it is done.
inline bool is_complete(finish_record const& end) noexcept
{
    constexpr document_states ends{document_state::done,  document_state::failed,  document_state::ambiguous,
                                   document_state::stuck, document_state::expired, document_state::lost};
    return ends.contains(end.state) && (end.state != document_state::done || end.result);
}

} // namespace ocrpipe::detail

#endif
