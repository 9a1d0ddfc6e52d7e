#ifndef OCRPIPE_CORE_IMPL_ATOMIC_FILE_IPP
#define OCRPIPE_CORE_IMPL_ATOMIC_FILE_IPP

#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/unique_fd.hpp>
#include <ocrpipe/core/write_all.hpp>

#include <boost/system/errc.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <vector>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL error_code write_file_atomically(std::string const& folder, std::string const& name,
                                              std::string_view bytes, durability d)
{
    unique_fd const where(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!where) return errno_code();
    // The name is fixed, so that the next attempt overwrites a file left behind by a crash.
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

OCRPIPE_DECL error_code write_again(std::string const& path, std::uint64_t from, std::uint64_t to)
{
    unique_fd const fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return errno_code();
    std::vector<char> piece(std::min<std::uint64_t>(to - from, std::uint64_t(1) << 20));
    while (from != to) {
        auto const want = static_cast<std::size_t>(std::min<std::uint64_t>(to - from, piece.size()));
        ::ssize_t const n = ::pread(fd.get(), piece.data(), want, static_cast<::off_t>(from));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno_code();
        if (n == 0) return make_error_code(boost::system::errc::io_error);
        for (std::size_t done = 0; done != static_cast<std::size_t>(n);) {
            ::ssize_t const written =
                ::pwrite(fd.get(), piece.data() + done, static_cast<std::size_t>(n) - done,
                         static_cast<::off_t>(from + done));
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return errno_code();
            done += static_cast<std::size_t>(written);
        }
        from += static_cast<std::uint64_t>(n);
    }
    return ::fsync(fd.get()) == 0 ? error_code() : errno_code();
}

OCRPIPE_DECL error_code sync_folder(std::string const& folder)
{
    unique_fd const where(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return where && ::fsync(where.get()) == 0 ? error_code() : errno_code();
}

} // namespace detail
} // namespace ocrpipe

#endif
