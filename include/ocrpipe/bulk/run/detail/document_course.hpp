#ifndef OCRPIPE_BULK_RUN_DETAIL_DOCUMENT_COURSE_HPP
#define OCRPIPE_BULK_RUN_DETAIL_DOCUMENT_COURSE_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/result_part.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/result.hpp>

#include <string>
#include <vector>

namespace ocrpipe::detail
{

/// Whether a document without a result may have been accepted: it must not be sent again unasked.
OCRPIPE_DECL bool is_in_doubt(ledger_row const& row) noexcept;

/// The failure of a document of which an earlier submit may have been accepted. A later refusal does not undo
/// that.
OCRPIPE_DECL failure still_in_doubt(failure const& f);

/// What a failure means for its document. Pure.
enum class document_course {
    failed,     ///< it ends in state_after()
    not_sent,   ///< nothing was paid for: the next run sends it
    unfinished, ///< its job continues and is in the ledger: the next run polls it
};

OCRPIPE_DECL document_course course_after(failure const& f) noexcept;

/// The state of a document that failed. A document that was paid for and may still get a result is stuck, not
/// failed: it is polled again, and never resubmitted automatically.
OCRPIPE_DECL document_state state_after(failure const& f) noexcept;

/// Whether every other document would fail, too: the credentials or the address are wrong.
OCRPIPE_DECL bool ends_the_run(failure const& f) noexcept;

/// Whether a refusal of one document may turn out to concern all of them, if no other is accepted.
OCRPIPE_DECL bool may_concern_all(failure const& f) noexcept;

/// Whether a submit ended without an answer from the service. A 500 comes from the service itself.
OCRPIPE_DECL bool is_unanswered(failure const& f) noexcept;

/// Numbers the parts by their places in the document's result line.
OCRPIPE_DECL std::vector<missing_part> parts_to_fetch(result_parts found);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/document_course.ipp>
#endif

#endif
