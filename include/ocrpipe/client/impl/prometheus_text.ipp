#ifndef OCRPIPE_CLIENT_IMPL_PROMETHEUS_TEXT_IPP
#define OCRPIPE_CLIENT_IMPL_PROMETHEUS_TEXT_IPP

#include <ocrpipe/client/prometheus_text.hpp>

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// Writes families of metrics. No label here needs escaping: all are names of enumerators or numbers.
class prometheus_writer
{
public:
    /// Starts a family, which is left out if it gets no sample. `type`: counter, gauge or histogram.
    prometheus_writer& family(std::string_view name, std::string_view type, std::string_view help)
    {
        name_ = name;
        head_ = fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
        return *this;
    }

    /// `labels` such as `operation="submit"`; may be empty.
    template<class Number>
    prometheus_writer& sample(std::string_view labels, Number value)
    {
        return line("", labels, value);
    }

    template<class Number>
    prometheus_writer& sample(Number value)
    {
        return sample("", value);
    }

    prometheus_writer& seconds(std::string_view labels, std::chrono::duration<double> value)
    {
        return sample(labels, value.count());
    }

    /// A bin of the histogram, which is one percent wide, counts below a bound if its middle does.
    prometheus_writer& histogram(std::string_view labels, latency_histogram const& h)
    {
        static constexpr std::array bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,  0.1,
                                           0.25,  0.5,    1.0,   2.5,  5.0,   10.0,  30.0,
                                           60.0,  120.0,  300.0, 600., 1800., 3600., 86400.};
        std::string_view const comma = labels.empty() ? "" : ",";
        std::vector<latency_histogram::bucket> const bins = h.buckets();
        auto bin = bins.begin();
        std::uint64_t below = 0;
        for (double const bound : bounds) {
            for (; bin != bins.end() && std::sqrt(bin->lower * bin->upper) <= bound; ++bin)
                below += bin->count;
            line("_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound), below);
        }
        line("_bucket", fmt::format("{}{}le=\"+Inf\"", labels, comma), h.count());
        line("_sum", labels, h.mean().count() * static_cast<double>(h.count()));
        return line("_count", labels, h.count());
    }

    std::string text() && { return std::move(out_); }

private:
    template<class Number>
    prometheus_writer& line(std::string_view suffix, std::string_view labels, Number value)
    {
        out_ += std::exchange(head_, {});
        bool const plain = labels.empty();
        fmt::format_to(std::back_inserter(out_), "{}{}{}{}{} {}\n", name_, suffix, plain ? "" : "{", labels,
                       plain ? "" : "}", value);
        return *this;
    }

    std::string out_;
    std::string head_; ///< of the family, until its first sample
    std::string_view name_;
};

inline constexpr std::array all_operations{operation::submit,    operation::result, operation::table,
                                           operation::signature, operation::stamp,  operation::image};

inline void add_operations(prometheus_writer& w, metrics_snapshot const& m)
{
    auto const each = [&m](auto f) {
        for (operation const what : all_operations)
            if (operation_metrics const& o = m.of(what); !o.statuses.empty())
                f(o, fmt::format("operation=\"{}\"", name(what)));
    };
    w.family("ocrpipe_requests_total", "counter",
             "Exchanges by operation and HTTP status; a word if there was no answer.");
    each([&w](operation_metrics const& o, std::string const& label) {
        for (auto const& [status, count] : o.statuses)
            w.sample(fmt::format("{},status=\"{}\"", label,
                                 status > 0 ? std::to_string(status)
                                            : std::string(name(static_cast<errc>(-status)))),
                     count);
    });
    w.family("ocrpipe_retries_total", "counter", "Exchanges that were to be repeated.");
    each([&w](operation_metrics const& o, std::string const& label) { w.sample(label, o.retries); });
    w.family("ocrpipe_request_body_bytes_total", "counter", "Bytes of the bodies of requests.");
    each([&w](operation_metrics const& o, std::string const& label) { w.sample(label, o.bytes_up); });
    w.family("ocrpipe_answer_body_bytes_total", "counter", "Bytes of the bodies of answers.");
    each([&w](operation_metrics const& o, std::string const& label) { w.sample(label, o.bytes_down); });
    w.family("ocrpipe_request_duration_seconds", "histogram",
             "From the first byte sent until the answer is read.");
    each([&w](operation_metrics const& o, std::string const& label) { w.histogram(label, o.latency); });
    w.family("ocrpipe_request_wait_seconds", "histogram",
             "From when a request is due until its first byte is sent.");
    each([&w](operation_metrics const& o, std::string const& label) { w.histogram(label, o.wait); });
    w.family("ocrpipe_pending_answers_total", "counter", "Polls of jobs that were not finished.")
        .sample(m.of(operation::result).not_yet);
}

