#ifndef OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_ROWS_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_ROWS_IPP

#include <ocrpipe/bulk/source/detail/csv_record.hpp>
#include <ocrpipe/bulk/source/detail/manifest_rows.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/core/utf8.hpp>
#include <ocrpipe/core/words.hpp>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL bool jsonl_rows::next(manifest_row& row, std::size_t& line, std::string& wrong)
{
    using outcome = record_reader::outcome;
    if (!std::exchange(begun_, true)) {
        wrong = suspected_content(lines_.peek(), manifest_format::jsonl);
        refused_ = !wrong.empty();
        line = 1;
        if (refused_) return true;
    }
    for (;;) {
        std::string_view text;
        outcome const o = refused_ ? outcome::end : lines_.next(text);
        line = lines_.number();
        if (o == outcome::end) return false;
        bytes += text.size() + 1;
        if (o == outcome::failed) {
            wrong = lines_.error().message();
            error_class = errc::unreadable_file;
        }
        if (o == outcome::too_long) wrong = "the line is longer than 1 MiB";
        if (!wrong.empty()) return true;
        if (trimmed(text).empty()) continue;
        wrong = read(text, row);
        return true;
    }
}

OCRPIPE_DECL std::string jsonl_rows::read(std::string_view text, manifest_row& row)
{
    std::array<unsigned char, 4096> room;
    boost::json::monotonic_resource memory(room.data(), room.size());
    error_code ec;
    boost::json::value const parsed = boost::json::parse(text, ec, &memory);
    if (ec && !is_utf8(text))
        return "the line is not JSON: it is not UTF-8, as when a list was saved in a Windows or Latin code "
               "page: save it as UTF-8";
    if (ec) return fmt::format("the line is not JSON: {}", ec.message());
    boost::json::object const* const object = parsed.if_object();
    if (!object) return "the line is not a JSON object";
    ++rows_;
    if (std::string wrong = check_keys(*object); !wrong.empty()) return wrong;
    for (std::size_t i = 0; i != manifest_key_names.size(); ++i) {
        boost::json::value const* const v = object->if_contains(manifest_key_names[i]);
        if (!v || v->is_null()) continue;
        bool const is_id = i == static_cast<std::size_t>(manifest_key::id);
        if (auto const* s = v->if_string())
            row.values[i].assign(s->data(), s->size());
        else if (auto const* n = v->if_int64(); n && is_id)
            row.values[i] = fmt::to_string(*n);
        else if (auto const* u = v->if_uint64(); u && is_id)
            row.values[i] = fmt::to_string(*u);
        else
            return fmt::format("{} is not a string", manifest_key_names[i]);
    }
    return {};
}

/// Records unknown keys, and returns an error for one that resembles a known key missing from the row.
OCRPIPE_DECL std::string jsonl_rows::check_keys(boost::json::object const& object)
{
    // Additional keys written by append_failure_line().
    static constexpr std::array<std::string_view, 7> of_failures{
        "message", "phase", "http_status", "file_ids", "attempts", "at", "where"};
    constexpr std::size_t max_known = 1024;
    auto const is_known = [&object](std::string_view key) {
        auto const& names = manifest_key_names;
        if (std::find(names.begin(), names.end(), key) != names.end()) return true;
        return std::find(of_failures.begin(), of_failures.end(), key) != of_failures.end() &&
               object.contains(name(manifest_key::failure_class));
    };
    auto const is_given = [&object](manifest_key k) {
        auto const* const v = object.if_contains(name(k));
        return v && !v->is_null() && !(v->is_string() && v->get_string().empty());
    };
    std::string wrong;
    for (auto const& member : object) {
        std::string_view const key(member.key().data(), member.key().size());
        if (is_known(key)) continue;
        auto seen = resembles_.find(key);
        if (seen == resembles_.end()) {
            if (resembles_.size() == max_known) resembles_.clear();
            seen = resembles_.emplace(key, resembled_key(key)).first;
        }
        bool const has_value = !member.value().is_null();
        if (seen->second && has_value && !is_given(*seen->second)) {
            has_misnamed_column = true;
            wrong = misnamed("key", key, *seen->second);
        } else {
            ignored_.add(key);
        }
    }
    if (!wrong.empty()) return wrong;
    if (is_given(manifest_key::path) || is_given(manifest_key::path_bytes)) return {};
    for (auto const& member : object) {
        std::string_view const key(member.key().data(), member.key().size());
        if (key != name(manifest_key::path) && member.value().is_string() && resembles_path(key))
            return fmt::format("path is missing: rename the key {} to path if it names the file",
                               printable_excerpt(key, 64));
    }
    return {};
}

