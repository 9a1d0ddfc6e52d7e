#ifndef OCRPIPE_CORE_UNIQUE_FD_HPP
#define OCRPIPE_CORE_UNIQUE_FD_HPP

#include <boost/system/error_code.hpp>

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace ocrpipe
{

/// Owns a file descriptor and closes it on destruction.
class unique_fd
{
public:
    unique_fd() = default;
    explicit unique_fd(int fd) noexcept : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
    unique_fd& operator=(unique_fd&& other) noexcept
    {
        unique_fd gone(std::move(other));
        std::swap(fd_, gone.fd_);
        return *this;
    }
    ~unique_fd()
    {
        if (fd_ >= 0) ::close(fd_);
    }

    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

inline boost::system::error_code errno_code() noexcept
{
    return boost::system::error_code(errno, boost::system::system_category());
}

} // namespace ocrpipe

#endif
