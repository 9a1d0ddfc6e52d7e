#ifndef OCRPIPE_BULK_RUN_IMPL_RUN_DIRECTORY_IPP
#define OCRPIPE_BULK_RUN_IMPL_RUN_DIRECTORY_IPP

#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/run/detail/run_directory.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <optional>
#include <unistd.h>
#include <unordered_set>

namespace ocrpipe::detail
{

/// Refuses a directory with files of a run that is not in this ledger.
inline result<void> refuse_foreign_files(std::string const& folder, ledger& l)
{
    namespace fs = std::filesystem;
    std::uint64_t cursor = 0;
    result<std::vector<ledger_row>> const first = l.rows(document_states::all(), cursor, 1);
    if (!first) return first.error();
    if (!first->empty()) return {};
    result<std::vector<std::uint64_t>> const numbers = results_files(folder);
    if (!numbers) return numbers.error();
    std::vector<std::string> files;
    for (std::uint64_t const n : *numbers)
        files.push_back(results_file_name(n));
    bool const resumes = l.survives_process();
    if (!resumes) files.insert(files.end(), {"failures.jsonl", "report.json"});
    for (std::string const& file : files) {
        fs::path const path = fs::path(folder) / file;
        std::error_code ec;
        // A run that was killed before its first document leaves empty files.
        if (!fs::exists(path, ec) || (resumes && fs::file_size(path, ec) == 0)) continue;
        std::string why =
            resumes ? fmt::format("{} contains {}, which is not in the ledger: restore ledger.db or choose "
                                  "another directory",
                                  folder, file)
                    : fmt::format("{} contains {} of another run: choose another directory", folder, file);
        return failure(errc::invalid_argument, phase::prepare, std::move(why));
    }
    return {};
}

/// Returns the result in a line if the ledger can still record it.
inline std::optional<unrecorded_result> recordable_result(std::string_view line, result_location where,
                                                          ledger& l)
{
    std::optional<result_line> const written = read_result_line(line);
    // After a power failure, parts of a line may be missing even if its end is present. A result that a
    // strict parser rejects can be fetched again for free.
    if (!written || written->request_id.empty() || !written->result_is_json) return std::nullopt;
    result<std::optional<ledger_row>> const row = l.find(written->id);
    if (!row || !*row || (**row).request_id != written->request_id) return std::nullopt;
    constexpr document_states polled{document_state::submitted, document_state::stuck};
    if (!polled.contains((**row).state)) return std::nullopt;
    // The line does not say everything that the ledger must know about missing parts, and polling again is
    // free.
    if (std::any_of(written->parts.begin(), written->parts.end(),
                    [](part_entry const& p) { return is_missing(p); })) return std::nullopt;
    unrecorded_result r;
    r.id = written->id;
    r.end.result = where;
    r.end.polls = written->polls;
    r.end.how_complete = completeness_of_status(written->status);
    r.was_stuck = (**row).state == document_state::stuck;
    return r;
}

OCRPIPE_DECL result<opened_directory> open_run_directory(pipeline_options const& options, ledger& l)
{
    std::string const& folder = options.directory;
    if (result<void> ours = refuse_foreign_files(folder, l); !ours) return std::move(ours).error();

    opened_directory opened;
    result<std::optional<result_location>> const last = l.last_result_location();
    if (!last) return last.error();
    result<results_writer> results = results_writer::recover(
        folder, options.results_file_bytes, *last, [&](std::string_view line, result_location where) {
            std::optional<unrecorded_result> r = recordable_result(line, where, l);
            if (r) opened.results.push_back(std::move(*r));
            return r.has_value();
        });
    if (!results) return std::move(results).error();
    result<std::vector<std::uint64_t>> const numbers = results_files(folder);
    if (!numbers) return numbers.error();
    if (*last) opened.missing_results = missing_results_files(*numbers, (**last).file);

    std::error_code ec;
    std::string const base = std::filesystem::current_path(ec).string();
    if (ec) return output_failure(error_code(ec), "the working directory");
    std::uint64_t earlier_problems = 0;
    result<failures_writer> failures =
        rewrite_failures(folder, l, [&](std::string_view line) -> result<bool> {
            if (is_document_line(line)) return is_only_record(line, l, opened.submits);
            if (is_found_again(line, options.inputs, base)) return false;
            ++earlier_problems;
            return true;
        });
    if (!failures) return std::move(failures).error();
    if (error_code const full = failures->keep_room())
        return output_failure(full, folder + "/failures.jsonl");
    // The process that wrote the unrecorded results may not have synced their parts and texts.
    opened.files = std::make_shared<run_directory>(folder, std::move(*results), std::move(*failures),
                                                   earlier_problems, !opened.results.empty());
    return opened;
}

OCRPIPE_DECL result<void> run_directory::rewrite_failures(ledger& l)
{
    std::unordered_set<std::size_t> reported_before;
    std::uint64_t problems = 0;
    std::vector<unrecorded_submit> left_to_the_next_run;
    result<failures_writer> rewritten =
        detail::rewrite_failures(path_, l, [&](std::string_view line) -> result<bool> {
            if (is_document_line(line)) return is_only_record(line, l, left_to_the_next_run);
            std::size_t const hash = std::hash<std::string_view>()(line);
            // Each retry examines the document's file again and reports the same problem.
            if (problems++ >= earlier_problems_) return !reported_before.contains(hash);
            reported_before.insert(hash);
            return true;
        });
    if (!rewritten) return std::move(rewritten).error();
    failures_ = std::move(*rewritten);
    return {};
}

OCRPIPE_DECL result<std::string> run_directory::write_part(std::string_view id, operation kind,
                                                           std::size_t index, std::string_view bytes)
{
    result<std::string> written = parts_.write(id, kind, index, bytes);
    files_written_ = true;
    return written;
}

OCRPIPE_DECL result<std::string> run_directory::write_text(std::string_view id, std::string_view text)
{
    result<std::string> written = texts_.write_text(id, text);
    files_written_ = true;
    return written;
}

OCRPIPE_DECL result<std::string> run_directory::write_answer(std::string_view id, std::string_view bytes)
{
    result<std::string> written = answers_.write_answer(id, bytes);
    files_written_ = true;
    return written;
}

OCRPIPE_DECL error_code run_directory::sync()
{
    // One call for many small files and their names, instead of two calls per file.
    if (files_written_.exchange(false)) {
        unique_fd const folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!folder || ::syncfs(folder.get()) != 0) return errno_code();
    }
    return results_.sync();
}

} // namespace ocrpipe::detail

#endif