OCRPIPE_DECL bool csv_rows::next(manifest_row& row, std::size_t& line, std::string& wrong)
{
    if (given_up_) return false;
    if (columns_.empty()) {
        wrong = read_header(line);
        given_up_ = !wrong.empty();
        if (given_up_) return true;
    }
    if (!read_record(line, wrong)) return false;
    if (!wrong.empty()) return true;
    bool const more =
        fields_.size() > columns_.size() &&
        std::any_of(fields_.begin() + static_cast<std::ptrdiff_t>(columns_.size()), fields_.end(),
                    [](std::string const& field) { return !trimmed(field).empty(); });
    if (more) {
        wrong =
            fmt::format("{} fields, but the header names {}: put a field that contains {} in double quotes",
                        fields_.size(), columns_.size(),
                        separator_ == '\t' ? "a tab" : fmt::format("\"{}\"", separator_));
        return true;
    }
    for (std::size_t i = 0; i != std::min(columns_.size(), fields_.size()); ++i) {
        if (columns_[i] == unknown) continue;
        auto const key = static_cast<manifest_key>(columns_[i]);
        bool const is_word =
            key == manifest_key::flow || key == manifest_key::doc_type || key == manifest_key::file_type;
        row[key] = is_word ? std::string(trimmed(fields_[i])) : std::move(fields_[i]);
    }
    return true;
}

/// Returns the error; empty if there is none.
OCRPIPE_DECL std::string csv_rows::read_header(std::size_t& line)
{
    while (window_.text().size() < 8 && window_.grow()) {
    }
    line = 1;
    if (std::string wrong = suspected_content(window_.text(), manifest_format::csv); !wrong.empty())
        return wrong;
    read_separator_line();
    choose_separator();
    std::string wrong;
    if (!read_record(line, wrong)) return "the manifest has no header that names its columns";
    return wrong.empty() ? map_columns() : wrong;
}

/// Consumes a line `sep=;` that tells Excel the separator.
OCRPIPE_DECL void csv_rows::read_separator_line()
{
    while (window_.text().size() < 16 && window_.text().find_first_of("\r\n") == std::string_view::npos &&
           window_.grow()) {
    }
    std::string_view const text = window_.text();
    std::string_view first = text.substr(0, text.find_first_of("\r\n"));
    std::size_t length = first.size();
    if (first.size() > 2 && first.starts_with('"') && first.ends_with('"'))
        first = first.substr(1, first.size() - 2);
    if (first.size() != 5 || lower_case(first.substr(0, 4)) != "sep=") return;
    if (first[4] != '\t' && std::string_view(",;|:^~!#$%&*+/").find(first[4]) == std::string_view::npos)
        return;
    separator_ = first[4];
    if (text.substr(length).starts_with("\r\n")) ++length;
    if (length < text.size()) ++length;
    window_.consume(length);
    line_ = 2;
}

/// Returns the separator that yields the most known names in the header, then the most columns.
OCRPIPE_DECL void csv_rows::choose_separator()
{
    if (line_ != 1) return;
    std::pair<std::ptrdiff_t, std::size_t> best{-1, 0};
    for (char const candidate : {separator_, ',', ';', '\t', '|'}) {
        std::vector<std::string> names;
        while (window_.text().size() <= max_record &&
               parse_csv_record(window_.text(), window_.at_end(), names, candidate).what ==
                   csv_record::outcome::incomplete &&
               window_.grow()) {
        }
        std::pair const score{std::count_if(names.begin(), names.end(),
                                            [](std::string const& n) { return column_key(n).has_value(); }),
                              names.size()};
        if (score <= best) continue;
        best = score;
        separator_ = candidate;
    }
}

