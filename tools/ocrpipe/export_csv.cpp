// export --csv: one row per document, one column per field.

#include <ocrpipe/api/ocr_result.hpp>

#include "csv_cells.hpp"
#include "export_command.hpp"
#include "output_file.hpp"
#include "remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

constexpr std::array<std::string_view, 9> fixed_columns{
    "path", "id", "request_id", "status", "recognized", "document", "document_id", "document_type", "text"};

/// Spreadsheets show no more columns than this, and an unusual result may have a distinct name for each
/// value.
constexpr std::size_t most_columns = 2'000;

void join(std::string& to, std::string_view text, std::string_view separator)
{
    if (text.empty()) return;
    if (!to.empty()) to += separator;
    to += text;
}

table_row row_of(ocr_document const& d)
{
    table_row row;
    row.document_id = d.id;
    row.document_type = d.type;
    // The words repeat the content of the other fields.
    bool const only_words =
        std::all_of(d.fields.begin(), d.fields.end(), [](ocr_field const& f) { return f.name == "words"; });
    std::unordered_map<std::string, std::size_t> places;
    for (ocr_field const& f : d.fields) {
        if (f.name == "words" && !only_words) continue;
        bool const is_text = f.name.empty() || f.name == "text";
        std::string values;
        for (ocr_value const& v : f.values)
            join(values, v.text, is_text ? "\n" : "; ");
        if (is_text) {
            join(row.text, values, "\n");
            continue;
        }
        bool const taken =
            std::find(fixed_columns.begin(), fixed_columns.end(), f.name) != fixed_columns.end();
        std::string name = taken ? "field." + f.name : f.name;
        auto const [place, is_new] = places.try_emplace(name, row.fields.size());
        if (is_new) row.fields.emplace_back(std::move(name), std::string());
        join(row.fields[place->second].second, values, "; ");
    }
    return row;
}

bool says_nothing(table_row const& row)
{
    return row.text.empty() && std::all_of(row.fields.begin(), row.fields.end(),
                                           [](auto const& field) { return field.second.empty(); });
}

/// The names of the fields' columns, in order of first appearance.
class columns
{
public:
    void add(table_row const& row)
    {
        for (auto const& [name, value] : row.fields) {
            if (places_.size() < most_columns)
                places_.try_emplace(name, places_.size());
            else if (!places_.contains(name))
                has_others_ = true;
        }
    }

    std::vector<std::string_view> names() const
    {
        std::vector<std::string_view> out(places_.size() + (has_others_ ? 1 : 0), "other_fields");
        for (auto const& [name, place] : places_)
            out[place] = name;
        return out;
    }

    /// The row's values, one per column.
    std::vector<std::string> values(table_row const& row) const
    {
        std::vector<std::string> out(places_.size() + (has_others_ ? 1 : 0));
        for (auto const& [name, value] : row.fields) {
            if (auto const place = places_.find(name); place != places_.end())
                out[place->second] = value;
            else if (has_others_)
                join(out.back(), name + ": " + value, "; ");
        }
        return out;
    }

    bool has_others() const noexcept { return has_others_; }

private:
    std::unordered_map<std::string, std::size_t> places_;
    bool has_others_ = false;
};

class csv_line
{
public:
    void cell(std::string_view text)
    {
        if (!std::exchange(first_, false)) text_ += ',';
        append_csv_cell(text_, text);
    }
    std::string_view ended() { return text_ += "\r\n"; }

private:
    std::string text_;
    bool first_ = true;
};

} // namespace

std::vector<table_row> table_rows(result_line const& line, response_profile const& profile)
{
    ocr_result const answer(line.request_id, std::string(line.result_json), completeness::whole, 0);
    std::vector<table_row> rows;
    for (ocr_document const& d : answer.documents(profile)) {
        rows.push_back(row_of(d));
        rows.back().document = std::to_string(rows.size());
    }
    if (rows.empty()) rows.emplace_back();
    // A format with unknown fields may still contain text.
    if (std::all_of(rows.begin(), rows.end(), says_nothing)) rows.front().text = answer.text(profile);
    return rows;
}

exit_code export_csv(exported_results& results, export_plan const& p, client_options const& options,
                     logger& log)
{
    columns all;
    result<void> read = results.for_each([&](result_line const& line) {
        for (table_row const& row : table_rows(line, options.profile))
            all.add(row);
        return true;
    });
    if (!read) return refuse(read.error(), "nothing was exported", log);
    if (all.has_others())
        log.write(message(level::warn, "many_fields",
                          fmt::format("there are more than {} different field names: the other fields are in "
                                      "the column other_fields",
                                      most_columns)));
    output_file out;
    if (error_code const ec = out.open(p.output)) return output_failed(p.output, ec, log);
    std::optional<exit_code> failed;
    auto const write = [&](std::string_view bytes) {
        if (error_code const ec = out.append(bytes)) failed = output_failed(p.output, ec, log);
        return !failed && out.is_of_use();
    };
    csv_line head;
    for (std::string_view const name : fixed_columns)
        head.cell(name);
    for (std::string_view const name : all.names())
        head.cell(name);
    // Without the byte order mark, Excel assumes another encoding.
    write("\xEF\xBB\xBF");
    write(head.ended());
    std::uint64_t rows = 0;
    read = results.for_each([&](result_line const& line) {
        for (table_row const& row : table_rows(line, options.profile)) {
            csv_line cells;
            for (std::string_view const text :
                 {std::string_view(line.path), std::string_view(line.id), std::string_view(line.request_id),
                  std::string_view(line.status), std::string_view(line.recognized ? "yes" : "no"),
                  std::string_view(row.document), std::string_view(row.document_id),
                  std::string_view(row.document_type), std::string_view(row.text)})
                cells.cell(text);
            for (std::string const& value : all.values(row))
                cells.cell(value);
            ++rows;
            if (!write(cells.ended())) return false;
        }
        return true;
    });
    if (!read) return refuse(read.error(), "the export ended early", log);
    if (failed) return *failed;
    if (error_code const ec = out.finish()) return output_failed(p.output, ec, log);
    log.write(message(level::info, "exported",
                      fmt::format("{} rows of {} results in {}", rows, results.count(),
                                  p.output == "-" ? "standard output" : p.output),
                      {{"rows", rows}, {"results", results.count()}}));
    return results.code();
}

} // namespace ocrpipe::cli
