#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_IPP

#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <boost/asio/post.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL pipeline::impl::impl(asio::io_context& ioc, client& c, std::unique_ptr<source> s,
                                  pipeline_options options, std::shared_ptr<ledger> l)
    : ioc_(ioc)
    , client_(c)
    , ledger_(std::move(l))
    , source_(std::move(s))
    , options_(std::move(options))
    , shares_results_(options_.share_results && ledger_)
    , changed_(ioc)
    , drain_timer_(ioc.get_executor())
    , duration_timer_(ioc.get_executor())
{
}

/// Ends the run if a change could not be made durable.
OCRPIPE_DECL ledger_handler pipeline::impl::durable()
{
    ++changes_pending_;
    return [self = shared_from_this()](error_code ec) {
        --self->changes_pending_;
        self->changed_.notify();
        if (ec) self->ledger_failed(ec);
    };
}

OCRPIPE_DECL task<result<run_report>> pipeline::impl::run()
{
    started_ = clock::now();
    report_.started_at = std::chrono::system_clock::now();
    result<void> prepared = prepare();
    if (!prepared) co_return std::move(prepared).error();
    arm_duration_limit();
    co_await flush();
    co_await take_up_jobs();
    co_await feed();
    while (in_flight_ > 0)
        co_await changed_.wait();
    duration_timer_.cancel();
    drain_timer_.cancel();
    note_counts();
    co_await flush();
    report_.finished_at = std::chrono::system_clock::now();
    conclude();
    co_await flush();
    if (ended_by_) co_return *ended_by_;
    co_return report_;
}

/// Waits until every requested change is durable or has failed.
OCRPIPE_DECL task<void> pipeline::impl::flush()
{
    if (!ledger_) co_return;
    ledger_->flush(durable());
    while (changes_pending_ > 0)
        co_await changed_.wait();
}

OCRPIPE_DECL bool pipeline::impl::may_admit() const
{
    return in_flight_ < options_.max_in_flight && submitting_ < options_.max_submitting;
}

OCRPIPE_DECL task<void> pipeline::impl::feed()
{
    detail::intake_options how;
    how.flow = options_.flow;
    how.doc_type = options_.doc_type;
    how.type = options_.type;
    how.accept_changes = options_.accept_changes;
    how.extra_fields = client_.profile().extra_fields;
    how.rows_before = rows_before_;
    how.resend = [resubmit = options_.resubmit_ambiguous, more = options_.take_up](ledger_row const& row) {
        return row.state == document_state::ambiguous ? resubmit : more && more(row);
    };
    intake_ = std::make_shared<detail::intake>(std::move(how), ledger_);
    ahead_.emplace(std::move(source_), intake_, [self = weak_from_this(), executor = ioc_.get_executor()] {
        asio::post(executor, [self] {
            if (auto const p = self.lock()) p->changed_.notify();
        });
    });
    // Keeps the io_context running while the run only waits for its source.
    auto const work = asio::make_work_guard(ioc_);
    while (!is_stopped()) {
        if (!may_admit()) {
            flush_intents();
        } else {
            if (std::optional<detail::prepared> p = ahead_->try_pop()) {
                take(std::move(*p));
                continue;
            }
            if (ahead_->exhausted()) break;
        }
        pass_on_notes();
        co_await changed_.wait();
    }
    ahead_->stop();
    pass_on_notes();
    report_.source_exhausted = !is_stopped();
}

/// Flushes the pending intents if no others can join the batch now. Waits until the connections have little
/// left to send, because fewer commits cost less per document.
OCRPIPE_DECL void pipeline::impl::flush_intents()
{
    intents_unflushed_ = std::min(intents_unflushed_, intents_pending_);
    std::uint64_t const enough = options_.max_submitting - options_.max_submitting / 4;
    if (intents_unflushed_ == 0 || submitting_ - intents_unflushed_ > enough) return;
    intents_unflushed_ = 0;
    ledger_->flush({});
}

