#ifndef OCRPIPE_BULK_IMPL_RESULTS_WRITER_IPP
#define OCRPIPE_BULK_IMPL_RESULTS_WRITER_IPP

#include <ocrpipe/bulk/detail/atomic_file.hpp>
#include <ocrpipe/bulk/detail/json_text.hpp>
#include <ocrpipe/bulk/detail/output_failure.hpp>
#include <ocrpipe/bulk/results_writer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <dirent.h>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

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

inline unique_fd open_results(std::string const& path, int flags)
{
    return unique_fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
}

/// All of `out` from a place in a file; false with errno set, 0 at the file's end.
inline bool read_fully(int fd, std::span<char> out, std::uint64_t offset)
{
    while (!out.empty()) {
        ::ssize_t const n = ::pread(fd, out.data(), out.size(), static_cast<::off_t>(offset));
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = 0;
        if (n <= 0) return false;
        out = out.subspan(static_cast<std::size_t>(n));
        offset += static_cast<std::uint64_t>(n);
    }
    return true;
}

/// Whether a line ends where the ledger says.
inline bool is_there(std::string const& path, result_location const& line)
{
    unique_fd const fd = open_results(path, O_RDONLY);
    char last = 0;
    return fd && line.length != 0 && read_fully(fd.get(), {&last, 1}, line.offset + line.length - 1) &&
           last == '\n';
}

/// Shows whole lines from `end` on, and moves `end` behind those that are kept. False when one was not, or
/// when there is a rest without an end.
inline result<bool> keep_lines(std::string const& path, std::uint64_t number, std::uint64_t& end,
                               keep_result const& keep)
{
    unique_fd const fd = open_results(path, O_RDONLY);
    if (!fd && errno == ENOENT) return true;
    if (!fd) return output_failure(errno_code(), path);
    std::string text;
    for (std::size_t scanned = 0;;) {
        std::size_t const found = text.find('\n', scanned);
        if (found != std::string::npos) {
            if (!keep(std::string_view(text).substr(0, found), {number, end, found + 1})) return false;
            end += found + 1;
            text.erase(0, found + 1);
            scanned = 0;
            continue;
        }
        scanned = text.size();
        text.resize(scanned + 256 * 1024);
        ::ssize_t const n = ::pread(fd.get(), text.data() + scanned, text.size() - scanned,
                                    static_cast<::off_t>(end + scanned));
        if (n < 0 && errno != EINTR) return output_failure(errno_code(), path);
        text.resize(scanned + static_cast<std::size_t>(std::max<::ssize_t>(n, 0)));
        if (n == 0) return text.empty();
    }
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

/// A valid JSON string holds no line break, so these stand between tokens.
inline void append_json_in_one_line(std::string& out, std::string_view json)
{
    std::size_t const from = out.size();
    out += json;
    for (char const line_break : {'\n', '\r'})
        for (std::size_t at = out.find(line_break, from); at != out.npos; at = out.find(line_break, at + 1))
            out[at] = ' ';
}

} // namespace detail

