// "jsonl" or "csv" with a seed on the first line, then the manifest. Whatever it holds: each row is an item
// or a problem at its line, the rows behind a broken one are still read, and no cut of the bytes changes a
// record.

#include <ocrpipe/bulk/source/detail/csv_record.hpp>
#include <ocrpipe/bulk/source/detail/manifest_columns.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/core/json_text.hpp>

#include "fuzz_input.hpp"
#include "support/temp_directory.hpp"

#include <algorithm>
#include <charconv>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

namespace
{

using namespace ocrpipe;

/// One document that rows can name, and beside it the manifest, which is kept in memory.
class playground
{
public:
    playground() : memory_(::memfd_create("manifest", MFD_CLOEXEC))
    {
        require(memory_ >= 0, "memfd_create");
        directory_.write("a.pdf", "%PDF-1.4");
        std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(memory_), manifest_path());
    }

    std::string manifest_path() const { return (directory_.path() / "manifest").string(); }

    void write(std::string_view text) const
    {
        bool const written = ::ftruncate(memory_, 0) == 0 && ::pwrite(memory_, text.data(), text.size(), 0) ==
                                                                 static_cast<::ssize_t>(text.size());
        require(written, "the manifest can be written");
    }

private:
    temp_directory directory_;
    int memory_;
};

std::vector<input> read_manifest(playground const& p, std::string_view text, manifest_format format)
{
    std::string const path = p.manifest_path();
    p.write(text);
    auto const notes = std::make_shared<source_notes>();
    manifest_source source(path, format, notes);
    std::vector<input> rows;
    std::size_t line_before = 0;
    while (auto row = source.next()) {
        if (auto const* problem = std::get_if<input_problem>(&*row)) {
            require(problem->code.failed() && !problem->message.empty(), "a problem says what is wrong");
            require(!has_control(problem->message), "a problem can be printed");
            require(problem->where.starts_with(path + ":"), "a problem names its manifest");
            std::size_t line = 0;
            char const* const last = problem->where.data() + problem->where.size();
            auto const parsed = std::from_chars(problem->where.data() + path.size() + 1, last, line);
            require(parsed.ptr == last && line >= 1, "a problem names its line");
            require(line > line_before, "lines are named in order, each once");
            auto const line_ends =
                std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r');
            require(line <= static_cast<std::size_t>(line_ends) + 1, "a line that is named is there");
            line_before = line;
        } else {
            input_item const& item = std::get<input_item>(*row);
            require(!item.id.empty() && !item.path.empty() && item.size != 0,
                    "an item has an id, a path and bytes");
            require(item.path.find('\0') == std::string::npos, "a path can be opened");
            require(detail::is_plain_text(item.flow) && detail::is_plain_text(item.doc_type),
                    "fields of the form are plain text");
        }
        rows.push_back(std::move(*row));
        require(rows.size() <= text.size() + 1, "a row takes bytes");
    }
    require(!source.next(), "the end is the end");
    for (source_notes::note const& n : notes->take())
        require(!has_control(n.text), "a note can be printed");
    std::string const misnamed = misnamed_column_in(path, format);
    require(!has_control(misnamed), "what is wrong with a name can be printed");
    bool const is_problem = std::any_of(rows.begin(), rows.end(), [](input const& row) {
        auto const* const p = std::get_if<input_problem>(&row);
        return p && p->message.find("resembles") != std::string::npos;
    });
    require(misnamed.empty() || is_problem, "what stops a run is not sent without it either");
    return rows;
}

struct taken_record {
    detail::csv_record::outcome what;
    std::size_t consumed;
    std::vector<std::string> fields;
    bool operator==(taken_record const&) const = default;
};

std::vector<taken_record> read_records(std::string_view text, cutter* cut, char separator)
{
    using outcome = detail::csv_record::outcome;
    std::vector<taken_record> records;
    std::size_t held = cut ? 0 : text.size();
    while (!text.empty()) {
        std::vector<std::string> fields;
        bool const last = held == text.size();
        auto const r = detail::parse_csv_record(text.substr(0, held), last, fields, separator);
        if (r.what == outcome::incomplete) {
            require(!last && cut, "nothing follows, so the record is complete or broken");
            held += cut->next(text.size() - held);
            continue;
        }
        require(r.consumed != 0 && r.consumed <= held, "a record takes bytes, no more than there are");
        require(r.what != outcome::broken || r.reason, "a broken record has a reason");
        if (r.what == outcome::broken) fields.clear(); // as far as it was read
        records.push_back({r.what, r.consumed, std::move(fields)});
        text.remove_prefix(r.consumed);
        held -= r.consumed;
        if (cut && held == 0 && !text.empty()) held = cut->next(text.size());
    }
    return records;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    static playground const here;
    fuzz_input input(data, size);
    fuzz_input head(input.line());
    bool const csv = head.word() == "csv";
    cutter cut(head.number());
    std::string const text(input.rest());
    std::vector<ocrpipe::input> const rows =
        read_manifest(here, text, csv ? manifest_format::csv : manifest_format::jsonl);
    if (csv) {
        // An open quote is looked for to the end of the text with every line: quadratic, which the window of
        // 1 MiB bounds.
        std::string_view const some = std::string_view(text).substr(0, 2048);
        char const separator = some.find(';') == std::string_view::npos ? ',' : ';';
        require(read_records(some, nullptr, separator) == read_records(some, &cut, separator),
                "the cuts do not change a record");
        return 0;
    }
    // Such a file is refused as a whole, or is not continued by a line of UTF-8.
    std::string_view const after_mark =
        std::string_view(text).substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    bool const is_wide = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
    auto const refused = [](std::string const& t) {
        return !detail::suspected_content(t, manifest_format::jsonl).empty();
    };
    std::string const start(after_mark);
    if (is_wide || refused(start) || refused(start + "\n{\"path\":\"a.pdf\",\"id\":\"the last\"}")) return 0;
    auto const more =
        read_manifest(here, text + "\n{\"path\":\"a.pdf\",\"id\":\"the last\"}", manifest_format::jsonl);
    require(more.size() == rows.size() + 1, "rows do not change the row behind them");
    auto const* const last = std::get_if<input_item>(&more.back());
    require(last && last->id == "the last", "a good row is read whatever stands before it");
    return 0;
}
