#ifndef OCRPIPE_BULK_IMPL_PIPELINE_IPP
#define OCRPIPE_BULK_IMPL_PIPELINE_IPP

#include <ocrpipe/bulk/detail/pipeline_impl.hpp>

#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <utility>

namespace ocrpipe
{

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
    , ledger_(std::move(l))
    , source_(std::move(s))
    , options_(std::move(options))
    , shares_results_(options_.share_results && ledger_)
    , changed_(ioc)
    , drain_timer_(ioc.get_executor())
    , duration_timer_(ioc.get_executor())
{
}

OCRPIPE_DECL result<void> pipeline::impl::prepare()
{
    auto const refused = [](errc e, error_code cause, std::string reason) {
        failure f;
        f.code = e;
        f.cause = cause;
        f.where = phase::prepare;
        f.reason = std::move(reason);
        return f;
    };
    std::vector<std::string> const problems = options_.validate();
    if (!problems.empty())
        return refused(errc::invalid_argument, {}, fmt::format("{}", fmt::join(problems, "; ")));
    std::error_code ec;
    std::filesystem::create_directories(options_.directory, ec);
    if (ec)
        return refused(errc::unwritable_output, error_code(ec.value(), boost::system::system_category()),
                       options_.directory);
    if (ledger_)
        if (result<void> same = compare_configuration(); !same) return same;
    result<std::shared_ptr<detail::run_directory>> opened =
        detail::run_directory::open(options_, ledger_.get());
    if (!opened) return opened.error();
    files_ = std::move(*opened);
    return ledger_ ? settle_ledger() : result<void>();
}

/// What must be the same in every run of a directory.
OCRPIPE_DECL std::map<std::string, std::string> pipeline::impl::configuration() const
{
    std::map<std::string, std::string> all = options_.configuration;
    all["flow"] = options_.flow;
    all["doc_type"] = options_.doc_type;
    all["file_type"] = wire_word(options_.type);
    all["text"] = options_.text ? "yes" : "no";
    all["dedupe"] = shares_results_ ? "content" : "";
    std::vector<std::string> fields;
    for (auto const& [name, value] : client_.profile().extra_fields)
        fields.push_back(name + '=' + value);
    all["extra_fields"] = fmt::format("{}", fmt::join(fields, ","));
    std::vector<std::string_view> parts;
    for (operation const part : options_.parts)
        parts.push_back(name(part));
    all["parts"] = fmt::format("{}", fmt::join(parts, ","));
    return all;
}

OCRPIPE_DECL result<void> pipeline::impl::compare_configuration()
{
    std::vector<std::string> changes;
    bool read_otherwise = false;
    for (auto const& [key, value] : configuration()) {
        result<std::optional<std::string>> const before = ledger_->metadata("configuration." + key);
        if (!before) return before.error();
        bool const saves_from_now_on = key == "dedupe" && *before && (**before).empty();
        if (!*before || **before == value || saves_from_now_on) continue;
        changes.push_back(fmt::format("{} was \"{}\" and is \"{}\"", key, printable_excerpt(**before, 200),
                                      printable_excerpt(value, 200)));
        read_otherwise |= key != "text" && key != "parts" && key != "dedupe";
    }
    if (changes.empty()) return {};
    // While nothing was sent, a mistake in the options costs nothing to mend.
    result<document_counts> const counts = ledger_->counts();
    if (!counts) return counts.error();
    if ((*counts)[document_state::found] == counts->total()) return {};
    std::string what = fmt::format("{}", fmt::join(changes, "; "));
    if (!options_.accept_changes) {
        failure f;
        f.code = errc::configuration_changed;
        f.where = phase::prepare;
        f.reason = std::move(what);
        return f;
    }
    notice("configuration_changed",
           what + (read_otherwise ? ": documents that were read otherwise are sent and paid for again"
                                  : ": documents that have their result stay as they are"));
    return {};
}

/// Everything that an earlier process left half done, before this one changes anything.
OCRPIPE_DECL result<void> pipeline::impl::settle_ledger()
{
    result<std::uint64_t> const interrupted = ledger_->interrupted_intents_to_ambiguous();
    if (!interrupted) return interrupted.error();
    result<document_counts> const counts = ledger_->counts();
    if (!counts) return counts.error();
    using enum document_state;
    done_ = (*counts)[done] + (*counts)[skipped];
    failed_ = counts->total_of({failed, ambiguous, expired, lost, stuck});

    ledger_->sync_results_with([files = files_] { return files->sync(); });
    std::uint64_t in_doubt = *interrupted;
    for (detail::unrecorded_submit& submit : files_->take_unrecorded_submits()) {
        --failed_;
        if (submit.interrupted) --in_doubt;
        ledger_->submitted(std::move(submit.id), std::move(submit.what), durable());
    }
    if (in_doubt > 0)
        notice(
            "interrupted_submits",
            fmt::format("{} documents were being sent when the last run ended and may have been accepted: {}",
                        in_doubt, options_.resubmit_ambiguous ? "they are sent again" : "they are held"));
    for (auto& [id, end] : files_->take_unrecorded()) {
        ++done_;
        ledger_->finished(std::move(id), std::move(end), durable());
    }
    if (shares_results_) ledger_->index_content(durable());
    for (auto& [key, value] : configuration())
        ledger_->set_metadata("configuration." + key, value, durable());
    if (!shares_results_ || options_.resubmit_ambiguous) return {};
    std::uint64_t cursor = 0;
    for (;;) {
        result<std::vector<ledger_row>> const rows = ledger_->rows({ambiguous}, cursor, 256);
        if (!rows) return rows.error();
        if (rows->empty()) return {};
        for (ledger_row const& row : *rows)
            originals_.emplace(row.sha256 + row.parameters, nullptr);
    }
}

/// Ends the run when a change is not durable.
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
    co_await flush();
    report_.finished_at = std::chrono::system_clock::now();
    conclude();
    co_await flush();
    if (ended_by_) co_return *ended_by_;
    co_return report_;
}