OCRPIPE_DECL void append_result_line(std::string& out, result_record const& r)
{
    detail::append_json_name(out += '{', "id", r.id);
    detail::append_json_name(out += ',', "path", r.path);
    detail::append_json_string(out += ",\"sha256\":", r.sha256);
    detail::append_json_string(out += ",\"request_id\":", r.request_id);
    detail::append_json_string(out += ",\"status\":", r.status);
    detail::append_json_time(out += ",\"submitted_at\":", r.submitted_at);
    detail::append_json_time(out += ",\"finished_at\":", r.finished_at);
    (out += ",\"attempts\":") += std::to_string(r.attempts);
    (out += ",\"polls\":") += std::to_string(r.polls);
    (out += ",\"possible_duplicate\":") += r.possible_duplicate ? "true" : "false";
    detail::append_parts(out, r.parts);
    out += ",\"result\":";
    detail::append_json_in_one_line(out, r.result_json.empty() ? "null" : r.result_json);
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

OCRPIPE_DECL result<results_writer> results_writer::recover(std::string folder, std::uint64_t max_file_bytes,
                                                            std::optional<result_location> recorded,
                                                            keep_result const& keep)
{
    result<results_writer> last = open(folder, max_file_bytes);
    if (!last) return last;
    results_writer const names(folder, max_file_bytes);
    if (recorded && !detail::is_there(names.path(recorded->file), *recorded)) {
        failure f;
        f.code = errc::ledger_failed;
        f.where = phase::prepare;
        f.reason = fmt::format("{} ends before a result that the ledger knows: restore the file",
                               names.path(recorded->file));
        return f;
    }
    std::uint64_t number = recorded ? recorded->file : 1;
    std::uint64_t end = recorded ? recorded->offset + recorded->length : 0;
    for (;; ++number, end = 0) {
        std::uint64_t const from = end;
        result<bool> const all = detail::keep_lines(names.path(number), number, end, keep);
        if (!all) return all.error();
        // Nobody knows whether their sync failed.
        if (end != from)
            if (error_code const ec = detail::write_again(names.path(number), from, end))
                return detail::output_failure(ec, names.path(number));
        if (!*all || number >= last->number_) break;
    }
    // From the last file backwards, so that a crash meanwhile leaves no gap.
    for (std::uint64_t later = last->number_; later > number; --later)
        if (::unlink(names.path(later).c_str()) != 0 && errno != ENOENT)
            return detail::output_failure(detail::errno_code(), names.path(later));
    if (::truncate(names.path(number).c_str(), static_cast<::off_t>(end)) != 0)
        return detail::output_failure(detail::errno_code(), names.path(number));
    return open(std::move(folder), max_file_bytes);
}

OCRPIPE_DECL std::string results_writer::path(std::uint64_t number) const
{
    return fmt::format("{}/results-{:05}.jsonl", folder_, number);
}

OCRPIPE_DECL error_code results_writer::sync()
{
    std::lock_guard const lock(*rotation_);
    return file_.sync();
}

OCRPIPE_DECL error_code results_writer::append_copy(result_location original, std::string_view original_id,
                                                    std::string_view id, std::string_view path_of_copy,
                                                    result_location* where)
{
    detail::unique_fd const fd = detail::open_results(path(original.file), O_RDONLY);
    std::string line(original.length, '\0');
    if (!fd || !detail::read_fully(fd.get(), line, original.offset)) {
        error_code const ec = detail::errno_code();
        return ec ? ec : make_error_code(boost::system::errc::io_error);
    }
    // Quotes within its strings are escaped, so these keys are found only where they are keys.
    std::size_t const content = line.find(",\"sha256\":");
    std::size_t const status = line.find(",\"status\":");
    if (content == std::string::npos || status == std::string::npos || content > status)
        return make_error_code(boost::system::errc::bad_message);
    line_ = '{';
    detail::append_json_name(line_, "id", id);
    detail::append_json_name(line_ += ',', "path", path_of_copy);
    line_.append(line, content, status - content);
    detail::append_json_name(line_ += ',', "duplicate_of", original_id);
    line_.append(line, status);
    return append_line(where);
}

OCRPIPE_DECL error_code results_writer::append(result_record const& record, result_location* where)
{
    line_.clear();
    append_result_line(line_, record);
    return append_line(where);
}

OCRPIPE_DECL error_code results_writer::append_line(result_location* where)
{
    if (file_.size() != 0 && file_.size() + line_.size() > max_file_bytes_) {
        // sync() speaks of everything appended, so a file is not left behind before it is on the disk.
        if (error_code const ec = file_.sync()) return ec;
        ++number_;
        detail::jsonl_file next;
        if (error_code const ec = next.open(path())) {
            --number_;
            return ec;
        }
        std::lock_guard const lock(*rotation_);
        file_ = std::move(next);
    }
    if (where) *where = {number_, file_.size(), line_.size()};
    return file_.append(line_);
}

} // namespace ocrpipe

#endif
