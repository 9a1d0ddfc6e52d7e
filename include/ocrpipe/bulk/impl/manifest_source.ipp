#ifndef OCRPIPE_BULK_IMPL_MANIFEST_SOURCE_IPP
#define OCRPIPE_BULK_IMPL_MANIFEST_SOURCE_IPP

#include <ocrpipe/bulk/detail/csv_record.hpp>
#include <ocrpipe/bulk/detail/examine.hpp>
#include <ocrpipe/bulk/detail/input_window.hpp>
#include <ocrpipe/bulk/detail/json_text.hpp>
#include <ocrpipe/bulk/manifest_source.hpp>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// The keys of a manifest that mean something.
enum class manifest_key {
    path,
    path_bytes,
    id,
    id_bytes,
    flow,
    doc_type,
    file_type,
    request_id, ///< these two stand in failures.jsonl
    failure_class
};

inline constexpr std::array<std::string_view, 9> manifest_key_names{
    "path", "path_bytes", "id", "id_bytes", "flow", "doc_type", "file_type", "request_id", "class"};

/// A row's values by key; empty when absent.
struct manifest_row {
    std::array<std::string, manifest_key_names.size()> values;
    std::string& operator[](manifest_key k) noexcept { return values[static_cast<std::size_t>(k)]; }
};

inline std::string ascii_lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

/// Puts the decoded `bytes`, if there are any, in the place of `key`. Returns what is wrong, empty when
/// nothing is.
inline std::string settle_name(manifest_row& row, manifest_key key, manifest_key bytes)
{
    std::string_view const name = manifest_key_names[static_cast<std::size_t>(bytes)];
    if (row[bytes].empty()) return {};
    std::optional<std::string> decoded = percent_decoded(row[bytes]);
    if (!decoded || decoded->empty()) return fmt::format("{} is not percent-encoded", name);
    row[key] = std::move(*decoded);
    return {};
}

/// Checks a row and fills `item`, all but the size. Returns what is wrong, empty when nothing is.
inline std::string apply_manifest_row(manifest_row& row, input_item& item)
{
    using enum manifest_key;
    for (manifest_key const k : {id, flow, doc_type, request_id})
        if (!is_plain_text(row[k]) && (k != id || row[id_bytes].empty()))
            return fmt::format("{} holds control characters or is not UTF-8",
                               manifest_key_names[static_cast<std::size_t>(k)]);
    if (std::string wrong = settle_name(row, path, path_bytes); !wrong.empty()) return wrong;
    if (std::string wrong = settle_name(row, id, id_bytes); !wrong.empty()) return wrong;
    if (row[path].empty()) return "path is missing";
    if (row[path].find('\0') != std::string::npos) return "path holds a NUL byte";

    std::string const type = ascii_lower(row[file_type]);
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
    // What was paid for is not sent again by itself; a job that the service itself ended is over.
    std::optional<errc> const failed_with = errc_named(row[failure_class]);
    if (failed_with != errc::job_failed) item.request_id = std::move(row[request_id]);
    item.in_doubt = failed_with == errc::ambiguous_submit;
    return {};
}

} // namespace detail

/// Rows of one format.
class manifest_source::rows
{
public:
    virtual ~rows() = default;

    /// The next row, or false at the end. `wrong` is set when it cannot be read, and `line` to where it
    /// begins.
    virtual bool next(detail::manifest_row& row, std::size_t& line, std::string& wrong) = 0;

    errc wrong_is = errc::invalid_argument; ///< unreadable_file once the manifest itself cannot be read
};

class manifest_source::jsonl_rows final : public rows
{
public:
    explicit jsonl_rows(detail::unique_fd fd) noexcept : lines_(std::move(fd), '\n') {}

