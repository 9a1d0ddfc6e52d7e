#ifndef OCRPIPE_LOAD_IMPL_JOB_RECORD_IPP
#define OCRPIPE_LOAD_IMPL_JOB_RECORD_IPP

#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/load/job_record.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

inline void append_job_time(std::string& out, std::string_view key, job_record::time t)
{
    if (is_known(t))
        fmt::format_to(std::back_inserter(out), R"(,"{}":{:.6f})", key, static_cast<double>(t.count()) / 1e9);
    else
        fmt::format_to(std::back_inserter(out), R"(,"{}":null)", key);
}

inline void append_job_parts(std::string& out, job_record const& r)
{
    append_job_time(out, "parts_done", r.parts_done);
    fmt::format_to(std::back_inserter(out), R"(,"parts":{},"parts_wanted":{},"parts_failed":{{)", r.parts,
                   r.parts_wanted);
    std::string_view comma;
    for (auto const& [error, count] : r.parts_failed)
        fmt::format_to(std::back_inserter(out), R"({}"{}":{})", std::exchange(comma, ","), name(error),
                       count);
    out += '}';
}

inline double number_of(boost::json::object const& o, std::string_view key, double otherwise)
{
    auto const* const v = o.if_contains(key);
    if (v == nullptr || !v->is_number()) return otherwise;
    return v->to_number<double>();
}

inline job_record::time job_time_of(boost::json::object const& o, std::string_view key)
{
    double const seconds = number_of(o, key, -1);
    // A year; also keeps the conversion in range.
    if (!(seconds >= 0 && seconds < 3.2e7)) return job_record::unknown;
    return job_record::time(std::llround(seconds * 1e9));
}

inline std::uint32_t count_of(boost::json::object const& o, std::string_view key)
{
    return static_cast<std::uint32_t>(std::clamp(number_of(o, key, 0), 0.0, 4294967295.0));
}

inline std::vector<std::pair<errc, std::uint32_t>> counts_by_class(boost::json::object const& o,
                                                                   std::string_view key)
{
    std::vector<std::pair<errc, std::uint32_t>> out;
    auto const* const v = o.if_contains(key);
    if (v == nullptr || !v->is_object()) return out;
    for (auto const& [name, count] : v->get_object())
        if (auto const e = errc_named(name); e && count.is_number())
            out.emplace_back(*e, count_of(v->get_object(), name));
    return out;
}

inline std::string text_of(boost::json::object const& o, std::string_view key)
{
    auto const* const v = o.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

} // namespace detail

OCRPIPE_DECL std::string_view name(job_outcome o) noexcept
{
    switch (o) {
    case job_outcome::unfinished:
        return "unfinished";
    case job_outcome::done:
        return "done";
    case job_outcome::failed:
        return "failed";
    }
    return {};
}

OCRPIPE_DECL void append_json_line(std::string& out, job_record const& r, std::string_view document,
                                   std::string_view request_id)
{
    out += R"({"document":)";
    detail::append_json_string(out, document);
    out += R"(,"request_id":)";
    if (request_id.empty())
        out += "null";
    else
        detail::append_json_string(out, request_id);
    fmt::format_to(std::back_inserter(out), R"(,"outcome":"{}","class":)", name(r.outcome));
    if (r.error == errc::ok)
        out += "null";
    else
        detail::append_json_string(out, name(r.error));
    detail::append_job_time(out, "due", r.due);
    detail::append_job_time(out, "started", r.started);
    detail::append_job_time(out, "sent", r.sent);
    detail::append_job_time(out, "accepted", r.accepted);
    detail::append_job_time(out, "first_pending", r.first_pending);
    detail::append_job_time(out, "last_pending", r.last_pending);
    detail::append_job_time(out, "ended", r.ended);
    fmt::format_to(std::back_inserter(out), R"(,"bytes":{},"submits":{},"polls":{})", r.bytes, r.submits,
                   r.polls);
    if (has_parts(r)) detail::append_job_parts(out, r);
    out += "}\n";
}

OCRPIPE_DECL result<job_line> parse_job_line(std::string_view line)
{
    boost::system::error_code ec;
    auto const v = boost::json::parse(boost::json::string_view(line.data(), line.size()), ec);
    if (ec || !v.is_object())
        return failure(errc::invalid_argument, phase::none, "a line of jobs.jsonl is not a JSON object");
    auto const& o = v.get_object();
    job_line out;
    job_record& r = out.record;
    r.due = detail::job_time_of(o, "due");
    std::string const outcome = detail::text_of(o, "outcome");
    r.outcome = outcome == "done"     ? job_outcome::done
                : outcome == "failed" ? job_outcome::failed
                                      : job_outcome::unfinished;
    if (!is_known(r.due) || outcome != name(r.outcome))
        return failure(errc::invalid_argument, phase::none,
                       "a line of jobs.jsonl lacks its due time or outcome");
    r.started = detail::job_time_of(o, "started");
    r.sent = detail::job_time_of(o, "sent");
    r.accepted = detail::job_time_of(o, "accepted");
    r.first_pending = detail::job_time_of(o, "first_pending");
    r.last_pending = detail::job_time_of(o, "last_pending");
    r.ended = detail::job_time_of(o, "ended");
    r.parts_done = detail::job_time_of(o, "parts_done");
    r.error = errc_named(detail::text_of(o, "class")).value_or(errc::ok);
    // Above 2^53, a double is not exact; also keeps the conversion in range.
    r.bytes = static_cast<std::uint64_t>(std::clamp(detail::number_of(o, "bytes", 0), 0.0, 0x1p53));
    r.submits = static_cast<std::uint16_t>(std::min<std::uint32_t>(65'535, detail::count_of(o, "submits")));
    r.polls = detail::count_of(o, "polls");
    r.parts = detail::count_of(o, "parts");
    r.parts_wanted = detail::count_of(o, "parts_wanted");
    r.parts_failed = detail::counts_by_class(o, "parts_failed");
    out.document = detail::text_of(o, "document");
    out.request_id = detail::text_of(o, "request_id");
    return out;
}

} // namespace ocrpipe

#endif
