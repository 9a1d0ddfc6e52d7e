#ifndef OCRPIPE_LOAD_IMPL_LOAD_SUMMARY_IPP
#define OCRPIPE_LOAD_IMPL_LOAD_SUMMARY_IPP

#include <ocrpipe/load/load_summary.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

inline double seconds_of_job(job_record::time t) noexcept { return static_cast<double>(t.count()) / 1e9; }

inline void count_parts(load_summary& out, job_record const& j)
{
    out.parts += j.parts;
    out.parts_wanted += j.parts_wanted;
    for (auto const& [error, count] : j.parts_failed)
        out.parts_failed[error] += count;
}

/// A tenth of the arrivals, or longer: until nearly all documents of that tenth were done. At most half.
inline double warm_up_of(std::span<job_record const> jobs, double arrival_seconds)
{
    std::vector<double> early;
    for (job_record const& j : jobs)
        if (j.outcome == job_outcome::done && seconds_of_job(j.due) < arrival_seconds / 10)
            early.push_back(seconds_of_job(j.ended));
    double end = arrival_seconds / 10;
    if (!early.empty()) {
        std::sort(early.begin(), early.end());
        end = std::max(end, early[early.size() * 95 / 100]);
    }
    return std::min(end, arrival_seconds / 2);
}

} // namespace detail

OCRPIPE_DECL load_summary summarize(std::span<job_record const> jobs, double arrival_seconds,
                                    double total_seconds)
{
    using detail::seconds_of_job;
    load_summary out;
    out.documents = jobs.size();
    out.arrival_seconds = arrival_seconds;
    out.total_seconds = std::max(total_seconds, arrival_seconds);
    out.warm_up_seconds = detail::warm_up_of(jobs, arrival_seconds);
    std::vector<double> due, ended;
    std::vector<lifetime> end_to_end, ready_low, ready_high, parts, completed;
    double in_flight_seconds = 0;
    double const settled = arrival_seconds > 2 ? 1 : 0;
    std::uint64_t polls = 0;
    std::uint64_t done_in_window = 0;
    std::uint64_t bytes_in_window = 0;
    for (job_record const& j : jobs) {
        double const from = seconds_of_job(j.due);
        bool const has_ended = j.outcome != job_outcome::unfinished && is_known(j.ended);
        double const to = has_ended ? seconds_of_job(j.ended) : out.total_seconds;
        due.push_back(from);
        if (has_ended) ended.push_back(to);
        bool const have_parts_ended = is_known(j.parts_done);
        double const parts_to = have_parts_ended ? seconds_of_job(j.parts_done) : out.total_seconds;
        in_flight_seconds += std::max(0.0, (has_parts(j) ? parts_to : to) - from);
        bool const is_settled = from >= settled;
        if (is_known(j.started) && is_settled) out.start_delay.record(j.started - j.due);
        if (is_known(j.accepted)) {
            ++out.accepted;
            out.bytes += j.bytes;
            if (is_known(j.sent)) out.submit.record(j.accepted - j.sent);
        }
        if (is_known(j.sent) && j.submits == 1 && is_settled) out.send_delay.record(j.sent - j.due);
        switch (j.outcome) {
        case job_outcome::failed:
            ++out.failed;
            ++out.errors[j.error];
            continue;
        case job_outcome::unfinished:
            ++out.unfinished;
            break;
        case job_outcome::done:
            ++out.done;
            polls += j.polls;
            if (to < arrival_seconds) completed.push_back({to - from, false});
            if (to >= out.warm_up_seconds && to < arrival_seconds) {
                ++done_in_window;
                bytes_in_window += j.bytes;
            }
            break;
        }
        bool const censored = j.outcome == job_outcome::unfinished;
        end_to_end.push_back({std::max(0.0, to - from), censored});
        detail::count_parts(out, j);
        if (has_parts(j)) parts.push_back({std::max(0.0, parts_to - to), !have_parts_ended});
        if (!is_known(j.accepted)) continue;
        double const accepted = seconds_of_job(j.accepted);
        double const pending = is_known(j.last_pending) ? seconds_of_job(j.last_pending) : accepted;
        ready_low.push_back({std::max(0.0, pending - accepted), censored});
        ready_high.push_back({std::max(0.0, to - accepted), censored});
    }
    std::sort(due.begin(), due.end());
    std::sort(ended.begin(), ended.end());
    double const window = arrival_seconds - out.warm_up_seconds;
    if (window > 0) {
        out.throughput = static_cast<double>(done_in_window) / window;
        out.bytes_per_second = static_cast<double>(bytes_in_window) / window;
    }
    out.backlog = trend_of(due, ended, out.warm_up_seconds, arrival_seconds);
    if (arrival_seconds > 0) out.offered = static_cast<double>(jobs.size()) / arrival_seconds;
    if (out.done > 0) out.polls_per_document = static_cast<double>(polls) / static_cast<double>(out.done);
    if (out.total_seconds > 0) out.little = in_flight_seconds / out.total_seconds;
    out.end_to_end = survival(std::move(end_to_end));
    out.ready_low = survival(std::move(ready_low));
    out.ready_high = survival(std::move(ready_high));
    out.time_to_parts = survival(std::move(parts));
    out.completed_only = survival(std::move(completed));
    return out;
}

} // namespace ocrpipe

#endif
