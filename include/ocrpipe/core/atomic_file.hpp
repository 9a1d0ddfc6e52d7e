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

/// When a new file is safe from a power cut. From the end of the process it is safe at once.
enum class durability { process, power };

/// Writes `folder`/`name` (mode 0600) under another name first, so that readers see the old file or the whole
/// new one.
OCRPIPE_DECL error_code write_file_atomically(std::string const& folder, std::string const& name,
                                              std::string_view bytes, durability d);

/// Writes bytes of a file over themselves and waits until they are on the disk. After a sync that failed, the
/// system shows them and takes them for written, and no later sync brings them to the disk.
OCRPIPE_DECL error_code write_again(std::string const& path, std::uint64_t from, std::uint64_t to);

/// Waits until the names in a folder are on the disk.
OCRPIPE_DECL error_code sync_folder(std::string const& folder);

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/core/impl/atomic_file.ipp>
#endif

#endif
