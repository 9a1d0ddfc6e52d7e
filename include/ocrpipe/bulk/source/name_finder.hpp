#ifndef OCRPIPE_BULK_SOURCE_NAME_FINDER_HPP
#define OCRPIPE_BULK_SOURCE_NAME_FINDER_HPP

#include <ocrpipe/core/config.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// `text` in Unicode's composed (NFC) or decomposed (NFD) form; nullopt if it is not UTF-8.
/// Source: Unicode Standard Annex 15.
OCRPIPE_DECL std::optional<std::string> composed(std::string_view text);
OCRPIPE_DECL std::optional<std::string> decomposed(std::string_view text);

/// Finds files whose names were typed in one Unicode normalization form but are stored on disk in another.
/// macOS decomposes letters, most other systems compose them, and both look the same.
///
/// Thread safety: one thread at a time.
/// Cost: two system calls for each part of the path whose name is not ASCII. A directory is listed only if a
/// name exists in neither form, and only once; only its names that are in neither form are cached.
class name_finder
{
public:
    struct found {
        std::string path;      ///< as stored on disk; empty if there is no such file
        std::string ambiguous; ///< why the match is ambiguous; else empty
    };

    /// Call this only if `path` itself does not exist.
    found find(std::string_view path);

private:
    using names = std::vector<std::pair<std::string, std::string>>; ///< composed form and name

    std::vector<std::string> alternatives(std::string const& folder, std::string_view name);
    names const& unnormalized_names(std::string const& folder);

    static constexpr std::size_t max_folders = 1024;
    std::unordered_map<std::string, names> folders_;
};

/// Returns `path` if it exists or has no match; otherwise the match that name_finder finds.
OCRPIPE_DECL std::string path_on_disk(std::string const& path);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/name_finder.ipp>
#endif

#endif