    bool next(detail::manifest_row& row, std::size_t& line, std::string& wrong) override
    {
        using outcome = detail::record_reader::outcome;
        for (;;) {
            std::string_view text;
            outcome const o = lines_.next(text);
            line = lines_.number();
            if (o == outcome::end) return false;
            if (o == outcome::failed) {
                wrong = lines_.error().message();
                wrong_is = errc::unreadable_file;
            }
            if (o == outcome::too_long) wrong = "the line is longer than 1 MiB";
            if (!wrong.empty()) return true;
            if (line == 1) detail::drop_byte_order_mark(text);
            if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            wrong = read(text, row);
            return true;
        }
    }

private:
    static std::string read(std::string_view text, detail::manifest_row& row)
    {
        std::array<unsigned char, 4096> room;
        boost::json::monotonic_resource memory(room.data(), room.size());
        error_code ec;
        boost::json::value const parsed = boost::json::parse(text, ec, &memory);
        if (ec) return fmt::format("the line is not JSON: {}", ec.message());
        boost::json::object const* const object = parsed.if_object();
        if (!object) return "the line is not a JSON object";
        for (std::size_t i = 0; i != detail::manifest_key_names.size(); ++i) {
            boost::json::value const* const v = object->if_contains(detail::manifest_key_names[i]);
            if (!v || v->is_null()) continue;
            bool const is_id = i == static_cast<std::size_t>(detail::manifest_key::id);
            if (auto const* s = v->if_string())
                row.values[i].assign(s->data(), s->size());
            else if (auto const* n = v->if_int64(); n && is_id)
                row.values[i] = fmt::to_string(*n);
            else if (auto const* u = v->if_uint64(); u && is_id)
                row.values[i] = fmt::to_string(*u);
            else
                return fmt::format("{} is not a string", detail::manifest_key_names[i]);
        }
        return {};
    }

    detail::record_reader lines_;
};

class manifest_source::csv_rows final : public rows
{
public:
    explicit csv_rows(detail::unique_fd fd) noexcept : window_(std::move(fd)) {}

    bool next(detail::manifest_row& row, std::size_t& line, std::string& wrong) override
    {
        if (given_up_) return false;
        if (columns_.empty()) {
            wrong = read_header(line);
            given_up_ = !wrong.empty();
            if (given_up_) return true;
        }
        if (!read_record(line, wrong)) return false;
        if (!wrong.empty()) return true;
        if (fields_.size() != columns_.size()) {
            wrong = fmt::format("{} fields where the header names {}", fields_.size(), columns_.size());
            return true;
        }
        for (std::size_t i = 0; i != columns_.size(); ++i)
            if (columns_[i] != ignored) row.values[columns_[i]] = std::move(fields_[i]);
        return true;
    }

private:
    static constexpr std::size_t ignored = detail::manifest_key_names.size();

    /// Returns what is wrong, empty when nothing is.
    std::string read_header(std::size_t& line)
    {
        while (window_.text().size() < 3 && window_.grow()) {
        }
        std::string_view start = window_.text();
        detail::drop_byte_order_mark(start);
        window_.consume(window_.text().size() - start.size());
        line = 1;
        std::string wrong;
        if (!read_record(line, wrong)) return "the manifest has no header that names its columns";
        return wrong.empty() ? take_columns() : wrong;
    }

    std::string take_columns()
    {
        auto const& names = detail::manifest_key_names;
        std::vector<std::size_t> columns;
        std::array<bool, detail::manifest_key_names.size()> seen{};
        for (std::string const& field : fields_) {
            std::string_view name = field;
            while (name.starts_with(' '))
                name.remove_prefix(1);
            while (name.ends_with(' '))
                name.remove_suffix(1);
            auto const key = static_cast<std::size_t>(
                std::find(names.begin(), names.end(), detail::ascii_lower(name)) - names.begin());
            columns.push_back(key);
            if (key == ignored) continue;
            if (std::exchange(seen[key], true)) return fmt::format("the header names {} twice", names[key]);
        }
        if (!seen[static_cast<std::size_t>(detail::manifest_key::path)] &&
            !seen[static_cast<std::size_t>(detail::manifest_key::path_bytes)])
            return "the header does not name a column path";
        columns_ = std::move(columns);
        return {};
    }

