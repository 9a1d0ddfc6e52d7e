#ifndef OCRPIPE_BULK_RUN_DETAIL_ADMISSION_HPP
#define OCRPIPE_BULK_RUN_DETAIL_ADMISSION_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>

namespace ocrpipe::detail
{

/// How a document compares with the row of its id.
struct row_comparison {
    bool same_path = true;
    bool same_content = true;
    bool same_parameters = true;
};

/// Compares a document whose bytes have been read.
inline row_comparison compare(ledger_document const& row, ledger_document const& d) noexcept
{
    return {row.path == d.path, row.sha256 == d.sha256, row.parameters == d.parameters};
}

/// What to do with a document that has a row in the ledger.
enum class admission {
    send,
    resend_if_selected, ///< it ended without a result; see intake_options::resend
    skip,
    refuse, ///< see id_conflict()
};

/// Decides by the row's state. `accept_changes`: a document that was or may have been paid for is sent again
/// if its parameters changed.
constexpr admission admission_of(document_state state, row_comparison const& c, bool accept_changes) noexcept
{
    using enum document_state;
    constexpr document_states paid_for{done, skipped, ambiguous};
    if (!c.same_content && !c.same_path) return admission::refuse;
    if (c.same_content && !c.same_parameters && paid_for.contains(state) && !accept_changes)
        return admission::refuse;
    bool const changed = !c.same_content || !c.same_parameters;
    switch (state) {
    case found:
        return admission::send;
    // In progress, or to be polled: changes to its file are handled after it has ended.
    case intent:
    case submitted:
    case stuck:
        return admission::skip;
    case done:
    case skipped:
        return changed ? admission::send : admission::skip;
    case failed:
    case ambiguous:
    case expired:
    case lost:
        break;
    }
    return changed ? admission::send : admission::resend_if_selected;
}

} // namespace ocrpipe::detail

#endif