OCRPIPE_DECL void pipeline::impl::notice(std::string_view event, std::string_view text)
{
    if (options_.on_notice) options_.on_notice(event, text);
}

/// Forwards the source's notes, on this thread.
OCRPIPE_DECL void pipeline::impl::pass_on_notes()
{
    if (!options_.notes) return;
    for (source_notes::note const& n : options_.notes->take())
        notice(n.event, n.text);
}

OCRPIPE_DECL void pipeline::impl::end_run(failure f)
{
    if (ended_by_) return;
    ended_by_ = std::move(f);
    report_.end = run_end::failed;
    begin_draining();
}

OCRPIPE_DECL void pipeline::impl::disk_failed(error_code cause, std::string_view what)
{
    failure f;
    f.code = errc::unwritable_output;
    f.cause = cause;
    f.reason = fmt::format("{} in {}", what, options_.directory);
    end_run(std::move(f));
    close_after_submits();
}

OCRPIPE_DECL void pipeline::impl::ledger_failed(error_code ec)
{
    std::optional<failure> f = ledger_->broken();
    if (!f) {
        f.emplace();
        f->code = errc::ledger_failed;
        f->cause = ec;
        f->reason = "a change that the ledger does not allow";
    }
    end_run(std::move(*f));
    close_after_submits();
}

/// Stop submitting, because a document that cannot be recorded must not be paid for, but wait for the
/// request_id of submits in flight. The drain timer bounds the wait.
OCRPIPE_DECL void pipeline::impl::close_after_submits()
{
    closes_after_submits_ = true;
    if (submitting_ == 0) client_.close();
}

OCRPIPE_DECL void pipeline::impl::submit_ended()
{
    --submitting_;
    changed_.notify();
    if (closes_after_submits_ && submitting_ == 0) client_.close();
}

OCRPIPE_DECL void pipeline::impl::stop()
{
    if (stops_++ != 0) return client_.close();
    stop_by(run_end::stopped, "stopped");
    begin_draining();
}

OCRPIPE_DECL void pipeline::impl::stop_by(run_end why, std::string text)
{
    // A run that has reached its document limit and is finishing those documents can still be stopped.
    if (is_stopped() && (report_.end != run_end::document_limit || why == run_end::document_limit)) return;
    report_.end = why;
    report_.ended_by = std::move(text);
    changed_.notify();
    // The documents within the limit are sent and finished.
    if (why != run_end::document_limit) begin_draining();
}

OCRPIPE_DECL void pipeline::impl::begin_draining()
{
    changed_.notify();
    submits_stopped_ = true;
    client_.stop_submits();
    drain_timer_.expires_after(options_.drain_timeout);
    drain_timer_.async_wait([self = weak_from_this()](error_code ec) {
        auto const p = self.lock();
        if (!ec && p) p->client_.close();
    });
}

OCRPIPE_DECL void pipeline::impl::arm_duration_limit()
{
    if (options_.max_duration.count() == 0) return;
    duration_timer_.expires_after(options_.max_duration);
    duration_timer_.async_wait([self = weak_from_this()](error_code ec) {
        auto const p = self.lock();
        if (!ec && p) p->stop_by(run_end::time_limit, "its time was up");
    });
}

OCRPIPE_DECL std::string_view pipeline::impl::limiting(client_statistics const& now)
{
    auto const grew = [&](std::chrono::nanoseconds client_statistics::*counter) {
        return now.*counter > before_.*counter;
    };
    if (is_stopped()) return "draining";
    if (now.credentials_paused) return "credentials";
    if (now.paused_for.count() > 0) return "throttled";
    if (grew(&client_statistics::waited_for_submit_rate)) return "submit rate";
    if (grew(&client_statistics::waited_for_bytes)) return "bandwidth";
    if (grew(&client_statistics::waited_for_poll_rate)) return "poll rate";
    if (in_flight_ >= options_.max_in_flight) return "in-flight cap";
    if (submitting_ >= options_.max_submitting) return "connections";
    return report_.source_exhausted ? "service" : "source";
}

