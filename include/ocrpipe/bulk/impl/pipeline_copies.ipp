#ifndef OCRPIPE_BULK_IMPL_PIPELINE_COPIES_IPP
#define OCRPIPE_BULK_IMPL_PIPELINE_COPIES_IPP

// Documents with equal content: one is sent, and the others share its result.

#include <ocrpipe/bulk/impl/pipeline_document.ipp>

#include <utility>

namespace ocrpipe
{

/// False for a document that must not be sent, which is then seen to.
///
/// Asked at the last moment: while a document waits for its turn, another with its content may come to its
/// end.
OCRPIPE_DECL bool pipeline::impl::is_first_of_content(document_ptr const& d)
{
    auto const [place, first] = originals_.try_emplace(d->content(), d);
    if (!first) {
        // Its original is under way, or held since nobody knows whether it was accepted.
        if (place->second)
            place->second->copies.push_back(d);
        else
            withhold();
        return false;
    }
    result<std::optional<ledger_row>> const done =
        ledger_->find_done_by_content(d->input.sha256, d->input.parameters);
    bool const has_original = done && *done && (**done).id != d->input.item.id;
    if (done && !has_original) return true;
    originals_.erase(place);
    if (has_original)
        write_copy(d, (**done).id, (**done).result.value_or(result_location()));
    else {
        end_run(done.error());
        withhold();
    }
    return false;
}

/// Gives a document the result of another one with the same content.
OCRPIPE_DECL void pipeline::impl::write_copy(document_ptr const& d, std::string const& original_id,
                                             result_location original)
{
    std::string const& id = d->input.item.id;
    if (auto const other = unrecorded_.find(id); other != unrecorded_.end())
        return yield_id(d, other->second->row());
    result<std::optional<ledger_row>> const now = ledger_->find(id);
    if (!now) {
        end_run(now.error());
        return withhold();
    }
    if (*now && d->input.was != (**now).version()) return yield_id(d, **now);
    result_location where;
    if (error_code const ec =
            files_->results().append_copy(original, original_id, id, d->input.item.path, &where)) {
        disk_failed(ec, "results");
        return withhold();
    }
    unrecorded_.emplace(id, d);
    record([&](ledger& l, ledger_handler h) { l.skip(d->row(), original_id, where, std::move(h)); }, d,
           [this, d] {
               unrecorded_.erase(d->input.item.id);
               forget_outcome(d->input.was);
               count_done();
               leave();
           });
}

/// Copies of a document whose result will not come in this run.
OCRPIPE_DECL void pipeline::impl::settle_copies(detail::document_in_flight& d, document_state state)
{
    bool const may_come = state == document_state::ambiguous || state == document_state::stuck;
    std::vector<document_ptr> copies = release_content(d);
    if (shares_results_ && may_come) originals_[d.content()] = nullptr;
    for (document_ptr& copy : copies) {
        if (may_come || is_stopped()) {
            withhold();
            continue;
        }
        // Another one takes its place, and the rest wait for that.
        --in_flight_;
        --found_;
        admit(std::move(copy));
    }
}

/// Forgets that the document stands for others of its content, and returns those that wait for it.
OCRPIPE_DECL std::vector<pipeline::impl::document_ptr>
pipeline::impl::release_content(detail::document_in_flight& d)
{
    if (shares_results_) originals_.erase(d.content());
    return std::exchange(d.copies, {});
}

/// Leaves to the next run what waits for a document's result.
OCRPIPE_DECL void pipeline::impl::withhold_copies(detail::document_in_flight& d)
{
    for (std::size_t n = release_content(d).size(); n != 0; --n)
        withhold();
}

} // namespace ocrpipe

#endif
