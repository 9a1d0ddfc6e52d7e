#ifndef OCRPIPE_BULK_SOURCE_MANIFEST_SOURCE_HPP
#define OCRPIPE_BULK_SOURCE_MANIFEST_SOURCE_HPP

#include <ocrpipe/bulk/source/name_finder.hpp>
#include <ocrpipe/bulk/source/source.hpp>
#include <ocrpipe/bulk/source/source_notes.hpp>
#include <ocrpipe/core/config.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

namespace detail
{
class manifest_rows;
}

enum class manifest_format {
    jsonl, ///< one JSON object a line
    csv,   ///< separated values whose first record names the columns
};

/// The format by the name's ending, in any case: .jsonl and .ndjson, or .csv and .tsv; nothing for other
/// names.
OCRPIPE_DECL std::optional<manifest_format> manifest_format_of(std::string_view path) noexcept;

/// What is wrong with a column or key whose name is not known and resembles a known one, such as `doctype`:
/// each document of the manifest would be read, and paid for, with the default. Empty when there is none, and
/// when the file cannot be read: manifest_source says so.
///
/// Reads the header of CSV, and all of JSONL; only regular files. manifest_source sends nothing of such a
/// manifest or row either, but it comes to it only after what stands before it.
/// Cost: about a second for a million rows of JSONL.
OCRPIPE_DECL std::string misnamed_column_in(std::string const& path, manifest_format format);

/// The documents that a manifest names, a row each.
///
/// Keys or columns: `path` is required; relative ones are relative to the manifest's folder. `id`, `flow`,
/// `doc_type` and `file_type` ("PDF", "IMAGE" or "detect", in any case) are optional, and empty or null is as
/// good as absent. `path_bytes` and `id_bytes`, percent-encoded, win over `path` and `id`, for names that are
/// not UTF-8. A failures.jsonl is a manifest, too. In JSON an id may be an integer, and keys are in lower
/// case. A path that differs from the one on the disk only in its Unicode normalization is found; the
/// document's default id is the path as it stands here.
///
/// Columns with other names mean nothing and are named once, keys at the manifest's end. But one that
/// resembles a known name which is not there makes the whole CSV, or the JSONL row, a problem.
///
/// Text is UTF-8, or UTF-16 with a byte order mark. Lines end with LF, CRLF or CR. CSV is separated by comma,
/// semicolon, tab or vertical bar, as the header or a line `sep=` before it shows. Blank lines, and rows of
/// nothing but separators, are passed over; missing fields at a row's end are empty.
///
/// A row that makes no sense is a problem at "manifest:line" and costs only itself: control characters in id,
/// flow or doc_type; more fields than columns, unless they are blank; more than 1 MiB. A file that is no
/// manifest at all is one problem, which says what the file looks like.
///
/// Thread safety: one thread at a time.
class manifest_source final : public source
{
public:
    /// Opens nothing yet. `notes` is told of unknown columns; may be null.
    manifest_source(std::string path, manifest_format format, std::shared_ptr<source_notes> notes = nullptr);
    ~manifest_source() override;

    std::optional<input> next() override;

private:
    std::string path_;
    std::string folder_;
    manifest_format format_;
    std::shared_ptr<source_notes> notes_;
    bool opened_ = false;
    std::unique_ptr<detail::manifest_rows> rows_;
    detail::name_finder finder_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/manifest_source.ipp>
#endif

#endif
