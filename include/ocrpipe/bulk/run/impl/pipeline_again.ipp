#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_AGAIN_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_AGAIN_IPP

// Results that are empty or in part. Their content may come later, and asking costs nothing: the service is
// asked once more at the end of the run, and once more in the next run.

#include <ocrpipe/bulk/run/impl/pipeline_copies.ipp>
#include <ocrpipe/pace/settle_window.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace ocrpipe
{

/// Begins to ask for the results of earlier runs, beside the run's other work. Those that are the same again
/// are not asked for by the next run.
OCRPIPE_DECL void pipeline::impl::ask_again_for_earlier_results(document_counts const& counts)
{
    bool const all = options_.ask_again_for_all;
    std::uint64_t const n = all ? counts.empty + counts.in_part : counts.to_ask_again;
    if (n == 0) return;
    notice("asked_again",
           fmt::format("asking the service again for {} results that are empty or incomplete", n));
    begin_asking(asked::last_time, all);
}

/// Asks for the results of this run, and gives those that have more now to the copies of their documents.
OCRPIPE_DECL task<void> pipeline::impl::ask_again_at_the_end()
{
    begin_asking(asked::once_more, false);
    while (asking_ > 0)
        co_await changed_.wait();
    incomplete_ = incomplete_results{};
    incomplete_.settled_too = options_.ask_again_for_all;
    while (std::optional<ledger_row> row = next_incomplete()) {
        if (row->state == document_state::skipped) copy_again(std::move(*row));
        while (state_.in_flight() >= options_.max_in_flight)
            co_await changed_.wait();
    }
    while (state_.in_flight() > 0)
        co_await changed_.wait();
}

OCRPIPE_DECL void pipeline::impl::begin_asking(asked how, bool settled_too)
{
    incomplete_ = incomplete_results{};
    incomplete_.settled_too = settled_too;
    how_asked_ = how;
    ask_next();
}

/// Asks for the next results, a few at a time.
OCRPIPE_DECL void pipeline::impl::ask_next()
{
    constexpr std::uint64_t at_once = 64;
    while (asking_ < at_once) {
        std::optional<ledger_row> row = next_incomplete();
        if (!row) return;
        // Results of this run are asked for at its end.
        bool const earlier = row->finished_at < milliseconds_of(state_.report.started_at);
        bool const due = how_asked_ == asked::once_more || earlier;
        if (due && row->state == document_state::done) ask_again(std::move(*row), how_asked_);
    }
}

/// The next row with an incomplete result, as long as the run may go on.
OCRPIPE_DECL std::optional<ledger_row> pipeline::impl::next_incomplete()
{
    constexpr std::size_t batch = 256;
    if (state_.is_stopped()) return std::nullopt;
    incomplete_results& from = incomplete_;
    if (from.rows.empty()) {
        result<std::vector<ledger_row>> more = ledger_->incomplete_rows(from.settled_too, from.cursor, batch);
        if (!more) end_run(std::move(more).error());
        if (!more || more->empty()) return std::nullopt;
        from.rows.assign(std::make_move_iterator(more->begin()), std::make_move_iterator(more->end()));
    }
    std::optional<ledger_row> row = std::move(from.rows.front());
    from.rows.pop_front();
    return row;
}

OCRPIPE_DECL void pipeline::impl::end_asking()
{
    --asking_;
    ask_next();
    react();
}

OCRPIPE_DECL void pipeline::impl::ask_again(ledger_row row, asked how)
{
    ++state_.report.asked_again;
    ++asking_;
    ++state_.waiting;
    wait_request request(row.request_id);
    request.doc_type = row.doc_type;
    request.possible_duplicate = row.possible_duplicate;
    request.finished_before = true;
    auto const before = std::make_shared<ledger_row const>(std::move(row));
    client_.async_wait(std::move(request),
                       [self = shared_from_this(), before, how](result<ocr_result> answer) {
                           self->start(self->renew(before, how, std::move(answer)));
                       });
}

/// A result of this run is empty. The first one is asked for again at the next ones, to learn how late
/// content comes: otherwise, the end of a long run would be the first to know.
OCRPIPE_DECL void pipeline::impl::watch(std::string const& id)
{
    clock::time_point const now = clock::now();
    clock::time_point const next = now + client_.profile().settle_time;
    if (watched_ && now < watched_->next) return;
    result<std::optional<ledger_row>> row = std::optional<ledger_row>();
    if (watched_ && watched_->asked++ < settle_window::most_windows) row = ledger_->find(watched_->id);
    bool const stands = row && *row && (**row).state == document_state::done && (**row).ask_again;
    if (!stands) {
        watched_ = watched_result{id, next};
        return;
    }
    watched_->next = next;
    ask_again(std::move(**row), asked::once_more);
}

/// Puts an answer in the place of an incomplete result, if it has more.
OCRPIPE_DECL task<void> pipeline::impl::renew(std::shared_ptr<ledger_row const> before, asked how,
                                              result<ocr_result> answer)
{
    --state_.waiting;
    if (!answer && detail::ends_the_run(answer.error())) end_run(answer.error());
    // The result stays as it is, and the next run asks again.
    if (!answer || state_.have_outputs_failed()) co_return end_asking();

    finish_record end;
    end.replaces = before->request_id;
    end.replaced = before->result.value_or(result_location());
    end.polls = answer->reads();
    end.how_complete = before->how_complete;
    end.result = before->result;
    end.ask_again = how == asked::once_more;
    bool const is_better = has_more(*answer, *before);
    if (is_better) {
        document_ptr const d = from_row(*before);
        detail::part_batch parts(d->input.record, d->job.request_id, parts_to_fetch(*d, *answer));
        if (parts.open > 0) co_await fetch(parts);
        if (options_.on_result && !state_.have_outputs_failed()) co_await deliver(*d, *answer);
        if (state_.have_outputs_failed()) co_return end_asking();
        // Its file may have changed, and been sent again, while the service was asked.
        result<std::optional<ledger_row>> const now = ledger_->find(d->id());
        if (!now) end_run(now.error());
        bool const stands =
            now && *now && (**now).version() == before->version() && (**now).request_id == before->request_id;
        if (!stands) co_return end_asking();
        note_reads(*d, answer->times());
        result<result_location> const where = write_result(*d, *answer, parts.entries);
        if (!where) co_return end_asking();
        end.result = *where;
        end.missing_parts = parts.missing();
        end.how_complete = answer->how_complete();
        add_times(end, d->times);
        note_content_delay(*before);
    } else if (how == asked::once_more) {
        co_return end_asking();
    }
    completeness const now_complete = end.how_complete;
    answer = failure(); // frees the text while the ledger commits
    error_code const ec = co_await record_again(before, std::move(end), is_better);
    if (ec && ec != errc::invalid_argument) ledger_failed(ec);
    if (!ec && is_better) state_.renewed(before->how_complete, now_complete);
    end_asking();
}

/// Whether an answer has more than the result that was kept.
OCRPIPE_DECL bool pipeline::impl::has_more(ocr_result const& answer, ledger_row const& before) const
{
    completeness const now = answer.how_complete();
    if (now != before.how_complete)
        return now == completeness::whole || before.how_complete == completeness::empty;
    if (now == completeness::empty || !before.result) return false;
    std::string line;
    if (files_->results().read(*before.result, line)) return false;
    std::optional<result_line> const kept = read_result_line(line);
    return kept && answer.raw().size() > kept->result_json.size();
}

/// The content came at some time between the end of the settle window and now.
OCRPIPE_DECL void pipeline::impl::note_content_delay(ledger_row const& before)
{
    using namespace std::chrono;
    service_knowledge known;
    known.content_delay = milliseconds(milliseconds_of(system_clock::now()) - before.finished_at) +
                          client_.profile().settle_time;
    client_.remember(known);
}

/// Gives a copy the result of its original, if that is newer or will not be asked for again.
OCRPIPE_DECL void pipeline::impl::copy_again(ledger_row row)
{
    if (row.state != document_state::skipped) return;
    result<std::optional<ledger_row>> const original = ledger_->find(row.duplicate_of);
    if (!original) return end_run(original.error());
    if (!*original || (**original).state != document_state::done || !(**original).result || !row.result)
        return;
    ledger_row const& from = **original;
    bool const is_other_content = from.sha256 != row.sha256 || from.parameters != row.parameters;
    if (is_other_content) return;
    auto const position = [](result_location const& l) { return std::tie(l.file, l.offset); };
    if (position(*from.result) > position(*row.result)) {
        auto d = std::make_shared<detail::document_in_flight>();
        d->counted = detail::standing::done;
        d->input.was = row.version();
        d->input.record = std::move(row);
        state_.enter();
        start(copy(std::move(d), from.id, *from.result));
    } else if (!from.ask_again && row.ask_again) {
        skip_record what{from.id, *from.result, *row.result};
        ledger_->skip(std::move(row), std::move(what), durable());
    }
}

/// Records the outcome of asking again. It is refused if the document has been sent again meanwhile. If only
/// its parts were fetched, its result has moved.
OCRPIPE_DECL task<error_code> pipeline::impl::record_again(std::shared_ptr<ledger_row const> before,
                                                           finish_record end, bool is_better)
{
    error_code ec = co_await change_again(before->id, end);
    if (ec != errc::invalid_argument) co_return ec;
    result<std::optional<ledger_row>> const now = ledger_->find(before->id);
    bool const is_moved = now && *now && (**now).version() == before->version() &&
                          (**now).request_id == before->request_id && (**now).result &&
                          (**now).result != end.replaced;
    if (!is_moved) co_return ec;
    end.replaced = *(**now).result;
    if (!is_better) end.result = end.replaced;
    ec = co_await change_again(before->id, std::move(end));
    co_return ec;
}

OCRPIPE_DECL task<error_code> pipeline::impl::change_again(std::string id, finish_record end)
{
    return change([this, id = std::move(id), end = std::move(end)](ledger_handler h) {
        ledger_->finished(id, end, std::move(h));
    });
}

} // namespace ocrpipe

#endif
