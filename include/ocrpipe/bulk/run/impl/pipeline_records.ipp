#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_RECORDS_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_RECORDS_IPP

// What the ledger records of a document on its way, each step awaited until it is durable.

#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace ocrpipe
{

/// Makes a change of the ledger and waits until it is durable or has failed.
OCRPIPE_DECL task<error_code> pipeline::impl::change(std::function<void(ledger_handler)> request)
{
    error_code ec;
    co_await detail::async_change(std::move(request), asio::redirect_error(detail::use_task, ec));
    co_return ec;
}

/// The same, for a change that must succeed: otherwise the run ends.
OCRPIPE_DECL task<error_code> pipeline::impl::record(std::function<void(ledger_handler)> request)
{
    error_code const ec = co_await change(std::move(request));
    if (ec) ledger_failed(ec);
    co_return ec;
}

/// Milliseconds since the epoch; 0 if it is not known.
inline std::int64_t milliseconds_of(result_times::time const& t)
{
    return t ? std::chrono::floor<std::chrono::milliseconds>(*t).time_since_epoch().count() : 0;
}

/// The reverse.
inline result_times::time wall_time_of(std::int64_t milliseconds)
{
    if (milliseconds == 0) return std::nullopt;
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(milliseconds));
}

/// The service accepted the document. If its request_id comes from elsewhere, only the time of now is known.
inline void note_submit(detail::document_in_flight& d, job_times const& times)
{
    d.times.sent_at = wall_time(times.sent);
    d.times.submitted_at =
        is_known(times.accepted) ? wall_time(times.accepted) : std::chrono::system_clock::now();
}

/// The reads of the document's job have ended.
inline void note_reads(detail::document_in_flight& d, job_times const& times)
{
    if (is_known(times.last_pending)) d.times.last_pending_at = wall_time(times.last_pending);
    d.times.ready_at = wall_time(times.ready);
}

inline void add_times(finish_record& end, result_times const& times)
{
    end.sent_at = milliseconds_of(times.sent_at);
    end.last_pending_at = milliseconds_of(times.last_pending_at);
    end.ready_at = milliseconds_of(times.ready_at);
}

// These are not coroutines, because a lambda inside one has no linkage here (g++ 12, -Wsubobject-linkage).

OCRPIPE_DECL task<error_code> pipeline::impl::record_intent(document_ptr d)
{
    return change([this, d](ledger_handler h) {
        auto recorded = [this, d, h = std::move(h)](error_code ec) mutable {
            release_id(*d);
            d->has_intent = !ec;
            d->intent_failed = ec;
            if (!ec) state_.move(d->counted, detail::standing::unfinished);
            h(ec);
        };
        ledger_->admit_intent(d->input.record, d->input.was, std::move(recorded));
        // A connection waits for it. Intents that come while the ledger commits share the next commit.
        ledger_->flush({});
    });
}

/// Records that a submit was ambiguous and that its one repeat follows.
OCRPIPE_DECL task<error_code> pipeline::impl::record_repeat(document_ptr d)
{
    finish_record end;
    end.state = document_state::ambiguous;
    end.failure = errc::ambiguous_submit;
    end.message = "it is sent again";
    error_code ec = co_await record_end(*d, std::move(end));
    if (ec) co_return ec;
    result<std::optional<ledger_row>> const row = ledger_->find(d->id());
    if (!row || !*row) co_return make_error_code(errc::ledger_failed);
    d->input.was = (*row)->version();
    ec = co_await record_intent(d);
    co_return ec;
}

/// Takes back the intent of a refused document while it waits: if the process is killed meanwhile, the
/// document is not in doubt.
OCRPIPE_DECL task<void> pipeline::impl::take_back_intent(document_ptr d)
{
    error_code const ec = co_await record_not_sent(*d);
    if (ec) co_return;
    result<std::optional<ledger_row>> const row = ledger_->find(d->id());
    if (!row) end_run(row.error());
    if (!row || !*row) co_return;
    d->has_intent = false;
    d->input.was = (*row)->version();
    state_.move(d->counted, detail::standing_of((*row)->state));
}

OCRPIPE_DECL task<error_code> pipeline::impl::record_submitted(detail::document_in_flight& d)
{
    return record([this, &d](ledger_handler h) {
        submit_record what;
        what.request_id = d.job.request_id;
        what.file_ids = d.job.file_ids;
        what.attempts = d.job.attempts;
        what.possible_duplicate = d.job.possible_duplicate;
        what.sent_at = milliseconds_of(d.times.sent_at);
        what.accepted_at = milliseconds_of(d.times.submitted_at);
        ledger_->submitted(d.id(), std::move(what), std::move(h));
    });
}

OCRPIPE_DECL task<error_code> pipeline::impl::record_end(detail::document_in_flight& d, finish_record end)
{
    return record(
        [this, &d, end = std::move(end)](ledger_handler h) { ledger_->finished(d.id(), end, std::move(h)); });
}

OCRPIPE_DECL task<error_code> pipeline::impl::record_not_sent(detail::document_in_flight& d)
{
    return record([this, &d](ledger_handler h) { ledger_->not_sent(d.id(), std::move(h)); });
}

} // namespace ocrpipe

#endif
