#ifndef OCRPIPE_BULK_OUTPUT_JSONL_FILE_HPP
#define OCRPIPE_BULK_OUTPUT_JSONL_FILE_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// A file to which lines are appended atomically: each is written completely or not at all.
class jsonl_file
{
public:
    /// Opens or creates (mode 0600) the file and makes its name durable. Removes an incomplete last line left
    /// by a crash.
    error_code open(std::string const& path);

    /// Writes a line, which must include its line break. After an error the file is truncated to its previous
    /// end; if even that fails, this and all later calls fail.
    error_code append(std::string_view line);

    /// Blocks until everything written is on disk. May be called from another thread concurrently with
    /// append(); it then covers only what was written before the call. Two calls must not overlap.
    ///
    /// Errors: a system error; no_such_file_or_directory if the file was removed or replaced since open().
    /// After an error all later calls fail: the kernel reports a lost write once, and the state on disk is
    /// unknown.
    error_code sync();

    /// Reserves at least half of `bytes` of disk space for future lines from now on, if the file system
    /// supports it, so that they can be written when the disk is full. append() renews the reservation while
    /// there is space.
    error_code keep_room(std::uint64_t bytes);

    std::uint64_t size() const noexcept { return size_; }

private:
    error_code renew_room();

    unique_fd fd_;
    bool regular_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t room_ = 0;
    std::uint64_t reserved_ = 0; ///< disk space is allocated for the file up to this byte
    error_code broken_;          ///< of append()
    error_code unsynced_;        ///< of sync()
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/jsonl_file.ipp>
#endif

#endif
