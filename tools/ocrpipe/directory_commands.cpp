// status, report and support: commands that inspect a run through its ledger.

#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "commands.hpp"
#include "remedy.hpp"
#include "run_ledger.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;

constexpr std::array shown_states{
    document_state::done,    document_state::skipped, document_state::submitted, document_state::intent,
    document_state::found,   document_state::failed,  document_state::ambiguous, document_state::stuck,
    document_state::expired, document_state::lost};

std::string_view meaning(document_state s)
{
    switch (s) {
    case document_state::done:
        return "have their result";
    case document_state::skipped:
        return "share the result of an equal document";
    case document_state::submitted:
        return "are with the service; run asks for their results";
    case document_state::intent:
        return "are being sent, or were when the run was killed";
    case document_state::found:
        return "are to be sent";
    case document_state::failed:
        return "failed; see failures.jsonl, and send them again with retry";
    case document_state::ambiguous:
        return "may have been accepted; held, since sending them again may be billed twice";
    case document_state::stuck:
        return "were not finished in time; run asks for them again";
    case document_state::expired:
        return "were read, but the service no longer has the result";
    case document_state::lost:
        return "were accepted, but the service no longer knows them; ask its support about them";
    }
    return {};
}

std::string time_text(std::int64_t ms)
{
    std::string text;
    detail::append_time(text, std::chrono::system_clock::time_point(std::chrono::milliseconds(ms)));
    return text;
}

std::string text_of(document_counts const& counts, run_report const& all)
{
    std::string out;
    for (document_state const s : shown_states)
        if (counts[s] > 0) out += fmt::format("{:>10}  {:<9}  {}\n", counts[s], name(s), meaning(s));
    if (counts.empty > 0) out += fmt::format("{:>10}  of the results are empty\n", counts.empty);
    if (counts.in_part > 0) out += fmt::format("{:>10}  of the results are incomplete\n", counts.in_part);
    if (counts.to_ask_again > 0)
        out += fmt::format("{:>10}  of these are asked for again by the next run\n", counts.to_ask_again);
    for (auto const& [failure_class, documents] : counts.by_class)
        out += fmt::format("{:>10}  {}\n", documents, "class " + failure_class);
    if (counts.possible_duplicates > 0)
        out += fmt::format("{:>10}  sent again although they may have been accepted; may be billed twice\n",
                           counts.possible_duplicates);
    out += fmt::format("{:>10}  documents in all\n", counts.total());
    if (counts.parts_wanted > 0)
        out +=
            fmt::format("{:>10}  parts are not fetched yet; run or retry fetches them, which costs nothing\n",
                        counts.parts_wanted);
    if (all.parts_failed > 0)
        out += fmt::format("{:>10}  parts failed; see failures.jsonl; run or retry fetches them, which costs "
                           "nothing\n",
                           all.parts_failed);
    for (auto const& [failure_class, parts] : counts.parts_failed)
        out += fmt::format("{:>10}  parts with class {}\n", parts, failure_class);
    std::uint64_t const without_row = all.found - all.repeated - counts.total();
    if (without_row > 0)
        out += fmt::format("{:>10}  more were found by the last run and not sent: an equal document may have "
                           "been accepted, or its results file is missing\n",
                           without_row);
    if (all.repeated > 0) out += fmt::format("{:>10}  were listed again in the last run\n", all.repeated);
    return out;
}

std::string json_of(document_counts const& counts, run_report const& all)
{
    json::object states, classes, part_classes;
    for (document_state const s : shown_states)
        states[name(s)] = counts[s];
    for (auto const& [failure_class, documents] : counts.by_class)
        classes[failure_class] = documents;
    for (auto const& [failure_class, parts] : counts.parts_failed)
        part_classes[failure_class] = parts;
    return json::serialize(json::object{{"documents", counts.total()},
                                        {"found", all.found},
                                        {"done", all.done},
                                        {"done_in_part", all.done_in_part},
                                        {"done_empty", all.done_empty},
                                        {"to_ask_again", all.to_ask_again},
                                        {"copies", all.copies},
                                        {"failed", all.failed},
                                        {"unfinished", all.unfinished},
                                        {"not_sent", all.not_sent},
                                        {"repeated", all.repeated},
                                        {"states", states},
                                        {"classes", classes},
                                        {"parts_failed", all.parts_failed},
                                        {"parts_wanted", counts.parts_wanted},
                                        {"part_classes", part_classes},
                                        {"possible_duplicates", counts.possible_duplicates}}) +
           "\n";
}

/// The information that the service's guide requires in a support request: who requested what, when, and the
/// answer; no key and no document content.
json::object bundle_of(ledger_row const& row, ledger& l)
{
    json::array trace;
    auto const step = [&trace](std::string_view what, std::int64_t at) {
        if (at != 0) trace.push_back(json::object{{"step", what}, {"at", time_text(at)}});
    };
    step("first seen", row.first_seen_at);
    step("POST ingest started", row.intent_at);
    step("request_id received", row.submitted_at);
    step(fmt::format("ended as {}", name(row.state)), row.finished_at);
    json::object o{{"request_id", row.request_id},
                   {"file_ids", json::array(row.file_ids.begin(), row.file_ids.end())},
                   {"state", name(row.state)},
                   {"class", row.failure_class},
                   {"message", row.message},
                   {"flow", row.flow},
                   {"doc_type", row.doc_type},
                   {"file_name", std::filesystem::path(row.path).filename().string()},
                   {"bytes", row.size},
                   {"sha256", row.sha256},
                   {"submits", row.attempts},
                   {"polls", row.polls},
                   {"possible_duplicate", row.possible_duplicate},
                   {"trace", trace},
                   {"client", "ocrpipe " OCRPIPE_VERSION_STRING}};
    // Polls are recorded when they have ended.
    if (row.state == document_state::submitted) o["polls"] = nullptr;
    // The ledger keeps only this much about a submit once its document was sent again.
    if (row.sha256.empty())
        for (char const* const unknown : {"class", "message", "flow", "doc_type", "bytes", "sha256",
                                          "submits", "polls", "possible_duplicate"})
            o[unknown] = nullptr;
    for (char const* const key : {"base_url", "portal_user_id"})
        if (auto const value = l.metadata(std::string("configuration.") + key); value && *value)
            o[key] = **value;
    return o;
}

