#ifndef OCRPIPE_BULK_IMPL_ATOMIC_FILE_IPP
#define OCRPIPE_BULK_IMPL_ATOMIC_FILE_IPP

#include <ocrpipe/bulk/detail/atomic_file.hpp>
#include <ocrpipe/bulk/detail/unique_fd.hpp>

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace ocrpipe
{
namespace detail
{

inline error_code write_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        ::ssize_t const n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno_code();
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

OCRPIPE_DECL error_code write_file_atomically(std::string const& folder, std::string const& name,
                                              std::string_view bytes, durability d)
{
    unique_fd const where(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!where) return errno_code();
    // The name is always the same, so that what a crash leaves is overwritten by the next attempt.
    std::string const draft = "." + name + ".tmp";
    error_code ec;
    {
        unique_fd const fd(::openat(where.get(), draft.c_str(),
                                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!fd) return errno_code();
        ec = write_all(fd.get(), bytes);
        if (!ec && d == durability::power && ::fsync(fd.get()) != 0) ec = errno_code();
    }
    if (!ec && ::renameat(where.get(), draft.c_str(), where.get(), name.c_str()) != 0) ec = errno_code();
    if (ec)
        ::unlinkat(where.get(), draft.c_str(), 0);
    else if (d == durability::power && ::fsync(where.get()) != 0)
        ec = errno_code();
    return ec;
}

OCRPIPE_DECL error_code sync_folder(std::string const& folder)
{
    unique_fd const where(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return where && ::fsync(where.get()) == 0 ? error_code() : errno_code();
}

} // namespace detail
} // namespace ocrpipe

#endif
