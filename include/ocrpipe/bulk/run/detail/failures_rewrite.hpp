#ifndef OCRPIPE_BULK_RUN_DETAIL_FAILURES_REWRITE_HPP
#define OCRPIPE_BULK_RUN_DETAIL_FAILURES_REWRITE_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/failures_writer.hpp>
#include <ocrpipe/core/config.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::detail
{

/// An answered submit that the ledger could not record.
struct unrecorded_submit {
    std::string id; ///< of its document
    std::string sha256;
    submit_record what;
    bool interrupted = false; ///< in the ledger, it was being sent when the process ended
};

/// Whether a line of failures.jsonl describes a document. Any other line describes an input problem.
inline bool is_document_line(std::string_view line) noexcept { return line.starts_with("{\"id\":"); }

/// Parses a line of failures.jsonl that holds a request_id which the ledger could not record; nullopt for any
/// other line.
OCRPIPE_DECL std::optional<unrecorded_submit> read_unrecorded_submit(std::string_view line);

/// Whether a run that reads `inputs` will reach the input of a failures.jsonl line again: through the
/// manifest or list that named it, or else by its path. Relative inputs are relative to `base`. Also true for
/// a line without any information.
OCRPIPE_DECL bool is_found_again(std::string_view line, std::vector<std::string> const& inputs,
                                 std::string_view base);

/// Whether a line about a document is the only record of a request_id. If the ledger can still record it, it
/// is appended to `recoverable`, once per document.
///
/// Errors: errc::ledger_failed.
OCRPIPE_DECL result<bool> is_only_record(std::string_view line, ledger& l,
                                         std::vector<unrecorded_submit>& recoverable);

/// Selects the lines of the existing file to keep.
using line_filter = std::function<result<bool>(std::string_view line)>;

/// Replaces `folder`/failures.jsonl atomically: lines to keep from the existing file, then the ledger's
/// documents that ended without a result, and the parts that failed. If the ledger does not survive the
/// process, these include documents that were paid for but not finished, and parts that were not fetched.
///
/// Errors: errc::unwritable_output, errc::ledger_failed.
OCRPIPE_DECL result<failures_writer> rewrite_failures(std::string const& folder, ledger& l,
                                                      line_filter const& keep);

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/failures_rewrite.ipp>
#endif

#endif
