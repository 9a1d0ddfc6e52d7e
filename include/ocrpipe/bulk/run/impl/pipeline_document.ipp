#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_DOCUMENT_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_DOCUMENT_IPP

// Processing of one document, from its admission to its line in an output file.

#include <ocrpipe/api/strict_json.hpp>
#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <functional>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL void pipeline::impl::take(detail::prepared p)
{
    if (auto* const d = std::get_if<detail::prepared_document>(&p))
        admit(std::make_shared<detail::document_in_flight>(std::move(*d)));
    else if (auto* const problem = std::get_if<input_problem>(&p))
        refuse(*problem);
    else
        end_run(std::get<failure>(std::move(p)));
}

OCRPIPE_DECL void pipeline::impl::refuse(input_problem const& p)
{
    ++report_.unreadable;
    if (options_.on_unreadable) options_.on_unreadable(p);
    if (error_code const ec = files_->failures().append(p)) disk_failed(ec, "failures.jsonl");
}

OCRPIPE_DECL void pipeline::impl::admit(document_ptr d)
{
    ++in_flight_;
    if (limit_reached()) return leave();
    if (!d->input.was) ++known_;
    if (shares_results_ && d->input.request_id.empty() && !is_first_of_content(d)) return;
    send(std::move(d));
}

/// Whether sending further documents is no longer allowed.
OCRPIPE_DECL bool pipeline::impl::limit_reached()
{
    if (options_.max_documents == 0 || sent_ < options_.max_documents) return false;
    stop_by(run_end::document_limit, fmt::format("{} documents were sent", sent_));
    return true;
}

/// Leaves a document unsent; the next run will find it again.
OCRPIPE_DECL void pipeline::impl::withhold(detail::document_in_flight const& d)
{
    bool const has_row = d.input.was.has_value(); // which counts it
    if (!has_row && ledger_ && !without_row_.insert(std::hash<std::string>()(d.input.record.id)).second) {
        --known_;
        ++repeated_;
    } else if (!has_row) {
        ++not_sent_;
    }
    leave();
}

OCRPIPE_DECL void pipeline::impl::send(document_ptr d)
{
    bool const in_doubt = d->input.was_ambiguous || d->input.in_doubt;
    if (d->input.in_doubt && !options_.resubmit_ambiguous && d->input.request_id.empty()) {
        failure f;
        f.code = errc::ambiguous_submit;
        f.where = phase::prepare;
        f.reason = "an earlier submit of it may have been accepted, and sending it again is not allowed";
        return admit_intent(d, [this, d, f] {
            submit_ended();
            fail(d, f);
        });
    }
    d->job.possible_duplicate = in_doubt && d->input.request_id.empty();
    admit_intent(d, [this, d] {
        if (!d->input.request_id.empty()) {
            submitted_job known;
            known.request_id = d->input.request_id;
            return submitted(d, std::move(known));
        }
        submit_request request(std::move(d->input.doc), d->input.record.doc_type, d->input.record.flow);
        request.type = d->input.record.type;
        // Waiting for rate limits and Retry-After pauses does not count against a document's deadline. The
        // run has its own limits.
        request.deadline = longest_time;
        client_.async_submit(std::move(request), [self = shared_from_this(), d](result<submitted_job> job) {
            self->submitted(d, std::move(job));
        });
    });
}

/// Continues once the intent is durable, so that no byte is sent before the ledger records it.
template<class Then>
void pipeline::impl::admit_intent(document_ptr const& d, Then then)
{
    ++sent_;
    ++submitting_;
    if (!ledger_) return then();
    ++intents_pending_;
    ++intents_unflushed_;
    if (shares_results_) unrecorded_.emplace(d->input.record.id, d);
    ledger_->admit_intent(d->input.record, d->input.was, [self = shared_from_this(), d, then](error_code ec) {
        --self->intents_pending_;
        if (self->shares_results_) self->unrecorded_.erase(d->input.record.id);
        if (!ec) self->forget_outcome(d->input.was);
        if (!ec && !self->submits_stopped_) return then();
        self->submit_ended();
        if (ec == errc::invalid_argument) {
            --self->sent_;
            result<std::optional<ledger_row>> const first = self->ledger_->find(d->input.record.id);
            if (first && *first) return self->yield_id(d, **first);
            if (!first) self->end_run(first.error());
        }
        if (!ec) return self->take_back(d);
        self->ledger_failed(ec);
        self->leave_unfinished(d);
    });
}

