#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_IPP

#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>

namespace ocrpipe
{
namespace detail
{
/// Metadata key: client_statistics::content_delay of the runs so far.
inline constexpr std::string_view content_delay_ms = "service.content_delay_ms";
} // namespace detail

OCRPIPE_DECL std::vector<std::string> pipeline_options::validate() const
{
    std::vector<std::string> problems;
    auto const check = [&problems](bool fine, std::string problem) {
        if (!fine) problems.push_back(std::move(problem));
    };
    check(!directory.empty(), "out: missing: name a directory for the results");
    check(!flow.empty(), "flow: empty: give \"single\" or a flow id");
    check(max_in_flight >= 1 && max_in_flight <= 10'000'000,
          fmt::format("max_in_flight: {} is out of range: 1 to 10000000", max_in_flight));
    check(max_submitting >= 1 && max_submitting <= 100'000,
          fmt::format("max_submitting: {} is out of range: 1 to 100000", max_submitting));
    check(max_fetching_parts >= 1 && max_fetching_parts <= 100'000,
          fmt::format("max_fetching_parts: {} is out of range: 1 to 100000", max_fetching_parts));
    check(results_file_bytes >= 1024,
          fmt::format("results_file_bytes: {} is out of range: 1024 or more", results_file_bytes));
    check(fail_budget.percent >= 0 && fail_budget.percent <= 100,
          fmt::format("fail_budget: {} percent is out of range: 0 to 100", fail_budget.percent));
    check(drain_timeout.count() >= 0 && max_duration.count() >= 0,
          "drain_timeout, max_duration: negative: give a time");
    for (operation const part : parts)
        check(part != operation::submit && part != operation::result,
              fmt::format("parts: {} is not a part: table, signature, stamp or image", name(part)));
    return problems;
}

OCRPIPE_DECL pipeline::impl::impl(asio::io_context& ioc, client& c, std::unique_ptr<source> s,
                                  pipeline_options options, std::shared_ptr<ledger> l)
    : ioc_(ioc)
    , client_(c)
    , ledger_(l ? std::move(l) : make_memory_ledger(ioc))
    , source_(std::move(s))
    , options_(std::move(options))
    , configuration_(options_, c.profile())
    , state_(options_)
    , part_queue_(options_.max_fetching_parts)
    , measured_(std::make_shared<detail::run_observer>(clock::now(), std::chrono::system_clock::now()))
    , changed_(ioc)
    , sample_timer_(ioc.get_executor())
    , drain_timer_(ioc.get_executor())
    , duration_timer_(ioc.get_executor())
{
}

OCRPIPE_DECL task<result<run_report>> pipeline::impl::run()
{
    started_ = clock::now();
    state_.report.started_at = std::chrono::system_clock::now();
    result<void> prepared = prepare();
    if (!prepared) co_return std::move(prepared).error();
    begin_measuring();
    arm_duration_limit();
    co_await flush();
    resume_parts();
    co_await resume_jobs();
    ask_again_for_earlier_results(earlier_);
    co_await feed();
    while (state_.in_flight() + asking_ + resuming_ > 0 || judge_held_back())
        co_await changed_.wait();
    co_await ask_again_at_the_end();
    duration_timer_.cancel();
    end_measuring();
    note_counts();
    co_await flush();
    state_.report.finished_at = std::chrono::system_clock::now();
    conclude();
    co_await flush();
    // Any failure up to here starts it, and it would keep the io_context running.
    drain_timer_.cancel();
    if (state_.error()) co_return *state_.error();
    co_return state_.report;
}

/// Opens the directory and settles what earlier runs left in it.
OCRPIPE_DECL result<void> pipeline::impl::prepare()
{
    std::vector<std::string> const problems = options_.validate();
    if (!problems.empty())
        return failure(errc::invalid_argument, phase::prepare, fmt::format("{}", fmt::join(problems, "; ")));
    std::error_code ec;
    std::filesystem::create_directories(options_.directory, ec);
    if (ec) return failure(errc::unwritable_output, phase::prepare, options_.directory, error_code(ec));
    result<std::string> const changes = configuration_.compare(*ledger_);
    if (!changes) return changes.error();
    if (!changes->empty()) notice("configuration_changed", *changes);
    result<detail::opened_directory> opened = detail::open_run_directory(options_, *ledger_);
    if (!opened) return opened.error();
    files_ = opened->files;
    if (std::string const& gone = opened->missing_results; !gone.empty())
        notice("results_moved_away",
               fmt::format("{} is not in {}: continuing in {}; restore it before you export its results or "
                           "run again with copies of its documents",
                           gone, options_.directory,
                           std::filesystem::path(files_->results().path()).filename().string()));
    return settle_ledger(std::move(*opened));
}

/// Recovers everything that an earlier process left unfinished, before this process changes anything.
OCRPIPE_DECL result<void> pipeline::impl::settle_ledger(detail::opened_directory opened)
{
    result<std::uint64_t> const interrupted = ledger_->interrupted_intents_to_ambiguous();
    if (!interrupted) return interrupted.error();
    result<document_counts> const counts = ledger_->counts();
    if (!counts) return counts.error();
    state_.count_earlier(*counts);
    earlier_ = *counts;
    if (result<void> recalled = recall_service(*counts); !recalled) return recalled;
    note_counts();

    ledger_->sync_results_with([files = files_] { return files->sync(); });
    using detail::standing;
    std::uint64_t in_doubt = *interrupted;
    for (detail::unrecorded_submit& submit : opened.submits) {
        standing of = standing::failed;
        state_.move(of, standing::unfinished);
        if (submit.interrupted) --in_doubt;
        ledger_->submitted(std::move(submit.id), std::move(submit.what), durable());
    }
    if (in_doubt > 0)
        notice(
            "interrupted_submits",
            fmt::format("{} documents were being sent when the last run ended and may have been accepted: {}",
                        in_doubt, options_.resubmit_ambiguous ? "they are sent again" : "they are held"));
    for (detail::unrecorded_result& r : opened.results) {
        standing of = r.was_stuck ? standing::failed : standing::unfinished;
        state_.move(of, standing::done);
        ledger_->finished(std::move(r.id), std::move(r.end), durable());
    }
    result<std::vector<std::string>> const incomplete = ledger_->documents_lacking_parts();
    if (!incomplete) return incomplete.error();
    lacking_parts_.assign(incomplete->begin(), incomplete->end());
    configuration_.record(*ledger_, [this] { return durable(); });
    if (!options_.share_results) return {};
    ledger_->index_content(durable());
    return options_.resubmit_ambiguous ? result<void>() : hold_ambiguous_content();
}

/// Tells the client what earlier runs in this directory have learned about the service.
OCRPIPE_DECL result<void> pipeline::impl::recall_service(document_counts const& counts)
{
    result<std::optional<std::string>> const delay = ledger_->metadata(detail::content_delay_ms);
    if (!delay) return delay.error();
    service_knowledge known;
    known.doc_types.assign(counts.accepted_doc_types.begin(), counts.accepted_doc_types.end());
    known.results_read = counts[document_state::done] > 0;
    // One of the last, because results may expire.
    std::uint64_t cursor = counts.last_number - std::min<std::uint64_t>(counts.last_number, 256);
    result<std::vector<ledger_row>> rows = ledger_->rows({document_state::done}, cursor, 256);
    if (rows && rows->empty()) rows = ledger_->rows({document_state::done}, cursor = 0, 1);
    if (!rows) return rows.error();
    if (!rows->empty()) known.finished_job = rows->back().request_id;
    std::int64_t ms = 0;
    if (*delay) std::from_chars((**delay).data(), (**delay).data() + (**delay).size(), ms);
    known.content_delay = std::chrono::milliseconds(ms);
    known.unread = counts[document_state::submitted] + counts[document_state::stuck];
    client_.remember(known);
    return {};
}

/// Copies of documents that may have been accepted are not sent either.
OCRPIPE_DECL result<void> pipeline::impl::hold_ambiguous_content()
{
    std::uint64_t cursor = 0;
    for (;;) {
        result<std::vector<ledger_row>> const rows = ledger_->rows({document_state::ambiguous}, cursor, 256);
        if (!rows) return rows.error();
        if (rows->empty()) return {};
        for (ledger_row const& row : *rows)
            sharing_.hold(row.sha256 + row.parameters);
    }
}

/// Polls the jobs that an earlier run paid for. They come before new documents, because their results may
/// expire.
OCRPIPE_DECL task<void> pipeline::impl::resume_jobs()
{
    constexpr std::size_t at_once = 256;
    std::uint64_t cursor = 0;
    while (!state_.is_stopped()) {
        result<std::vector<ledger_row>> rows =
            ledger_->rows({document_state::submitted, document_state::stuck}, cursor, at_once);
        if (!rows) end_run(std::move(rows).error());
        if (!rows || rows->empty()) break;
        for (ledger_row& row : *rows) {
            while (state_.in_flight() >= options_.max_in_flight && !state_.is_stopped())
                co_await changed_.wait();
            if (state_.is_stopped()) break;
            document_ptr d = from_row(std::move(row));
            if (options_.share_results) d->is_original = sharing_.claim(d->content());
            state_.move(d->counted, detail::standing::unfinished);
            ++state_.report.taken_up;
            state_.enter();
            wait(std::move(d), false);
        }
    }
    if (std::uint64_t const n = state_.report.taken_up; n > 0)
        notice("taken_up", fmt::format("polling {} jobs of an earlier run", n));
}

OCRPIPE_DECL detail::intake_options pipeline::impl::how_to_examine() const
{
    detail::intake_options how;
    how.flow = options_.flow;
    how.doc_type = options_.doc_type;
    how.type = options_.type;
    how.accept_changes = options_.accept_changes;
    how.extra_fields = client_.profile().extra_fields;
    how.rows_before = earlier_.last_number;
    how.resend = [resubmit = options_.resubmit_ambiguous, more = options_.resend](ledger_row const& row) {
        return detail::is_in_doubt(row) ? resubmit : more && more(row);
    };
    return how;
}

/// Admits the documents of the source, as room allows.
OCRPIPE_DECL task<void> pipeline::impl::feed()
{
    intake_ = std::make_shared<detail::intake>(how_to_examine(), ledger_);
    ahead_.emplace(std::move(source_), intake_, [self = weak_from_this(), executor = ioc_.get_executor()] {
        asio::post(executor, [self] {
            if (auto const p = self.lock()) p->changed_.notify();
        });
    });
    // Keeps the io_context running while the run only waits for its source.
    auto const work = asio::make_work_guard(ioc_);
    while (!state_.is_stopped()) {
        if (state_.has_room()) {
            if (std::optional<detail::prepared> p = ahead_->try_pop()) {
                admit(std::move(*p));
                continue;
            }
            if (ahead_->exhausted()) break;
        }
        forward_notes();
        co_await changed_.wait();
    }
    ahead_->stop();
    forward_notes();
    state_.report.source_exhausted = !state_.is_stopped();
}

OCRPIPE_DECL void pipeline::impl::admit(detail::prepared p)
{
    if (auto* const d = std::get_if<detail::prepared_document>(&p))
        admit(std::make_shared<detail::document_in_flight>(std::move(*d)));
    else if (auto* const problem = std::get_if<input_problem>(&p))
        reject(*problem);
    else
        end_run(std::get<failure>(std::move(p)));
}

OCRPIPE_DECL void pipeline::impl::admit(document_ptr d)
{
    state_.enter();
    note_gauges();
    // At the limit, the document is as if it had not been found.
    if (!state_.may_send()) return leave();
    if (d->input.was)
        d->counted = detail::standing_of(d->input.was->state);
    else
        state_.move(d->counted, detail::standing::unfinished);
    if (options_.share_results && d->input.request_id.empty() && !is_to_be_sent(d)) return;
    if (options_.share_results) unrecorded_.emplace(d->id(), d);
    state_.submit_begins();
    start(send(std::move(d)));
}

/// Lists an input that is not a document.
OCRPIPE_DECL void pipeline::impl::reject(input_problem const& p)
{
    ++state_.report.unreadable;
    measured_->collected.failed("input", name(static_cast<errc>(p.code.value())), p.path,
                                p.message.empty() ? p.code.message() : p.message);
    if (options_.on_unreadable) options_.on_unreadable(p);
    if (error_code const ec = files_->failures().append(p)) output_failed(ec, "failures.jsonl");
}

/// Leaves a document unsent; the next run finds it again.
OCRPIPE_DECL void pipeline::impl::withhold(detail::document_in_flight& d)
{
    if (!d.input.was) state_.withhold_without_row(d.id(), d.counted);
    leave();
}

OCRPIPE_DECL void pipeline::impl::start(task<void> work)
{
    asio::co_spawn(ioc_, std::move(work), [self = shared_from_this()](std::exception_ptr thrown) {
        if (thrown) std::rethrow_exception(thrown);
    });
}

OCRPIPE_DECL void pipeline::impl::notice(std::string_view event, std::string_view text)
{
    if (options_.on_notice) options_.on_notice(event, text);
}

/// Passes the source's notes on, on this thread.
OCRPIPE_DECL void pipeline::impl::forward_notes()
{
    if (!options_.notes) return;
    for (source_notes::note const& n : options_.notes->take())
        notice(n.event, n.text);
}

/// A handler for a change that no document waits for. If the change fails, the run ends.
OCRPIPE_DECL ledger_handler pipeline::impl::durable()
{
    ++changes_pending_;
    return [self = shared_from_this()](error_code ec) {
        --self->changes_pending_;
        self->changed_.notify();
        if (ec) self->ledger_failed(ec);
    };
}

/// Waits until every requested change is durable or has failed.
OCRPIPE_DECL task<void> pipeline::impl::flush()
{
    ledger_->flush(durable());
    while (changes_pending_ > 0)
        co_await changed_.wait();
}

/// Records counts that are not in the ledger's rows, for readers that count by it.
OCRPIPE_DECL void pipeline::impl::note_counts()
{
    ledger_->set_metadata(std::string(detail::documents_without_row),
                          std::to_string(state_.withheld_without_row()), durable());
    if (intake_) state_.repeated_at_intake(intake_->repeated());
    ledger_->set_metadata(std::string(detail::documents_repeated), std::to_string(state_.repeated()),
                          durable());
}

/// Carries out what the state has decided: stops sending, and closes the client when nothing can be recorded.
OCRPIPE_DECL void pipeline::impl::react()
{
    changed_.notify();
    // A document that cannot be recorded must not be paid for. The request_ids of submits in flight are still
    // waited for; the drain timer bounds the wait.
    if (state_.have_outputs_failed() && state_.submitting() == 0) client_.close();
    if (!state_.is_draining() || std::exchange(is_draining_, true)) return;
    client_.stop_submits();
    drain_timer_.expires_after(options_.drain_timeout);
    drain_timer_.async_wait([self = weak_from_this()](error_code ec) {
        auto const p = self.lock();
        if (!ec && p) p->client_.close();
    });
}

OCRPIPE_DECL void pipeline::impl::submit_ended()
{
    state_.submit_ends();
    react();
}

OCRPIPE_DECL void pipeline::impl::end_run(failure f)
{
    state_.fail(std::move(f));
    react();
}

/// Ends the run if a failure concerns all documents.
OCRPIPE_DECL void pipeline::impl::end_run_after(failure const& f)
{
    if (detail::ends_the_run(f)) return end_run(f);
    if (!f.is(errc::service_unavailable)) return;
    state_.stop(run_end::failure_budget, f.reason);
    react();
}

OCRPIPE_DECL failure pipeline::impl::output_failed(error_code cause, std::string_view what)
{
    failure const f(errc::unwritable_output, phase::none, fmt::format("{} in {}", what, options_.directory),
                    cause);
    state_.outputs_failed(f);
    react();
    return f;
}

OCRPIPE_DECL void pipeline::impl::ledger_failed(error_code ec)
{
    std::optional<failure> const broken = ledger_->broken();
    state_.outputs_failed(
        broken ? *broken
               : failure(errc::ledger_failed, phase::none, "a change that the ledger does not allow", ec));
    react();
}

OCRPIPE_DECL void pipeline::impl::stop()
{
    if (stops_++ != 0) return client_.close();
    state_.stop(run_end::stopped, "stopped");
    react();
}

OCRPIPE_DECL void pipeline::impl::arm_duration_limit()
{
    if (options_.max_duration.count() == 0) return;
    duration_timer_.expires_after(options_.max_duration);
    duration_timer_.async_wait([self = weak_from_this()](error_code ec) {
        auto const p = self.lock();
        if (ec || !p) return;
        p->state_.stop(run_end::time_limit, "the time limit was reached");
        p->react();
    });
}

OCRPIPE_DECL pipeline_statistics pipeline::impl::statistics()
{
    if (intake_) state_.repeated_at_intake(intake_->repeated());
    pipeline_statistics s = state_.statistics();
    if (options_.notes) {
        s.links_skipped = options_.notes->links_skipped;
        s.too_young = options_.notes->too_young;
    }
    s.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - started_);
    client_statistics const c = client_.statistics();
    s.limiting = state_.is_stopped() ? std::string_view("draining") : limiting_;
    s.outage = c.outage;
    s.outage_lasts = c.outage_lasts;
    s.paused_for = c.paused_for;
    return s;
}

