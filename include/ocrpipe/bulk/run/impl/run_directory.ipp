#ifndef OCRPIPE_BULK_RUN_IMPL_RUN_DIRECTORY_IPP
#define OCRPIPE_BULK_RUN_IMPL_RUN_DIRECTORY_IPP

#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/run/detail/run_directory.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/input_window.hpp>
#include <ocrpipe/core/json_text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <unistd.h>
#include <unordered_set>

namespace ocrpipe::detail
{

/// All states that did not end well, final or not.
inline constexpr document_states unsuccessful{document_state::failed, document_state::ambiguous,
                                              document_state::stuck, document_state::expired,
                                              document_state::lost};

/// Reads a member of a results line written by append_json_name().
inline std::optional<std::string> name_in(boost::json::object const& line, std::string_view key)
{
    auto const text = [&line](std::string_view k) -> boost::json::string const* {
        boost::json::value const* const v = line.if_contains(k);
        return v ? v->if_string() : nullptr;
    };
    if (auto const* bytes = text(fmt::format("{}_bytes", key))) return percent_decoded(*bytes);
    if (auto const* plain = text(key)) return std::string(*plain);
    return std::nullopt;
}

/// Whether a run that reads `inputs` will reach the input of a failures.jsonl line again: through the
/// manifest or list that named it, or else by its path.
inline bool is_found_again(std::string_view line, std::vector<std::string> const& inputs,
                           std::string_view base)
{
    error_code ec;
    boost::json::parse_options how;
    how.allow_invalid_utf8 = true;
    boost::json::value const parsed = boost::json::parse(line, ec, {}, how);
    // Drop a line without any information.
    if (ec || !parsed.is_object()) return true;
    std::string const path = name_in(parsed.get_object(), "path").value_or("");
    std::string const where = name_in(parsed.get_object(), "where").value_or("");
    return std::any_of(inputs.begin(), inputs.end(), [&](std::string const& input) {
        std::string const place = join_path(base, input);
        if (!where.empty()) return join_path(base, where.substr(0, where.rfind(':'))) == place;
        return path == place || (path.starts_with(place) && (place == "/" || path[place.size()] == '/'));
    });
}

OCRPIPE_DECL failure failure_of(ledger_row const& row)
{
    failure f;
    f.code = errc_named(row.failure_class).value_or(errc::unexpected_answer);
    f.request_id = row.request_id;
    f.attempts = row.attempts;
    return f;
}

OCRPIPE_DECL result<void> run_directory::claim(ledger* l) const
{
    bool fresh = true;
    if (l) {
        std::uint64_t cursor = 0;
        result<std::vector<ledger_row>> const first = l->rows(document_states::all(), cursor, 1);
        if (!first) return first.error();
        fresh = first->empty();
    }
    if (!fresh) return {};
    namespace fs = std::filesystem;
    std::error_code ec;
    result<std::vector<std::uint64_t>> const numbers = results_files(path_);
    if (!numbers) return numbers.error();
    std::vector<std::string> files;
    for (std::uint64_t const n : *numbers)
        files.push_back(results_file_name(n));
    if (!l) files.insert(files.end(), {"failures.jsonl", "report.json"});
    for (std::string const& file : files) {
        fs::path const path = fs::path(path_) / file;
        // A run that was killed before its first document leaves empty files.
        if (!fs::exists(path, ec) || (l && fs::file_size(path, ec) == 0)) continue;
        failure f;
        f.code = errc::invalid_argument;
        f.where = phase::prepare;
        f.reason =
            l ? fmt::format("{} holds {}, which the ledger knows nothing of: restore ledger.db or choose "
                            "another directory",
                            path_, file)
              : fmt::format("{} holds another run's {}: choose another directory", path_, file);
        return f;
    }
    return {};
}

OCRPIPE_DECL bool run_directory::adopt(ledger& l, std::string_view line, result_location where)
{
    std::optional<result_line> const written = read_result_line(line);
    // After a power failure, parts of a line may be missing even if its end is present. A result that a
    // strict parser rejects can be fetched again for free.
    if (!written || written->request_id.empty() || !written->result_is_json) return false;
    result<std::optional<ledger_row>> const row = l.find(written->id);
    if (!row || !*row || (**row).request_id != written->request_id) return false;
    if ((**row).state != document_state::submitted && (**row).state != document_state::stuck) return false;
    unrecorded_result r;
    r.id = written->id;
    r.end.result = where;
    r.end.polls = written->polls;
    r.was_stuck = (**row).state == document_state::stuck;
    unrecorded_.push_back(std::move(r));
    // Its parts and text may not have been synced by the process that wrote them.
    files_written_ = true;
    return true;
}

OCRPIPE_DECL result<void> run_directory::list_failures(failures_writer& out, ledger& l) const
{
    result<document_counts> const counts = l.counts();
    if (!counts) return counts.error();
    if (counts->total_of(unsuccessful) == 0) return {};
    constexpr std::size_t at_once = 256;
    std::uint64_t cursor = 0;
    for (;;) {
        result<std::vector<ledger_row>> const rows = l.rows(unsuccessful, cursor, at_once);
        if (!rows) return rows.error();
        if (rows->empty()) return {};
        for (ledger_row const& row : *rows) {
            failure const f = failure_of(row);
            failure_record line;
            line.document = &row;
            line.what = &f;
            line.message = row.message;
            line.at = std::chrono::system_clock::time_point(std::chrono::milliseconds(row.finished_at));
            if (error_code const ec = out.append(line)) return output_failure(ec, path_ + "/failures.jsonl");
        }
    }
}

/// Whether the line contains a request_id that is not in the ledger. While the directory is being opened, it
/// is also stored for the ledger.
OCRPIPE_DECL result<bool> run_directory::is_unrecorded(std::string_view line, ledger& l)
{
    if (line.find("\"class\":\"ledger_failed\"") == std::string_view::npos) return false;
    error_code ec;
    boost::json::parse_options how;
    how.allow_invalid_utf8 = true;
    boost::json::value const parsed = boost::json::parse(line, ec, {}, how);
    if (ec || !parsed.is_object()) return false;
    boost::json::object const& o = parsed.get_object();
    std::optional<std::string> id = name_in(o, "id");
    std::optional<std::string> request_id = name_in(o, "request_id");
    if (!id || !request_id) return false;
    result<std::optional<ledger_row>> const row = l.find(*id);
    if (!row) return row.error();
    bool const in_doubt =
        *row && ((**row).state == document_state::intent || (**row).state == document_state::ambiguous);
    if (!in_doubt || name_in(o, "sha256") != (**row).sha256) {
        result<std::optional<ledger_row>> const known = l.find_request(*request_id);
        if (!known) return known.error();
        return !*known;
    }
    bool const found_before = std::any_of(unrecorded_submits_.begin(), unrecorded_submits_.end(),
                                          [&](unrecorded_submit const& s) { return s.id == *id; });
    if (failures_ || found_before) return true;
    unrecorded_submit found;
    found.id = std::move(*id);
    found.interrupted = (**row).state == document_state::intent;
    found.what.request_id = std::move(*request_id);
    if (auto const* attempts = o.if_contains("attempts"); attempts && attempts->is_int64())
        found.what.attempts = static_cast<int>(attempts->get_int64());
    if (auto const* ids = o.if_contains("file_ids"); ids && ids->is_array())
        for (boost::json::value const& file_id : ids->get_array())
            if (file_id.is_string()) found.what.file_ids.emplace_back(file_id.get_string().c_str());
    unrecorded_submits_.push_back(std::move(found));
    return true;
}

OCRPIPE_DECL result<void> run_directory::keep_lines(failures_writer& out, ledger& l)
{
    std::string const path = path_ + "/failures.jsonl";
    unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return {};
    if (!fd) return output_failure(errno_code(), path);
    std::error_code ec;
    std::string const base = std::filesystem::current_path(ec).string();
    if (ec) return output_failure(error_code(ec), "the working directory");
    record_reader lines(std::move(fd), '\n');
    using outcome = record_reader::outcome;
    std::string_view line;
    // Each retry examines the document's file again and reports the same problem.
    std::unordered_set<std::size_t> said_before;
    std::uint64_t inputs = 0;
    for (outcome o; (o = lines.next(line)) == outcome::record || o == outcome::too_long;) {
        if (o == outcome::too_long) continue;
        // An input that is not a document has no id.
        if (!line.starts_with("{\"id\":")) {
            if (!failures_) {
                if (is_found_again(line, inputs_, base)) continue;
                ++inputs_of_earlier_runs_;
            } else if (std::size_t const hash = std::hash<std::string_view>()(line);
                       inputs++ < inputs_of_earlier_runs_) {
                said_before.insert(hash);
            } else if (said_before.contains(hash)) {
                continue;
            }
        } else {
            result<bool> const unrecorded = is_unrecorded(line, l);
            if (!unrecorded) return unrecorded.error();
            if (!*unrecorded) continue;
        }
        if (error_code const failed = out.append_line(line)) return output_failure(failed, path);
    }
    return {};
}

OCRPIPE_DECL result<void> run_directory::rewrite_failures(ledger& l)
{
    result<failures_writer> rewritten = failures_writer::replace(path_);
    if (!rewritten) return rewritten.error();
    if (result<void> kept = keep_lines(*rewritten, l); !kept) return kept;
    if (result<void> listed = list_failures(*rewritten, l); !listed) return listed;
    if (result<void> published = rewritten->publish(); !published) return published;
    failures_.emplace(std::move(*rewritten));
    return {};
}

OCRPIPE_DECL result<std::shared_ptr<run_directory>> run_directory::open(pipeline_options const& options,
                                                                        ledger* l)
{
    std::shared_ptr<run_directory> d(new run_directory(options));
    if (result<void> claimed = d->claim(l); !claimed) return claimed.error();
    if (l) {
        result<std::optional<result_location>> const last = l->last_result_location();
        if (!last) return last.error();
        result<results_writer> results = results_writer::recover(
            options.directory, options.results_file_bytes, *last,
            [&](std::string_view line, result_location where) { return d->adopt(*l, line, where); });
        if (!results) return std::move(results).error();
        d->results_.emplace(std::move(*results));
        result<std::vector<std::uint64_t>> const numbers = results_files(options.directory);
        if (!numbers) return numbers.error();
        if (*last) d->moved_away_ = missing_results_files(*numbers, (**last).file);
        if (result<void> listed = d->rewrite_failures(*l); !listed) return listed.error();
        if (error_code const ec = d->failures_->keep_room())
            return output_failure(ec, options.directory + "/failures.jsonl");
        return d;
    }
    result<results_writer> results = results_writer::open(options.directory, options.results_file_bytes);
    if (!results) return std::move(results).error();
    d->results_.emplace(std::move(*results));
    result<failures_writer> failures = failures_writer::open(options.directory);
    if (!failures) return std::move(failures).error();
    d->failures_.emplace(std::move(*failures));
    return d;
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
    return results_->sync();
}

} // namespace ocrpipe::detail

#endif
