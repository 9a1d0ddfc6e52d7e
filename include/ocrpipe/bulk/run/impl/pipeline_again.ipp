#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_AGAIN_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_AGAIN_IPP

// Results that are empty or in part. Their content may come later, and asking costs nothing: the service is
// asked once more at the end of the run, and once more in the next run.

#include <ocrpipe/bulk/run/impl/pipeline_copies.ipp>

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace ocrpipe
{

/// Calls `use` for each row with an incomplete result, as long as the run may go on.
OCRPIPE_DECL task<void> pipeline::impl::for_each_incomplete(bool settled_too, void (impl::*use)(ledger_row))
{
    constexpr std::size_t at_once = 256;
    std::uint64_t cursor = 0;
    while (!state_.is_stopped()) {
        result<std::vector<ledger_row>> rows = ledger_->incomplete_rows(settled_too, cursor, at_once);
        if (!rows) end_run(std::move(rows).error());
        if (!rows || rows->empty()) break;
        for (ledger_row& row : *rows) {
            while (state_.in_flight() >= options_.max_in_flight && !state_.is_stopped())
                co_await changed_.wait();
            if (state_.is_stopped()) break;
            (this->*use)(std::move(row));
        }
    }
}

/// Asks for the results of earlier runs. Those that are the same again are not asked for by the next run.
OCRPIPE_DECL task<void> pipeline::impl::ask_again_for_earlier_results()
{
    co_await for_each_incomplete(options_.ask_again_for_all, &impl::ask_last_time);
    if (std::uint64_t const n = state_.report.asked_again; n > 0)
        notice("asked_again", fmt::format("asking the service again for {} results of earlier runs that are "
                                          "empty or incomplete",
                                          n));
}

/// Asks for the results of this run, and gives those that are complete now to the copies of their documents.
OCRPIPE_DECL task<void> pipeline::impl::ask_again_at_the_end()
{
    co_await for_each_incomplete(false, &impl::ask_once_more);
    while (state_.in_flight() > 0)
        co_await changed_.wait();
    co_await for_each_incomplete(options_.ask_again_for_all, &impl::copy_again);
    while (state_.in_flight() > 0)
        co_await changed_.wait();
}

OCRPIPE_DECL void pipeline::impl::ask_last_time(ledger_row row)
{
    if (row.state == document_state::done) ask_again(std::move(row), asked::last_time);
}

OCRPIPE_DECL void pipeline::impl::ask_once_more(ledger_row row)
{
    if (row.state == document_state::done) ask_again(std::move(row), asked::once_more);
}

OCRPIPE_DECL void pipeline::impl::ask_again(ledger_row row, asked how)
{
    ++state_.report.asked_again;
    state_.enter();
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

/// Puts an answer in the place of an incomplete result, if it has more.
OCRPIPE_DECL task<void> pipeline::impl::renew(std::shared_ptr<ledger_row const> before, asked how,
                                              result<ocr_result> answer)
{
    --state_.waiting;
    if (!answer && detail::ends_the_run(answer.error())) end_run(answer.error());
    // The result stays as it is, and the next run asks again.
    if (!answer || state_.have_outputs_failed()) co_return leave();

    finish_record end;
    end.replaces = before->request_id;
    end.polls = answer->reads();
    end.how_complete = before->how_complete;
    end.result = before->result;
    end.ask_again = how == asked::once_more;
    bool const is_better = has_more(*answer, *before);
    if (is_better) {
        document_ptr const d = from_row(*before);
        auto const parts = co_await fetch_parts(*d, *answer);
        if (!parts) co_return leave();
        // Its file may have changed, and been sent again, while the service was asked.
        result<std::optional<ledger_row>> const now = ledger_->find(d->id());
        if (!now) end_run(now.error());
        bool const stands = now && *now && (**now).version() == before->version() &&
                            (**now).request_id == before->request_id;
        if (!stands) co_return leave();
        result<result_location> const where = write_result(*d, *answer, *parts);
        if (!where) co_return leave();
        end.result = *where;
        end.how_complete = answer->how_complete();
        note_content_delay(*before);
    } else if (how == asked::once_more) {
        co_return leave();
    }
    completeness const now_complete = end.how_complete;
    answer = failure(); // frees the text while the ledger commits
    error_code const ec = co_await record_again(before->id, std::move(end));
    if (ec && ec != errc::invalid_argument) ledger_failed(ec);
    if (!ec && is_better) state_.renewed(before->how_complete, now_complete);
    leave();
}

/// Whether an answer has more than the result that was kept.
OCRPIPE_DECL bool pipeline::impl::has_more(ocr_result const& answer, ledger_row const& before) const
{
    completeness const now = answer.how_complete();
    if (now != before.how_complete) return now == completeness::whole || before.how_complete == completeness::empty;
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
    auto const now = duration_cast<milliseconds>(system_clock::now().time_since_epoch());
    service_knowledge known;
    known.content_delay = now - milliseconds(before.finished_at) + client_.profile().settle_time;
    client_.remember(known);
}

/// Gives a copy the result of its original, if that is newer or will not be asked for again.
OCRPIPE_DECL void pipeline::impl::copy_again(ledger_row row)
{
    if (row.state != document_state::skipped) return;
    result<std::optional<ledger_row>> const original = ledger_->find(row.duplicate_of);
    if (!original) return end_run(original.error());
    if (!*original || (**original).state != document_state::done || !(**original).result || !row.result) return;
    ledger_row const& from = **original;
    auto const position = [](result_location const& l) { return std::tie(l.file, l.offset); };
    if (position(*from.result) > position(*row.result)) {
        auto d = std::make_shared<detail::document_in_flight>();
        d->counted = detail::standing::done;
        d->input.was = row.version();
        d->input.record = std::move(row);
        state_.enter();
        start(copy(std::move(d), from.id, *from.result));
    } else if (!from.ask_again && row.ask_again) {
        result_location const where = *row.result;
        ledger_->skip(std::move(row), from.id, where, durable());
    }
}

/// Records the outcome of asking again. It is refused if the document has been sent again meanwhile.
OCRPIPE_DECL task<error_code> pipeline::impl::record_again(std::string id, finish_record end)
{
    return change([this, id = std::move(id), end = std::move(end)](ledger_handler h) {
        ledger_->finished(id, end, std::move(h));
    });
}

} // namespace ocrpipe

#endif
