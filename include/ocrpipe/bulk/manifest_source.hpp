#ifndef OCRPIPE_BULK_MANIFEST_SOURCE_HPP
#define OCRPIPE_BULK_MANIFEST_SOURCE_HPP

#include <ocrpipe/bulk/source.hpp>
#include <ocrpipe/config.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

enum class manifest_format {
    jsonl, ///< one JSON object a line
    csv,   ///< comma-separated values whose first record names the columns
};

/// The format by the name's ending, in any case: .jsonl and .ndjson, or .csv; nothing for other names.
OCRPIPE_DECL std::optional<manifest_format> manifest_format_of(std::string_view path) noexcept;

/// The documents that a manifest names, a row each.
///
/// Keys or columns: `path` is required; relative ones are relative to the manifest's folder. `id`, `flow`,
/// `doc_type` and `file_type` ("PDF", "IMAGE" or "detect", in any case) are optional, and empty or null is as
/// good as absent. Others are passed over, so that a failures.jsonl is a manifest. `path_bytes` and
/// `id_bytes`, percent-encoded, win over `path` and `id`, for names that are not UTF-8. In JSON an id may be
/// an integer.
///
/// A row that makes no sense is a problem at "manifest:line" and costs only itself: control characters in id,
/// flow or doc_type; another number of fields than columns; more than 1 MiB. Byte order mark, CRLF and blank
/// lines are tolerated.
///
/// Thread safety: one thread at a time.
class manifest_source final : public source
{
public:
    /// Opens nothing yet.
    manifest_source(std::string path, manifest_format format);
    ~manifest_source() override;

    std::optional<input> next() override;

private:
    class rows;
    class jsonl_rows;
    class csv_rows;

    std::string path_;
    std::string folder_;
    manifest_format format_;
    bool opened_ = false;
    std::unique_ptr<rows> rows_;
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/manifest_source.ipp>
#endif

#endif
