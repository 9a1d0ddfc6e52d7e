#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_COPIES_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_COPIES_IPP

// Documents with equal content: one is sent, and the others share its result.

#include <ocrpipe/bulk/run/impl/pipeline_document.ipp>

#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace ocrpipe
{

/// Returns false for a document that must not be sent; it has then been handled.
///
/// Checked just before sending, because another document with the same content may finish in the meantime.
OCRPIPE_DECL bool pipeline::impl::is_first_of_content(document_ptr const& d)
{
    auto const [place, first] = originals_.try_emplace(d->content(), d);
    if (!first) {
        // Its original is in progress, or withheld because its submit was ambiguous.
        if (place->second)
            place->second->copies.push_back(d);
        else
            withhold(*d);
        return false;
    }
    result<std::optional<ledger_row>> const done =
        ledger_->find_done_by_content(d->input.record.sha256, d->input.record.parameters);
    bool const has_original = done && *done && (**done).id != d->input.record.id;
    if (done && !has_original) return true;
    originals_.erase(place);
    if (has_original)
        write_copy(d, (**done).id, (**done).result.value_or(result_location()));
    else {
        end_run(done.error());
        withhold(*d);
    }
    return false;
}

/// Gives a document the result of another one with the same content.
OCRPIPE_DECL void pipeline::impl::write_copy(document_ptr const& d, std::string const& original_id,
                                             result_location original)
{
    std::string const& id = d->input.record.id;
    if (auto const other = unrecorded_.find(id); other != unrecorded_.end())
        return yield_id(d, other->second->input.record);
    result<std::optional<ledger_row>> const now = ledger_->find(id);
    if (!now) {
        end_run(now.error());
        return withhold(*d);
    }
    if (*now && d->input.was != (**now).version()) return yield_id(d, **now);
    auto const failed = [&](error_code ec, std::string_view what) {
        disk_failed(ec, what);
        withhold(*d);
    };
    std::string line;
    error_code ec = files_->results().read(original, line);
    if (ec == boost::system::errc::no_such_file_or_directory) return withhold_copy(d, original_id, original);
    std::optional<result_line> const shared = ec ? std::nullopt : read_result_line(line);
    if (!shared) return failed(ec ? ec : make_error_code(boost::system::errc::bad_message), "results");
    std::string text;
    if (options_.text) {
        ocr_result const answer(shared->request_id, std::string(shared->result_json), completeness::whole, 0);
        result<std::string> written = files_->write_text(id, answer.text(client_.profile()));
        if (!written) return failed(written.error().cause, "text");
        text = std::move(*written);
    }
    result_record copy = shared->record();
    copy.id = id;
    copy.path = d->input.record.path;
    copy.duplicate_of = original_id;
    copy.text = text;
    copy.file_changed = note_change(*d);
    result_location where;
    if ((ec = files_->results().append(copy, &where))) return failed(ec, "results");
    unrecorded_.emplace(id, d);
    record([&](ledger& l, ledger_handler h) { l.skip(d->input.record, original_id, where, std::move(h)); }, d,
           [this, d] {
               unrecorded_.erase(d->input.record.id);
               forget_outcome(d->input.was);
               count_done();
               leave();
           });
}

/// A copy of a document whose results file was moved away. It is not sent, because its content was already
/// paid for.
OCRPIPE_DECL void pipeline::impl::withhold_copy(document_ptr const& d, std::string const& original_id,
                                                result_location original)
{
    constexpr std::uint64_t most_named = 20;
    if (++copies_withheld_ <= most_named)
        notice("copy_not_sent",
               fmt::format("{} has the content of {}, whose result is in {}: it is not sent; restore {}/{}, "
                           "then give the same command again",
                           printable_excerpt(d->input.record.path, 1024),
                           printable_excerpt(original_id, 1024), results_file_name(original.file),
                           options_.directory, results_file_name(original.file)));
    else if (copies_withheld_ == most_named + 1)
        notice("copy_not_sent", "further copies that are not sent for this reason are not named");
    withhold(*d);
}

/// Copies of a document whose result will not come in this run.
OCRPIPE_DECL void pipeline::impl::settle_copies(detail::document_in_flight& d, document_state state)
{
    bool const may_come = state == document_state::ambiguous || state == document_state::stuck;
    std::vector<document_ptr> copies = release_content(d);
    if (shares_results_ && may_come) originals_[d.content()] = nullptr;
    for (document_ptr& copy : copies) {
        if (may_come || is_stopped() || limit_reached()) {
            withhold(*copy);
            continue;
        }
        // Another copy becomes the original, and the rest wait for it.
        --in_flight_;
        if (!copy->input.was) --known_;
        admit(std::move(copy));
    }
}

/// Unregisters the document as the original for its content, and returns the copies that wait for it.
OCRPIPE_DECL std::vector<pipeline::impl::document_ptr>
pipeline::impl::release_content(detail::document_in_flight& d)
{
    if (shares_results_) originals_.erase(d.content());
    return std::exchange(d.copies, {});
}

/// Leaves the copies that wait for this document to the next run.
OCRPIPE_DECL void pipeline::impl::withhold_copies(detail::document_in_flight& d)
{
    for (document_ptr const& copy : release_content(d))
        withhold(*copy);
}

} // namespace ocrpipe

#endif
