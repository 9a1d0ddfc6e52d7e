#ifndef OCRPIPE_BULK_OUTPUT_IMPL_REPORT_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_REPORT_IPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/bulk/output/report.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/json_text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Writes the members of an object, one per line.
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

struct report_count {
    std::string_view name;
    std::uint64_t run_report::* value;
};

inline constexpr std::array report_counts{
    report_count{"found", &run_report::found},
    report_count{"done", &run_report::done},
    report_count{"done_in_part", &run_report::done_in_part},
    report_count{"done_empty", &run_report::done_empty},
    report_count{"to_ask_again", &run_report::to_ask_again},
    report_count{"copies", &run_report::copies},
    report_count{"failed", &run_report::failed},
    report_count{"unfinished", &run_report::unfinished},
    report_count{"not_sent", &run_report::not_sent},
    report_count{"repeated", &run_report::repeated},
    report_count{"possible_duplicates", &run_report::possible_duplicates},
    report_count{"done_now", &run_report::done_now},
    report_count{"asked_again", &run_report::asked_again},
    report_count{"renewed", &run_report::renewed},
    report_count{"unrecognized", &run_report::unrecognized},
    report_count{"taken_up", &run_report::taken_up},
    report_count{"unreadable", &run_report::unreadable},
    report_count{"changed_files", &run_report::changed_files},
    report_count{"links_skipped", &run_report::links_skipped},
    report_count{"too_young", &run_report::too_young},
    report_count{"empty_inputs", &run_report::empty_inputs},
    report_count{"parts", &run_report::parts},
    report_count{"parts_absent", &run_report::parts_absent},
    report_count{"parts_without_id", &run_report::parts_without_id},
    report_count{"parts_failed", &run_report::parts_failed},
    report_count{"parts_wanted", &run_report::parts_wanted},
    report_count{"bytes", &run_report::bytes},
    report_count{"submits", &run_report::submits},
    report_count{"polls", &run_report::polls},
    report_count{"throttled", &run_report::throttled},
    report_count{"transport_failures", &run_report::transport_failures},
};

} // namespace detail

OCRPIPE_DECL std::string to_json(run_report const& r)
{
    std::string out;
    detail::report_lines top(out, 2);
    detail::append_json_string(top.key("version"), OCRPIPE_VERSION_STRING);
    // A run that was killed did not record how it ended.
    auto const known = [](std::chrono::system_clock::time_point t) {
        return t == std::chrono::system_clock::time_point() ? std::nullopt : std::optional(t);
    };
    detail::append_json_time(top.key("started_at"), known(r.started_at));
    detail::append_json_time(top.key("finished_at"), known(r.finished_at));
    // Computed from the times as written, so that a reader of the report gets the same rates.
    using std::chrono::floor, std::chrono::milliseconds;
    double const seconds =
        std::chrono::duration<double>(floor<milliseconds>(r.finished_at) - floor<milliseconds>(r.started_at))
            .count();
    top.key("seconds") +=
        known(r.started_at) && known(r.finished_at) ? fmt::format("{:.3f}", seconds) : "null";
    if (r.ended_by.empty())
        top.key("ended_by") += "null";
    else
        detail::append_json_string(top.key("ended_by"), r.ended_by);
    top.key("source_exhausted") += r.source_exhausted ? "true" : "false";
    for (auto const& [name, value] : detail::report_counts)
        top.number(name, r.*value);
    for (auto const& [key, by_class] : {std::pair("failed_by_class", &r.failed_by_class),
                                        std::pair("parts_failed_by_class", &r.parts_failed_by_class)}) {
        top.key(key);
        detail::report_lines classes(out, 4);
        for (auto const& [name, count] : *by_class)
            classes.number(name, count);
        classes.close();
    }
    top.ratio("documents_per_second", static_cast<double>(r.done_now), seconds);
    top.ratio("bytes_per_second", static_cast<double>(r.bytes), seconds);
    top.ratio("polls_per_document", static_cast<double>(r.polls), static_cast<double>(r.done_now));
    if (!r.measured.empty()) out += ",\n  " + r.measured;
    top.close();
    out += '\n';
    return out;
}

OCRPIPE_DECL result<run_report> parse_report(std::string_view json)
{
    namespace bj = boost::json;
    error_code ec;
    bj::value const parsed = bj::parse(json, ec);
    bj::object const* const o = parsed.if_object();
    if (o == nullptr)
        return failure(errc::invalid_argument, phase::none, "not a report: not a JSON object", ec);
    run_report r;
    auto const text = [o](std::string_view name) {
        bj::value const* const v = o->if_contains(name);
        return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
    };
    auto const count = [](bj::value const* v, std::uint64_t& to) {
        if (v == nullptr) return;
        error_code not_a_count;
        std::uint64_t const n = v->to_number<std::uint64_t>(not_a_count);
        if (!not_a_count) to = n;
    };
    r.started_at = detail::parse_time(text("started_at")).value_or(r.started_at);
    r.finished_at = detail::parse_time(text("finished_at")).value_or(r.finished_at);
    r.ended_by = text("ended_by");
    if (bj::value const* const v = o->if_contains("source_exhausted"); v != nullptr && v->is_bool())
        r.source_exhausted = v->get_bool();
    for (auto const& [name, value] : detail::report_counts)
        count(o->if_contains(name), r.*value);
    for (auto const& [key, by_class] : {std::pair("failed_by_class", &r.failed_by_class),
                                        std::pair("parts_failed_by_class", &r.parts_failed_by_class)})
        if (bj::value const* const v = o->if_contains(key); v != nullptr && v->is_object())
            for (auto const& [name, n] : v->get_object())
                count(&n, (*by_class)[name]);
    return r;
}

OCRPIPE_DECL result<void> count_all(ledger& l, run_report& report)
{
    result<document_counts> const counted = l.counts();
    if (!counted) return counted.error();
    return count_all(l, *counted, report);
}

OCRPIPE_DECL result<void> count_all(ledger& l, document_counts const& n, run_report& report)
{
    using enum document_state;
    report.done = n[done] + n[skipped];
    report.done_in_part = n.in_part;
    report.done_empty = n.empty;
    report.to_ask_again = n.to_ask_again;
    report.copies = n[skipped];
    report.failed = n.total_of({failed, ambiguous, stuck, expired, lost});
    report.failed_by_class = n.by_class;
    report.unfinished = n[intent] + n[submitted];
    report.possible_duplicates = n.possible_duplicates;
    report.parts_wanted = n.parts_wanted;
    report.parts_failed_by_class = n.parts_failed;
    report.parts_failed = 0;
    for (auto const& [failure_class, parts] : n.parts_failed)
        report.parts_failed += parts;
    std::uint64_t without_row = 0;
    for (auto const& [key, value] : {std::pair(detail::documents_without_row, &without_row),
                                     std::pair(detail::documents_repeated, &report.repeated)}) {
        result<std::optional<std::string>> const noted = l.metadata(key);
        if (!noted) return noted.error();
        *value = 0;
        if (*noted) std::from_chars((**noted).data(), (**noted).data() + (**noted).size(), *value);
    }
    report.not_sent = n[document_state::found] + without_row;
    report.found = n.total() + without_row + report.repeated;
    return {};
}

OCRPIPE_DECL error_code write_report(std::string const& folder, run_report const& report)
{
    return detail::write_file_atomically(folder, "report.json", to_json(report), detail::durability::power);
}

} // namespace ocrpipe

#endif
