#include "support/failing_files.hpp"

#include <climits>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstddef>
#include <dlfcn.h>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace
{

std::atomic<failing_files*> active{nullptr};

bool fails(std::string_view path)
{
    failing_files* const files = active;
    if (!files || !path.starts_with(files->folder) || !files->fails()) return false;
    errno = EIO;
    return true;
}

bool fails(int fd)
{
    if (!active) return false;
    std::array<char, PATH_MAX> path{};
    std::string const link = "/proc/self/fd/" + std::to_string(fd);
    ::ssize_t const n = ::readlink(link.c_str(), path.data(), path.size());
    return n > 0 && fails(std::string_view(path.data(), static_cast<std::size_t>(n)));
}

template<class F>
F* next(char const* name)
{
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

int sync(char const* name, int fd)
{
    if (!active) return next<int(int)>(name)(fd);
    return fails(fd) ? -1 : 0;
}

} // namespace

failing_files::failing_files(std::string f, std::function<bool()> when)
    : folder(std::move(f)), fails(std::move(when))
{
    active = this;
}

failing_files::~failing_files() { active = nullptr; }

extern "C" {

::ssize_t write(int fd, void const* data, std::size_t size)
{
    static auto* const real = next<::ssize_t(int, void const*, std::size_t)>("write");
    return fails(fd) ? -1 : real(fd, data, size);
}

int fsync(int fd) { return sync("fsync", fd); }
int fdatasync(int fd) { return sync("fdatasync", fd); }
int syncfs(int fd) noexcept { return sync("syncfs", fd); }

int mkdir(char const* path, ::mode_t mode) noexcept
{
    static auto* const real = next<int(char const*, ::mode_t)>("mkdir");
    return fails(std::string_view(path)) ? -1 : real(path, mode);
}

int openat(int folder, char const* path, int flags, ...)
{
    static auto* const real = next<int(int, char const*, int, ...)>("openat");
    std::va_list rest;
    va_start(rest, flags);
    ::mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, ::mode_t) : 0;
    va_end(rest);
    return (flags & O_CREAT) != 0 && fails(folder) ? -1 : real(folder, path, flags, mode);
}

int renameat(int from_folder, char const* from, int to_folder, char const* to) noexcept
{
    static auto* const real = next<int(int, char const*, int, char const*)>("renameat");
    return fails(to_folder) ? -1 : real(from_folder, from, to_folder, to);
}

} // extern "C"
