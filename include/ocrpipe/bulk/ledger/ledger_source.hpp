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

/// The documents of a ledger's rows, as they were read before: to take up those again that did not end well.
///
/// A ledger that cannot be read is one problem, and the end.
class ledger_source final : public source
{
public:
    /// Rows in these states for which `wanted` is true.
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
    std::vector<ledger_row> rows_; ///< read, in reverse
    bool ended_ = false;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/ledger_source.ipp>
#endif

#endif
