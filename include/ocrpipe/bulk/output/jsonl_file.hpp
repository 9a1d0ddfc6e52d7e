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

/// A file to which whole lines are appended: each is there entirely or not at all.
class jsonl_file
{
public:
    /// Opens or creates (mode 0600), so that its name outlives a power cut. A last line without its end, left
    /// by a crash, is cut away.
    error_code open(std::string const& path);

    /// Writes a line that brings its own line break. After an error the file ends where it did before; when
    /// not even that can be brought about, this and all later calls fail.
    error_code append(std::string_view line);

    /// Waits until what was written is on the disk. May be called beside append() from another thread, and
    /// then speaks of what was written before.
    error_code sync();

    /// From now on keeps at least half of so many bytes of the disk free for lines to come, where the file
    /// system can, so that they can be written when the disk is full. Appending renews it while there is
    /// room.
    error_code keep_room(std::uint64_t bytes);

    std::uint64_t size() const noexcept { return size_; }

private:
    error_code renew_room();

    unique_fd fd_;
    bool regular_ = false;
    std::uint64_t size_ = 0;
    std::uint64_t room_ = 0;
    std::uint64_t reserved_ = 0; ///< the disk holds room for the file up to this byte
    error_code broken_;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/jsonl_file.ipp>
#endif

#endif