/// Writes the final failures.jsonl and report.json from the ledger.
OCRPIPE_DECL void pipeline::impl::conclude()
{
    run_report& report = state_.report;
    if (options_.notes) {
        report.links_skipped = options_.notes->links_skipped;
        report.too_young = options_.notes->too_young;
        report.empty_inputs = options_.notes->empty_inputs;
    }
    state_.complete_report(client_.statistics());
    if (!ledger_->broken()) {
        if (result<void> rewritten = files_->rewrite_failures(*ledger_); !rewritten)
            end_run(std::move(rewritten).error());
        if (result<void> counted = count_all(*ledger_, report); !counted) end_run(std::move(counted).error());
    }
    for (error_code const ec : {files_->sync(), files_->failures().sync()})
        if (ec) output_failed(ec, "syncing the results");
    report.measured = report_members(
        measured_->collected, facts_of(report, report.end == run_end::complete ? "finished" : "stopped"));
    if (error_code const ec = write_report(options_.directory, report))
        output_failed(ec, "report.json");
    else if (options_.on_report)
        options_.on_report(to_json(report));
    if (ledger_->broken()) return;
    ledger_->set_metadata(std::string(detail::last_run_measured), report.measured, durable());
    run_report counts = report;
    counts.measured.clear();
    ledger_->set_metadata("last_run", to_json(counts), durable());
    if (auto const delay = client_.statistics().content_delay; delay.count() > 0)
        ledger_->set_metadata(std::string(detail::content_delay_ms), std::to_string(delay.count()),
                              durable());
}

