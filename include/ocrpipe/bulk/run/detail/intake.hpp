#ifndef OCRPIPE_BULK_RUN_DETAIL_INTAKE_HPP
#define OCRPIPE_BULK_RUN_DETAIL_INTAKE_HPP

#include <ocrpipe/api/document.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/source/input.hpp>
#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/sha256.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ocrpipe::detail
{

/// A document that was found, opened and hashed. A small document is kept in memory, so that it is read from
/// disk only once.
struct prepared_document {
    ledger_document record; ///< with the run's defaults filled in; size and time are those of the bytes read
    document doc;
    std::string where; ///< this and the next two: see input_item
    std::string request_id;
    bool in_doubt = false;
    std::optional<row_version> was; ///< version of its row, if it has one
    bool was_ambiguous = false;     ///< an earlier submit of the same document may have been accepted
};

/// Returns why a document cannot have its id because `first` already has it: path and content both differ, or
/// the parameters differ. nullopt if it is the same document.
OCRPIPE_DECL std::optional<input_problem> id_conflict(prepared_document const& d,
                                                      ledger_document const& first);

/// A document to send, an input problem, or a ledger read failure.
using prepared = std::variant<prepared_document, input_problem, failure>;

struct intake_options {
    std::string flow; ///< this and the next two: defaults for items that specify none
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::vector<std::pair<std::string, std::string>> extra_fields; ///< sent with every submit
    bool accept_changes = false; ///< a document with a result is sent again if its parameters changed
    /// Selects documents that ended without a result; may be empty.
    std::function<bool(ledger_row const&)> resend;
    std::uint64_t rows_before = 0; ///< number of the last row when the run began; later rows are of this run
};

/// Examines the documents that a source found. Those that need no work according to the ledger are skipped,
/// without being opened if their files are unchanged.
///
/// Thread safety: one thread at a time, except cancel() and repeated().
class intake
{
public:
    /// Documents smaller than this are kept in memory.
    static constexpr std::uint64_t hold_below = std::uint64_t(256) << 10;

    /// `l` must not be null.
    intake(intake_options options, std::shared_ptr<ledger> l)
        : options_(std::move(options)), ledger_(std::move(l)), buffer_(hold_below)
    {
    }

    /// nullopt if there is no work to do.
    std::optional<prepared> prepare(input_item item);

    /// Makes prepare() return before it reads the next buffer; ignore its result then. Any thread.
    void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

    /// How many of the skipped documents this run had already seen.
    std::uint64_t repeated() const noexcept { return repeated_.load(std::memory_order_relaxed); }

private:
    prepared_document with_defaults(input_item item);
    std::string const& fingerprint_of(ledger_document const& d);
    bool is_selected(ledger_row const& row) const;
    bool mark_seen(std::uint64_t number);
    std::optional<prepared> skip(std::uint64_t number);
    std::optional<input_problem> read(prepared_document& d);

    intake_options const options_;
    std::shared_ptr<ledger> const ledger_;
    std::vector<char> buffer_;
    sha256_stream hash_;
    ledger_document fingerprinted_; ///< the parameters from which fingerprint_ was computed
    std::string fingerprint_;
    std::atomic<bool> cancelled_ = false;
    std::atomic<std::uint64_t> repeated_ = 0;
    std::vector<bool> seen_; ///< rows of earlier runs seen by this run, one bit each
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/intake.ipp>
#endif

#endif
