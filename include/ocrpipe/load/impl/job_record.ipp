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
#include <limits>
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

/// Reads the members of a line, and keeps the name of the first one that has an impossible value.
class job_members
{
public:
    explicit job_members(boost::json::object const& o) : members_(o) {}

    std::string_view wrong() const noexcept { return wrong_; }

    std::string text(std::string_view key)
    {
        auto const* const v = find(key);
        if (v == nullptr) return {};
        if (v->is_string()) return std::string(v->get_string());
        wrong_ = key;
        return {};
    }

    /// `otherwise` if it is absent or null.
    double number(std::string_view key, double otherwise, double largest)
    {
        auto const* const v = find(key);
        if (v == nullptr) return otherwise;
        double const n = v->is_number() ? v->to_number<double>() : -1;
        if (n >= 0 && n <= largest) return n;
        wrong_ = key;
        return otherwise;
    }

    template<class T>
    T count(std::string_view key)
    {
        // Above 2^53, a double is not exact.
        constexpr double largest = std::min(0x1p53, static_cast<double>(std::numeric_limits<T>::max()));
        return static_cast<T>(number(key, 0, largest));
    }

    job_record::time time(std::string_view key)
    {
        constexpr double year = 3.2e7;
        double const seconds = number(key, -1, year);
        return seconds < 0 ? job_record::unknown : job_record::time(std::llround(seconds * 1e9));
    }

    std::vector<std::pair<errc, std::uint32_t>> counts_by_class(std::string_view key)
    {
        std::vector<std::pair<errc, std::uint32_t>> out;
        auto const* const v = find(key);
        if (v == nullptr) return out;
        if (!v->is_object()) {
            wrong_ = key;
            return out;
        }
        job_members counts(v->get_object());
        for (auto const& [name, count] : v->get_object())
            if (auto const e = errc_named(name)) out.emplace_back(*e, counts.count<std::uint32_t>(name));
        if (!counts.wrong().empty()) wrong_ = key;
        return out;
    }

private:
    /// Null if the member is absent or null.
    boost::json::value const* find(std::string_view key) const
    {
        auto const* const v = members_.if_contains(key);
        return v == nullptr || v->is_null() ? nullptr : v;
    }

    boost::json::object const& members_;
    std::string_view wrong_;
};

/// Whether what happened later has a later time.
inline bool is_in_order(job_record const& r) noexcept
{
    job_record::time latest = r.due;
    for (job_record::time const t :
         {r.started, r.sent, r.accepted, r.first_pending, r.last_pending, r.ended, r.parts_done}) {
        if (!is_known(t)) continue;
        if (t + std::chrono::milliseconds(1) < latest) return false; // they are rounded
        latest = std::max(latest, t);
    }
    return true;
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
    detail::job_members members(v.get_object());
    job_line out;
    job_record& r = out.record;
    std::string const outcome = members.text("outcome");
    r.outcome = outcome == "done"     ? job_outcome::done
                : outcome == "failed" ? job_outcome::failed
                                      : job_outcome::unfinished;
    r.due = members.time("due");
    r.started = members.time("started");
    r.sent = members.time("sent");
    r.accepted = members.time("accepted");
    r.first_pending = members.time("first_pending");
    r.last_pending = members.time("last_pending");
    r.ended = members.time("ended");
    r.parts_done = members.time("parts_done");
    r.error = errc_named(members.text("class")).value_or(errc::ok);
    r.bytes = members.count<std::uint64_t>("bytes");
    r.submits = members.count<std::uint16_t>("submits");
    r.polls = members.count<std::uint32_t>("polls");
    r.parts = members.count<std::uint32_t>("parts");
    r.parts_wanted = members.count<std::uint32_t>("parts_wanted");
    r.parts_failed = members.counts_by_class("parts_failed");
    out.document = members.text("document");
    out.request_id = members.text("request_id");
    if (!members.wrong().empty())
        return failure(
            errc::invalid_argument, phase::none,
            fmt::format("a line of jobs.jsonl has an impossible value of \"{}\"", members.wrong()));
    if (!is_known(r.due) || outcome != name(r.outcome) ||
        (r.outcome != job_outcome::unfinished && !is_known(r.ended)))
        return failure(errc::invalid_argument, phase::none,
                       "a line of jobs.jsonl lacks its due time, its outcome or its end");
    if (!detail::is_in_order(r))
        return failure(errc::invalid_argument, phase::none,
                       "a line of jobs.jsonl has times that contradict each other");
    return out;
}

} // namespace ocrpipe

#endif
