#ifndef OCRPIPE_BULK_OUTPUT_IMPL_FAILURES_WRITER_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_FAILURES_WRITER_IPP

#include <ocrpipe/api/file_type.hpp>
#include <ocrpipe/bulk/output/failures_writer.hpp>
#include <ocrpipe/bulk/output/output_failure.hpp>
#include <ocrpipe/bulk/source/examine.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/json_text.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <unistd.h>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Appends `,"key":"value"`, or nothing if the value is empty.
inline void append_field(std::string& out, std::string_view key, std::string_view value)
{
    if (value.empty()) return;
    append_json_string(out += ',', key);
    append_json_string(out += ':', value);
}

/// Appends `,"key":["value",...]`, or nothing if there are no values.
inline void append_list(std::string& out, std::string_view key, std::span<std::string const> values)
{
    if (values.empty()) return;
    append_json_string(out += ',', key);
    char before = '[';
    out += ':';
    for (std::string const& value : values)
        append_json_string(out += std::exchange(before, ','), value);
    out += ']';
}

inline void append_absolute_path(std::string& out, std::string_view path, std::string_view base)
{
    append_json_name(out, "path", path.empty() ? std::string() : join_path(base, path));
}

inline std::string_view class_of(error_code const& ec) noexcept
{
    return ec.category() == category() ? name(static_cast<errc>(ec.value()))
                                       : std::string_view(ec.category().name());
}

} // namespace detail

OCRPIPE_DECL void append_failure_line(std::string& out, failure_record const& record, std::string_view base)
{
    ledger_document const& d = *record.document;
    failure const& what = *record.what;
    std::string said;
    detail::append_json_name(out += '{', "id", d.id);
    detail::append_absolute_path(out += ',', d.path, base);
    detail::append_field(out, "flow", d.flow);
    detail::append_field(out, "doc_type", d.doc_type);
    detail::append_field(out, "file_type", wire_word(d.type));
    detail::append_field(out, "sha256", d.sha256);
    if (missing_part const* const p = record.part) {
        detail::append_field(out, "kind", name(p->kind));
        detail::append_field(out, p->kind == operation::image ? "file_id" : "document_id", p->sub_id);
    }
    detail::append_field(out, "class", detail::class_of(what.code));
    detail::append_field(out, "message",
                         record.message.empty() ? std::string_view(said = to_string(what)) : record.message);
    if (what.where != phase::none) detail::append_field(out, "phase", name(what.where));
    if (what.http_status != 0)
        fmt::format_to(std::back_inserter(out), ",\"http_status\":{}", what.http_status);
    detail::append_field(out, "request_id", what.request_id);
    detail::append_list(out, "file_ids", record.file_ids);
    if (!record.part) fmt::format_to(std::back_inserter(out), ",\"attempts\":{}", what.attempts);
    detail::append_json_time(out += ",\"at\":", record.at);
    out += "}\n";
}

OCRPIPE_DECL void append_failure_line(std::string& out, input_problem const& problem, std::string_view base)
{
    detail::append_absolute_path(out += '{', problem.path, base);
    detail::append_field(out, "where", problem.where);
    detail::append_field(out, "class", detail::class_of(problem.code));
    detail::append_field(out, "message", problem.message);
    out += "}\n";
}

OCRPIPE_DECL result<failures_writer> failures_writer::open(std::string const& folder)
{
    return open_as(folder, "failures.jsonl");
}

OCRPIPE_DECL result<failures_writer> failures_writer::replace(std::string const& folder)
{
    std::string const draft = folder + "/.failures.jsonl.tmp";
    if (::unlink(draft.c_str()) != 0 && errno != ENOENT) return detail::output_failure(errno_code(), draft);
    return open_as(folder, ".failures.jsonl.tmp");
}

OCRPIPE_DECL result<void> failures_writer::publish()
{
    std::string const draft = folder_ + "/.failures.jsonl.tmp";
    std::string path = folder_ + "/failures.jsonl";
    error_code ec = file_.sync();
    if (!ec && ::rename(draft.c_str(), path.c_str()) != 0) ec = errno_code();
    if (!ec) ec = detail::sync_folder(folder_);
    if (ec) return detail::output_failure(ec, std::move(path));
    return {};
}

OCRPIPE_DECL result<failures_writer> failures_writer::open_as(std::string const& folder, char const* name)
{
    failures_writer w;
    w.folder_ = folder;
    std::error_code ec;
    w.base_ = std::filesystem::current_path(ec).string();
    if (ec) return detail::output_failure(error_code(ec), "the working directory");
    std::string path = fmt::format("{}/{}", folder, name);
    if (error_code const failed = w.file_.open(path)) return detail::output_failure(failed, std::move(path));
    return w;
}

OCRPIPE_DECL error_code failures_writer::append(failure_record const& record)
{
    line_.clear();
    append_failure_line(line_, record, base_);
    return file_.append(line_);
}

OCRPIPE_DECL error_code failures_writer::append_line(std::string_view line)
{
    line_ = line;
    line_ += '\n';
    return file_.append(line_);
}

OCRPIPE_DECL error_code failures_writer::append(input_problem const& problem)
{
    line_.clear();
    append_failure_line(line_, problem, base_);
    return file_.append(line_);
}

} // namespace ocrpipe

#endif
