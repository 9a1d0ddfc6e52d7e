#ifndef OCRPIPE_BULK_LEDGER_IMPL_LEDGER_SOURCE_IPP
#define OCRPIPE_BULK_LEDGER_IMPL_LEDGER_SOURCE_IPP

#include <ocrpipe/bulk/ledger/ledger_source.hpp>
#include <ocrpipe/bulk/source/examine.hpp>

#include <algorithm>

namespace ocrpipe
{

OCRPIPE_DECL std::optional<input> ledger_source::next()
{
    constexpr std::size_t at_once = 256;
    for (;;) {
        if (ended_) return std::nullopt;
        if (rows_.empty()) {
            result<std::vector<ledger_row>> more = ledger_->rows(states_, cursor_, at_once);
            ended_ = !more || more->empty();
            if (!more) return input_problem{{}, {}, more.error().code, to_string(more.error())};
            rows_ = std::move(*more);
            std::reverse(rows_.begin(), rows_.end());
            continue;
        }
        ledger_row row = std::move(rows_.back());
        rows_.pop_back();
        if (!wanted_(row)) continue;
        input found = detail::examine_path(std::move(row.path), {});
        if (auto* const item = std::get_if<input_item>(&found)) {
            item->id = std::move(row.id);
            item->flow = std::move(row.flow);
            item->doc_type = std::move(row.doc_type);
            item->type = row.type;
        }
        return found;
    }
}

} // namespace ocrpipe

#endif
