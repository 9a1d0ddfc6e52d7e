#ifndef OCRPIPE_BULK_LEDGER_DETAIL_LEDGER_CHANGE_HPP
#define OCRPIPE_BULK_LEDGER_DETAIL_LEDGER_CHANGE_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
    skip_record what;
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
    bool const done = end.state == document_state::done;
    return ends.contains(end.state) && (done ? end.result.has_value() : end.replaces.empty());
}

/// How the ledger writes the completeness of a result; empty for a whole one.
inline std::string_view word_of(completeness c) noexcept
{
    return c == completeness::empty ? "empty" : c == completeness::in_part ? "in_part" : "";
}

inline completeness completeness_of(std::string_view word) noexcept
{
    return word == "empty"     ? completeness::empty
           : word == "in_part" ? completeness::in_part
                               : completeness::whole;
}

/// Counts a row; counts().last_number is left to the caller.
inline void count_row(document_counts& counts, document_state state, std::string_view failure_class,
                      bool possible_duplicate, completeness how_complete, bool ask_again, bool has_request_id,
                      std::string_view doc_type)
{
    constexpr std::size_t most_doc_types = 1'000;
    ++counts[state];
    if (!failure_class.empty()) ++counts.by_class[std::string(failure_class)];
    if (possible_duplicate) ++counts.possible_duplicates;
    if (how_complete == completeness::empty) ++counts.empty;
    if (how_complete == completeness::in_part) ++counts.in_part;
    if (ask_again) ++counts.to_ask_again;
    if (!has_request_id || counts.accepted_doc_types.contains(doc_type)) return;
    if (counts.accepted_doc_types.size() < most_doc_types) counts.accepted_doc_types.emplace(doc_type);
}

} // namespace ocrpipe::detail

#endif
