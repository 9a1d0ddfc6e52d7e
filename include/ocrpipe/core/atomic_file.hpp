#ifndef OCRPIPE_CORE_ATOMIC_FILE_HPP
#define OCRPIPE_CORE_ATOMIC_FILE_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// What a new file must survive: the end of the process only, or a power cut too.
enum class durability { process, power };

/// Writes `folder`/`name` (mode 0600) through a temporary file and a rename, so that readers see either the
/// old file or the complete new one.
OCRPIPE_DECL error_code write_file_atomically(std::string const& folder, std::string const& name,
                                              std::string_view bytes, durability d);

/// Rewrites bytes [from, to) of a file in place and syncs them. After a failed fsync the kernel marks the
/// pages clean although they are not on disk, so a later fsync alone would not write them.
OCRPIPE_DECL error_code write_again(std::string const& path, std::uint64_t from, std::uint64_t to);

/// Syncs a directory, so that its entries are on disk.
OCRPIPE_DECL error_code sync_folder(std::string const& folder);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/atomic_file.ipp>
#endif

#endif
