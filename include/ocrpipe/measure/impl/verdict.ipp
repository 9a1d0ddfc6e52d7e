#ifndef OCRPIPE_MEASURE_IMPL_VERDICT_IPP
#define OCRPIPE_MEASURE_IMPL_VERDICT_IPP

#include <ocrpipe/measure/report_members.hpp>

#include <fmt/format.h>

#include <cmath>

namespace ocrpipe
{
namespace detail
{

/// A word of pipeline_statistics::limiting, as a noun, and what it means for the user.
struct limit_advice {
    std::string_view word;
    std::string_view noun;
    std::string_view advice;
};

inline constexpr limit_advice limit_advices[] = {
    {"service", "the service", "it has the documents, and their results are not ready"},
    {"submit rate", "the submit rate", "raise it if the service allows more"},
    {"poll rate", "the poll rate", "raise it if the service allows more, or poll less often"},
    {"bandwidth", "the bandwidth limit", "raise it if the line allows more"},
    {"in-flight cap", "the number of documents in flight", "raise it if the service can take more at a time"},
    {"connections", "the connections for submits", "allow more if the service serves more"},
    {"source", "the inputs", "they are found and read more slowly than documents could be sent"},
    {"throttled", "the service's throttling", "it asks to slow down; a lower rate avoids its refusals"},
    {"credentials", "refused credentials", "check the key, the user id and the address"},
    {"outage", "an outage", "the run goes on when the service can be used again"},
};

inline std::string about(double seconds)
{
    if (seconds < 100) return fmt::format("{:.0f} seconds", std::max(1.0, std::ceil(seconds)));
    if (seconds < 100 * 60) return fmt::format("{:.0f} minutes", seconds / 60);
    if (seconds < 48 * 3600) return fmt::format("{:.1f} hours", seconds / 3600);
    return fmt::format("{:.1f} days", seconds / 86'400);
}

inline std::string rate_text(double per_second)
{
    if (per_second >= 0.1) return fmt::format("{:.1f} a second", per_second);
    return fmt::format("{:.1f} an hour", per_second * 3600);
}

inline double seconds_of(clock::duration d) { return std::chrono::duration<double>(d).count(); }

} // namespace detail

OCRPIPE_DECL std::string verdict_of(run_measurements const& m, report_facts const& f)
{
    std::uint64_t const total = f.done + f.failed + f.left;
    if (total == 0 && f.state != "running") return "No document was found.";
    std::string text = f.total_known && f.done == total && total > 0
                           ? fmt::format("All {} documents are done", total)
                           : fmt::format("{} of {} documents {}are done", f.done, total,
                                         f.total_known ? "" : "found so far ");
    if (f.failed > 0) text += fmt::format(", and {} failed", f.failed);

    bool const is_running = f.state == "running";
    double const elapsed = detail::seconds_of(f.now - m.start());
    std::optional<double> rate = m.forecast().per_second();
    if (!is_running)
        rate = elapsed > 0 ? std::optional(static_cast<double>(m.finished()) / elapsed) : std::nullopt;
    if (rate && *rate > 0) text += ", at " + detail::rate_text(*rate);
    if (is_running && f.total_known)
        if (auto const left = m.forecast().time_for(f.left))
            text += fmt::format("; about {} are left", detail::about(left->seconds));
    text += '.';

    if (is_running && f.limiting == "draining")
        return text + " The run is stopping: it finishes the documents that were sent.";
    std::string_view limit = f.limiting;
    clock::duration longest{0};
    if (!is_running) {
        limit = {};
        for (auto const& [word, spent] : m.limiting())
            if (spent > longest && word != "draining") {
                limit = word;
                longest = spent;
            }
    }
    for (auto const& [word, noun, advice] : detail::limit_advices) {
        if (word != limit) continue;
        text += fmt::format(" Limited by {}", noun);
        if (!is_running && elapsed > 0)
            text += fmt::format(" for {:.0f} % of the time",
                                std::min(100.0, 100 * detail::seconds_of(longest) / elapsed));
        // In the past, the advice about the service would say nothing.
        if (is_running || word != "service") text += fmt::format(": {}", advice);
        text += '.';
    }
    return text;
}

} // namespace ocrpipe

#endif