/// Removes a document's earlier outcome from the counts.
OCRPIPE_DECL void pipeline::impl::forget_outcome(std::optional<row_version> const& was)
{
    if (!was) return;
    if (was->state == document_state::found)
        --not_sent_;
    else if (was->state == document_state::done || was->state == document_state::skipped)
        --done_;
    else
        --failed_;
}

/// Drops a document whose id is already taken, by another document or by the same one listed twice.
OCRPIPE_DECL void pipeline::impl::yield_id(document_ptr const& d, ledger_document const& first)
{
    withhold_copies(*d);
    if (!d->input.was) --known_;
    if (auto const taken = detail::id_conflict(d->input, first))
        refuse(*taken);
    else
        ++repeated_;
    leave();
}

/// Handles a document of which no byte was sent.
OCRPIPE_DECL void pipeline::impl::take_back(document_ptr const& d)
{
    withhold_copies(*d);
    record([&](ledger& l, ledger_handler h) { l.not_sent(d->input.record.id, std::move(h)); }, d,
           [this, d] {
               ++(ledger_ && d->input.was_ambiguous ? failed_ : not_sent_);
               leave();
           });
}

OCRPIPE_DECL void pipeline::impl::submitted(document_ptr d, result<submitted_job> job)
{
    submit_ended();
    if (!job) {
        note_unanswered(job.error());
        return fail(d, job.error());
    }
    unanswered_ = 0;
    bool const doubtful = d->job.possible_duplicate || job->possible_duplicate;
    d->job = std::move(*job);
    d->job.possible_duplicate = doubtful;
    d->submitted_at = std::chrono::system_clock::now();
    report_.bytes += d->input.record.size;
    if (doubtful) ++report_.possible_duplicates;
    ++waiting_;
    record(
        [&](ledger& l, ledger_handler h) {
            submit_record what;
            what.request_id = d->job.request_id;
            what.file_ids = d->job.file_ids;
            what.attempts = d->job.attempts;
            what.possible_duplicate = doubtful;
            l.submitted(d->input.record.id, std::move(what), std::move(h));
        },
        d,
        [this, d] {
            --waiting_;
            d->job_is_recorded = true;
            wait(d, d->input.request_id.empty());
        });
}

OCRPIPE_DECL void pipeline::impl::note_unanswered(failure const& f)
{
    // A 500 comes from the service itself.
    bool const lost = f.is(errc::ambiguous_submit) && f.http_status != 500;
    bool const unanswered = lost || is_transport(make_error_code(static_cast<errc>(f.code.value())));
    if (f.http_status != 0 && !unanswered) unanswered_ = 0;
    if (!unanswered || ++unanswered_ != max_unanswered) return;
    stop_by(run_end::failure_budget,
            fmt::format("{} submits in a row ended without an answer of the service's, the last one with: {}",
                        unanswered_, f.reason));
}

OCRPIPE_DECL void pipeline::impl::wait(document_ptr d, bool just_submitted)
{
    ++waiting_;
    wait_request wait(d->job.request_id);
    wait.doc_type = d->input.record.doc_type;
    wait.document_bytes = d->input.record.size;
    wait.just_submitted = just_submitted;
    client_.async_wait(std::move(wait), [self = shared_from_this(), d](result<ocr_result> answer) {
        --self->waiting_;
        self->read(d, std::move(answer));
    });
}

OCRPIPE_DECL void pipeline::impl::read(document_ptr d, result<ocr_result> answer)
{
    if (!answer) return fail(d, answer.error());
    // The disk has already failed: the next run polls the job again.
    if (ledger_ && closes_after_submits_) return leave_unfinished(d);
    d->answer.emplace(std::move(*answer));
    if (options_.parts.empty()) return finish(d);
    ++fetching_parts_;
    fetch_parts(std::move(d));
}