OCRPIPE_DECL pipeline::pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s,
                                pipeline_options options, std::shared_ptr<ledger> l)
    : impl_(std::make_shared<impl>(ioc, c, std::move(s), std::move(options), std::move(l)))
{
}

OCRPIPE_DECL pipeline::~pipeline() = default;
OCRPIPE_DECL pipeline::pipeline(pipeline&&) noexcept = default;
OCRPIPE_DECL pipeline& pipeline::operator=(pipeline&&) noexcept = default;

OCRPIPE_DECL void pipeline::start(std::shared_ptr<impl> i, run_handler handler)
{
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
        slot.assign([weak = std::weak_ptr(i)](asio::cancellation_type) {
            if (auto const running = weak.lock()) running->stop();
        });
    auto const ex =
        asio::get_associated_executor(handler, asio::any_completion_executor(i->context().get_executor()));
    auto deliver = [i, ex, work = asio::make_work_guard(ex),
                    h = std::move(handler)](std::exception_ptr thrown, result<run_report> report) mutable {
        if (thrown) std::rethrow_exception(thrown);
        asio::dispatch(ex,
                       [h = std::move(h), r = std::move(report)]() mutable { std::move(h)(std::move(r)); });
    };
    asio::co_spawn(i->context(), i->run(), std::move(deliver));
}

OCRPIPE_DECL task<result<run_report>> pipeline::run() { return impl_->run(); }
OCRPIPE_DECL void pipeline::stop() { impl_->stop(); }
OCRPIPE_DECL pipeline_statistics pipeline::statistics() const { return impl_->statistics(); }
OCRPIPE_DECL run_measurements const& pipeline::measurements() const { return impl_->measurements(); }
OCRPIPE_DECL std::string pipeline::report_so_far() const { return impl_->report_so_far(); }

} // namespace ocrpipe

#endif
