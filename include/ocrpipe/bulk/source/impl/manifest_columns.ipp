#ifndef OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_COLUMNS_IPP
#define OCRPIPE_BULK_SOURCE_IMPL_MANIFEST_COLUMNS_IPP

#include <ocrpipe/bulk/source/detail/manifest_columns.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/words.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <utf8proc.h>
#include <vector>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL std::string_view trimmed(std::string_view text) noexcept
{
    std::size_t const begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

OCRPIPE_DECL std::optional<manifest_key> column_key(std::string_view column)
{
    auto const& names = manifest_key_names;
    auto const found = std::find(names.begin(), names.end(), lower_case(trimmed(column)));
    if (found == names.end()) return std::nullopt;
    return static_cast<manifest_key>(found - names.begin());
}

/// Letters and digits alone, in lower case and without accents, so that "Doc Type", "docType" and "doc-type"
/// compare equal.
inline std::string word_of(std::string_view column)
{
    ::utf8proc_uint8_t* mapped = nullptr;
    ::utf8proc_ssize_t const n = ::utf8proc_map(
        reinterpret_cast<::utf8proc_uint8_t const*>(column.data()),
        static_cast<::utf8proc_ssize_t>(column.size()), &mapped,
        static_cast<::utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE |
                                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STRIPMARK));
    std::unique_ptr<void, void (*)(void*)> const owner(mapped, &std::free);
    std::string const plain =
        n < 0 ? lower_case(column)
              : std::string(reinterpret_cast<char const*>(mapped), static_cast<std::size_t>(n));
    std::string out;
    for (std::size_t i = 0; i != plain.size(); ++i) {
        char const c = plain[i];
        // The Vietnamese letter đ does not decompose into d and an accent.
        if (plain.compare(i, 2, "\xC4\x91") == 0) {
            out += 'd';
            ++i;
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                   static_cast<unsigned char>(c) >= 0x80) {
            out += c;
        }
    }
    return out;
}

/// Counts insertions, deletions, replacements and swaps of adjacent letters.
inline std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t(0));
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t k = 1; k <= b.size(); ++k) {
            row[k] = std::min({last[k] + 1, row[k - 1] + 1, last[k - 1] + (a[i - 1] != b[k - 1])});
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = std::min(row[k], before[k - 2] + 1);
        }
        std::swap(before, last);
        std::swap(last, row);
    }
    return last[b.size()];
}

/// Whether `word` is a likely typo. Short words, and some real words, are close by chance: "low" is not
/// "flow", and "mimetype" is not "filetype".
inline bool is_typo(std::string_view word, std::string_view known)
{
    if (word.empty() || word.size() > known.size() + 2) return false;
    bool const same_beginning = word.front() == known.front();
    std::size_t const d = edit_distance(word, known);
    if (d <= 1) return d == 0 || known.size() >= 6 || same_beginning;
    return d == 2 && known.size() >= 7 && same_beginning && !word.ends_with("time");
}

struct synonym {
    std::string_view word;
    manifest_key means;
};

/// Common names for these columns in other programs.
inline constexpr synonym synonyms[] = {
    {"type", manifest_key::doc_type},          {"documenttype", manifest_key::doc_type},
    {"documenttypes", manifest_key::doc_type}, {"documentstype", manifest_key::doc_type},
    {"typedocument", manifest_key::doc_type},  {"typeofdocument", manifest_key::doc_type},
    {"typedoc", manifest_key::doc_type},       {"typeofdoc", manifest_key::doc_type},
    {"doctypeid", manifest_key::doc_type},     {"doctypename", manifest_key::doc_type},
    {"dockind", manifest_key::doc_type},       {"documentkind", manifest_key::doc_type},
    {"docclass", manifest_key::doc_type},      {"documentclass", manifest_key::doc_type},
    {"loaitailieu", manifest_key::doc_type},   {"loaichungtu", manifest_key::doc_type},
    {"loaihoso", manifest_key::doc_type},      {"loaigiayto", manifest_key::doc_type},
    {"loaivanban", manifest_key::doc_type},    {"flowid", manifest_key::flow},
    {"flowname", manifest_key::flow},          {"workflow", manifest_key::flow},
    {"workflowid", manifest_key::flow},        {"luong", manifest_key::flow},
    {"luongxuly", manifest_key::flow},         {"typefile", manifest_key::file_type},
    {"typeoffile", manifest_key::file_type},   {"loaitep", manifest_key::file_type},
    {"loaifile", manifest_key::file_type},
};

inline constexpr std::string_view path_synonyms[] = {
    "path",         "paths",        "file",     "files",     "filename",   "filenames", "filepath",
    "filepaths",    "fullpath",     "document", "documents", "doc",        "pdf",       "image",
    "name",         "location",     "duongdan", "tep",       "tentep",     "tenfile",   "duongdantep",
    "duongdanfile", "documentpath", "docpath",  "pathname",  "pathtofile", "source",    "input"};

OCRPIPE_DECL std::optional<manifest_key> resembled_key(std::string_view column)
{
    using enum manifest_key;
    std::string const word = word_of(column);
    // Typical names of database keys.
    if (word == "id" && trimmed(column).starts_with('_')) return std::nullopt;
    for (synonym const& s : synonyms)
        if (word == s.word) return s.means;
    for (manifest_key const k : {doc_type, file_type, flow})
        if (is_typo(word, word_of(name(k)))) return k;
    // "requested" and "requester" are real words, not typos.
    for (manifest_key const k : {request_id, id, path_bytes, id_bytes})
        if (word == word_of(name(k))) return k;
    return std::nullopt;
}

