#ifndef OCRPIPE_BULK_SOURCE_DETAIL_MANIFEST_COLUMNS_HPP
#define OCRPIPE_BULK_SOURCE_DETAIL_MANIFEST_COLUMNS_HPP

#include <ocrpipe/core/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{

enum class manifest_format;

namespace detail
{

/// The known keys of a manifest.
enum class manifest_key {
    path,
    path_bytes,
    id,
    id_bytes,
    flow,
    doc_type,
    file_type,
    request_id, ///< these three appear in failures.jsonl
    failure_class,
    sha256
};

inline constexpr std::array<std::string_view, 10> manifest_key_names{
    "path", "path_bytes", "id", "id_bytes", "flow", "doc_type", "file_type", "request_id", "class", "sha256"};

constexpr std::string_view name(manifest_key k) noexcept
{
    return manifest_key_names[static_cast<std::size_t>(k)];
}

/// Trims blanks.
OCRPIPE_DECL std::string_view trimmed(std::string_view text) noexcept;

/// Returns the key with exactly this name, ignoring case and surrounding blanks.
OCRPIPE_DECL std::optional<manifest_key> column_key(std::string_view column);

/// Returns the key that a column name probably means: a different spelling, a typo, or a common synonym.
/// Never `path`, because a manifest without it is rejected anyway.
OCRPIPE_DECL std::optional<manifest_key> resembled_key(std::string_view column);

/// Whether a column probably contains the paths.
OCRPIPE_DECL bool resembles_path(std::string_view column);

/// Error message for a misnamed column.
OCRPIPE_DECL std::string misnamed(std::string_view what, std::string_view column, manifest_key meant);

/// Detects from the first bytes that a file is not a manifest. Returns what it is and what to do; empty for a
/// manifest.
OCRPIPE_DECL std::string suspected_content(std::string_view beginning, manifest_format format);

/// The unknown columns or keys of a manifest.
class ignored_columns
{
public:
    void add(std::string_view column);

    /// Lists them, with the number of rows that contain them and the total; empty if there are none.
    std::string summary(std::string_view what, std::uint64_t rows) const;

private:
    static constexpr std::size_t max_names = 256;
    static constexpr std::size_t max_shown = 12;
    std::map<std::string, std::uint64_t, std::less<>> rows_by_name_;
    bool more_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/manifest_columns.ipp>
#endif

#endif