    /// One record that is not blank into fields_. False at the end.
    bool read_record(std::size_t& line, std::string& wrong)
    {
        using outcome = detail::csv_record::outcome;
        for (;;) {
            if (given_up_ || (window_.text().empty() && !window_.grow() && !window_.error())) return false;
            line = line_;
            if (window_.error()) {
                wrong = window_.error().message();
                wrong_is = errc::unreadable_file;
                given_up_ = true;
                return true;
            }
            detail::csv_record const r = detail::parse_csv_record(window_.text(), window_.at_end(), fields_);
            std::string_view const taken =
                window_.text().substr(0, r.what == outcome::incomplete ? std::string_view::npos : r.consumed);
            // However much of it arrived at once, a row of one length is always taken or never.
            if (taken.size() - taken.ends_with('\n') > detail::max_record) {
                wrong = "the row is longer than 1 MiB";
                skip_line();
                return true;
            }
            if (r.what == outcome::incomplete) {
                window_.grow();
                continue;
            }
            line_ += static_cast<std::size_t>(std::count(taken.begin(), taken.end(), '\n'));
            window_.consume(r.consumed);
            if (r.what == outcome::broken) wrong = r.reason;
            bool const blank = fields_.size() == 1 && fields_.front().empty();
            if (!blank || !wrong.empty()) return true;
        }
    }

    void skip_line()
    {
        std::size_t end;
        while ((end = window_.text().find('\n')) == std::string_view::npos) {
            window_.consume(window_.text().size());
            if (!window_.grow()) return;
        }
        window_.consume(end + 1);
        ++line_;
    }

    detail::input_window window_;
    std::size_t line_ = 1; ///< at the window's beginning
    bool given_up_ = false;
    std::vector<std::size_t> columns_; ///< the manifest_key of each column, or ignored
    std::vector<std::string> fields_;
};

OCRPIPE_DECL std::optional<manifest_format> manifest_format_of(std::string_view path) noexcept
{
    auto const ends_with = [path](std::string_view ending) {
        return path.size() > ending.size() &&
               std::equal(
                   ending.begin(), ending.end(), path.end() - static_cast<std::ptrdiff_t>(ending.size()),
                   [](char e, char c) { return e == c || (e >= 'a' && e <= 'z' && e - 'a' + 'A' == c); });
    };
    if (ends_with(".jsonl") || ends_with(".ndjson")) return manifest_format::jsonl;
    if (ends_with(".csv")) return manifest_format::csv;
    return std::nullopt;
}

OCRPIPE_DECL manifest_source::manifest_source(std::string path, manifest_format format)
    : path_(std::move(path)), format_(format)
{
    std::size_t const slash = path_.rfind('/');
    if (slash != std::string::npos) folder_ = path_.substr(0, slash + 1);
}

OCRPIPE_DECL manifest_source::~manifest_source() = default;

OCRPIPE_DECL std::optional<input> manifest_source::next()
{
    if (!opened_) {
        opened_ = true;
        detail::unique_fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd) return detail::unreadable(path_, {}, errno);
        if (format_ == manifest_format::jsonl)
            rows_ = std::make_unique<jsonl_rows>(std::move(fd));
        else
            rows_ = std::make_unique<csv_rows>(std::move(fd));
    }
    if (!rows_) return std::nullopt;

    detail::manifest_row row;
    std::size_t line = 0;
    std::string wrong;
    if (!rows_->next(row, line, wrong)) {
        rows_.reset();
        return std::nullopt;
    }
    std::string where = fmt::format("{}:{}", path_, line);
    input_item item;
    if (wrong.empty()) wrong = detail::apply_manifest_row(row, item);
    std::string path = std::move(wrong.empty() ? item.path : row[detail::manifest_key::path]);
    if (!path.empty()) path = detail::join_path(folder_, path);
    if (!wrong.empty())
        return input_problem{std::move(path), std::move(where), rows_->wrong_is, std::move(wrong)};

    input found = detail::examine_path(std::move(path), std::move(where));
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
