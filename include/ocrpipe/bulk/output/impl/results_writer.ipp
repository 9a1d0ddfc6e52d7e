#ifndef OCRPIPE_BULK_OUTPUT_IMPL_RESULTS_WRITER_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_RESULTS_WRITER_IPP

#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/core/atomic_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace ocrpipe
{
namespace detail
{

/// The number in "results-00017.jsonl"; 0 for any other name.
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

/// Fills `out` from an offset in a file. Returns false with errno set; errno is 0 at the end of the file.
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

/// Whether nothing with that name exists, not even a dangling link.
inline bool is_missing(std::string const& path)
{
    struct ::stat status {
    };
    return ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
}

/// Whether a line ends at the position recorded in the ledger.
inline bool is_there(std::string const& path, result_location const& line)
{
    unique_fd const fd = open_results(path, O_RDONLY);
    char last = 0;
    return fd && line.length != 0 && read_fully(fd.get(), {&last, 1}, line.offset + line.length - 1) &&
           last == '\n';
}

/// Passes complete lines from `end` on to `keep`, and advances `end` past those that are kept. Returns false
/// if a line was rejected or an incomplete line remains.
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

} // namespace detail

OCRPIPE_DECL result<std::vector<std::uint64_t>> results_files(std::string const& folder)
{
    struct closer {
        void operator()(::DIR* d) const noexcept { ::closedir(d); }
    };
    std::unique_ptr<::DIR, closer> const names(::opendir(folder.c_str()));
    if (!names) return detail::output_failure(errno_code(), folder);
    std::vector<std::uint64_t> numbers;
    errno = 0;
    while (::dirent const* const entry = ::readdir(names.get()))
        if (std::uint64_t const n = detail::results_file_number(entry->d_name); n != 0) numbers.push_back(n);
    if (errno != 0) return detail::output_failure(errno_code(), folder);
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

OCRPIPE_DECL std::string results_file_name(std::uint64_t number)
{
    return fmt::format("results-{:05}.jsonl", number);
}

OCRPIPE_DECL std::string missing_results_files(std::vector<std::uint64_t> const& numbers, std::uint64_t last)
{
    constexpr std::size_t most_named = 5;
    std::string out;
    std::size_t ranges = 0;
    std::uint64_t unnamed = 0;
    auto const add = [&](std::uint64_t from, std::uint64_t to) {
        if (from > to) return;
        if (++ranges > most_named) {
            unnamed += to - from + 1;
            return;
        }
        if (!out.empty()) out += ", ";
        out += results_file_name(from);
        if (to != from) out += (to == from + 1 ? ", " : " to ") + results_file_name(to);
    };
    std::uint64_t expected = 1;
    for (std::uint64_t const n : numbers) {
        if (n > last) break;
        add(expected, n - 1);
        expected = n + 1;
    }
    add(expected, last);
    if (unnamed != 0) out += fmt::format(" and {} more", unnamed);
    return out;
}

OCRPIPE_DECL result<results_writer> results_writer::open(std::string folder, std::uint64_t max_file_bytes,
                                                         std::uint64_t first)
{
    results_writer w(std::move(folder), max_file_bytes);
    result<std::vector<std::uint64_t>> const numbers = results_files(w.folder_);
    if (!numbers) return numbers.error();
    w.number_ = numbers->empty() ? first : std::max(first, numbers->back());
    if (error_code const ec = w.file_.open(w.path())) return detail::output_failure(ec, w.path());
    return w;
}

OCRPIPE_DECL result<results_writer> results_writer::recover(std::string folder, std::uint64_t max_file_bytes,
                                                            std::optional<result_location> recorded,
                                                            keep_result const& keep)
{
    results_writer const names(folder, max_file_bytes);
    bool const moved_away = recorded && detail::is_missing(names.path(recorded->file));
    if (recorded && !moved_away && !detail::is_there(names.path(recorded->file), *recorded))
        return failure(errc::ledger_failed, phase::prepare,
                       fmt::format("{} ends before a result that the ledger knows: restore the file, or move "
                                   "it away to continue without it",
                                   names.path(recorded->file)));
    std::uint64_t number = !recorded ? 1 : moved_away ? recorded->file + 1 : recorded->file;
    std::uint64_t end = recorded && !moved_away ? recorded->offset + recorded->length : 0;
    result<results_writer> last = open(folder, max_file_bytes, number);
    if (!last) return last;
    for (;; ++number, end = 0) {
        std::uint64_t const from = end;
        result<bool> const all = detail::keep_lines(names.path(number), number, end, keep);
        if (!all) return all.error();
        // Whether their earlier sync failed is unknown, so write them again.
        if (end != from)
            if (error_code const ec = detail::write_again(names.path(number), from, end))
                return detail::output_failure(ec, names.path(number));
        if (!*all || number >= last->number_) break;
    }
    // Remove files from the last one backwards, so that a crash in between leaves no gap.
    for (std::uint64_t later = last->number_; later > number; --later)
        if (::unlink(names.path(later).c_str()) != 0 && errno != ENOENT)
            return detail::output_failure(errno_code(), names.path(later));
    if (::truncate(names.path(number).c_str(), static_cast<::off_t>(end)) != 0)
        return detail::output_failure(errno_code(), names.path(number));
    return open(std::move(folder), max_file_bytes, number);
}

OCRPIPE_DECL std::string results_writer::path(std::uint64_t number) const
{
    return fmt::format("{}/{}", folder_, results_file_name(number));
}

OCRPIPE_DECL error_code results_writer::sync()
{
    std::lock_guard const lock(*rotation_);
    return file_.sync();
}

OCRPIPE_DECL error_code results_writer::read(result_location where, std::string& line) const
{
    unique_fd const fd = detail::open_results(path(where.file), O_RDONLY);
    line.assign(where.length, '\0');
    if (fd && detail::read_fully(fd.get(), line, where.offset)) return {};
    error_code const ec = errno_code();
    return ec ? ec : make_error_code(boost::system::errc::io_error);
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
        // sync() covers everything appended, so a file must be synced before switching to the next.
        if (error_code const ec = sync()) return ec;
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
    error_code const ec = file_.append(line_);
    constexpr std::size_t most_kept = 1024 * 1024;
    if (line_.capacity() > most_kept) line_ = std::string();
    return ec;
}

} // namespace ocrpipe

#endif