OCRPIPE_DECL bool resembles_path(std::string_view column)
{
    std::string const word = word_of(column);
    return std::find(std::begin(path_synonyms), std::end(path_synonyms), word) != std::end(path_synonyms) ||
           is_typo(word, "path") || is_typo(word, "filename");
}

OCRPIPE_DECL std::string misnamed(std::string_view what, std::string_view column, manifest_key meant)
{
    std::string_view const consequence = meant == manifest_key::id || meant == manifest_key::request_id ||
                                                 meant == manifest_key::path_bytes ||
                                                 meant == manifest_key::id_bytes
                                             ? "without it"
                                             : "with the default";
    return fmt::format(
        "the {0} {1} is unknown and resembles {2}: rename it to {2}, or to something less similar if it "
        "means something else; nothing is sent, because you would pay for documents read {3}",
        what, printable_excerpt(column, 64), name(meant), consequence);
}

OCRPIPE_DECL std::string suspected_content(std::string_view beginning, manifest_format format)
{
    struct signature {
        std::string_view bytes;
        std::string_view looks_like;
    };
    using namespace std::string_view_literals;
    static constexpr signature signatures[] = {
        {"PK\x03\x04"sv, "an Excel or LibreOffice workbook, or a ZIP file: save it as CSV in UTF-8"},
        {"\xD0\xCF\x11\xE0"sv, "an old Excel workbook: save it as CSV in UTF-8"},
        {"%PDF-"sv, "a PDF: if it is a document, give it a name that ends in .pdf"},
        {"\x89PNG"sv, "an image: if it is a document, give it a name that ends in .png"},
        {"\xFF\xD8\xFF"sv, "an image: if it is a document, give it a name that ends in .jpg"},
        {"II*\0"sv, "an image: if it is a document, give it a name that ends in .tif"},
        {"MM\0*"sv, "an image: if it is a document, give it a name that ends in .tif"},
        {"GIF8"sv, "an image"},
        {"\x1F\x8B"sv, "a compressed file: unpack it first"},
        {"\x28\xB5\x2F\xFD"sv, "a compressed file: unpack it first"},
        {"\xFD"
         "7zXZ"sv,
         "a compressed file: unpack it first"},
        {"BZh"sv, "a compressed file: unpack it first"},
        {"7z\xBC\xAF"sv, "a compressed file: unpack it first"},
        {"PAR1"sv, "a Parquet file: save it as CSV or JSONL"},
        {"SQLite format 3"sv, "a database: save a table of it as CSV or JSONL"},
        {"{\\rtf"sv, "a text document: save it as plain text"},
    };
    for (signature const& s : signatures)
        if (beginning.starts_with(s.bytes)) return fmt::format("this looks like {}", s.looks_like);

    std::string_view const head = beginning.substr(0, 4096);
    if (std::size_t const nuls = static_cast<std::size_t>(std::count(head.begin(), head.end(), '\0'))) {
        // In UTF-16, every other byte of ASCII text is zero.
        bool const utf16 = nuls * 3 >= head.size() && nuls * 3 <= head.size() * 2 + 3;
        return utf16 ? "this looks like UTF-16 without a byte order mark, or UTF-32: save it as UTF-8"
                     : "this is binary data, not text: give a CSV or JSONL file in UTF-8";
    }
    std::string_view const text = trimmed(head);
    std::string const lower = lower_case(text.substr(0, 64));
    if (lower.starts_with("<!doctype html") || lower.starts_with("<html"))
        return "this looks like a web page: it may be an error page that was saved instead of the manifest";
    if (lower.starts_with("<?xml") || lower.starts_with("<!--"))
        return "this looks like XML: save it as CSV or JSONL";
    if (format == manifest_format::jsonl) {
        if (text.starts_with('[') && (trimmed(text.substr(1)).starts_with('{') || trimmed(text) == "["))
            return "this looks like one JSON array: write one object per line, as jq -c '.[]' does";
        if (std::string_view const first = text.substr(0, text.find_first_of("\r\n"));
            trimmed(first) == "{" || first.find("path") < first.find_first_of("{[")) {
            if (trimmed(first) == "{")
                return "this looks like JSON over several lines: write one object per line, as jq -c . does";
            if (!first.starts_with('"') || first.find(':') == std::string_view::npos)
                return "this looks like CSV: give it a name that ends in .csv";
        }
        return {};
    }
    if (text.starts_with('{') || text.starts_with("[{"))
        return "this looks like JSON: if there is one object per line, give it a name that ends in .jsonl";
    return {};
}

OCRPIPE_DECL void ignored_columns::add(std::string_view column)
{
    if (auto const known = rows_by_name_.find(column); known != rows_by_name_.end())
        ++known->second;
    else if (rows_by_name_.size() < max_names)
        rows_by_name_.emplace(column, 1);
    else
        more_ = true;
}

OCRPIPE_DECL std::string ignored_columns::summary(std::string_view what, std::uint64_t rows) const
{
    if (rows_by_name_.empty()) return {};
    std::string out;
    std::size_t shown = 0;
    for (auto const& [name, count] : rows_by_name_) {
        if (shown++ == max_shown) break;
        out += out.empty() ? "" : ", ";
        out += printable_excerpt(name, 64);
        if (count < rows) out += fmt::format(" (in {} of {} rows)", count, rows);
    }
    if (rows_by_name_.size() > max_shown)
        out += fmt::format(" and {}{} more", more_ ? "at least " : "", rows_by_name_.size() - max_shown);
    return fmt::format("these {} are not used: {}; known are path, id, flow, doc_type, file_type", what, out);
}

} // namespace detail
} // namespace ocrpipe

#endif
