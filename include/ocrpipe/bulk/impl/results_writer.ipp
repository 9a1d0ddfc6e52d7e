#ifndef OCRPIPE_BULK_IMPL_RESULTS_WRITER_IPP
#define OCRPIPE_BULK_IMPL_RESULTS_WRITER_IPP

#include <ocrpipe/bulk/detail/json_text.hpp>
#include <ocrpipe/bulk/detail/output_failure.hpp>
#include <ocrpipe/bulk/results_writer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <dirent.h>
#include <iterator>
#include <memory>

namespace ocrpipe
{
namespace detail
{

/// The number in "results-00017.jsonl"; 0 for other names.
inline std::uint64_t results_file_number(std::string_view name) noexcept
{
    constexpr std::string_view prefix = "results-";
    constexpr std::string_view suffix = ".jsonl";
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
        return 0;
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    auto const [end, ec] = std::from_chars(name.data(), name.data() + name.size(), number);
    return ec == std::errc() && end == name.data() + name.size() ? number : 0;
}

inline void append_parts(std::string& out, std::span<part_entry const> parts)
{
    if (parts.empty()) return;
    out += ",\"parts\":";
    char before = '[';
    for (part_entry const& p : parts) {
        append_json_string((out += std::exchange(before, ',')) += "{\"kind\":", name(p.kind));
        append_json_string(out += p.kind == operation::image ? ",\"file_id\":" : ",\"document_id\":",
                           p.sub_id);
        append_json_string(out += p.file.empty() ? ",\"error\":" : ",\"file\":",
                           p.file.empty() ? p.error : p.file);
        out += '}';
    }
    out += ']';
}

} // namespace detail

OCRPIPE_DECL void append_result_line(std::string& out, result_record const& r)
{
    auto const text = [&out](std::string_view key, std::string_view value) {
        fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
        detail::append_json_string(out, value);
    };
    out += '{';
    detail::append_json_name(out, "id", r.id);
    out += ',';
    detail::append_json_name(out, "path", r.path);
    text("sha256", r.sha256);
    text("request_id", r.request_id);
    text("status", r.status);
    detail::append_json_time(out += ",\"submitted_at\":", r.submitted_at);
    detail::append_json_time(out += ",\"finished_at\":", r.finished_at);
    fmt::format_to(std::back_inserter(out), ",\"attempts\":{},\"polls\":{},\"possible_duplicate\":{}",
                   r.attempts, r.polls, r.possible_duplicate);
    detail::append_parts(out, r.parts);
    out += ",\"result\":";
    std::size_t const from = out.size();
    out += r.result_json.empty() ? std::string_view("null") : r.result_json;
    // A valid JSON string holds no line break, so these stand between tokens.
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(from), out.end(),
        [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += "}\n";
}

OCRPIPE_DECL result<results_writer> results_writer::open(std::string folder, std::uint64_t max_file_bytes)
{
    struct closer {
        void operator()(::DIR* d) const noexcept { ::closedir(d); }
    };
    results_writer w(std::move(folder), max_file_bytes);
    std::unique_ptr<::DIR, closer> const names(::opendir(w.folder_.c_str()));
    if (!names) return detail::output_failure(detail::errno_code(), w.folder_);
    errno = 0;
    while (::dirent const* const entry = ::readdir(names.get()))
        w.number_ = std::max(w.number_, detail::results_file_number(entry->d_name));
    if (errno != 0) return detail::output_failure(detail::errno_code(), w.folder_);
    if (error_code const ec = w.file_.open(w.path())) return detail::output_failure(ec, w.path());
    return w;
}

OCRPIPE_DECL std::string results_writer::path() const
{
    return fmt::format("{}/results-{:05}.jsonl", folder_, number_);
}

OCRPIPE_DECL error_code results_writer::append(result_record const& record)
{
    line_.clear();
    append_result_line(line_, record);
    if (file_.size() != 0 && file_.size() + line_.size() > max_file_bytes_) {
        // sync() speaks of everything appended, so a file is not left behind before it is on the disk.
        if (error_code const ec = file_.sync()) return ec;
        ++number_;
        detail::jsonl_file next;
        if (error_code const ec = next.open(path())) {
            --number_;
            return ec;
        }
        file_ = std::move(next);
    }
    return file_.append(line_);
}

} // namespace ocrpipe

#endif
