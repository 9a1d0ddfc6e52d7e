#include "progress.hpp"

#include "text_units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

std::uint64_t finished(pipeline_statistics const& s) noexcept { return s.done + s.failed; }
std::uint64_t in_flight(pipeline_statistics const& s) noexcept
{
    return s.submitting + s.waiting + s.fetching_parts;
}

/// Documents of all runs in the directory known so far, each counted once.
std::uint64_t known(pipeline_statistics const& s) noexcept { return finished(s) + s.unfinished + s.not_sent; }

std::string rate_text(double per_second)
{
    return per_second >= 10 ? fmt::format("{:.0f} docs/s", per_second)
                            : fmt::format("{:.1f} docs/s", per_second);
}

/// "2 service_error, 1 throttled"
std::string list_of(std::map<std::string, std::uint64_t> const& by_class)
{
    std::string text;
    for (auto const& [what, count] : by_class)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
    return text;
}

/// A piece of the line. Pieces are in reading order and are dropped by rank if there is no room.
struct piece {
    std::string text;
    int rank = 0; ///< 0 is dropped last
    std::string_view color = {};
};

constexpr std::string_view separator = ", ";

std::size_t width_of(std::vector<piece> const& pieces)
{
    std::size_t width = pieces.empty() ? 0 : (pieces.size() - 1) * separator.size();
    for (piece const& p : pieces)
        width += p.text.size();
    return width;
}

} // namespace

void rate_meter::sample(std::chrono::milliseconds at, std::uint64_t total)
{
    points_.push_back({at, total});
    // Keep the last point before the window, so that the whole window is covered.
    while (points_.size() > 2 && points_[1].at <= at - window_)
        points_.pop_front();
}

double rate_meter::per_second() const noexcept
{
    if (points_.size() < 2) return 0;
    auto const ms = (points_.back().at - points_.front().at).count();
    if (ms <= 0) return 0;
    return static_cast<double>(points_.back().finished - points_.front().finished) * 1'000 /
           static_cast<double>(ms);
}