inline void add_connections(prometheus_writer& w, connection_metrics const& c)
{
    w.family("ocrpipe_connections", "gauge", "Open connections.").sample(c.open);
    w.family("ocrpipe_connections_opened_total", "counter", "Connections that were opened.").sample(c.opened);
    w.family("ocrpipe_connections_failed_total", "counter", "Connections that could not be opened.")
        .sample(c.failed);
    w.family("ocrpipe_connections_reused_total", "counter", "Exchanges on a connection that was idle.")
        .sample(c.reused);
    w.family("ocrpipe_connections_closed_total", "counter", "Connections that were closed, by reason.");
    for (std::size_t i = 1; i != c.closed.size(); ++i)
        w.sample(fmt::format("reason=\"{}\"", name(static_cast<close_reason>(i))), c.closed[i]);
    w.family("ocrpipe_connection_phase_seconds", "histogram", "Time to open a connection, by phase.")
        .histogram("phase=\"resolve\"", c.resolve)
        .histogram("phase=\"connect\"", c.connect)
        .histogram("phase=\"tls\"", c.tls);
}

} // namespace detail

OCRPIPE_DECL std::string prometheus_text(metrics_snapshot const& m)
{
    constexpr std::array kinds{pause_kind::throttled, pause_kind::outage, pause_kind::credentials};
    auto const reason = [](pause_kind k) { return fmt::format("reason=\"{}\"", name(k)); };
    detail::prometheus_writer w;
    detail::add_operations(w, m);
    detail::add_connections(w, m.connections);
    w.family("ocrpipe_pauses_total", "counter", "Pauses of all requests, by reason.");
    for (pause_kind const k : kinds)
        w.sample(reason(k), m.of(k).count);
    w.family("ocrpipe_paused_seconds_total", "counter", "Time of these pauses.");
    for (pause_kind const k : kinds)
        w.seconds(reason(k), m.of(k).total);
    return std::move(w).text();
}

OCRPIPE_DECL std::string prometheus_text(client_statistics const& s)
{
    detail::prometheus_writer w;
    w.family("ocrpipe_submits_total", "counter", "Submits, repeated ones included.").sample(s.submits);
    w.family("ocrpipe_documents_accepted_total", "counter", "Documents that the service accepted.")
        .sample(s.accepted);
    w.family("ocrpipe_submitted_bytes_total", "counter", "Bytes of the accepted submits.")
        .sample(s.bytes_uploaded);
    w.family("ocrpipe_polls_total", "counter", "Requests for results, repeated ones included.")
        .sample(s.polls);
    w.family("ocrpipe_part_reads_total", "counter", "Requests for parts, repeated ones included.")
        .sample(s.part_reads);
    w.family("ocrpipe_throttled_total", "counter", "Answers that asked to slow down.").sample(s.throttled);
    w.family("ocrpipe_transport_failures_total", "counter", "Requests without an answer.")
        .sample(s.transport_failures);
    w.family("ocrpipe_waited_seconds_total", "counter",
             "Time that requests waited, added up over all requests.")
        .seconds("reason=\"submit_rate\"", s.waited_for_submit_rate)
        .seconds("reason=\"poll_rate\"", s.waited_for_poll_rate)
        .seconds("reason=\"bandwidth\"", s.waited_for_bytes)
        .seconds("reason=\"pause\"", s.waited_for_pause);
    w.family("ocrpipe_held_documents", "gauge", "Documents whose submit has not ended.")
        .sample(s.held_documents);
    w.family("ocrpipe_held_bytes", "gauge", "Bytes of those in memory.").sample(s.held_bytes);
    w.family("ocrpipe_estimated_wait_seconds", "gauge",
             "Estimated time until the submit of one more document would end.")
        .seconds("", s.estimated_wait);
    w.family("ocrpipe_waiting_jobs", "gauge", "Jobs that wait for their result.").sample(s.waiting_jobs);
    w.family("ocrpipe_active_submits", "gauge", "Submits in progress.").sample(s.active_submits);
    w.family("ocrpipe_active_polls", "gauge", "Polls in progress.").sample(s.active_polls);
    w.family("ocrpipe_paused", "gauge", "1 while requests are paused, by reason.")
        .sample("reason=\"throttled\"", s.paused_for.count() > 0 ? 1 : 0)
        .sample("reason=\"outage\"", s.outage.empty() ? 0 : 1)
        .sample("reason=\"credentials\"", s.credentials_paused ? 1 : 0);
    return std::move(w).text();
}

} // namespace ocrpipe

#endif
