#ifndef OCRPIPE_BULK_IMPL_REPORT_IPP
#define OCRPIPE_BULK_IMPL_REPORT_IPP

#include <ocrpipe/bulk/detail/atomic_file.hpp>
#include <ocrpipe/bulk/detail/json_text.hpp>
#include <ocrpipe/bulk/ledger.hpp>
#include <ocrpipe/bulk/report.hpp>

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Writes the members of one object, a line each.
class report_lines
{
public:
    report_lines(std::string& out, int indent) : out_(out), indent_(indent) { out_ += '{'; }

    std::string& key(std::string_view name)
    {
        fmt::format_to(std::back_inserter(out_), "{}\n{:{}}", first_ ? "" : ",", "", indent_);
        first_ = false;
        append_json_string(out_, name);
        return out_ += ": ";
    }
    void number(std::string_view name, std::uint64_t value) { key(name) += fmt::to_string(value); }
    void ratio(std::string_view name, double numerator, double denominator)
    {
        key(name) += denominator > 0 ? fmt::format("{:.3f}", numerator / denominator) : "null";
    }
    void close() { fmt::format_to(std::back_inserter(out_), "\n{:{}}}}", "", indent_ - 2); }

private:
    std::string& out_;
    int indent_;
    bool first_ = true;
};

} // namespace detail

OCRPIPE_DECL std::string to_json(run_report const& r)
{
    std::string out;
    detail::report_lines top(out, 2);
    detail::append_json_string(top.key("version"), OCRPIPE_VERSION_STRING);
    detail::append_json_time(top.key("started_at"), r.started_at);
    detail::append_json_time(top.key("finished_at"), r.finished_at);
    double const seconds = std::chrono::duration<double>(r.finished_at - r.started_at).count();
    top.key("seconds") += fmt::format("{:.3f}", seconds);
    if (r.ended_by.empty())
        top.key("ended_by") += "null";
    else
        detail::append_json_string(top.key("ended_by"), r.ended_by);
    top.key("source_exhausted") += r.source_exhausted ? "true" : "false";
    top.number("found", r.found);
    top.number("done", r.done);
    top.number("copies", r.copies);
    top.number("failed", r.failed);
    top.key("failed_by_class");
    detail::report_lines classes(out, 4);
    for (auto const& [name, count] : r.failed_by_class)
        classes.number(name, count);
    classes.close();
    top.number("unfinished", r.unfinished);
    top.number("possible_duplicates", r.possible_duplicates);
    top.number("done_now", r.done_now);
    top.number("done_in_part", r.done_in_part);
    top.number("done_empty", r.done_empty);
    top.number("taken_up", r.taken_up);
    top.number("not_sent", r.not_sent);
    top.number("unreadable", r.unreadable);
    top.number("parts", r.parts);
    top.number("parts_failed", r.parts_failed);
    top.number("bytes", r.bytes);
    top.number("submits", r.submits);
    top.number("polls", r.polls);
    top.number("throttled", r.throttled);
    top.number("transport_failures", r.transport_failures);
    top.ratio("documents_per_second", static_cast<double>(r.done_now), seconds);
    top.ratio("bytes_per_second", static_cast<double>(r.bytes), seconds);
    top.ratio("polls_per_document", static_cast<double>(r.polls), static_cast<double>(r.done_now));
    top.close();
    out += '\n';
    return out;
}

OCRPIPE_DECL result<void> count_all(ledger& l, run_report& report)
{
    using enum document_state;
    result<document_counts> const counted = l.counts();
    if (!counted) return counted.error();
    document_counts const& n = *counted;
    report.done = n[done] + n[skipped];
    report.copies = n[skipped];
    report.failed = n.total_of({failed, ambiguous, stuck, expired, lost});
    report.failed_by_class = n.by_class;
    report.unfinished = n[intent] + n[submitted] + n[document_state::found];
    report.possible_duplicates = n.possible_duplicates;
    return {};
}

OCRPIPE_DECL error_code write_report(std::string const& folder, run_report const& report)
{
    return detail::write_file_atomically(folder, "report.json", to_json(report), detail::durability::power);
}

} // namespace ocrpipe

#endif
