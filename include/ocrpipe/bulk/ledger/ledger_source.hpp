#ifndef OCRPIPE_BULK_LEDGER_LEDGER_SOURCE_HPP
#define OCRPIPE_BULK_LEDGER_LEDGER_SOURCE_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/core/config.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Yields documents from a ledger's rows, with the parameters they had before: used to retry documents that
/// ended without a result.
///
/// If the ledger cannot be read, yields one problem and then ends.
class ledger_source final : public source
{
public:
    /// Selects the rows in these states for which `wanted` returns true.
    ledger_source(std::shared_ptr<ledger> l, document_states in,
                  std::function<bool(ledger_row const&)> wanted)
        : ledger_(std::move(l)), states_(in), wanted_(std::move(wanted))
    {
    }

    std::optional<input> next() override;

private:
    std::shared_ptr<ledger> ledger_;
    document_states states_;
    std::function<bool(ledger_row const&)> wanted_;
    std::uint64_t cursor_ = 0;
    std::vector<ledger_row> rows_; ///< a batch of rows, in reverse order
    bool ended_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/ledger_source.ipp>
#endif

#endif
