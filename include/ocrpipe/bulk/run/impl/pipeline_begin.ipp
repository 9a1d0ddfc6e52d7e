#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_BEGIN_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_BEGIN_IPP

// Start of a run, before its first document: options, directory, and recovery from earlier runs.

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <string>
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
    result<detail::opened_directory> opened = detail::open_run_directory(options_, *ledger_);
    if (!opened) return std::move(opened).error();
    files_ = opened->files;
    if (std::string const& gone = opened->missing_results; !gone.empty())
        notice(
            "results_moved_away",
            fmt::format("{} is not in {}: going on in {}; restore it before you export its results or give "
                        "copies of its documents to a run",
                        gone, options_.directory,
                        std::filesystem::path(files_->results().path()).filename().string()));
    return settle_ledger(std::move(*opened));
}

/// Settings that must be the same in every run of a directory.
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
    std::string exports;
    bool read_otherwise = false;
    for (auto const& [key, value] : configuration()) {
        result<std::optional<std::string>> const before = ledger_->metadata("configuration." + key);
        if (!before) return before.error();
        bool const saves_from_now_on = key == "dedupe" && *before && (**before).empty();
        if (!*before || **before == value || saves_from_now_on) continue;
        changes.push_back(fmt::format("{} was \"{}\" and is \"{}\"", key, printable_excerpt(**before, 200),
                                      printable_excerpt(value, 200)));
        read_otherwise |= key != "text" && key != "parts" && key != "dedupe";
        if (key == "text" && options_.text) exports += " --text";
        if (key == "parts" && !value.empty()) exports += " --parts " + value;
    }
    if (changes.empty()) return {};
    // As long as nothing was sent, changing the options is free.
    result<document_counts> const counts = ledger_->counts();
    if (!counts) return counts.error();
    if ((*counts)[document_state::found] == counts->total()) return {};
    std::string what = fmt::format("{}", fmt::join(changes, "; "));
    if (!exports.empty() && !read_otherwise)
        what +=
            fmt::format(", and documents that have their result stay as they are; ocrpipe export {}{} makes "
                        "the files of these without sending anything",
                        options_.directory, exports);
    if (!options_.accept_changes) {
        failure f;
        f.code = errc::configuration_changed;
        f.where = phase::prepare;
        f.reason = std::move(what);
        return f;
    }
    if (read_otherwise)
        what += ": documents that were read otherwise are sent and paid for again";
    else if (exports.empty())
        what += ": documents that have their result stay as they are";
    notice("configuration_changed", what);
    return {};
}

/// Recovers everything that an earlier process left unfinished, before this process changes anything.
OCRPIPE_DECL result<void> pipeline::impl::settle_ledger(detail::opened_directory opened)
{
    result<std::uint64_t> const interrupted = ledger_->interrupted_intents_to_ambiguous();
    if (!interrupted) return interrupted.error();
    result<document_counts> const counts = ledger_->counts();
    if (!counts) return counts.error();
    using enum document_state;
    done_ = (*counts)[done] + (*counts)[skipped];
    failed_ = counts->total_of({failed, ambiguous, expired, lost, stuck});
    not_sent_ = (*counts)[document_state::found];
    known_ = counts->total();
    rows_before_ = counts->last_number;
    for (std::string_view const key : {detail::documents_without_row, detail::documents_repeated})
        ledger_->set_metadata(std::string(key), "0", durable());

    ledger_->sync_results_with([files = files_] { return files->sync(); });
    std::uint64_t in_doubt = *interrupted;
    for (detail::unrecorded_submit& submit : opened.submits) {
        --failed_;
        if (submit.interrupted) --in_doubt;
        ledger_->submitted(std::move(submit.id), std::move(submit.what), durable());
    }
    if (in_doubt > 0)
        notice(
            "interrupted_submits",
            fmt::format("{} documents were being sent when the last run ended and may have been accepted: {}",
                        in_doubt, options_.resubmit_ambiguous ? "they are sent again" : "they are held"));
    for (detail::unrecorded_result& r : opened.results) {
        ++done_;
        if (r.was_stuck) --failed_;
        ledger_->finished(std::move(r.id), std::move(r.end), durable());
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

/// Polls the jobs that an earlier run paid for. They come before new documents, because their results may
/// expire.
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
    d->job.request_id = std::move(row.request_id);
    d->job.file_ids = std::move(row.file_ids);
    d->job.attempts = row.attempts;
    d->job.possible_duplicate = row.possible_duplicate;
    d->job_is_recorded = true;
    d->submitted_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(row.submitted_at));
    d->input.record = std::move(row);
    if (shares_results_) originals_.insert_or_assign(d->content(), d);
    ++in_flight_;
    wait(std::move(d), false);
}

} // namespace ocrpipe

#endif
