#ifndef OCRPIPE_BULK_RUN_IMPL_FAILURES_REWRITE_IPP
#define OCRPIPE_BULK_RUN_IMPL_FAILURES_REWRITE_IPP

#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/run/detail/failures_rewrite.hpp>
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
#include <utility>

namespace ocrpipe::detail
{

inline std::optional<boost::json::object> object_in(std::string_view line)
{
    error_code ec;
    boost::json::parse_options how;
    how.allow_invalid_utf8 = true;
    boost::json::value parsed = boost::json::parse(line, ec, {}, how);
    if (ec || !parsed.is_object()) return std::nullopt;
    return std::move(parsed.get_object());
}

/// Reads a member of a line written by append_json_name().
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

OCRPIPE_DECL std::optional<unrecorded_submit> read_unrecorded_submit(std::string_view line)
{
    if (line.find("\"class\":\"ledger_failed\"") == std::string_view::npos) return std::nullopt;
    std::optional<boost::json::object> const o = object_in(line);
    if (!o) return std::nullopt;
    std::optional<std::string> id = name_in(*o, "id");
    std::optional<std::string> request_id = name_in(*o, "request_id");
    if (!id || !request_id) return std::nullopt;
    unrecorded_submit s;
    s.id = std::move(*id);
    s.sha256 = name_in(*o, "sha256").value_or("");
    s.what.request_id = std::move(*request_id);
    if (auto const* attempts = o->if_contains("attempts"); attempts && attempts->is_int64())
        s.what.attempts = static_cast<int>(attempts->get_int64());
    if (auto const* ids = o->if_contains("file_ids"); ids && ids->is_array())
        for (boost::json::value const& file_id : ids->get_array())
            if (file_id.is_string()) s.what.file_ids.emplace_back(file_id.get_string().c_str());
    return s;
}

OCRPIPE_DECL bool is_found_again(std::string_view line, std::vector<std::string> const& inputs,
                                 std::string_view base)
{
    std::optional<boost::json::object> const o = object_in(line);
    if (!o) return true;
    std::string const path = name_in(*o, "path").value_or("");
    std::string const where = name_in(*o, "where").value_or("");
    return std::any_of(inputs.begin(), inputs.end(), [&](std::string const& input) {
        std::string const place = join_path(base, input);
        if (!where.empty()) return join_path(base, where.substr(0, where.rfind(':'))) == place;
        return path == place || (path.starts_with(place) && (place == "/" || path[place.size()] == '/'));
    });
}

OCRPIPE_DECL result<bool> is_only_record(std::string_view line, ledger& l,
                                         std::vector<unrecorded_submit>& recoverable)
{
    std::optional<unrecorded_submit> found = read_unrecorded_submit(line);
    if (!found) return false;
    result<std::optional<ledger_row>> const row = l.find(found->id);
    if (!row) return row.error();
    constexpr document_states in_doubt{document_state::intent, document_state::ambiguous};
    if (!*row || !in_doubt.contains((**row).state) || (**row).sha256 != found->sha256) {
        result<std::optional<ledger_row>> const known = l.find_request(found->what.request_id);
        if (!known) return known.error();
        return !*known;
    }
    found->interrupted = (**row).state == document_state::intent;
    bool const listed_before = std::any_of(recoverable.begin(), recoverable.end(),
                                           [&](unrecorded_submit const& s) { return s.id == found->id; });
    if (!listed_before) recoverable.push_back(std::move(*found));
    return true;
}

inline result<void> copy_lines(std::string const& path, failures_writer& out, line_filter const& keep)
{
    unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return {};
    if (!fd) return output_failure(errno_code(), path);
    record_reader lines(std::move(fd), '\n');
    using outcome = record_reader::outcome;
    std::string_view line;
    for (outcome o; (o = lines.next(line)) == outcome::record || o == outcome::too_long;) {
        if (o == outcome::too_long) continue;
        result<bool> const kept = keep(line);
        if (!kept) return kept.error();
        if (!*kept) continue;
        if (error_code const ec = out.append_line(line)) return output_failure(ec, path);
    }
    return {};
}

inline error_code append_row(failures_writer& out, ledger_row const& row)
{
    bool const unfinished = row.state == document_state::submitted;
    failure f(errc_named(row.failure_class).value_or(errc::unexpected_answer), phase::none, {});
    if (unfinished)
        f = failure(errc::client_closed, phase::none, "the run ended before its result was ready");
    f.request_id = row.request_id;
    f.attempts = row.attempts;
    failure_record line;
    line.document = &row;
    line.what = &f;
    line.message = row.message;
    line.file_ids = unfinished ? row.file_ids : std::span<std::string const>();
    line.at = std::chrono::system_clock::time_point(
        std::chrono::milliseconds(unfinished ? row.submitted_at : row.finished_at));
    return out.append(line);
}

inline result<void> list_documents(failures_writer& out, ledger& l, document_states in,
                                   std::string const& path)
{
    result<document_counts> const counts = l.counts();
    if (!counts) return counts.error();
    if (counts->total_of(in) == 0) return {};
    constexpr std::size_t at_once = 256;
    std::uint64_t cursor = 0;
    for (;;) {
        result<std::vector<ledger_row>> const rows = l.rows(in, cursor, at_once);
        if (!rows) return rows.error();
        if (rows->empty()) return {};
        for (ledger_row const& row : *rows)
            if (error_code const ec = append_row(out, row)) return output_failure(ec, path);
    }
}

/// The request_id of a document's result. A copy has that of its original.
inline result<std::string> request_of(ledger_row const& row, ledger& l)
{
    if (row.state != document_state::skipped) return row.request_id;
    result<std::optional<ledger_row>> const original = l.find(row.duplicate_of);
    if (!original) return original.error();
    return *original ? (**original).request_id : std::string();
}

inline result<void> list_parts(failures_writer& out, ledger& l, std::string const& id, std::string const& path)
{
    result<std::optional<ledger_row>> const row = l.find(id);
    if (!row) return row.error();
    if (!*row) return {};
    result<std::string> const request_id = request_of(**row, l);
    if (!request_id) return request_id.error();
    constexpr std::size_t at_once = 256;
    std::uint64_t next = 0;
    for (;;) {
        result<std::vector<missing_part>> const parts = l.missing_parts(id, next, at_once);
        if (!parts) return parts.error();
        if (parts->empty()) return {};
        next = parts->back().place + 1;
        for (missing_part const& p : *parts) {
            failure f(p.failure, phase::none, p.message);
            if (p.failure == errc::ok)
                f = failure(errc::client_closed, phase::none, "the run ended before it was fetched");
            else if (p.message.empty())
                f.reason = "not fetched";
            f.request_id = *request_id;
            failure_record line;
            line.document = &**row;
            line.part = &p;
            line.what = &f;
            line.message = p.message;
            // The next run fetches the others, as it polls unfinished jobs.
            if (p.failure == errc::ok && l.survives_process()) continue;
            if (error_code const ec = out.append(line)) return output_failure(ec, path);
        }
    }
}

inline result<void> list_missing_parts(failures_writer& out, ledger& l, std::string const& path)
{
    result<std::vector<std::string>> const ids = l.documents_lacking_parts();
    if (!ids) return ids.error();
    for (std::string const& id : *ids)
        if (result<void> done = list_parts(out, l, id, path); !done) return done;
    return {};
}

OCRPIPE_DECL result<failures_writer> rewrite_failures(std::string const& folder, ledger& l,
                                                      line_filter const& keep)
{
    using enum document_state;
    constexpr document_states unsuccessful{failed, ambiguous, stuck, expired, lost};
    constexpr document_states unsuccessful_or_paid{failed, ambiguous, stuck, expired, lost, submitted};
    std::string const path = folder + "/failures.jsonl";
    result<failures_writer> out = failures_writer::replace(folder);
    if (!out) return out;
    if (result<void> copied = copy_lines(path, *out, keep); !copied) return std::move(copied).error();
    // Otherwise, nothing would hold the request_id of an unfinished job after this process.
    document_states const listed = l.survives_process() ? unsuccessful : unsuccessful_or_paid;
    if (result<void> done = list_documents(*out, l, listed, path); !done) return std::move(done).error();
    if (result<void> done = list_missing_parts(*out, l, path); !done) return std::move(done).error();
    if (result<void> published = out->publish(); !published) return std::move(published).error();
    return out;
}

} // namespace ocrpipe::detail

#endif
