#ifndef OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_SOURCE_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_SOURCE_IPP

#include <ocrpipe/bulk/source/detail/manifest_rows.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/core/json_text.hpp>
#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/core/words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Replaces `key` with the decoded `bytes`, if there are any. Returns the error; empty if there is none.
inline std::string decode_name(manifest_row& row, manifest_key key, manifest_key bytes)
{
    if (row[bytes].empty()) return {};
    std::optional<std::string> decoded = percent_decoded(row[bytes]);
    if (!decoded || decoded->empty()) return fmt::format("{} is not percent-encoded", name(bytes));
    row[key] = std::move(*decoded);
    return {};
}

/// Checks a row and fills `item`, except the size. Returns the error; empty if there is none.
inline std::string apply_manifest_row(manifest_row& row, input_item& item)
{
    using enum manifest_key;
    for (manifest_key const k : {id, flow, doc_type, request_id})
        if (!is_plain_text(row[k]) && (k != id || row[id_bytes].empty()))
            return fmt::format("{} contains control characters or is not UTF-8", name(k));
    if (std::string wrong = decode_name(row, path, path_bytes); !wrong.empty()) return wrong;
    if (std::string wrong = decode_name(row, id, id_bytes); !wrong.empty()) return wrong;
    if (row[path].empty()) return "path is missing";
    if (row[path].find('\0') != std::string::npos) return "path contains a NUL byte";

    std::string const type = lower_case(row[file_type]);
    if (type == "pdf")
        item.type = ocrpipe::file_type::pdf;
    else if (type == "image")
        item.type = ocrpipe::file_type::image;
    else if (!type.empty() && type != "detect")
        return "file_type is neither PDF nor IMAGE nor detect";

    item.path = std::move(row[path]);
    item.id = std::move(row[id]);
    item.flow = std::move(row[flow]);
    item.doc_type = std::move(row[doc_type]);
    // A paid job is not resubmitted automatically; a job that the service itself ended is final.
    std::optional<errc> const failed_with = errc_named(row[failure_class]);
    if (failed_with != errc::job_failed) item.request_id = std::move(row[request_id]);
    item.in_doubt = failed_with == errc::ambiguous_submit;
    item.sha256 = std::move(row[sha256]);
    return {};
}

/// Opens a manifest. If its name is in another Unicode form on disk, `path` is set to that name.
inline unique_fd open_manifest(std::string& path)
{
    unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd || errno != ENOENT) return fd;
    std::string other = name_finder().find(path).path;
    if (!other.empty()) {
        path = std::move(other);
        fd = unique_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    } else {
        errno = ENOENT;
    }
    return fd;
}

inline std::unique_ptr<manifest_rows> rows_of(unique_fd fd, std::string_view path, manifest_format format)
{
    if (format == manifest_format::jsonl) return std::make_unique<jsonl_rows>(std::move(fd));
    bool const tabs = lower_case(path).ends_with(".tsv");
    return std::make_unique<csv_rows>(std::move(fd), tabs ? '\t' : ',');
}

} // namespace detail

OCRPIPE_DECL std::optional<manifest_format> manifest_format_of(std::string_view path) noexcept
{
    auto const ends_with = [path](std::string_view ending) {
        return path.size() > ending.size() &&
               std::equal(
                   ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                   [](char e, char c) { return e == c || (e >= 'a' && e <= 'z' && e - 'a' + 'A' == c); });
    };
    if (ends_with(".jsonl") || ends_with(".ndjson")) return manifest_format::jsonl;
    if (ends_with(".csv") || ends_with(".tsv")) return manifest_format::csv;
    return std::nullopt;
}

OCRPIPE_DECL std::string misnamed_column_in(std::string const& path, manifest_format format)
{
    struct ::stat status {
    };
    // A pipe can be read only once, and opening it unblocks its writer.
    if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return {};
    std::string real = path;
    unique_fd fd = detail::open_manifest(real);
    if (!fd) return {};
    auto const rows = detail::rows_of(std::move(fd), path, format);
    detail::manifest_row row;
    std::size_t line = 0;
    std::string wrong;
    while (rows->next(row, line, wrong)) {
        if (rows->has_misnamed_column) return fmt::format("{}:{}: {}", path, line, wrong);
        // Of CSV the header says it all.
        if (format == manifest_format::csv) return {};
        wrong.clear();
    }
    return {};
}

OCRPIPE_DECL manifest_source::manifest_source(std::string path, manifest_format format,
                                              std::shared_ptr<source_notes> notes)
    : path_(std::move(path)), format_(format), notes_(std::move(notes))
{
}

OCRPIPE_DECL manifest_source::~manifest_source() = default;

OCRPIPE_DECL std::optional<input> manifest_source::next()
{
    if (!opened_) {
        opened_ = true;
        std::string real = path_;
        unique_fd fd = detail::open_manifest(real);
        if (!fd) return detail::unreadable(path_, {}, errno);
        std::size_t const slash = real.rfind('/');
        if (slash != std::string::npos) folder_ = real.substr(0, slash + 1);
        rows_ = detail::rows_of(std::move(fd), path_, format_);
    }
    if (!rows_) return std::nullopt;

    detail::manifest_row row;
    std::size_t line = 0;
    std::string wrong;
    bool const ended = !rows_->next(row, line, wrong);
    // Of CSV the header says it all.
    if (notes_ && (ended || format_ == manifest_format::csv)) {
        if (std::string const ignored = rows_->ignored(); !ignored.empty())
            notes_->add("unknown_columns", fmt::format("{}: {}", printable_excerpt(path_, 1024), ignored));
        notes_.reset();
    }
    if (ended) {
        rows_.reset();
        return std::nullopt;
    }
    std::string where = fmt::format("{}:{}", path_, line);
    input_item item;
    if (wrong.empty()) wrong = detail::apply_manifest_row(row, item);
    std::string path = std::move(wrong.empty() ? item.path : row[detail::manifest_key::path]);
    std::string const bare(detail::trimmed(path));
    bool const has_blanks = bare.size() != path.size() && !bare.empty();
    if (!path.empty()) path = detail::join_path(folder_, path);
    if (!wrong.empty())
        return input_problem{std::move(path), std::move(where), rows_->error_class, std::move(wrong)};

    input found = detail::examine_path(std::move(path), where, finder_);
    // Users write "id, path".
    if (has_blanks && std::holds_alternative<input_problem>(found))
        if (input other = detail::examine_path(detail::join_path(folder_, bare), where, finder_);
            std::holds_alternative<input_item>(other))
            found = std::move(other);
    if (auto* const file = std::get_if<input_item>(&found)) {
        item.path = std::move(file->path);
        item.where = std::move(file->where);
        item.size = file->size;
        item.mtime_ns = file->mtime_ns;
        if (item.id.empty()) item.id = std::move(file->id);
        found = std::move(item);
    }
    return found;
}

} // namespace ocrpipe

#endif
