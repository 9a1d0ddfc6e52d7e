#ifndef OCRPIPE_MEASURE_IMPL_RUN_MEASUREMENTS_IPP
#define OCRPIPE_MEASURE_IMPL_RUN_MEASUREMENTS_IPP

#include <ocrpipe/measure/run_measurements.hpp>

#include <algorithm>

namespace ocrpipe
{
namespace detail
{
/// A message may quote the service; longer ones are cut.
inline constexpr std::size_t longest_sample = 2048;
} // namespace detail

OCRPIPE_DECL std::string_view name(measured_phase p) noexcept
{
    constexpr std::string_view names[] = {
        "wait_for_turn", "wait_for_rate",     "wait_for_ledger",    "wait_for_connection", "submit", "poll",
        "part",          "time_to_ready_low", "time_to_ready_high", "end_to_end",          "parts"};
    return names[static_cast<std::size_t>(p)];
}

OCRPIPE_DECL run_measurements::run_measurements(clock::time_point start,
                                                std::chrono::system_clock::time_point started_at)
    : started_at_(started_at), series_(start), sampled_(start)
{
    forecast_.sample(start, 0);
    series_.at(start);
}

OCRPIPE_DECL void run_measurements::record(measured_phase p, clock::time_point from, clock::time_point to)
{
    latencies_[static_cast<std::size_t>(p)].record(to - from);
}

OCRPIPE_DECL void run_measurements::add(exchange_event const& e)
{
    ++statuses_[static_cast<std::size_t>(e.what)][e.status != 0 ? e.status : -e.error.value()];
    time_series::point& now = series_.at(e.answered);
    record(measured_phase::wait_for_turn, e.due, e.turn);
    record(measured_phase::wait_for_rate, e.turn, e.allowed);
    if (e.handed != e.allowed) record(measured_phase::wait_for_ledger, e.allowed, e.handed);
    if (is_known(e.sent)) record(measured_phase::wait_for_connection, e.handed, e.sent);
    bool const is_answered = e.status != 0 && is_known(e.sent);
    if (e.what == operation::submit) {
        ++now.submitted;
        if (is_answered && e.status < 300) record(measured_phase::submit, e.sent, e.answered);
    } else if (e.what == operation::result) {
        ++now.polls;
        if (is_answered) record(measured_phase::poll, e.sent, e.answered);
    } else if (is_answered) {
        record(measured_phase::part, e.sent, e.answered);
    }
}

OCRPIPE_DECL void run_measurements::accepted(std::uint64_t bytes, clock::time_point now)
{
    ++accepted_;
    time_series::point& p = series_.at(now);
    ++p.accepted;
    p.bytes += bytes;
}

OCRPIPE_DECL void run_measurements::finished(measured_document const& d, clock::time_point now)
{
    ++finished_;
    time_series::point& p = series_.at(now);
    ++p.finished;
    if (!is_known(d.times.ready)) return;
    auto const polls = static_cast<std::uint64_t>(std::max(d.times.polls, 0));
    std::size_t const counted = std::min<std::uint64_t>(polls, most_counted_polls);
    if (document_polls_.size() <= counted) document_polls_.resize(counted + 1);
    ++document_polls_[counted];
    most_polls_ = std::max(most_polls_, polls);
    if (is_known(d.times.accepted)) {
        record(measured_phase::time_to_ready_low, d.times.accepted,
               std::max(d.times.last_pending, d.times.accepted));
        record(measured_phase::time_to_ready_high, d.times.accepted, d.times.ready);
    }
    if (!is_known(d.from)) return;
    clock::duration const end_to_end = d.times.ready - d.from;
    latencies_[static_cast<std::size_t>(measured_phase::end_to_end)].record(end_to_end);
    p.end_to_end.record(end_to_end);
    keep_if_slow(d, end_to_end);
}

OCRPIPE_DECL void run_measurements::keep_if_slow(measured_document const& d, clock::duration end_to_end)
{
    bool const full = slowest_.size() == most_slow;
    if (full && slowest_.back().end_to_end >= end_to_end) return;
    if (full) slowest_.pop_back();
    auto const place = std::find_if(slowest_.begin(), slowest_.end(), [&](slow_document const& other) {
        return other.end_to_end < end_to_end;
    });
    slowest_.insert(place, {std::string(d.id.substr(0, detail::longest_sample)),
                            std::string(d.request_id.substr(0, detail::longest_sample)), d.times, end_to_end,
                            d.bytes});
}

OCRPIPE_DECL void run_measurements::parts_done(clock::time_point ready, clock::time_point now)
{
    record(measured_phase::parts, ready, now);
}

OCRPIPE_DECL void run_measurements::failed(std::string_view failure_class, std::string_view id,
                                           std::string_view message, clock::time_point now)
{
    ++failed_;
    ++series_.at(now).failed;
    failed("document", failure_class, id, message);
}

OCRPIPE_DECL void run_measurements::failed(std::string_view kind, std::string_view failure_class,
                                           std::string_view id, std::string_view message)
{
    error_summary& e = errors_[{std::string(kind), std::string(failure_class)}];
    if (++e.count != 1) return;
    e.id = id.substr(0, detail::longest_sample);
    e.message = message.substr(0, detail::longest_sample);
}

OCRPIPE_DECL void run_measurements::gauges(std::uint64_t in_flight, std::uint64_t backlog,
                                           clock::time_point now)
{
    in_flight_ = in_flight;
    backlog_ = backlog;
    if (in_flight > peak_in_flight_.value) peak_in_flight_ = {in_flight, now};
    if (backlog > peak_backlog_.value) peak_backlog_ = {backlog, now};
}

OCRPIPE_DECL void run_measurements::sample(std::string_view limiting, clock::time_point now)
{
    auto const word = limiting_.find(limiting);
    clock::duration& spent = word != limiting_.end() ? word->second : limiting_[std::string(limiting)];
    spent += now - sampled_;
    sampled_ = now;
    forecast_.sample(now, finished_ + failed_);
    time_series::point& p = series_.at(now);
    p.in_flight = in_flight_;
    p.backlog = backlog_;
}

} // namespace ocrpipe

#endif
