// status: the counts of a run, and what the process that works on it is doing.

#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/output/report.hpp>

#include "commands.hpp"
#include "live_report.hpp"
#include "remedy.hpp"
#include "run_ledger.hpp"
#include "standard_output.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;

/// What there is beside the ledger.
struct situation {
    std::optional<std::string> process; ///< that works on the directory, such as "process 4711"
    std::string report;                 ///< the text of report.json; empty if there is none
    json::object run;                   ///< the part of it that changes while a run goes on
};

situation look_around(std::string const& directory)
{
    situation s;
    s.process = sqlite_ledger_holder((std::filesystem::path(directory) / "ledger.db").string());
    std::ifstream file(report_path(directory), std::ios::binary);
    std::ostringstream text; // an iterator throws on a directory; this sets failbit
    if (text << file.rdbuf()) s.report = text.str();
    error_code ec;
    json::value const parsed = json::parse(s.report, ec);
    if (json::object const* const o = parsed.if_object())
        for (char const* const key : {"state", "updated_at", "now", "eta", "verdict"})
            if (json::value const* const v = o->if_contains(key)) s.run[key] = *v;
    return s;
}

json::value pid_of(situation const& s)
{
    constexpr std::string_view word = "process ";
    int pid = 0;
    if (!s.process || !s.process->starts_with(word)) return nullptr;
    auto const digits = std::string_view(*s.process).substr(word.size());
    if (std::from_chars(digits.data(), digits.data() + digits.size(), pid).ec != std::errc()) return nullptr;
    return pid;
}

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

std::string json_of(document_counts const& counts, run_report const& all, situation const& now)
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
                                        {"possible_duplicates", counts.possible_duplicates},
                                        {"pid", pid_of(now)},
                                        {"run", now.run}}) +
           "\n";
}

struct view {
    std::string text;
    bool active = false; ///< a process works on the directory
};

result<view> look(std::string const& directory, output_form form)
{
    // Before the ledger: a run that ends in between is then seen once more, with its end.
    situation const now = look_around(directory);
    boost::asio::io_context ioc;
    auto const l = open_run_ledger(ioc, directory, ledger_use::look);
    if (!l) return l.error();
    auto const counts = (**l).counts();
    if (!counts) return counts.error();
    run_report all;
    if (auto const counted = count_all(**l, *counts, all); !counted) return counted.error();
    view v;
    v.active = now.process.has_value();
    if (form == output_form::json)
        v.text = json_of(*counts, all, now);
    else
        v.text = text_of(*counts, all) +
                 activity_line(parse_live_report(now.report), now.process, all.unfinished + all.not_sent > 0);
    return v;
}

} // namespace

exit_code carry_out(status_plan const& p, client_options const&, logger& log)
{
    using namespace std::chrono;
    constexpr auto shortest_interval = milliseconds(1'000);
    // Empties the screen, since a line that wraps takes several rows.
    bool const in_place = p.watch && p.form == output_form::text && ::isatty(STDOUT_FILENO) == 1;
    std::string_view before = in_place ? "\x1b[H\x1b[J" : "";
    for (;;) {
        auto const begun = steady_clock::now();
        result<view> const seen = look(p.directory, p.form);
        if (!seen) return refuse(seen.error(), "no status", log);
        exit_code const code = deliver(std::string(before) + seen->text, "-", "the status", log);
        if (!p.watch || !seen->active || code != exit_code::all_done) return code;
        if (!in_place && p.form == output_form::text) before = "\n";
        // Counting takes at most a tenth of the time.
        std::this_thread::sleep_for(
            std::max<steady_clock::duration>(shortest_interval, 10 * (steady_clock::now() - begun)));
    }
}

} // namespace ocrpipe::cli