/// Reports once that results have a format that the profile does not describe: their text may not be what the
/// user expects.
OCRPIPE_DECL void pipeline::impl::note_unrecognized(detail::document_in_flight const& d)
{
    if (report_.unrecognized++ != 0) return;
    notice("unrecognized_result",
           fmt::format(
               "the result of {} has a form that the response profile does not describe; it is kept as it "
               "came and read by the names of its members: see ocrpipe result {} --explain",
               printable_excerpt(d.input.record.path, 1024), printable_excerpt(d.job.request_id, 128)));
}

/// Whether the document's file was modified after it was read. If so, the data sent differs from the file,
/// and may be only its beginning. A removed or moved file does not count as modified.
OCRPIPE_DECL bool pipeline::impl::note_change(detail::document_in_flight const& d)
{
    struct ::stat status {
    };
    ledger_document const& record = d.input.record;
    if (record.mtime_ns == 0 || ::stat(record.path.c_str(), &status) != 0) return false;
    if (detail::version_of(status) == file_version{record.size, record.mtime_ns}) return false;
    ++report_.changed_files;
    if (options_.on_changed) options_.on_changed(record);
    return true;
}

OCRPIPE_DECL void pipeline::impl::finish(document_ptr const& d)
{
    std::string text;
    if (options_.text) {
        result<std::string> written =
            files_->write_text(d->input.record.id, d->answer->text(client_.profile()));
        if (!written) {
            disk_failed(written.error().cause, "text");
            return leave_unfinished(d);
        }
        text = std::move(*written);
    }
    // The results files contain strict JSON only; any other answer is kept unchanged in a file.
    std::optional<std::string> const strict = strict_json(d->answer->raw());
    std::string answer;
    if (strict) {
        result<std::string> written = files_->write_answer(d->input.record.id, d->answer->raw());
        if (!written) {
            disk_failed(written.error().cause, "answers");
            return leave_unfinished(d);
        }
        answer = std::move(*written);
    }
    result_record line;
    line.id = d->input.record.id;
    line.path = d->input.record.path;
    line.sha256 = d->input.record.sha256;
    line.request_id = d->job.request_id;
    line.status = d->answer->empty() ? "done_empty" : d->answer->done_in_part() ? "done_in_part" : "done";
    line.submitted_at = d->submitted_at;
    line.finished_at = std::chrono::system_clock::now();
    line.attempts = d->job.attempts;
    line.polls = d->answer->reads();
    line.possible_duplicate = d->job.possible_duplicate;
    line.parts = d->parts;
    line.text = text;
    line.answer = answer;
    line.recognized = d->answer->recognized();
    line.file_changed = note_change(*d);
    line.result_json = strict ? std::string_view(*strict) : d->answer->raw();
    finish_record end;
    end.polls = d->answer->reads();
    end.attempts = d->job.attempts;
    if (error_code const ec = files_->results().append(line, &end.result.emplace())) {
        disk_failed(ec, "results");
        return leave_unfinished(d);
    }
    result_location const where = *end.result;
    if (d->answer->empty())
        ++report_.done_empty;
    else if (d->answer->done_in_part())
        ++report_.done_in_part;
    if (!d->answer->recognized()) note_unrecognized(*d);
    d->answer.reset();
    record([&](ledger& l, ledger_handler h) { l.finished(d->input.record.id, std::move(end), std::move(h)); },
           d,
           [this, d, where] {
               // From here on, the ledger knows that this content has a result.
               for (document_ptr const& copy : release_content(*d))
                   write_copy(copy, d->input.record.id, where);
               count_done();
               leave();
           });
}

OCRPIPE_DECL void pipeline::impl::count_done()
{
    ++done_;
    ++report_.done_now;
}

OCRPIPE_DECL bool pipeline::impl::ends_the_run(failure const& f)
{
    return f.is(errc::unauthorized) || f.is(errc::wrong_base_url);
}