/// Waits until every change asked for is durable, or has failed.
OCRPIPE_DECL task<void> pipeline::impl::flush()
{
    if (!ledger_) co_return;
    ledger_->flush(durable());
    while (changes_pending_ > 0)
        co_await changed_.wait();
}

/// Asks for the jobs that an earlier run paid for. They come before new documents: their results may expire.
OCRPIPE_DECL task<void> pipeline::impl::take_up_jobs()
{
    constexpr std::size_t at_once = 256;
    std::uint64_t cursor = 0;
    while (ledger_ && !is_stopped()) {
        result<std::vector<ledger_row>> rows =
            ledger_->rows({document_state::submitted, document_state::stuck}, cursor, at_once);
        if (!rows) {
            end_run(std::move(rows).error());
            break;
        }
        if (rows->empty()) break;
        for (ledger_row& row : *rows) {
            while (in_flight_ >= options_.max_in_flight && !is_stopped())
                co_await changed_.wait();
            if (is_stopped()) break;
            take_up(std::move(row));
        }
    }
    if (report_.taken_up > 0)
        notice("taken_up", fmt::format("asking for {} jobs of an earlier run", report_.taken_up));
}

OCRPIPE_DECL void pipeline::impl::take_up(ledger_row row)
{
    ++report_.taken_up;
    if (row.state == document_state::stuck) --failed_;
    auto d = std::make_shared<detail::document_in_flight>();
    d->input.item.id = std::move(row.id);
    d->input.item.path = std::move(row.path);
    d->input.item.flow = std::move(row.flow);
    d->input.item.doc_type = std::move(row.doc_type);
    d->input.item.type = row.type;
    d->input.size = row.size;
    d->input.sha256 = std::move(row.sha256);
    d->input.parameters = std::move(row.parameters);
    d->job.request_id = std::move(row.request_id);
    d->job.file_ids = std::move(row.file_ids);
    d->job.attempts = row.attempts;
    d->job.possible_duplicate = row.possible_duplicate;
    d->job_is_recorded = true;
    d->submitted_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(row.submitted_at));
    if (shares_results_) originals_.insert_or_assign(d->content(), d);
    ++in_flight_;
    wait(std::move(d), false);
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
    how.take_up = [resubmit = options_.resubmit_ambiguous, more = options_.take_up](ledger_row const& row) {
        return row.state == document_state::ambiguous ? resubmit : more && more(row);
    };
    intake_ = std::make_shared<detail::intake>(std::move(how), ledger_);
    ahead_.emplace(std::move(source_), intake_, [self = weak_from_this(), executor = ioc_.get_executor()] {
        asio::post(executor, [self] {
            if (auto const p = self.lock()) p->changed_.notify();
        });
    });
    // A run that waits for its source alone has nothing else to keep the context running.
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

/// Has the intents committed that wait for it, as no other can join them now; not before the connections have
/// little left to send, since the fewer commits, the less a document costs.
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

/// What the source has to say, said on this thread.
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

/// What cannot be recorded must not be paid for; what is paid for already should tell its request_id. The
/// timer of draining bounds the wait.
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
    // A run that was to send so many documents, and sees them to their end, can still be stopped.
    if (is_stopped() && (report_.end != run_end::document_limit || why == run_end::document_limit)) return;
    report_.end = why;
    report_.ended_by = std::move(text);
    changed_.notify();
    // Those that may be sent are sent, and seen to their end.
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

OCRPIPE_DECL std::uint64_t pipeline::impl::found() const
{
    return found_ + (intake_ ? intake_->passed_over() : 0);
}

OCRPIPE_DECL pipeline_statistics pipeline::impl::statistics()
{
    pipeline_statistics s;
    s.found = found();
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

/// The last words: failures.jsonl and report.json as the ledger says.
OCRPIPE_DECL void pipeline::impl::conclude()
{
    client_statistics const c = client_.statistics();
    report_.found = found();
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
    report_.unfinished = unfinished_;
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

OCRPIPE_DECL task<result<run_report>> pipeline::async_run() { return impl_->run(); }
OCRPIPE_DECL void pipeline::stop() { impl_->stop(); }
OCRPIPE_DECL pipeline_statistics pipeline::statistics() const { return impl_->statistics(); }

} // namespace ocrpipe

#endif
