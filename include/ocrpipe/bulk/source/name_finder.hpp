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

/// `text` in Unicode's composed (NFC) or decomposed (NFD) form; nothing when it is not UTF-8.
/// Source: Unicode Standard Annex 15.
OCRPIPE_DECL std::optional<std::string> composed(std::string_view text);
OCRPIPE_DECL std::optional<std::string> decomposed(std::string_view text);

/// Finds files whose names were typed in one Unicode normalization form and stand on the disk in another one:
/// a Mac decomposes letters, most other keyboards and programs compose them, and both look the same.
///
/// Thread safety: one thread at a time.
/// Cost: two system calls for each part of the path whose name is not ASCII. A directory is listed, once,
/// only when neither form of a name is there; of its names only those in neither form are kept.
class name_finder
{
public:
    struct found {
        std::string path;      ///< as it is on the disk; empty when there is no such file
        std::string ambiguous; ///< why there is no telling which one is meant; else empty
    };

    /// To be asked when `path` itself does not exist.
    found find(std::string_view path);

private:
    using names = std::vector<std::pair<std::string, std::string>>; ///< composed form and name

    std::vector<std::string> alternatives(std::string const& folder, std::string_view name);
    names const& names_in_no_form(std::string const& folder);

    static constexpr std::size_t max_folders = 1024;
    std::unordered_map<std::string, names> folders_;
};

/// `path` if it exists or nothing else is found, and otherwise what name_finder finds.
OCRPIPE_DECL std::string path_on_disk(std::string const& path);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/name_finder.ipp>
#endif

#endif