OCRPIPE_DECL void pipeline::impl::fail(document_ptr const& d, failure const& f)
{
    bool const nothing_paid = f.request_id.empty() && !f.is(errc::ambiguous_submit);
    bool const stopped = f.is(errc::cancelled) || f.is(errc::client_closed);
    if (ends_the_run(f)) end_run(f);
    // A document that was never sent has not failed: another run will send it.
    if (nothing_paid && (ends_the_run(f) || stopped)) return take_back(d);
    // Its job continues and is in the ledger: the next run polls it.
    if (ledger_ && !f.request_id.empty() && (ends_the_run(f) || stopped)) return leave_unfinished(d);

    if (options_.on_failure) options_.on_failure(d->input.record, f);
    failure_record line;
    line.document = &d->input.record;
    line.what = &f;
    line.at = std::chrono::system_clock::now();
    std::string said = to_string(f);
    if (f.is(errc::file_changed))
        ++report_.changed_files;
    else if (note_change(*d))
        said += "; the file was written since its bytes were read";
    if (f.answer) {
        result<std::string> kept = files_->write_answer(d->input.record.id, *f.answer);
        if (!kept) {
            disk_failed(kept.error().cause, "answers");
            return leave_unfinished(d);
        }
        said += fmt::format("; all of it is in {}", *kept);
    }
    line.message = said;
    if (error_code const ec = files_->failures().append(line)) disk_failed(ec, "failures.jsonl");
    document_state const state = state_after(f);
    settle_copies(*d, state);
    record(
        [&](ledger& l, ledger_handler h) {
            finish_record end;
            end.state = state;
            end.failure = static_cast<errc>(f.code.value());
            end.message = said;
            end.attempts = f.request_id.empty() ? f.attempts : d->job.attempts;
            l.finished(d->input.record.id, std::move(end), std::move(h));
        },
        d,
        [this, code = static_cast<errc>(f.code.value())] {
            ++failed_;
            ++failed_now_;
            if (!ledger_) ++report_.failed_by_class[std::string(name(code))];
            leave();
            if (options_.fail_budget.used_up(failed_now_, failed_now_ + report_.done_now))
                stop_by(run_end::failure_budget, fmt::format("{} of {} documents failed", failed_now_,
                                                             failed_now_ + report_.done_now));
        });
}

/// Maps a failure to the document's state. A document that was paid for and may still get a result is stuck,
/// not failed: it is polled again, and never resubmitted automatically.
OCRPIPE_DECL document_state pipeline::impl::state_after(failure const& f)
{
    if (f.is(errc::ambiguous_submit)) return document_state::ambiguous;
    if (f.is(errc::job_expired)) return document_state::expired;
    if (f.is(errc::job_lost)) return document_state::lost;
    if (f.is(errc::job_failed) || f.request_id.empty()) return document_state::failed;
    return document_state::stuck;
}

/// Handles a document whose job will not finish in this run.
OCRPIPE_DECL void pipeline::impl::leave_unfinished(document_ptr const& d)
{
    withhold_copies(*d);
    leave();
}

/// Requests a ledger change and continues once it is durable. If the ledger fails, the run ends and drops its
/// documents.
template<class Change, class Then>
void pipeline::impl::record(Change change, document_ptr const& d, Then then)
{
    if (!ledger_) return then();
    change(*ledger_, [self = shared_from_this(), d, then](error_code ec) {
        if (!ec) return then();
        self->ledger_failed(ec);
        // This is the only record of a paid job.
        if (!d->job.request_id.empty() && !d->job_is_recorded) self->report_unrecorded(*d);
        self->leave_unfinished(d);
    });
}

/// Saves a request_id in failures.jsonl, where the next run looks for those that the ledger could not record.
OCRPIPE_DECL void pipeline::impl::report_unrecorded(detail::document_in_flight const& d)
{
    failure f;
    f.code = errc::ledger_failed;
    f.request_id = d.job.request_id;
    f.attempts = d.job.attempts;
    f.reason = "its request_id stands in failures.jsonl, from where the next run takes it";
    failure_record line;
    line.document = &d.input.record;
    line.what = &f;
    line.file_ids = d.job.file_ids;
    line.at = std::chrono::system_clock::now();
    if (files_->failures().append(line)) f.reason = "its request_id could not be recorded: keep this line";
    if (options_.on_failure) options_.on_failure(d.input.record, f);
}

OCRPIPE_DECL void pipeline::impl::leave()
{
    --in_flight_;
    changed_.notify();
}

} // namespace ocrpipe

#endif