std::optional<std::chrono::milliseconds> time_left(pipeline_statistics const& s, double per_second) noexcept
{
    if (!s.source_exhausted || per_second <= 0) return std::nullopt;
    double const seconds = static_cast<double>(known(s) - finished(s)) / per_second;
    // With a rate near zero, no end can be predicted.
    if (seconds > 100 * 86'400.0) return std::nullopt;
    return std::chrono::milliseconds(std::llround(seconds * 1'000));
}

std::string progress_line(pipeline_statistics const& s, double per_second, std::size_t width, bool color)
{
    constexpr std::string_view red = "\x1b[31m", yellow = "\x1b[33m", reset = "\x1b[0m";

    std::vector<piece> pieces;
    if (s.source_exhausted && known(s) > 0)
        pieces.push_back(
            {fmt::format("{} of {} done ({}%)", s.done, known(s), s.done * 100 / known(s)), 0});
    else
        pieces.push_back({fmt::format("{} done", s.done), 0});
    if (s.failed > 0) pieces.push_back({fmt::format("{} failed", s.failed), 1, red});
    if (s.unreadable > 0) pieces.push_back({fmt::format("{} unreadable", s.unreadable), 5, yellow});
    // The rest: duplicates of a document in flight, or documents of an earlier run that are not processed
    // yet.
    std::uint64_t const under_way = std::min(in_flight(s), s.unfinished + s.not_sent);
    pieces.push_back({fmt::format("{} in flight", under_way), 2});
    if (std::uint64_t const waiting = s.unfinished + s.not_sent - under_way; waiting > 0)
        pieces.push_back({fmt::format("{} waiting", waiting), 7});
    if (s.repeated > 0) pieces.push_back({fmt::format("{} listed again", s.repeated), 8});
    pieces.push_back({rate_text(per_second), 3});
    if (auto const left = time_left(s, per_second); left && finished(s) < known(s))
        pieces.push_back({format_duration(*left) + " left", 4});
    if (!s.outage.empty())
        pieces.push_back(
            {fmt::format("paused for {}: {}", format_duration(s.outage_lasts), s.outage), 1, yellow});
    else if (s.paused_for >= std::chrono::seconds(2))
        pieces.push_back(
            {fmt::format("the service asks to wait for {}", format_duration(s.paused_for)), 1, yellow});
    else if (!s.limiting.empty())
        pieces.push_back({fmt::format("limited by: {}", s.limiting), 6});

    while (pieces.size() > 1 && width_of(pieces) > width)
        pieces.erase(std::max_element(pieces.begin(), pieces.end(),
                                      [](piece const& a, piece const& b) { return a.rank < b.rank; }));

    std::string line;
    for (piece const& p : pieces) {
        if (!line.empty()) line += separator;
        if (color && !p.color.empty())
            line += fmt::format("{}{}{}", p.color, p.text, reset);
        else
            line += p.text;
    }
    // Only the first piece, which has no color, can remain and be too long.
    if (width_of(pieces) > width) line.resize(width);
    return line;
}

message progress_message(pipeline_statistics const& s, double per_second)
{
    message m(level::info, "progress", progress_line(s, per_second, std::string::npos, false),
              {{"found", s.found},
               {"source_exhausted", s.source_exhausted},
               {"done", s.done},
               {"failed", s.failed},
               {"unfinished", s.unfinished},
               {"not_sent", s.not_sent},
               {"repeated", s.repeated},
               {"unreadable", s.unreadable},
               {"links_skipped", s.links_skipped},
               {"too_young", s.too_young},
               {"submitting", s.submitting},
               {"waiting", s.waiting},
               {"fetching_parts", s.fetching_parts},
               {"bytes", s.bytes},
               {"elapsed_seconds", static_cast<double>(s.elapsed.count()) / 1'000},
               {"documents_per_second", std::round(per_second * 1'000) / 1'000},
               {"limiting", std::string(s.limiting)}});
    if (!s.outage.empty()) {
        m.fields.push_back({"outage", s.outage});
        m.fields.push_back({"outage_seconds", static_cast<double>(s.outage_lasts.count()) / 1'000});
    }
    if (s.paused_for.count() > 0)
        m.fields.push_back({"paused_seconds", static_cast<double>(s.paused_for.count()) / 1'000});
    if (auto const left = time_left(s, per_second))
        m.fields.push_back({"seconds_left", static_cast<double>(left->count()) / 1'000});
    return m;
}

message summary_message(run_report const& r, std::string const& directory)
{
    auto const elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(r.finished_at - r.started_at);
    std::uint64_t const all = r.done + r.failed + r.unfinished + r.not_sent;
    std::string text = fmt::format("{} of {} done", r.done, all);
    if (r.done_empty > 0) text += fmt::format(" ({} without content)", r.done_empty);
    if (r.done_in_part > 0) text += fmt::format(" ({} in part)", r.done_in_part);
    if (r.unrecognized > 0) text += fmt::format(" ({} in an unfamiliar form)", r.unrecognized);
    if (r.failed > 0) text += fmt::format(", {} failed ({})", r.failed, list_of(r.failed_by_class));
    if (r.copies > 0) text += fmt::format(", {} of them copies", r.copies);
    if (r.unfinished > 0) text += fmt::format(", {} unfinished", r.unfinished);
    if (r.unreadable > 0) text += fmt::format(", {} unreadable", r.unreadable);
    if (r.too_young > 0) text += fmt::format(", {} too young", r.too_young);
    if (r.links_skipped > 0) text += fmt::format(", {} links skipped", r.links_skipped);
    if (r.not_sent > 0) text += fmt::format(", {} not sent", r.not_sent);
    if (r.repeated > 0) text += fmt::format(", {} listed again", r.repeated);
    if (r.changed_files > 0) text += fmt::format(", {} changed while being read", r.changed_files);
    if (r.parts_absent > 0) text += fmt::format(", {} parts absent", r.parts_absent);
    if (r.parts_without_id > 0) text += fmt::format(", {} parts without an id", r.parts_without_id);
    if (r.parts_failed > 0)
        text += fmt::format(", {} parts failed ({})", r.parts_failed, list_of(r.parts_failed_by_class));
    if (r.parts_wanted > 0) text += fmt::format(", {} parts not fetched yet", r.parts_wanted);
    text += fmt::format(", {} in {}", format_bytes(r.bytes),
                        format_duration(std::max(elapsed, std::chrono::milliseconds(0))));
    if (!r.ended_by.empty()) text += fmt::format("; {}", r.ended_by);
    if (r.failed + r.unreadable + r.parts_failed > 0)
        text += fmt::format(": see {}/failures.jsonl", directory);
    std::uint64_t risky = 0;
    std::string risky_classes;
    for (errc const c : {errc::ambiguous_submit, errc::job_expired, errc::job_lost})
        if (auto const n = r.failed_by_class.find(std::string(name(c))); n != r.failed_by_class.end()) {
            risky += n->second;
            risky_classes += (risky_classes.empty() ? "" : ",") + std::string(name(c));
        }
    if (r.failed > risky)
        text += fmt::format("; to send failed documents again: ocrpipe retry {}", directory);
    if (risky > 0)
        text += fmt::format(
            "; to send {} documents again that may then be billed twice: ocrpipe retry {} --class {}", risky,
            directory, risky_classes);
    if (r.parts_failed + r.parts_wanted > 0)
        text += fmt::format("; to fetch the missing parts, which costs nothing: the same run command, or "
                            "ocrpipe retry {}",
                            directory);
    if (r.not_sent > 0 && r.end == run_end::complete)
        text += fmt::format(
            "; to send the documents that were not sent: the same run command, or ocrpipe retry {}",
            directory);
    if (r.to_ask_again > 0)
        text += fmt::format("; {} results are empty or incomplete: the next run asks the service for them "
                            "again, which costs nothing",
                            r.to_ask_again);
    bool const clean = r.failed + r.to_ask_again + r.unreadable + r.too_young + r.empty_inputs +
                               r.unfinished + r.not_sent + r.changed_files + r.parts_failed +
                               r.parts_wanted ==
                           0 &&
                       r.ended_by.empty();
    return message(clean ? level::info : level::warn, "run_finished", std::move(text),
                   {{"found", r.found},
                    {"done", r.done},
                    {"done_empty", r.done_empty},
                    {"done_in_part", r.done_in_part},
                    {"to_ask_again", r.to_ask_again},
                    {"failed", r.failed},
                    {"unfinished", r.unfinished},
                    {"unreadable", r.unreadable},
                    {"links_skipped", r.links_skipped},
                    {"too_young", r.too_young},
                    {"not_sent", r.not_sent},
                    {"repeated", r.repeated},
                    {"changed_files", r.changed_files},
                    {"parts", r.parts},
                    {"parts_absent", r.parts_absent},
                    {"parts_without_id", r.parts_without_id},
                    {"parts_failed", r.parts_failed},
                    {"parts_wanted", r.parts_wanted},
                    {"bytes", r.bytes},
                    {"elapsed_seconds", static_cast<double>(elapsed.count()) / 1'000},
                    {"ended_by", r.ended_by},
                    {"directory", directory}});
}

std::vector<message> skipped_messages(source_notes const& notes, std::chrono::milliseconds min_age)
{
    std::vector<message> all;
    std::uint64_t const links = notes.links_skipped;
    std::uint64_t const repeated = notes.links_repeated;
    if (links > 0) {
        std::string text = fmt::format("symbolic links skipped: {}", links);
        if (repeated > 0) text += fmt::format(", to something that is read anyway: {}", repeated);
        if (links > repeated)
            text +=
                fmt::format(", to directories, or out of the inputs: {}; give --follow-links to follow them",
                            links - repeated);
        all.emplace_back(links > repeated ? level::warn : level::info, "links_skipped", std::move(text),
                         std::vector<field>{{"links_skipped", links}, {"repeated", repeated}});
    }
    if (std::uint64_t const young = notes.too_young; young > 0)
        all.emplace_back(level::warn, "too_young",
                         fmt::format("files skipped because they were modified less than {} ago and may be "
                                     "incomplete: {}; the next run finds them",
                                     format_duration(min_age), young),
                         std::vector<field>{{"too_young", young}});
    return all;
}

} // namespace ocrpipe::cli
