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

/// False for a document that waits for its original, shares a result that exists already, or is held.
///
/// Checked just before sending, because another document with the same content may finish in the meantime.
OCRPIPE_DECL bool pipeline::impl::is_to_be_sent(document_ptr const& d)
{
    using role = detail::content_sharing<document_ptr>::role;
    role const joined_as = sharing_.join(d->content(), d);
    if (joined_as == role::held) withhold(*d);
    if (joined_as != role::original) return false;
    d->is_original = true;
    result<std::optional<ledger_row>> const done =
        ledger_->find_done_by_content(d->input.record.sha256, d->input.record.parameters);
    if (done && (!*done || (**done).id == d->id())) return true;
    copies_of(*d); // it has none yet
    if (done) {
        start(copy(d, (**done).id, (**done).result.value_or(result_location())));
    } else {
        end_run(done.error());
        withhold(*d);
    }
    return false;
}

/// Gives a document the result of another one with the same content.
OCRPIPE_DECL task<void> pipeline::impl::copy(document_ptr d, std::string original_id,
                                             result_location original)
{
    std::string const& id = d->id();
    if (auto const other = unrecorded_.find(id); other != unrecorded_.end())
        co_return yield_id(*d, other->second->input.record);
    result<std::optional<ledger_row>> const now = ledger_->find(id);
    if (!now) {
        end_run(now.error());
        co_return withhold(*d);
    }
    if (*now && d->input.was != (**now).version()) co_return yield_id(*d, **now);

    std::string line;
    error_code ec = files_->results().read(original, line);
    if (ec == boost::system::errc::no_such_file_or_directory)
        co_return withhold_copy(*d, original_id, original);
    if (ec) output_failed(ec, "results");
    if (ec) co_return withhold(*d);
    result<result_location> const where = write_copy(*d, original_id, line);
    if (!where) co_return withhold(*d);

    unrecorded_.emplace(id, d);
    skip_record what{original_id, original, *where};
    ec = co_await record_copy(*d, std::move(what));
    release_id(*d);
    if (ec) co_return copy_refused(std::move(d), original_id, original, ec);
    state_.copied(d->counted);
    measured_->collected.finished(measured_document(), clock::now());
    leave();
}

OCRPIPE_DECL task<error_code> pipeline::impl::record_copy(detail::document_in_flight const& d,
                                                          skip_record what)
{
    return change([this, &d, what = std::move(what)](ledger_handler h) {
        ledger_->skip(d.input.record, what, std::move(h));
    });
}

/// If the result of the original was replaced while it was copied, the copy gets the new one.
OCRPIPE_DECL void pipeline::impl::copy_refused(document_ptr d, std::string const& original_id,
                                               result_location original, error_code ec)
{
    result<std::optional<ledger_row>> const now = ledger_->find(original_id);
    if (!now) end_run(now.error());
    bool const is_moved =
        now && *now && ((**now).state != document_state::done || (**now).result != original);
    if (ec != errc::invalid_argument || !is_moved) {
        ledger_failed(ec);
        return leave_unfinished(*d);
    }
    bool const has_result = d->counted == detail::standing::done;
    if (has_result) return leave(); // it keeps its own until the next run
    if (state_.is_stopped() || !state_.may_send()) return withhold(*d);
    state_.leave();
    admit(std::move(d));
}

/// Writes the line of a copy, and its text file.
OCRPIPE_DECL result<result_location> pipeline::impl::write_copy(detail::document_in_flight const& d,
                                                                std::string const& original_id,
                                                                std::string const& line)
{
    std::optional<result_line> const shared = read_result_line(line);
    if (!shared) return output_failed(make_error_code(boost::system::errc::bad_message), "results");
    result<std::string> text = std::string();
    if (options_.text) {
        ocr_result const answer(shared->request_id, std::string(shared->result_json), completeness::whole, 0);
        text = files_->write_text(d.id(), answer.text(client_.profile()));
    }
    if (!text) return output_failed(text.error().cause, "text");
    result_record copy = shared->record();
    copy.id = d.id();
    copy.path = d.input.record.path;
    copy.duplicate_of = original_id;
    copy.text = *text;
    copy.file_changed = file_has_changed(d);
    result_location where;
    if (error_code const ec = files_->results().append(copy, &where)) return output_failed(ec, "results");
    return where;
}

/// A copy of a document whose results file was moved away. It is not sent, because its content was already
/// paid for.
OCRPIPE_DECL void pipeline::impl::withhold_copy(detail::document_in_flight& d, std::string const& original_id,
                                                result_location original)
{
    constexpr std::uint64_t most_named = 20;
    if (++copies_withheld_ <= most_named)
        notice("copy_not_sent",
               fmt::format("{} has the same content as {}, whose result is in the missing file {}: it is not "
                           "sent; restore {}/{}, then run the same command again",
                           printable_excerpt(d.input.record.path, 1024), printable_excerpt(original_id, 1024),
                           results_file_name(original.file), options_.directory,
                           results_file_name(original.file)));
    else if (copies_withheld_ == most_named + 1)
        notice("copy_not_sent", "further copies that are not sent for this reason are not listed");
    withhold(d);
}

/// The document ends without a result. One of its copies is sent instead, unless its own result may still
/// come.
OCRPIPE_DECL void pipeline::impl::release_copies(detail::document_in_flight& d, document_state ended_as)
{
    std::vector<document_ptr> copies = copies_of(d);
    if (options_.share_results &&
        document_states{document_state::ambiguous, document_state::stuck}.contains(ended_as))
        sharing_.hold(d.content());
    bool const is_over =
        document_states{document_state::failed, document_state::expired, document_state::lost}.contains(
            ended_as);
    for (document_ptr& copy : copies) {
        if (!is_over || state_.is_stopped() || !state_.may_send()) {
            withhold(*copy);
            continue;
        }
        // It becomes the original, and the rest wait for it.
        state_.leave();
        admit(std::move(copy));
    }
}

/// From here on the ledger knows which document has the id, or none has.
OCRPIPE_DECL void pipeline::impl::release_id(detail::document_in_flight const& d)
{
    auto const place = unrecorded_.find(d.id());
    if (place != unrecorded_.end() && place->second.get() == &d) unrecorded_.erase(place);
}

/// Gives up the place of an original, and returns the copies that wait for it.
OCRPIPE_DECL std::vector<pipeline::impl::document_ptr>
pipeline::impl::copies_of(detail::document_in_flight& d)
{
    if (!std::exchange(d.is_original, false)) return {};
    return sharing_.release(d.content());
}

} // namespace ocrpipe

#endif
