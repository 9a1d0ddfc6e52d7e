#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_DOCUMENT_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_DOCUMENT_IPP

// A document's way: send() takes it to its durable request_id, finish() from the answer to its durable
// result. Between the two, the document is a record in the client's table of waiting jobs.

#include <ocrpipe/api/strict_json.hpp>
#include <ocrpipe/bulk/run/detail/document_course.hpp>
#include <ocrpipe/bulk/run/impl/pipeline_records.ipp>

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace ocrpipe
{

/// From the admission of a document to its durable request_id.
OCRPIPE_DECL task<void> pipeline::impl::send(document_ptr d)
{
    // Records the intent when the document's turn has come, before its first byte is sent, and the request_id
    // before another document gets its connection.
    result<submitted_job> job = co_await submit(d);
    submit_ended();
    if (d->intent_failed) co_return refused_by_ledger(*d, d->intent_failed);
    if (!job) co_return co_await fail(d, job.error());
    if (d->request_id_failed) co_return save_request_id(*d);
    wait(std::move(d), true);
}

/// From the service's answer to the durable result of the document.
OCRPIPE_DECL task<void> pipeline::impl::finish(document_ptr d, result<ocr_result> answer)
{
    --state_.waiting;
    if (!answer) co_return co_await fail(d, answer.error());
    // If an output has failed, the next run polls the job again.
    if (state_.have_outputs_failed()) co_return leave_unfinished(*d);

    detail::part_batch parts(d->input.record, d->job.request_id, parts_to_fetch(*d, *answer));
    // The result waits in memory for its parts. If they had to wait for those of other documents, or many
    // bytes wait already, it is recorded first.
    std::size_t const bytes = answer->raw().size();
    bool const may_wait = part_queue_.has_room(parts.open) && waiting_bytes_ + bytes <= most_waiting_bytes;
    bool const at_once = parts.open == 0 || may_wait;
    if (at_once && parts.open > 0) {
        waiting_bytes_ += bytes;
        co_await fetch(parts);
        waiting_bytes_ -= bytes;
        if (!parts.is_interrupted) measure_parts(answer->times());
    }
    // Before its line, from which the next run would conclude that it was delivered.
    if (options_.on_result && !state_.have_outputs_failed()) co_await deliver(*d, *answer);
    if (state_.have_outputs_failed()) co_return leave_unfinished(*d);
    job_times const times = answer->times();
    note_reads(*d, times);
    result<result_location> const written = write_result(*d, *answer, parts.entries);
    if (!written) co_return leave_unfinished(*d);

    completeness const how_complete = answer->how_complete();
    finish_record end;
    end.result = *written;
    end.missing_parts = parts.missing();
    end.polls = answer->reads();
    end.attempts = d->job.attempts;
    end.how_complete = how_complete;
    add_times(end, d->times);
    answer = failure(); // frees the text while the ledger commits
    error_code const ec = co_await record_end(*d, std::move(end));
    if (ec) co_return leave_unfinished(*d);

    state_.finished(d->counted, how_complete);
    measure(*d, times);
    if (how_complete == completeness::empty) watch(d->id());
    std::optional<result_location> where = *written;
    if (!at_once) {
        where = co_await complete(d->id());
        if (!state_.is_draining()) measure_parts(times);
    }
    // The ledger knows that this content has a result.
    for (document_ptr& other : copies_of(*d))
        start(copy(std::move(other), d->id(), where.value_or(*written)));
    leave();
}

/// Records the intent and sends the document, unless the service has it already, or may have it and
/// resubmitting is not allowed.
OCRPIPE_DECL task<result<submitted_job>> pipeline::impl::submit(document_ptr d)
{
    detail::prepared_document& input = d->input;
    submitted_job known;
    known.request_id = input.request_id;
    bool const held = input.in_doubt && !options_.resubmit_ambiguous;
    if (!known.request_id.empty() || held) co_await record_intent(d);
    if (!known.request_id.empty()) {
        if (!d->intent_failed) co_await accept(d, known);
        co_return known;
    }
    if (held)
        co_return failure(
            errc::ambiguous_submit, phase::prepare,
            "an earlier submit of this document may have been accepted, and sending it again is not allowed");

    d->job.possible_duplicate = input.was_ambiguous || input.in_doubt;
    submit_request request(std::move(input.doc), input.record.doc_type, input.record.flow);
    request.type = input.record.type;
    // Waiting for rate limits and Retry-After pauses does not count against a document's deadline. The run
    // has its own limits.
    request.deadline = longest_time;
    request.patient = true;
    request.in_doubt = d->job.possible_duplicate;
    result<submitted_job> job =
        co_await client_.async_submit(std::move(request), hooks_of(d), detail::use_task);
    if (job && d->has_anothers_id) job = anothers_id(*job);
    if (!job) state_.submit_failed(job.error());
    co_return job;
}

OCRPIPE_DECL submit_hooks pipeline::impl::hooks_of(document_ptr d)
{
    submit_hooks hooks;
    hooks.before_sending = [self = shared_from_this(), d] {
        return d->has_intent ? self->record_repeat(d) : self->record_intent(d);
    };
    hooks.set_aside = [self = shared_from_this(), d] { return self->take_back_intent(d); };
    hooks.accepted = [self = shared_from_this(), d](submitted_job const& job) {
        return self->accept(d, job);
    };
    return hooks;
}

/// The failure of a document that got the request_id of another one.
OCRPIPE_DECL failure pipeline::impl::anothers_id(submitted_job const& job)
{
    failure f(
        errc::ambiguous_submit, phase::classify,
        fmt::format("the service answered with the request_id {}, which it gave to another document: the "
                    "results of the two cannot be told apart",
                    printable_excerpt(job.request_id, 128)));
    f.attempts = job.attempts;
    return f;
}

/// Records the request_id. The job is not polled before it is durable.
OCRPIPE_DECL task<void> pipeline::impl::accept(document_ptr d, submitted_job job)
{
    bool const is_known = !d->input.request_id.empty();
    d->has_anothers_id = !given_ids_.note(job.request_id, d->content()) && !is_known;
    if (d->has_anothers_id) co_return;
    job.possible_duplicate |= d->job.possible_duplicate;
    d->job = std::move(job);
    note_submit(*d, d->job.times);
    state_.accepted(d->input.record.size, d->job.possible_duplicate);
    if (!is_known) measured_->collected.accepted(d->input.record.size, clock::now());
    d->request_id_failed = co_await record_submitted(*d);
    judge_held_back();
}

/// Leaves the document to the client until the service answers. If many documents wait, only the id is kept:
/// the ledger has the rest.
OCRPIPE_DECL void pipeline::impl::wait(document_ptr d, bool just_submitted)
{
    ++state_.waiting;
    note_gauges();
    wait_request request(d->job.request_id);
    request.doc_type = d->input.record.doc_type;
    request.document_bytes = d->input.record.size;
    request.just_submitted = just_submitted && d->input.request_id.empty();
    request.patient = true;
    if (state_.waiting <= most_kept || options_.share_results)
        return client_.async_wait(std::move(request),
                                  [self = shared_from_this(), d](result<ocr_result> answer) {
                                      self->start(self->finish(d, std::move(answer)));
                                  });
    client_.async_wait(std::move(request), [self = shared_from_this(), id = std::move(d->input.record.id),
                                            sent = d->job.times.sent, accepted = d->job.times.accepted](
                                               result<ocr_result> answer) mutable {
        job_times submitted;
        submitted.sent = sent;
        submitted.accepted = accepted;
        self->start(self->recall(std::move(id), submitted, std::move(answer)));
    });
}

/// finish() for a document of which only the id was kept.
OCRPIPE_DECL task<void> pipeline::impl::recall(std::string id, job_times submitted, result<ocr_result> answer)
{
    result<std::optional<ledger_row>> row = ledger_->find(id);
    if (row && *row) {
        document_ptr d = from_row(std::move(**row));
        d->job.times = submitted;
        co_return co_await finish(std::move(d), std::move(answer));
    }
    // Its job is in the ledger: the next run polls it.
    --state_.waiting;
    if (!row) end_run(row.error());
    leave();
}

/// Restores a submitted document from its row.
OCRPIPE_DECL pipeline::impl::document_ptr pipeline::impl::from_row(ledger_row row)
{
    auto d = std::make_shared<detail::document_in_flight>();
    d->counted = detail::standing_of(row.state);
    d->job.request_id = std::move(row.request_id);
    d->job.file_ids = std::move(row.file_ids);
    d->job.attempts = row.attempts;
    d->job.possible_duplicate = row.possible_duplicate;
    d->has_intent = true;
    d->times.sent_at = wall_time_of(row.sent_at);
    d->times.submitted_at = wall_time_of(row.submitted_at);
    d->times.last_pending_at = wall_time_of(row.last_pending_at);
    d->input.record = std::move(row);
    return d;
}

/// Writes the document's text file and its line. If that fails, the run ends.
OCRPIPE_DECL result<result_location> pipeline::impl::write_result(detail::document_in_flight const& d,
                                                                  ocr_result const& answer,
                                                                  std::vector<part_entry> const& parts)
{
    result<std::string> text = std::string();
    if (options_.text) text = files_->write_text(d.id(), answer.text(client_.profile()));
    if (!text) return output_failed(text.error().cause, "text");
    // The results files contain strict JSON only; any other answer is kept unchanged in a file.
    std::optional<std::string> const strict = strict_json(answer.raw());
    result<std::string> exact = std::string();
    if (strict) exact = files_->write_answer(d.id(), answer.raw());
    if (!exact) return output_failed(exact.error().cause, "answers");

    result_record line;
    line.id = d.id();
    line.path = d.input.record.path;
    line.sha256 = d.input.record.sha256;
    line.request_id = d.job.request_id;
    line.status = status_of_result(answer.how_complete());
    line.times = d.times;
    line.times.finished_at = std::chrono::system_clock::now();
    line.attempts = d.job.attempts;
    line.polls = answer.reads();
    line.possible_duplicate = d.job.possible_duplicate;
    line.parts = parts;
    line.text = *text;
    line.answer = *exact;
    line.recognized = answer.recognized();
    line.file_changed = file_has_changed(d);
    line.result_json = strict ? std::string_view(*strict) : answer.raw();
    result_location where;
    if (error_code const ec = files_->results().append(line, &where)) return output_failed(ec, "results");
    if (!answer.recognized()) note_unrecognized(d);
    return where;
}

/// Passes a result to the caller's sink. If that fails, the run ends.
OCRPIPE_DECL task<void> pipeline::impl::deliver(detail::document_in_flight const& d, ocr_result const& answer)
{
    error_code const ec = co_await options_.on_result(d.input.record, answer);
    if (ec) output_failed(ec, "on_result");
}

/// Ends a document without a result: it failed, it was never sent, or the next run continues it.
OCRPIPE_DECL task<void> pipeline::impl::fail(document_ptr p, failure f)
{
    detail::document_in_flight& d = *p;
    end_run_after(f);
    detail::document_course const course = detail::course_after(f);
    if (course == detail::document_course::not_sent) co_return co_await withdraw(d);
    if (course == detail::document_course::unfinished) co_return leave_unfinished(d);
    if (detail::may_concern_all(f) && d.has_intent && !d.job.possible_duplicate)
        co_return co_await hold_back(std::move(p), std::move(f));
    co_await record_failure(std::move(p), std::move(f));
}

/// Records that a document failed.
OCRPIPE_DECL task<void> pipeline::impl::record_failure(document_ptr p, failure f)
{
    detail::document_in_flight& d = *p;
    // It failed before its turn: the ledger does not know it yet.
    if (!d.has_intent) co_await record_intent(p);
    if (d.job.possible_duplicate && f.request_id.empty()) f = detail::still_in_doubt(f);
    if (d.intent_failed) co_return refused_by_ledger(d, d.intent_failed);
    if (options_.on_failure) options_.on_failure(d.input.record, f);
    result<std::string> message = write_failure(d, f);
    if (!message) co_return leave_unfinished(d);
    document_state const state = detail::state_after(f);
    release_copies(d, state);
    finish_record end;
    end.state = state;
    end.failure = static_cast<errc>(f.code.value());
    end.message = *message;
    // Once the document has a request_id, the requests of a failure are polls.
    end.attempts = f.request_id.empty() ? f.attempts : d.job.attempts;
    end.polls = f.request_id.empty() ? 0 : f.attempts;
    if (f.request_id.empty()) d.times.sent_at = wall_time(f.times.sent);
    note_reads(d, f.times);
    add_times(end, d.times);
    error_code const ec = co_await record_end(d, std::move(end));
    if (ec) co_return leave_unfinished(d);
    state_.failed(d.counted);
    measured_->collected.failed(name(static_cast<errc>(f.code.value())), d.id(), *message, clock::now());
    leave();
}

/// Postpones the verdict on a document that was refused, until another one is accepted, or all others have
/// ended. If the run ends before that, such as because all are refused, the next run sends it.
OCRPIPE_DECL task<void> pipeline::impl::hold_back(document_ptr d, failure f)
{
    release_copies(*d, document_state::failed);
    error_code const ec = co_await record_not_sent(*d);
    if (ec) co_return leave_unfinished(*d);
    d->has_intent = false;
    state_.move(d->counted, detail::standing::not_sent);
    held_back_.push_back({std::move(d), std::move(f)});
    if (held_back_.size() > most_held_back) judge_held_back();
    leave();
}

/// The documents that were held back have failed. Returns whether there were any.
OCRPIPE_DECL bool pipeline::impl::judge_held_back()
{
    if (state_.is_draining()) return false;
    std::vector<held_back> const judged = std::exchange(held_back_, {});
    for (held_back const& h : judged) {
        result<std::optional<ledger_row>> const row = ledger_->find(h.document->id());
        if (!row) end_run(row.error());
        if (!row || !*row) continue;
        h.document->input.was = (**row).version();
        state_.enter();
        start(record_failure(h.document, h.why));
    }
    return !judged.empty();
}

/// Writes the line of a failed document and returns its message. An error means that the answer's file could
/// not be written.
OCRPIPE_DECL result<std::string> pipeline::impl::write_failure(detail::document_in_flight const& d,
                                                               failure const& f)
{
    std::string message = to_string(f);
    if (f.is(errc::file_changed))
        ++state_.report.changed_files;
    else if (file_has_changed(d))
        message += "; the file was modified after it was read";
    if (f.answer) {
        result<std::string> const kept = files_->write_answer(d.id(), *f.answer);
        if (!kept) return output_failed(kept.error().cause, "answers");
        message += fmt::format("; the whole answer is in {}", *kept);
    }
    failure_record line;
    line.document = &d.input.record;
    line.what = &f;
    line.at = std::chrono::system_clock::now();
    line.message = message;
    if (error_code const ec = files_->failures().append(line)) output_failed(ec, "failures.jsonl");
    return message;
}

/// Takes back the intent, if there is one, of a document of which no byte was sent.
OCRPIPE_DECL task<void> pipeline::impl::withdraw(detail::document_in_flight& d)
{
    release_copies(d, document_state::found);
    if (!d.has_intent) {
        release_id(d);
        co_return withhold(d);
    }
    error_code const ec = co_await record_not_sent(d);
    if (!ec)
        state_.move(d.counted, d.input.was_ambiguous ? detail::standing::failed : detail::standing::not_sent);
    leave();
}

/// Drops a document whose intent the ledger did not record.
OCRPIPE_DECL void pipeline::impl::refused_by_ledger(detail::document_in_flight& d, error_code ec)
{
    if (ec == errc::invalid_argument) {
        state_.submit_withdrawn();
        result<std::optional<ledger_row>> const first = ledger_->find(d.id());
        if (first && *first) return yield_id(d, **first);
        if (!first) end_run(first.error());
    }
    ledger_failed(ec);
    leave_unfinished(d);
}

/// Drops a document whose id is already taken, by another document or by the same one listed twice.
OCRPIPE_DECL void pipeline::impl::yield_id(detail::document_in_flight& d, ledger_document const& first)
{
    release_copies(d, document_state::found);
    if (!d.input.was) state_.move(d.counted, detail::standing::absent);
    if (auto const taken = detail::id_conflict(d.input, first))
        reject(*taken);
    else
        state_.repeat();
    leave();
}

/// Saves a request_id that the ledger could not record in failures.jsonl, where the next run looks for it: it
/// is the only record of a paid job.
OCRPIPE_DECL void pipeline::impl::save_request_id(detail::document_in_flight& d)
{
    failure f(errc::ledger_failed, phase::none,
              "its request_id is saved in failures.jsonl, and the next run reads it from there");
    f.request_id = d.job.request_id;
    f.attempts = d.job.attempts;
    failure_record line;
    line.document = &d.input.record;
    line.what = &f;
    line.file_ids = d.job.file_ids;
    line.at = std::chrono::system_clock::now();
    if (files_->failures().append(line)) f.reason = "its request_id could not be recorded: keep this line";
    if (options_.on_failure) options_.on_failure(d.input.record, f);
    leave_unfinished(d);
}

/// Reports once that results have a format that the profile does not describe: their text may not be what the
/// user expects.
OCRPIPE_DECL void pipeline::impl::note_unrecognized(detail::document_in_flight const& d)
{
    if (state_.report.unrecognized++ != 0) return;
    notice("unrecognized_result",
           fmt::format("the result of {} has a form that the response profile does not describe; its JSON is "
                       "kept unchanged and read by the names of its members: see ocrpipe result {} --explain",
                       printable_excerpt(d.input.record.path, 1024),
                       printable_excerpt(d.job.request_id, 128)));
}

/// Whether the document's file was modified after it was read. If so, the data sent differs from the file,
/// and may be only its beginning. A removed or moved file does not count as modified.
OCRPIPE_DECL bool pipeline::impl::file_has_changed(detail::document_in_flight const& d)
{
    ledger_document const& read = d.input.record;
    struct ::stat status{};
    if (read.mtime_ns == 0 || ::stat(read.path.c_str(), &status) != 0) return false;
    if (detail::version_of(status) == file_version{read.size, read.mtime_ns}) return false;
    ++state_.report.changed_files;
    if (options_.on_changed) options_.on_changed(read);
    return true;
}

/// Drops a document whose job does not end in this run.
OCRPIPE_DECL void pipeline::impl::leave_unfinished(detail::document_in_flight& d)
{
    release_copies(d, document_state::found);
    leave();
}

OCRPIPE_DECL void pipeline::impl::leave()
{
    state_.leave();
    react();
}

} // namespace ocrpipe

#endif
