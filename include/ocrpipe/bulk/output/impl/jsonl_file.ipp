#ifndef OCRPIPE_BULK_OUTPUT_IMPL_JSONL_FILE_IPP
#define OCRPIPE_BULK_OUTPUT_IMPL_JSONL_FILE_IPP

#include <ocrpipe/bulk/output/jsonl_file.hpp>
#include <ocrpipe/core/atomic_file.hpp>

#include <boost/system/errc.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ocrpipe
{
namespace detail
{

/// Returns the offset at which the last complete line of a file of `size` bytes ends.
inline error_code end_of_last_line(int fd, std::uint64_t size, std::uint64_t& end)
{
    std::array<char, 16 * 1024> block;
    for (end = size; end != 0;) {
        std::size_t const want = static_cast<std::size_t>(std::min<std::uint64_t>(end, block.size()));
        ::ssize_t const n = ::pread(fd, block.data(), want, static_cast<::off_t>(end - want));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno_code();
        std::string_view const text(block.data(), static_cast<std::size_t>(n));
        std::size_t const found = text.rfind('\n');
        if (found != std::string_view::npos) {
            end = end - want + found + 1;
            return {};
        }
        end -= want;
    }
    return {};
}

OCRPIPE_DECL error_code jsonl_file::open(std::string const& path)
{
    unique_fd fd(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
    struct ::stat status {
    };
    if (!fd || ::fstat(fd.get(), &status) != 0) return errno_code();
    regular_ = S_ISREG(status.st_mode);
    size_ = 0;
    if (regular_) {
        auto const size = static_cast<std::uint64_t>(status.st_size);
        if (error_code const ec = end_of_last_line(fd.get(), size, size_)) return ec;
        if (size_ != size && ::ftruncate(fd.get(), static_cast<::off_t>(size_)) != 0) return errno_code();
        std::size_t const slash = path.rfind('/');
        if (error_code const ec = sync_folder(slash == std::string::npos ? "." : path.substr(0, slash + 1)))
            return ec;
    }
    broken_ = unsynced_ = {};
    fd_ = std::move(fd);
    return {};
}

OCRPIPE_DECL error_code jsonl_file::append(std::string_view line)
{
    if (broken_) return broken_;
    std::size_t done = 0;
    while (done != line.size()) {
        ::ssize_t const n = ::write(fd_.get(), line.data() + done, line.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            error_code const ec = errno_code();
            if (done != 0 && (!regular_ || ::ftruncate(fd_.get(), static_cast<::off_t>(size_)) != 0))
                broken_ = ec;
            return ec;
        }
        done += static_cast<std::size_t>(n);
    }
    size_ += line.size();
    static_cast<void>(renew_room());
    return {};
}

OCRPIPE_DECL error_code jsonl_file::keep_room(std::uint64_t bytes)
{
    room_ = bytes;
    return renew_room();
}

OCRPIPE_DECL error_code jsonl_file::renew_room()
{
    if (!regular_ || room_ == 0 || size_ + room_ / 2 <= reserved_) return {};
    // Allocates blocks past the end of the file: its size does not change, so a crash leaves nothing visible
    // to readers.
    if (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<::off_t>(size_),
                    static_cast<::off_t>(room_)) != 0)
        return errno == EOPNOTSUPP || errno == ENOSYS ? error_code() : errno_code();
    reserved_ = size_ + room_;
    return {};
}

OCRPIPE_DECL error_code jsonl_file::sync()
{
    if (!regular_ || unsynced_) return unsynced_;
    struct ::stat status {
    };
    if (::fdatasync(fd_.get()) != 0 || ::fstat(fd_.get(), &status) != 0)
        unsynced_ = errno_code();
    else if (status.st_nlink == 0)
        unsynced_ = make_error_code(boost::system::errc::no_such_file_or_directory);
    return unsynced_;
}

} // namespace detail
} // namespace ocrpipe

#endif
