#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_PARTS_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_PARTS_IPP

// Fetches a document's tables, signatures, stamps and images, between its answer and its results line.

#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe
{

OCRPIPE_DECL void pipeline::impl::fetch_parts(document_ptr d)
{
    // One more than the number of parts, so that the document does not finish while parts are still being
    // started.
    d->parts_pending = 1;
    std::vector<ocr_document> const documents = d->answer->documents(client_.profile());
    for (operation const kind : options_.parts) {
        std::size_t index = 0;
        if (kind == operation::image) {
            for (std::string const& id : d->job.file_ids)
                fetch_part(d, kind, ++index, id);
        } else {
            for (ocr_document const& document : documents) {
                ++index;
                if (!document.id.empty()) fetch_part(d, kind, index, document.id);
            }
        }
    }
    part_ended(d);
}

OCRPIPE_DECL void pipeline::impl::fetch_part(document_ptr d, operation kind, std::size_t index,
                                             std::string sub_id)
{
    ++d->parts_pending;
    client_.async_part(kind, d->job.request_id, sub_id,
                       [self = shared_from_this(), d, kind, index, sub_id](result<part_data> part) {
                           self->part_fetched(d, kind, index, sub_id, std::move(part));
                           self->part_ended(d);
                       });
}

OCRPIPE_DECL void pipeline::impl::part_ended(document_ptr const& d)
{
    if (--d->parts_pending != 0) return;
    --fetching_parts_;
    // Interrupted: the next run fetches all parts.
    if (d->parts_cut_short) return leave_unfinished(d);
    finish(d);
}

OCRPIPE_DECL void pipeline::impl::part_fetched(document_ptr const& d, operation kind, std::size_t index,
                                               std::string const& sub_id, result<part_data> part)
{
    part_entry entry;
    entry.kind = kind;
    entry.sub_id = sub_id;
    if (!part) {
        failure const f = part.error();
        if (ledger_ && (f.is(errc::client_closed) || f.is(errc::cancelled) || ends_the_run(f))) {
            d->parts_cut_short = true;
            return;
        }
        entry.error = std::string(name(static_cast<errc>(f.code.value())));
        if (!f.is(errc::part_absent)) ++report_.parts_failed;
    } else {
        result<std::string> written = files_->write_part(d->input.record.id, kind, index, part->raw);
        if (!written) {
            d->parts_cut_short = ledger_ != nullptr;
            return disk_failed(written.error().cause, "parts");
        }
        entry.file = std::move(*written);
        ++report_.parts;
    }
    d->parts.push_back(std::move(entry));
}

} // namespace ocrpipe

#endif
