#include "load_search.hpp"

#include "message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

/// Why a step of the search did not pass; empty if it did.
std::string why_failed(load_facts const& facts, load_summary const& s)
{
    if (s.all_failed()) return "all documents fail";
    load_limit const limit = limit_of(facts.generator);
    if (s.backlog.grows()) return fmt::format("the backlog grows; {}", text(limit));
    // Then the service might take more, or takes less, than the step asked for.
    if (limit != load_limit::service) return fmt::format("documents had to wait; {}", text(limit));
    for (auto const& [t, judged] : facts.thresholds)
        if (!judged.holds) return fmt::format("{} does not hold ({})", t.text, judged.seen);
    if (facts.thresholds.empty() && s.error_rate() > 0.01)
        return fmt::format("{:.1f} % of the documents fail", 100 * s.error_rate());
    if (s.unfinished > 0) return "documents are unfinished after the drain";
    if (s.parts_wanted > 0) return "parts are not fetched after the drain";
    return {};
}

} // namespace

std::optional<load_outcome>
search_capacity(load_plan const& p,
                std::function<std::optional<load_outcome>(arrival_plan const&)> const& run,
                capacity_search& searched, logger& log)
{
    std::optional<load_outcome> last;
    std::uint64_t sent = 0;
    std::uint64_t accepted = 0;
    std::uint64_t in_doubt = 0;
    auto const begin = clock::now();
    while (auto const rate = searched.next_rate()) {
        arrival_plan step = p.arrivals;
        step.stages = {{*rate, *rate, p.step_seconds}};
        step.max_seconds = 0;
        step.max_documents = 0;
        double const elapsed = std::chrono::duration<double>(clock::now() - begin).count();
        std::uint64_t const needed = most_documents(step).value_or(0);
        if ((p.arrivals.max_documents > 0 && sent + needed > p.arrivals.max_documents) ||
            (p.arrivals.max_seconds > 0 && elapsed + p.step_seconds > p.arrivals.max_seconds)) {
            log.write(message(level::warn, "search_cut",
                              "the search ended early: the next step would exceed --max-documents or "
                              "--duration, so the interval is wide"));
            break;
        }
        last = run(step);
        if (!last) break;
        sent += last->summary.documents;
        // What was paid for counts for all steps.
        last->facts.accepted_before = accepted;
        accepted += last->measured.accepted();
        last->facts.in_doubt = in_doubt += last->facts.in_doubt;
        load_facts const facts = facts_of(p, *last);
        std::string const bottleneck = bottleneck_of(last->generator);
        std::string why = why_failed(facts, last->summary);
        if (last->stopped || !bottleneck.empty()) break;
        log.write(message(why.empty() ? level::info : level::warn, "step",
                          fmt::format("{:.4g}/s: {}", *rate, why.empty() ? "passed" : why),
                          {{"rate", *rate},
                           {"passed", why.empty()},
                           {"throughput", last->summary.throughput},
                           {"slope", last->summary.backlog.slope}}));
        bool const drained = last->summary.unfinished + last->summary.parts_wanted == 0;
        bool const all_failed = last->summary.all_failed();
        capacity_step made{*rate, why.empty(), last->summary.throughput,
                           last->summary.backlog.grows() && !all_failed, why};
        made.missed = made.backlog_grows || misses(facts);
        searched.record(std::move(made));
        if (!last->counts.ended_by.empty()) break;
        if (all_failed) {
            log.write(
                message(level::warn, "all_failed",
                        "all documents of the step failed, so a lower rate would tell nothing about the "
                        "capacity: the search ends"));
            break;
        }
        if (!drained) {
            log.write(message(
                level::warn, "not_drained",
                "the service did not finish all documents and parts within --drain-timeout, so the next "
                "step would measure this one's backlog"));
            break;
        }
    }
    return last;
}

exit_code exit_code_of(capacity_search const& searched)
{
    if (searched.steps().empty() || searched.found().low > 0) return exit_code::all_done;
    bool const missed = std::all_of(searched.steps().begin(), searched.steps().end(),
                                    [](capacity_step const& s) { return s.missed; });
    return missed ? exit_code::threshold_missed : exit_code::documents_failed;
}

} // namespace ocrpipe::cli
