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

constexpr std::string_view name(manifest_key k) noexcept
{
    return manifest_key_names[static_cast<std::size_t>(k)];
}

OCRPIPE_DECL std::string ascii_lower(std::string_view text);

/// Without the blanks around it.
OCRPIPE_DECL std::string_view trimmed(std::string_view text) noexcept;

/// The key that a column is called exactly: in any case, with blanks around it.
OCRPIPE_DECL std::optional<manifest_key> column_key(std::string_view column);

/// The key that a column's name was probably meant to be: the same word written otherwise, with a slip of the
/// fingers, or one of the names that people use for it. `path` is never among them, since a manifest without
/// it is refused anyway.
OCRPIPE_DECL std::optional<manifest_key> resembled_key(std::string_view column);

/// Whether a column is probably the one with the paths.
OCRPIPE_DECL bool resembles_path(std::string_view column);

/// What a person is told who gave a column the wrong name.
OCRPIPE_DECL std::string misnamed(std::string_view what, std::string_view column, manifest_key meant);

/// What the beginning of a file shows it to be when it is no manifest, and what to do; empty for a manifest.
OCRPIPE_DECL std::string suspected_content(std::string_view beginning, manifest_format format);

/// Columns or keys that a manifest has and that mean nothing here.
class ignored_columns
{
public:
    void add(std::string_view column);

    /// Names them, and in how many rows of how many they stood; empty when there are none.
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