OCRPIPE_DECL std::uint64_t pipeline::impl::repeated() const
{
    return repeated_ + (intake_ ? intake_->repeated() : 0);
}

/// The remainder, so that the counts always add up.
OCRPIPE_DECL std::uint64_t pipeline::impl::unfinished() const
{
    std::uint64_t const others = done_ + failed_ + not_sent_;
    return known_ > others ? known_ - others : 0;
}

/// Counts that are not in the ledger, for readers that count by it.
OCRPIPE_DECL void pipeline::impl::note_counts()
{
    if (!ledger_) return;
    ledger_->set_metadata(std::string(detail::documents_without_row), std::to_string(without_row_.size()),
                          durable());
    ledger_->set_metadata(std::string(detail::documents_repeated), std::to_string(repeated()), durable());
}

OCRPIPE_DECL pipeline_statistics pipeline::impl::statistics()
{
    pipeline_statistics s;
    s.unfinished = unfinished();
    s.not_sent = not_sent_;
    s.repeated = repeated();
    s.found = done_ + failed_ + s.unfinished + s.not_sent + s.repeated;
    s.source_exhausted = report_.source_exhausted;
    s.done = done_;
    s.failed = failed_;
    s.finished_now = report_.done_now + failed_now_;
    s.unreadable = report_.unreadable;
    if (options_.notes) {
        s.links_skipped = options_.notes->links_skipped;
        s.too_young = options_.notes->too_young;
    }
    s.submitting = submitting_;
    s.waiting = waiting_;
    s.fetching_parts = fetching_parts_;
    s.bytes = report_.bytes;
    s.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - started_);
    client_statistics const now = client_.statistics();
    s.limiting = limiting(now);
    before_ = now;
    return s;
}

/// Writes the final failures.jsonl and report.json from the ledger.
OCRPIPE_DECL void pipeline::impl::conclude()
{
    client_statistics const c = client_.statistics();
    if (options_.notes) {
        report_.links_skipped = options_.notes->links_skipped;
        report_.too_young = options_.notes->too_young;
        report_.empty_inputs = options_.notes->empty_inputs;
    }
    report_.submits = c.submits;
    report_.polls = c.polls;
    report_.throttled = c.throttled;
    report_.transport_failures = c.transport_failures;
    report_.done = done_;
    report_.failed = failed_;
    report_.unfinished = unfinished();
    report_.not_sent = not_sent_;
    report_.repeated = repeated();
    report_.found = done_ + failed_ + report_.unfinished + not_sent_ + report_.repeated;
    if (ledger_ && !ledger_->broken()) {
        if (result<void> rewritten = files_->rewrite_failures(*ledger_); !rewritten)
            end_run(std::move(rewritten).error());
        if (result<void> counted = count_all(*ledger_, report_); !counted)
            end_run(std::move(counted).error());
    }
    for (error_code const ec : {files_->sync(), files_->failures().sync()})
        if (ec) disk_failed(ec, "syncing the results");
    if (ended_by_) report_.ended_by = to_string(*ended_by_);
    if (error_code const ec = write_report(options_.directory, report_)) disk_failed(ec, "report.json");
    if (ledger_ && !ledger_->broken()) ledger_->set_metadata("last_run", to_json(report_), durable());
}

OCRPIPE_DECL pipeline::pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s,
                                pipeline_options options, std::shared_ptr<ledger> l)
    : impl_(std::make_shared<impl>(ioc, c, std::move(s), std::move(options), std::move(l)))
{
}

OCRPIPE_DECL pipeline::~pipeline() = default;
OCRPIPE_DECL pipeline::pipeline(pipeline&&) noexcept = default;
OCRPIPE_DECL pipeline& pipeline::operator=(pipeline&&) noexcept = default;

OCRPIPE_DECL task<result<run_report>> pipeline::run() { return impl_->run(); }
OCRPIPE_DECL void pipeline::stop() { impl_->stop(); }
OCRPIPE_DECL pipeline_statistics pipeline::statistics() const { return impl_->statistics(); }

} // namespace ocrpipe

#endif
