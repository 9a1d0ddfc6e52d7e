// report and support: commands that inspect a run through its ledger.

#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/sha256.hpp>

#include "commands.hpp"
#include "load_records.hpp"
#include "remedy.hpp"
#include "report_page.hpp"
#include "run_ledger.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;

std::string time_text(std::int64_t ms)
{
    std::string text;
    detail::append_time(text, std::chrono::system_clock::time_point(std::chrono::milliseconds(ms)));
    return text;
}

bool file_exists(std::string const& path)
{
    std::error_code ec;
    return std::filesystem::exists(path, ec);
}

/// Whether the text is a report.json: an object with the member that every report has.
bool is_report(std::string_view text)
{
    boost::system::error_code ec;
    json::value const v = json::parse({text.data(), text.size()}, ec);
    json::object const* const o = v.if_object();
    return !ec && o != nullptr && o->contains("version");
}

/// Writes report.html from report.json, and prints the path of the latter.
exit_code make_page(std::string const& directory, logger& log)
{
    std::string const path = report_path(directory);
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text; // an iterator throws on a directory; this sets failbit
    error_code failed;
    text << file.rdbuf();
    if (!is_report(text.str())) {
        log.write(message(
            level::error, "unreadable",
            fmt::format("{}: it is empty, damaged or not a report, so there is no page: restore it{}", path,
                        file_exists(directory + "/jobs.jsonl")
                            ? "; the load test's records are in jobs.jsonl"
                            : ", or give the --out directory of a run or a load test")));
        return exit_code::inputs_unreadable;
    }
    failed = write_report_page(directory, text.str());
    if (failed) {
        log.write(message(level::error, "failed",
                          fmt::format("{}: the page cannot be created: {}", path, failed.message())));
        return exit_code::disk_error;
    }
    return deliver(path + "\n", "-", "the report's path", log);
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
    step("about to be sent", row.intent_at);
    step("POST ingest started", row.sent_at);
    step("request_id received", row.submitted_at);
    step("last answer that the job is not finished", row.last_pending_at);
    step("result received", row.ready_at);
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

exit_code carry_out(report_plan const& p, client_options const&, logger& log)
{
    if (!file_exists(p.directory + "/ledger.db")) {
        std::string const unfinished = unfinished_load_test(p.directory);
        bool const is_there = file_exists(report_path(p.directory));
        if (!unfinished.empty())
            log.write(message(
                is_there ? level::warn : level::error, "load_unfinished",
                fmt::format("{}: {}{}", p.directory, unfinished, is_there ? "" : "; it has no report yet")));
        if (is_there) return make_page(p.directory, log);
        if (!unfinished.empty()) return exit_code::inputs_unreadable;
    }
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
    return make_page(p.directory, log);
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
                    fmt::format("no document in {} has the request id {}: take one from results-*.jsonl or "
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
