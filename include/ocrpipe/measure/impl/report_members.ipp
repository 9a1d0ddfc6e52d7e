#ifndef OCRPIPE_MEASURE_IMPL_REPORT_MEMBERS_IPP
#define OCRPIPE_MEASURE_IMPL_REPORT_MEMBERS_IPP

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/measure/report_members.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace ocrpipe
{
namespace detail
{

/// Writes members, one per line, below each other.
class member_lines
{
public:
    member_lines(std::string& out, int indent) : out_(out), indent_(indent) {}

    std::string& key(std::string_view name)
    {
        separate();
        append_json_string(out_, name);
        return out_ += ": ";
    }
    /// For the element of a list.
    std::string& separate()
    {
        if (!first_) out_ += fmt::format(",\n{:{}}", "", indent_);
        first_ = false;
        return out_;
    }
    void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
    void count(std::string_view name, std::uint64_t value) { key(name) += fmt::to_string(value); }
    void seconds(std::string_view name, std::chrono::duration<double> d)
    {
        key(name) += fmt::format("{:.9g}", d.count());
    }
    void time(std::string_view name, std::chrono::system_clock::time_point t)
    {
        append_json_time(key(name), t);
    }

private:
    std::string& out_;
    int indent_;
    bool first_ = true;
};

/// Calls `write` with the lines between two braces or brackets.
template<class Write>
void append_block(std::string& out, char open, char close, int indent, Write write)
{
    out += open;
    std::string inner;
    write(inner);
    if (!inner.empty())
        fmt::format_to(std::back_inserter(out), "\n{:{}}{}\n{:{}}", "", indent + 2, inner, "", indent);
    out += close;
}

inline std::string number_or_null(std::optional<double> n)
{
    return n ? fmt::format("{:.6g}", *n) : std::string("null");
}

inline std::string percentile_or_null(latency_histogram const& h, double p)
{
    return h.empty() ? std::string("null") : fmt::format("{:.4g}", h.percentile(p).count());
}

inline void append_polls(std::string& out, run_measurements const& m)
{
    std::vector<std::uint64_t> const& counts = m.document_polls();
    std::uint64_t documents = 0;
    std::uint64_t polls = 0;
    for (std::size_t i = 0; i != counts.size(); ++i) {
        documents += counts[i];
        polls += i * counts[i];
    }
    if (documents == 0) {
        out += R"({"count": 0, "mean": null, "p50": null, "p95": null, "max": null})";
        return;
    }
    auto const percentile = [&](std::uint64_t p) {
        std::uint64_t const rank = std::max<std::uint64_t>(1, (documents * p + 99) / 100);
        std::size_t i = 0;
        for (std::uint64_t seen = counts[0]; seen < rank; seen += counts[++i]) {
        }
        return i;
    };
    fmt::format_to(std::back_inserter(out),
                   R"({{"count": {}, "mean": {:.6g}, "p50": {}, "p95": {}, "max": {}}})", documents,
                   static_cast<double>(polls) / static_cast<double>(documents), percentile(50),
                   percentile(95), m.most_polls());
}

inline void append_series(std::string& out, run_measurements const& m)
{
    time_series const& s = m.series();
    append_block(out, '{', '}', 2, [&](std::string& in) {
        member_lines lines(in, 4);
        lines.count("interval", static_cast<std::uint64_t>(s.interval().count()));
        lines.time("start", m.wall_clock(s.start()));
        lines.key("columns") += R"(["t", "submitted", "accepted", "finished", "failed", "bytes", "polls", )"
                                R"("in_flight", "backlog", "p50", "p95"])";
        append_block(lines.key("rows"), '[', ']', 4, [&](std::string& rows) {
            member_lines row(rows, 6);
            std::int64_t t = 0;
            for (time_series::point const& p : s.points()) {
                fmt::format_to(std::back_inserter(row.separate()),
                               "[{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]", t, p.submitted, p.accepted,
                               p.finished, p.failed, p.bytes, p.polls, p.in_flight, p.backlog,
                               percentile_or_null(p.end_to_end, 50), percentile_or_null(p.end_to_end, 95));
                t += s.interval().count();
            }
        });
    });
}

inline void append_statuses(std::string& out, run_measurements const& m)
{
    append_block(out, '{', '}', 2, [&](std::string& in) {
        member_lines operations(in, 4);
        for (auto const op : {operation::submit, operation::result, operation::table, operation::signature,
                              operation::stamp, operation::image}) {
            if (m.statuses(op).empty()) continue;
            append_block(operations.key(name(op)), '{', '}', 4, [&](std::string& statuses) {
                member_lines lines(statuses, 6);
                for (auto const& [status, n] : m.statuses(op))
                    lines.count(status > 0 ? fmt::to_string(status)
                                           : std::string(name(static_cast<errc>(-status))),
                                n);
            });
        }
    });
}

inline void append_errors(std::string& out, run_measurements const& m, report_facts const& f)
{
    using entry = std::pair<std::pair<std::string, std::string>, run_measurements::error_summary>;
    std::vector<entry> all(m.errors().begin(), m.errors().end());
    // The names decide between equal counts; libstdc++ 12's stable_sort calls what C++20 no longer has.
    std::sort(all.begin(), all.end(), [](entry const& a, entry const& b) {
        return a.second.count != b.second.count ? a.second.count > b.second.count : a.first < b.first;
    });
    append_block(out, '[', ']', 2, [&](std::string& in) {
        member_lines list(in, 4);
        for (entry const& each : all) {
            auto const& what = each.first;
            auto const& e = each.second;
            append_block(list.separate(), '{', '}', 4, [&](std::string& one) {
                member_lines lines(one, 6);
                lines.text("class", what.second);
                lines.text("kind", what.first);
                lines.count("count", e.count);
                lines.text("document", e.id);
                lines.text("message", e.message);
                std::string_view const remedy = f.remedy ? f.remedy(what.second) : std::string_view();
                if (remedy.empty())
                    lines.key("remedy") += "null";
                else
                    lines.text("remedy", remedy);
            });
        }
    });
}

inline void append_limits(std::string& out, run_measurements const& m, report_facts const& f)
{
    append_block(out, '{', '}', 2, [&](std::string& in) {
        member_lines limits(in, 4);
        append_block(limits.key("limiting"), '{', '}', 4, [&](std::string& words) {
            member_lines lines(words, 6);
            for (auto const& [word, spent] : m.limiting())
                lines.seconds(word, spent);
        });
        append_block(limits.key("waited"), '{', '}', 4, [&](std::string& waits) {
            member_lines lines(waits, 6);
            lines.seconds("submit_rate", f.waited_for_submit_rate);
            lines.seconds("poll_rate", f.waited_for_poll_rate);
            lines.seconds("bandwidth", f.waited_for_bytes);
            lines.seconds("pause", f.waited_for_pause);
            latency_histogram const& turns = m.latency(measured_phase::wait_for_turn);
            lines.seconds("turn", turns.mean() * static_cast<double>(turns.count()));
        });
        append_block(limits.key("pauses"), '{', '}', 4, [&](std::string& pauses) {
            member_lines lines(pauses, 6);
            for (auto const k : {pause_kind::throttled, pause_kind::outage, pause_kind::credentials}) {
                run_measurements::pauses const p = m.paused(k, f.now);
                fmt::format_to(std::back_inserter(lines.key(name(k))),
                               R"({{"count": {}, "seconds": {:.9g}}})", p.count,
                               std::chrono::duration<double>(p.total).count());
            }
        });
    });
}

inline void append_slowest(std::string& out, run_measurements const& m)
{
    append_block(out, '[', ']', 2, [&](std::string& in) {
        member_lines list(in, 4);
        for (run_measurements::slow_document const& d : m.slowest()) {
            append_block(list.separate(), '{', '}', 4, [&](std::string& one) {
                member_lines lines(one, 6);
                auto const between = [&](std::string_view name, clock::time_point from,
                                         clock::time_point to) {
                    if (is_known(from) && is_known(to))
                        lines.seconds(name, to - from);
                    else
                        lines.key(name) += "null";
                };
                job_times const& t = d.times;
                lines.text("document", d.id);
                lines.text("request_id", d.request_id);
                lines.seconds("seconds", d.end_to_end);
                between("submit", t.sent, t.accepted);
                between("ready_low", t.accepted, std::max(t.accepted, t.last_pending));
                between("ready_high", t.accepted, t.ready);
                lines.count("polls", static_cast<std::uint64_t>(std::max(t.polls, 0)));
                lines.count("bytes", d.bytes);
            });
        }
    });
}

inline void append_peaks(std::string& out, run_measurements const& m)
{
    append_block(out, '{', '}', 2, [&](std::string& in) {
        member_lines lines(in, 4);
        auto const add = [&](std::string const& name, run_measurements::peak const& p) {
            lines.count(name, p.value);
            append_json_time(lines.key(name + "_at"),
                             p.value > 0 ? std::optional(m.wall_clock(p.at)) : std::nullopt);
        };
        add("in_flight", m.peak_in_flight());
        add("backlog", m.peak_backlog());
    });
}

} // namespace detail

OCRPIPE_DECL std::string report_members(run_measurements const& m, report_facts const& f)
{
    bool const is_running = f.state == "running";
    std::string out;
    detail::member_lines top(out, 2);
    top.text("kind", f.kind);
    top.text("state", f.state);
    top.time("updated_at", f.updated_at);
    top.text("verdict", f.verdict.empty() ? verdict_of(m, f) : f.verdict);
    detail::append_block(top.key("now"), '{', '}', 2, [&](std::string& in) {
        detail::member_lines lines(in, 4);
        lines.key("documents_per_second") +=
            detail::number_or_null(is_running ? m.forecast().per_second() : std::nullopt);
        lines.text("limiting", f.limiting);
        lines.count("in_flight", m.in_flight());
        lines.count("backlog", m.backlog());
    });
    auto const left = is_running && f.total_known ? m.forecast().time_for(f.left) : std::nullopt;
    top.key("eta") += left ? fmt::format(R"({{"seconds": {:.6g}, "low": {:.6g}, "high": {}}})", left->seconds,
                                         left->low, detail::number_or_null(left->high))
                           : std::string("null");
    top.key("paid") += fmt::format(R"({{"accepted": {}, "in_doubt": {}, "possible_duplicates": {}}})",
                                   f.accepted_before + m.accepted(), f.in_doubt, f.possible_duplicates);
    detail::append_block(top.key("latency"), '{', '}', 2, [&](std::string& in) {
        detail::member_lines lines(in, 4);
        for (std::size_t i = 0; i != measured_phase_count; ++i) {
            auto const p = static_cast<measured_phase>(i);
            append_json(lines.key(name(p)), m.latency(p));
        }
    });
    detail::append_polls(top.key("document_polls"), m);
    detail::append_series(top.key("series"), m);
    detail::append_statuses(top.key("http_statuses"), m);
    detail::append_errors(top.key("errors"), m, f);
    detail::append_limits(top.key("limits"), m, f);
    detail::append_slowest(top.key("slowest"), m);
    detail::append_peaks(top.key("peaks"), m);
    detail::append_block(top.key("configuration"), '{', '}', 2, [&](std::string& in) {
        detail::member_lines lines(in, 4);
        for (auto const& [key, value] : f.configuration)
            lines.text(key, value);
    });
    return out;
}

} // namespace ocrpipe

#endif