/// Whether the file still has the content that was sent; nullopt if it cannot be read.
std::optional<bool> holds(std::string const& path, std::string_view sha256)
{
    std::ifstream file(path, std::ios::binary);
    sha256_stream hash;
    std::array<char, 65'536> buffer;
    while (file.read(buffer.data(), buffer.size()) || file.gcount() > 0)
        hash.update({buffer.data(), static_cast<std::size_t>(file.gcount())});
    if (!file.eof()) return std::nullopt;
    return hash.hex() == sha256;
}

/// A folder's name from the service's id: without characters that are special in a path or a shell.
std::string folder_name(std::string_view request_id)
{
    std::string out;
    for (char const c : request_id.substr(0, 64)) {
        bool const plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           c == '-' || c == '_';
        out += plain ? c : '_';
    }
    return out;
}

} // namespace

exit_code carry_out(status_plan const& p, client_options const&, logger& log)
{
    boost::asio::io_context ioc;
    auto const l = open_run_ledger(ioc, p.directory, ledger_use::look);
    if (!l) return refuse(l.error(), "no status", log);
    auto const counts = (**l).counts();
    if (!counts) return refuse(counts.error(), "no status", log);
    run_report all;
    if (auto const counted = count_all(**l, *counts, all); !counted)
        return refuse(counted.error(), "no status", log);
    return deliver(p.form == output_form::json ? json_of(*counts, all) : text_of(*counts, all), "-",
                   "the status", log);
}

exit_code carry_out(report_plan const& p, client_options const&, logger& log)
{
    boost::asio::io_context ioc;
    auto const l = open_run_ledger(ioc, p.directory, ledger_use::look);
    if (!l) return refuse(l.error(), "no report", log);
    auto const last = (**l).metadata("last_run");
    if (!last) return refuse(last.error(), "no report", log);
    // The report of the last run, with current totals.
    run_report report;
    if (*last)
        if (auto kept = parse_report(**last)) report = *std::move(kept);
    if (auto const counted = count_all(**l, report); !counted)
        return refuse(counted.error(), "no report", log);
    auto const measured = (**l).metadata(detail::last_run_measured);
    if (!measured) return refuse(measured.error(), "no report", log);
    report.measured = measured->value_or("");
    if (auto const failed = write_report(p.directory, report)) {
        log.write(message(level::error, "failed",
                          fmt::format("{}: {}: make room", report_path(p.directory), failed.message())));
        return exit_code::disk_error;
    }
    return deliver(report_path(p.directory) + "\n", "-", "the report's path", log);
}

exit_code carry_out(support_plan const& p, client_options const&, logger& log)
{
    boost::asio::io_context ioc;
    auto const l = open_run_ledger(ioc, p.directory, ledger_use::look);
    if (!l) return refuse(l.error(), "no bundle", log);
    auto const row = (**l).find_request(p.request_id);
    if (!row) return refuse(row.error(), "no bundle", log);
    if (!*row) {
        log.write(
            message(level::error, "failed",
                    fmt::format("no document of {} has the request id {}: take one from results-*.jsonl or "
                                "failures.jsonl",
                                p.directory, printable_excerpt(p.request_id, 64))));
        return exit_code::usage;
    }
    auto const no_sample = [&](std::string why, exit_code code) {
        log.write(message(level::error, "failed",
                          fmt::format("no sample for {}: {}: run the command without --sample",
                                      printable_excerpt(p.request_id, 64), std::move(why))));
        return code;
    };
    if (p.sample && (**row).sha256.empty())
        return no_sample("its document has been sent again since, and what was sent then is no longer known",
                         exit_code::usage);
    if (p.sample && holds((**row).path, (**row).sha256) == false)
        return no_sample(fmt::format("{} has changed since it was sent", (**row).path),
                         exit_code::inputs_unreadable);
    namespace fs = std::filesystem;
    fs::path const folder = fs::path(p.directory) / "support" / folder_name(p.request_id);
    std::error_code ec;
    fs::create_directories(folder, ec);
    if (!ec) fs::permissions(folder, fs::perms::owner_all, ec);
    error_code failed(ec);
    if (!failed)
        failed = detail::write_file_atomically(folder.string(), "request.json",
                                               json::serialize(bundle_of(**row, **l)) + "\n",
                                               detail::durability::process);
    if (!failed && p.sample) {
        fs::path const sample = folder / ("sample" + fs::path((**row).path).extension().string());
        fs::copy_file((**row).path, sample, fs::copy_options::overwrite_existing, ec);
        if (!ec) fs::permissions(sample, fs::perms::owner_read | fs::perms::owner_write, ec);
        failed = error_code(ec);
    }
    if (failed) {
        log.write(message(level::error, "failed",
                          fmt::format("{}: {}: make room, or check the document's path", folder.string(),
                                      failed.message())));
        return exit_code::disk_error;
    }
    return deliver(folder.string() + "\n", "-", "the bundle's path", log);
}

} // namespace ocrpipe::cli
