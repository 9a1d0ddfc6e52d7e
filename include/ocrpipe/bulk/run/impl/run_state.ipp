#ifndef OCRPIPE_BULK_RUN_IMPL_RUN_STATE_IPP
#define OCRPIPE_BULK_RUN_IMPL_RUN_STATE_IPP

#include <ocrpipe/bulk/run/detail/document_course.hpp>
#include <ocrpipe/bulk/run/detail/run_state.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace ocrpipe::detail
{

OCRPIPE_DECL standing standing_of(document_state s) noexcept
{
    switch (s) {
    case document_state::found:
        return standing::not_sent;
    case document_state::intent:
    case document_state::submitted:
        return standing::unfinished;
    case document_state::done:
    case document_state::skipped:
        return standing::done;
    case document_state::failed:
    case document_state::ambiguous:
    case document_state::stuck:
    case document_state::expired:
    case document_state::lost:
        return standing::failed;
    }
    return standing::absent;
}

OCRPIPE_DECL run_state::run_state(pipeline_options const& options)
    : max_in_flight_(options.max_in_flight)
    , max_submitting_(options.max_submitting)
    , max_documents_(options.max_documents)
    , budget_(options.fail_budget)
{
}

OCRPIPE_DECL void run_state::count_earlier(document_counts const& counts) noexcept
{
    for (std::size_t i = 0; i != document_state_count; ++i) {
        auto const s = static_cast<document_state>(i);
        standings_[static_cast<std::size_t>(standing_of(s))] += counts[s];
    }
    report.done_empty = counts.empty;
    report.done_in_part = counts.in_part;
}

OCRPIPE_DECL void run_state::move(standing& of, standing to) noexcept
{
    if (of != standing::absent) --standings_[static_cast<std::size_t>(of)];
    of = to;
    if (of != standing::absent) ++standings_[static_cast<std::size_t>(of)];
}

OCRPIPE_DECL void run_state::withhold_without_row(std::string_view id, standing& of)
{
    bool const first = withheld_ids_.insert(std::hash<std::string_view>()(id)).second;
    move(of, first ? standing::not_sent : standing::absent);
    if (!first) repeat();
}

OCRPIPE_DECL bool run_state::has_room() const noexcept
{
    return in_flight_ < max_in_flight_ && submitting_ < max_submitting_;
}

OCRPIPE_DECL bool run_state::may_send()
{
    if (max_documents_ == 0 || sent_ < max_documents_) return true;
    stop(run_end::document_limit, fmt::format("{} documents were sent", sent_));
    return false;
}

OCRPIPE_DECL void run_state::submit_begins() noexcept
{
    ++sent_;
    ++submitting_;
}

OCRPIPE_DECL void run_state::accepted(std::uint64_t bytes, bool possible_duplicate) noexcept
{
    unanswered_ = 0;
    report.bytes += bytes;
    if (possible_duplicate) ++report.possible_duplicates;
}

OCRPIPE_DECL void run_state::submit_failed(failure const& f)
{
    bool const unanswered = is_unanswered(f);
    if (f.http_status != 0 && !unanswered) unanswered_ = 0;
    if (!unanswered || ++unanswered_ != max_unanswered) return;
    stop(run_end::failure_budget,
         fmt::format("{} submits in a row got no answer from the service; the last one failed with: {}",
                     unanswered_, f.reason));
}

OCRPIPE_DECL void run_state::finished(standing& of, completeness how_complete)
{
    copied(of);
    if (auto* const n = count_of(how_complete)) ++*n;
}

OCRPIPE_DECL std::uint64_t* run_state::count_of(completeness how_complete) noexcept
{
    if (how_complete == completeness::empty) return &report.done_empty;
    return how_complete == completeness::in_part ? &report.done_in_part : nullptr;
}

OCRPIPE_DECL void run_state::renewed(completeness before, completeness now) noexcept
{
    ++report.renewed;
    if (auto* const n = count_of(before)) --*n;
    if (auto* const n = count_of(now)) ++*n;
}

OCRPIPE_DECL void run_state::copied(standing& of) noexcept
{
    if (of == standing::done) {
        ++report.renewed;
        return;
    }
    move(of, standing::done);
    ++report.done_now;
}

OCRPIPE_DECL void run_state::failed(standing& of)
{
    move(of, standing::failed);
    std::uint64_t const finished = ++failed_now_ + report.done_now;
    if (budget_.used_up(failed_now_, finished))
        stop(run_end::failure_budget, fmt::format("{} of {} documents failed", failed_now_, finished));
}

OCRPIPE_DECL void run_state::stop(run_end why, std::string text)
{
    if (is_stopped() && (is_draining() || why == run_end::document_limit)) return;
    report.end = why;
    report.ended_by = std::move(text);
}

OCRPIPE_DECL void run_state::fail(failure f)
{
    if (error_) return;
    report.end = run_end::failed;
    report.ended_by = to_string(f);
    error_ = std::move(f);
}

OCRPIPE_DECL void run_state::outputs_failed(failure f)
{
    outputs_failed_ = true;
    fail(std::move(f));
}

OCRPIPE_DECL std::string_view run_state::limiting(client_statistics const& now)
{
    client_statistics const before = std::exchange(before_, now);
    auto const grew = [&](std::chrono::nanoseconds client_statistics::*counter) {
        return now.*counter > before.*counter;
    };
    if (is_stopped()) return "draining";
    if (!now.outage.empty()) return "outage";
    if (now.credentials_paused) return "credentials";
    if (now.paused_for.count() > 0) return "throttled";
    // At the in-flight cap, a document is sent when another one leaves: a limit on submits makes no difference.
    bool const is_full = in_flight_ >= max_in_flight_;
    if (!is_full && grew(&client_statistics::waited_for_submit_rate)) return "submit rate";
    if (!is_full && grew(&client_statistics::waited_for_bytes)) return "bandwidth";
    if (grew(&client_statistics::waited_for_poll_rate)) return "poll rate";
    if (is_full) return "in-flight cap";
    if (submitting_ >= max_submitting_) return "connections";
    return report.source_exhausted ? "service" : "source";
}

OCRPIPE_DECL pipeline_statistics run_state::statistics() const
{
    pipeline_statistics s;
    s.done = count(standing::done);
    s.failed = count(standing::failed);
    s.unfinished = count(standing::unfinished);
    s.not_sent = count(standing::not_sent);
    s.repeated = repeated();
    s.found = s.done + s.failed + s.unfinished + s.not_sent + s.repeated;
    s.source_exhausted = report.source_exhausted;
    s.finished_now = report.done_now + failed_now_;
    s.unreadable = report.unreadable;
    s.submitting = submitting_;
    s.waiting = waiting;
    s.fetching_parts = fetching_parts;
    s.bytes = report.bytes;
    return s;
}

OCRPIPE_DECL void run_state::complete_report(client_statistics const& c)
{
    pipeline_statistics const s = statistics();
    report.found = s.found;
    report.done = s.done;
    report.failed = s.failed;
    report.unfinished = s.unfinished;
    report.not_sent = s.not_sent;
    report.repeated = s.repeated;
    report.submits = c.submits;
    report.polls = c.polls;
    report.throttled = c.throttled;
    report.transport_failures = c.transport_failures;
}

} // namespace ocrpipe::detail

#endif
