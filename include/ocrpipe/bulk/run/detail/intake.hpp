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

/// A document that was found, opened once and hashed. Small ones are held whole, so that they are read from
/// the disk once.
struct prepared_document {
    input_item item; ///< with what the run says where the item itself says nothing
    document doc;
    std::uint64_t size = 0;
    std::string sha256;             ///< lower-case hex
    std::string parameters;         ///< parameters_fingerprint()
    file_version version;           ///< of the file when its bytes were read
    std::optional<row_version> was; ///< its row, when it has one
    bool was_ambiguous = false;     ///< an earlier submit of the same may have been accepted
};

/// Why a document cannot have the id that it names, since `first` has it: neither path nor content are the
/// same, or it is to be read otherwise. Nothing when it is the same document.
OCRPIPE_DECL std::optional<input_problem> id_is_taken(prepared_document const& d,
                                                      ledger_document const& first);

/// A document to be sent, an input that is none, or a ledger that cannot be read.
using prepared = std::variant<prepared_document, input_problem, failure>;

struct intake_options {
    std::string flow; ///< this and the next two: for items that name none
    std::string doc_type;
    enum file_type type = file_type::detect;
    std::vector<std::pair<std::string, std::string>> extra_fields; ///< of every submit
    bool accept_changes = false; ///< what has a result is sent again when it is to be read otherwise
    std::function<bool(ledger_row const&)> take_up; ///< whether to send again what did not end well
    std::uint64_t rows_before =
        0; ///< number of the last row when the run began; later ones are the run's own
};

/// Looks at what a source found: what the ledger knows to need no work is passed over without being opened.
///
/// Thread safety: one thread at a time, but for cancel(), passed_over() and repeated().
class intake
{
public:
    /// Documents smaller than this are held whole.
    static constexpr std::uint64_t hold_below = std::uint64_t(256) << 10;

    /// Without a ledger every document is new.
    explicit intake(intake_options options, std::shared_ptr<ledger> l = nullptr)
        : options_(std::move(options)), ledger_(std::move(l)), buffer_(hold_below)
    {
    }

    /// Nothing when there is no work.
    std::optional<prepared> prepare(input_item item);

    /// Ends prepare() before its next buffer; its result is of no use then. Any thread.
    void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

    std::uint64_t passed_over() const noexcept { return passed_over_.load(std::memory_order_relaxed); }

    /// How many of them this run had met before.
    std::uint64_t repeated() const noexcept { return repeated_.load(std::memory_order_relaxed); }

private:
    enum class verdict { send, pass_over };

    std::string const& fingerprint_of(input_item const& item);
    verdict judge(ledger_row const& row, bool same) const;
    bool meet(std::uint64_t number);
    std::optional<input_problem> hash(prepared_document& d);

    intake_options const options_;
    std::shared_ptr<ledger> const ledger_;
    std::vector<char> buffer_;
    sha256_stream hash_;
    input_item fingerprinted_; ///< whose flow, doc_type and type fingerprint_ speaks of
    std::string fingerprint_;
    std::atomic<bool> cancelled_ = false;
    std::atomic<std::uint64_t> passed_over_ = 0;
    std::atomic<std::uint64_t> repeated_ = 0;
    std::vector<bool> met_; ///< a bit for each row of earlier runs
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/intake.ipp>
#endif

#endif
