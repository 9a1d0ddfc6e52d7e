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
    jsonl, ///< one JSON object per line
    csv,   ///< delimiter-separated values; the first record names the columns
};

/// Returns the format for a file extension, ignoring case: .jsonl and .ndjson, or .csv and .tsv; nullopt for
/// any other.
OCRPIPE_DECL std::optional<manifest_format> manifest_format_of(std::string_view path) noexcept;

/// Checks a manifest for an unknown column or key that resembles a known one, such as `doctype`: otherwise
/// each document would be read, and paid for, with the default. Returns a description of the problem; empty
/// if there is none, or if the file cannot be read, which manifest_source reports.
///
/// Reads only the header of a CSV file, but all of a JSONL file; only regular files are checked.
/// manifest_source rejects such a manifest or row too, but only after it has yielded the rows before it.
/// Cost: about a second for a million rows of JSONL.
OCRPIPE_DECL std::string misnamed_column_in(std::string const& path, manifest_format format);

/// Yields the documents listed in a manifest, one per row.
///
/// Keys or columns: `path` is required; a relative path is relative to the manifest's folder. `id`, `flow`,
/// `doc_type` and `file_type` ("PDF", "IMAGE" or "detect", ignoring case) are optional; empty or null means
/// absent. `path_bytes` and `id_bytes`, percent-encoded, take precedence over `path` and `id`, for names that
/// are not UTF-8. failures.jsonl is itself a valid manifest. In JSON, an id may be an integer, and keys must
/// be in lower case. A path that differs from the one on disk only in its Unicode normalization is found; the
/// document's default id is the path as written in the manifest.
///
/// Unknown columns or keys are ignored and noted once; keys at the end of the manifest. However, if an
/// unknown name resembles a known one that is missing, the whole CSV file, or the JSONL row, is a problem.
///
/// Text is UTF-8, or UTF-16 with a byte order mark. Lines end with LF, CRLF or CR. The CSV separator (comma,
/// semicolon, tab or vertical bar) is detected from the header or from a `sep=` line before it. Blank lines
/// and rows with only separators are skipped; missing fields at the end of a row are empty.
///
/// An invalid row is a problem at "manifest:line" and does not affect other rows: control characters in id,
/// flow or doc_type; more fields than columns, unless they are blank; longer than 1 MiB. A file that is not a
/// manifest at all is one problem, which says what the file looks like.
///
/// Thread safety: one thread at a time.
class manifest_source final : public source
{
public:
    /// Does not open the file yet. Unknown columns are reported to `notes`, which may be null.
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
