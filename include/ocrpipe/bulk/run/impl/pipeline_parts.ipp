#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_PARTS_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_PARTS_IPP

// The parts of documents: fetched with the result, or after it if they had to wait or failed.

#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <boost/system/errc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace ocrpipe
{

/// Returns the parts of a result, and counts those that cannot be fetched.
OCRPIPE_DECL std::vector<missing_part> pipeline::impl::parts_to_fetch(detail::document_in_flight const& d,
                                                                      ocr_result const& answer)
{
    result_parts found = parts_of(answer, d.job.file_ids, options_.parts, client_.profile());
    if (found.without_id > 0 && state_.report.parts_without_id == 0)
        notice("parts_without_id",
               fmt::format("the result of {} has {} parts without an id, which cannot be fetched",
                           printable_excerpt(d.input.record.path, 1024), found.without_id));
    state_.report.parts_without_id += found.without_id;
    return detail::parts_to_fetch(std::move(found));
}

/// Fetches the parts of a batch, in its turn. Ends when each part has ended, or when the run was interrupted:
/// then the rest stays wanted.
OCRPIPE_DECL task<void> pipeline::impl::fetch(detail::part_batch& b)
{
    detail::event ended(ioc_);
    b.ended = &ended;
    ++state_.fetching_parts;
    part_queue_.add(&b, b.open);
    ask_for_parts();
    while (b.open > 0)
        co_await ended.wait();
    --state_.fetching_parts;
}

OCRPIPE_DECL void pipeline::impl::ask_for_parts()
{
    while (auto const turn = part_queue_.next()) {
        detail::part_batch& b = *turn->batch;
        missing_part const& p = b.wanted[turn->part];
        part_request wanted(p.kind, b.request_id, p.sub_id);
        wanted.patient = true;
        client_.async_part(std::move(wanted),
                           [self = shared_from_this(), &b, i = turn->part](result<part_data> part) {
                               self->part_ended(b, i, std::move(part));
                               self->ask_for_parts();
                           });
    }
}

OCRPIPE_DECL void pipeline::impl::part_ended(detail::part_batch& b, std::size_t i, result<part_data> part)
{
    part_queue_.ended();
    if (part)
        keep_part(b, i, part->raw);
    else
        part_failed(b, i, part.error());
    // Once the result is recorded, the next run can fetch the rest.
    if (state_.is_draining() && b.from) b.is_interrupted = true;
    if (b.is_interrupted) b.open -= part_queue_.drop(&b);
    if (--b.open == 0) b.ended->notify();
}

/// Writes a part to its file.
OCRPIPE_DECL void pipeline::impl::keep_part(detail::part_batch& b, std::size_t i, std::string_view bytes)
{
    // If the document was sent again, its files belong to the later result.
    if (state_.have_outputs_failed() || !is_current(b)) {
        b.is_interrupted = true;
        return;
    }
    missing_part const& p = b.wanted[i];
    result<std::string> written = files_->write_part(b.document.id, p.kind, p.index, bytes);
    if (!written) {
        b.is_interrupted = true;
        output_failed(written.error().cause, "parts");
        return;
    }
    b.entries[i].file = std::move(*written);
    b.entries[i].error.clear();
    ++state_.report.parts;
}

/// Notes why there is no file of a part. A part that the service does not have has not failed.
OCRPIPE_DECL void pipeline::impl::part_failed(detail::part_batch& b, std::size_t i, failure const& f)
{
    if (detail::course_after(f) != detail::document_course::failed) {
        b.is_interrupted = true;
        return end_run_after(f);
    }
    missing_part& p = b.wanted[i];
    p.failure = static_cast<errc>(f.code.value());
    p.message = to_string(f);
    b.entries[i].error = std::string(name(p.failure));
    if (f.is(errc::part_absent)) {
        ++state_.report.parts_absent;
        return;
    }
    measured_->collected.failed("part", name(p.failure), b.document.id, p.message);
    if (options_.on_part_failure) options_.on_part_failure(b.document, p, f);
    failure_record line;
    line.document = &b.document;
    line.part = &p;
    line.what = &f;
    line.at = std::chrono::system_clock::now();
    if (error_code const ec = files_->failures().append(line)) output_failed(ec, "failures.jsonl");
}

/// Fetches the parts that a recorded result lacks, and lists them in a new line. Returns where the
/// document's last line is, if it still has a result.
OCRPIPE_DECL task<std::optional<result_location>> pipeline::impl::complete(std::string id)
{
    std::uint64_t next = 0;
    // Each new line contains the whole result: twice as many parts each time keep the lines few.
    for (std::size_t at_once = options_.max_fetching_parts;; at_once *= 2) {
        std::optional<ledger_row> const row = row_with_result(id);
        if (!row) co_return std::nullopt;
        result<std::vector<missing_part>> parts = ledger_->missing_parts(id, next, at_once);
        if (!parts) end_run(parts.error());
        if (!parts || parts->empty()) co_return row->result;
        std::optional<result_line> const line = last_line(*row->result);
        if (!line) co_return row->result;

        next = parts->back().place + 1;
        detail::part_batch b(*row, line->request_id, std::move(*parts));
        b.from = row->result;
        co_await fetch(b);
        bool const is_recorded = co_await list_parts(b);
        if (!is_recorded || b.is_interrupted || state_.is_draining()) break;
    }
    std::optional<ledger_row> const row = row_with_result(id);
    if (!row) co_return std::nullopt;
    co_return row->result;
}

/// Writes the document's line again, with the parts that were fetched. False if the result is not the
/// document's last one any more, or if that cannot be recorded.
OCRPIPE_DECL task<bool> pipeline::impl::list_parts(detail::part_batch const& b)
{
    if (state_.have_outputs_failed() || !is_current(b)) co_return false;
    std::optional<result_line> line = last_line(*b.from);
    if (!line) co_return false;
    parts_record listed;
    listed.from = listed.to = *b.from;
    listed.failed = b.missing();
    if (b.put_into(*line, listed.listed)) {
        result_record const record = line->record();
        if (error_code const ec = files_->results().append(record, &listed.to)) {
            output_failed(ec, "results");
            co_return false;
        }
    }
    error_code const ec = co_await record_parts(b.document.id, std::move(listed));
    // The document was sent again meanwhile.
    bool const is_superseded = ec == errc::invalid_argument;
    if (ec && !is_superseded) ledger_failed(ec);
    co_return !ec;
}

OCRPIPE_DECL task<error_code> pipeline::impl::record_parts(std::string const& id, parts_record what)
{
    return change([this, id, what = std::move(what)](ledger_handler h) {
        ledger_->parts_fetched(id, what, std::move(h));
    });
}

/// Whether the batch belongs to the document's last result.
OCRPIPE_DECL bool pipeline::impl::is_current(detail::part_batch const& b)
{
    if (!b.from) return true; // the result is not recorded yet
    std::optional<ledger_row> const row = row_with_result(b.document.id);
    return row && row->result == b.from;
}

OCRPIPE_DECL std::optional<ledger_row> pipeline::impl::row_with_result(std::string const& id)
{
    result<std::optional<ledger_row>> row = ledger_->find(id);
    if (!row) end_run(row.error());
    if (!row || !*row || !(**row).result) return std::nullopt;
    return std::move(*row);
}

/// Reads a line of the results. nullopt if its file was moved away, or if that ends the run.
OCRPIPE_DECL std::optional<result_line> pipeline::impl::last_line(result_location where)
{
    error_code ec = files_->results().read(where, line_);
    if (ec == boost::system::errc::no_such_file_or_directory) {
        if (incomplete_in_missing_files_++ == 0)
            notice(
                "parts_not_fetched",
                fmt::format("{0} is not in {1}, so the parts that its results lack are not fetched: restore "
                            "{1}/{0}, then run the same command again",
                            results_file_name(where.file), options_.directory));
        return std::nullopt;
    }
    std::optional<result_line> line = ec ? std::nullopt : read_result_line(line_);
    if (!line) output_failed(ec ? ec : make_error_code(boost::system::errc::bad_message), "results");
    return line;
}

/// Begins to fetch the parts that results of earlier runs lack, a few documents at a time, so that the parts
/// of new results do not wait for them.
OCRPIPE_DECL void pipeline::impl::resume_parts()
{
    if (lacking_parts_.empty()) return;
    notice("fetching_parts",
           fmt::format("fetching the parts that {} results of earlier runs lack", lacking_parts_.size()));
    std::size_t const at_once = std::max<std::size_t>(1, options_.max_fetching_parts / 8);
    resuming_ = std::min(at_once, lacking_parts_.size());
    for (std::size_t i = resuming_; i > 0; --i)
        start(complete_earlier_results());
}

OCRPIPE_DECL task<void> pipeline::impl::complete_earlier_results()
{
    while (!lacking_parts_.empty() && !state_.is_draining()) {
        std::string const id = std::move(lacking_parts_.front());
        lacking_parts_.pop_front();
        // Copies that are found meanwhile wait for the complete line.
        std::optional<ledger_row> const row = options_.share_results ? row_with_result(id) : std::nullopt;
        std::string const content = row ? row->sha256 + row->parameters : std::string();
        bool const is_original = row && sharing_.claim(content);
        std::optional<result_location> const where = co_await complete(id);
        if (!is_original) continue;
        for (document_ptr& copy_of_it : sharing_.release(content)) {
            if (where)
                start(copy(std::move(copy_of_it), id, *where));
            else
                withhold(*copy_of_it);
        }
    }
    --resuming_;
    changed_.notify();
}

} // namespace ocrpipe

#endif