OCRPIPE_DECL std::string csv_rows::map_columns()
{
    std::vector<std::size_t> columns;
    std::array<bool, manifest_key_names.size()> seen{};
    for (std::string const& field : fields_) {
        auto const key = column_key(field);
        columns.push_back(key ? static_cast<std::size_t>(*key) : unknown);
        if (key && std::exchange(seen[columns.back()], true))
            return fmt::format("the header names {} twice", name(*key));
    }
    if (!seen[static_cast<std::size_t>(manifest_key::path)] &&
        !seen[static_cast<std::size_t>(manifest_key::path_bytes)])
        return describe_missing_path();
    for (std::size_t i = 0; i != fields_.size(); ++i) {
        std::string_view const column = trimmed(fields_[i]);
        if (columns[i] != unknown || column.empty()) continue;
        auto const meant = resembled_key(column);
        if (meant && !seen[static_cast<std::size_t>(*meant)]) {
            has_misnamed_column = true;
            return misnamed("column", column, *meant);
        }
        ignored_.add(column);
    }
    columns_ = std::move(columns);
    return {};
}

OCRPIPE_DECL std::string csv_rows::describe_missing_path() const
{
    constexpr std::size_t max_shown = 12;
    std::string names;
    std::string candidate;
    for (std::size_t i = 0; i != std::min(fields_.size(), max_shown); ++i) {
        std::string shown = printable_excerpt(trimmed(fields_[i]), 64);
        if (shown.empty()) continue;
        if (candidate.empty() && resembles_path(fields_[i])) candidate = shown;
        (names += names.empty() ? "" : ", ") += shown;
    }
    if (fields_.size() > max_shown) names += ", ...";
    std::string out = fmt::format("the header has no column path, only: {}; ", names);
    if (!candidate.empty())
        out += fmt::format("rename the column {} to path if it names the files", candidate);
    else
        out += "the first line must name the columns: path, and if needed id, flow, doc_type, file_type";
    return out;
}

/// Reads the next non-blank record into fields_. Returns false at the end.
OCRPIPE_DECL bool csv_rows::read_record(std::size_t& line, std::string& wrong)
{
    using outcome = csv_record::outcome;
    for (;;) {
        if (given_up_ || (window_.text().empty() && !window_.grow() && !window_.error())) return false;
        line = line_;
        if (window_.error()) {
            wrong = window_.error().message();
            error_class = errc::unreadable_file;
            given_up_ = true;
            return true;
        }
        csv_record const r = parse_csv_record(window_.text(), window_.at_end(), fields_, separator_);
        std::string_view const taken =
            window_.text().substr(0, r.what == outcome::incomplete ? std::string_view::npos : r.consumed);
        // Whether a row is accepted depends only on its length, not on how much of it arrived at once.
        std::string_view row = taken;
        if (row.ends_with('\n')) row.remove_suffix(1);
        if (row.ends_with('\r')) row.remove_suffix(1);
        if (row.size() > max_record) {
            wrong = "the row is longer than 1 MiB";
            skip_line();
            return true;
        }
        if (r.what == outcome::incomplete) {
            window_.grow();
            continue;
        }
        line_ += line_ends_in(taken);
        window_.consume(r.consumed);
        if (r.what == outcome::broken) wrong = r.reason;
        bool const blank = std::all_of(fields_.begin(), fields_.end(),
                                       [](std::string const& field) { return trimmed(field).empty(); });
        if (!blank || !wrong.empty()) return true;
    }
}

OCRPIPE_DECL void csv_rows::skip_line()
{
    std::size_t end;
    while ((end = window_.text().find_first_of("\r\n")) == std::string_view::npos) {
        window_.consume(window_.text().size());
        if (!window_.grow()) return;
    }
    window_.consume(end);
    while (window_.text().size() < 2 && window_.grow()) {
    }
    window_.consume(window_.text().starts_with("\r\n") ? 2 : 1);
    ++line_;
}

} // namespace detail
} // namespace ocrpipe

#endif
