#include "stored_load_test.hpp"

#include <ocrpipe/core/json_text.hpp>

#include "load_records.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace ocrpipe::cli
{
namespace
{

namespace json = boost::json;

json::object const& object_of(json::object const& o, std::string_view key)
{
    static json::object const none;
    auto const* const v = o.if_contains(key);
    return v != nullptr && v->is_object() ? v->get_object() : none;
}

json::array const& array_of(json::object const& o, std::string_view key)
{
    static json::array const none;
    auto const* const v = o.if_contains(key);
    return v != nullptr && v->is_array() ? v->get_array() : none;
}

double number_of(json::object const& o, std::string_view key)
{
    auto const* const v = o.if_contains(key);
    return v != nullptr && v->is_number() ? v->to_number<double>() : 0.0;
}

std::uint64_t count_of(json::object const& o, std::string_view key)
{
    return static_cast<std::uint64_t>(std::clamp(number_of(o, key), 0.0, 0x1p53));
}

std::string text_of(json::object const& o, std::string_view key)
{
    auto const* const v = o.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

void read_traffic(json::object const& report, stored_load_test& out)
{
    json::object const& waited = object_of(object_of(report, "limits"), "waited");
    for (std::string_view const what : {"submit_rate", "poll_rate", "bandwidth"})
        out.held_back += number_of(waited, what);
    out.throttled = count_of(report, "throttled");
    if (out.throttled > 0) out.paused = number_of(waited, "pause");
    out.possible_duplicates = count_of(object_of(report, "paid"), "possible_duplicates");
    for (auto const& [operation, statuses] : object_of(report, "http_statuses")) {
        if (!statuses.is_object()) continue;
        for (auto const& [status, n] : statuses.get_object())
            out.statuses[{std::string(operation), std::string(status)}] =
                count_of(statuses.get_object(), status);
    }
    for (json::value const& e : array_of(report, "errors"))
        if (json::object const* const one = e.if_object())
            out.messages[{text_of(*one, "kind"), text_of(*one, "class")}] = text_of(*one, "message");
}

} // namespace

failure unreadable(std::string const& directory, std::string_view why)
{
    return failure(errc::unreadable_file, phase::none,
                   fmt::format("{}: {}: give the --out directory of a load test", directory, why));
}

result<stored_load_test> load_test_of(std::string const& directory)
{
    stored_load_test out;
    if (std::string const what = unfinished_load_test(directory); !what.empty())
        return unreadable(directory, what);
    std::ifstream report(directory + "/report.json", std::ios::binary);
    std::string const text{std::istreambuf_iterator<char>(report), {}};
    boost::system::error_code ec;
    auto const parsed = json::parse(text, ec);
    if (ec || !parsed.is_object()) return unreadable(directory, "report.json cannot be read");
    json::object const& all = parsed.get_object();
    auto const* const member = all.if_contains("load");
    std::string const started = text_of(all, "started_at");
    if (member == nullptr || !member->is_object() || started.empty())
        return unreadable(directory, "report.json is not that of a load test");
    json::object const& load = member->get_object();
    out.arrival_seconds = number_of(load, "arrival_seconds");
    out.total_seconds = number_of(load, "total_seconds");
    out.warm_up_seconds = number_of(load, "warm_up_seconds");
    out.offered = number_of(load, "offered_per_second");
    out.throughput = number_of(load, "throughput_per_second");
    out.arrivals = text_of(load, "arrivals");
    if (auto const* const c = load.if_contains("capacity"); c != nullptr && !c->is_null())
        return unreadable(directory,
                          "--find-capacity made several tests, which cannot be compared or joined");
    auto const started_at = detail::parse_time(started);
    if (!started_at) return unreadable(directory, "report.json has no valid started_at");
    out.started_at = *started_at;
    out.was_generator_late = !text_of(object_of(load, "generator"), "bottleneck").empty();
    out.has_thresholds = !array_of(load, "thresholds").empty();
    out.ended_by = text_of(all, "ended_by");
    read_traffic(all, out);
    std::ifstream jobs(directory + "/jobs.jsonl", std::ios::binary);
    if (!jobs) return unreadable(directory, "jobs.jsonl cannot be read");
    for (std::string line; std::getline(jobs, line);) {
        auto job = parse_job_line(line);
        if (!job) return unreadable(directory, job.error().reason);
        out.jobs.push_back(std::move(*job));
    }
    std::uint64_t const due = count_of(object_of(load, "outcomes"), "due");
    if (out.jobs.size() != due)
        return unreadable(directory, fmt::format("jobs.jsonl has {} documents, but report.json has {}",
                                                 out.jobs.size(), due));
    std::stable_sort(out.jobs.begin(), out.jobs.end(),
                     [](job_line const& a, job_line const& b) { return a.record.due < b.record.due; });
    return out;
}

exit_code refuse_input(failure const& f, logger& log)
{
    log.write(message(level::error, "unreadable", f.reason));
    return exit_code::inputs_unreadable;
}

} // namespace ocrpipe::cli
