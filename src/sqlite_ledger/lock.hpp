#ifndef OCRPIPE_SRC_SQLITE_LEDGER_LOCK_HPP
#define OCRPIPE_SRC_SQLITE_LEDGER_LOCK_HPP

#include <ocrpipe/bulk/ledger/detail/file_system.hpp>
#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include "connection.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ocrpipe::detail
{

/// Locks a ledger for one process. The kernel holds the lock on the open file and releases it when the
/// process ends.
class ledger_lock
{
public:
    /// Errors: errc::ledger_in_use, errc::ledger_failed.
    result<void> acquire(std::string const& database)
    {
        std::string const path = path_of(database);
        unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
        if (!fd) return ledger_failure(path, errno_code());
        if (std::string_view const shared = file_system_of(fd.get()); !shared.empty())
            return ledger_failure(fmt::format("{} is on a network or shared file system ({}), where another "
                                              "machine could use the ledger too: keep it on a local disk",
                                              path, shared));
        if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK) return ledger_failure(path, errno_code());
            return failure(errc::ledger_in_use, phase::prepare,
                           fmt::format("{} is held by {}", path, holder(fd.get())));
        }
        // Lets holder_of() look without locking anything itself: asking for a flock would for a moment take
        // it from a run that is about to start.
        struct ::flock whole{};
        whole.l_type = F_WRLCK;
        ::fcntl(fd.get(), F_OFD_SETLK, &whole);
        // Used only to name this process, so a write error is ignored.
        std::string const pid = fmt::format("process {}\n", ::getpid());
        if (::ftruncate(fd.get(), 0) == 0) [[maybe_unused]]
            auto const written = ::pwrite(fd.get(), pid.data(), pid.size(), 0);
        fd_ = std::move(fd);
        return {};
    }

    // Do not remove the file: a process between open and flock would lock an unlinked file.
    void release() { fd_ = unique_fd(); }

    /// "process 4711", if a process holds the lock.
    static std::optional<std::string> holder_of(std::string const& database)
    {
        unique_fd const fd(::open(path_of(database).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        struct ::flock whole{};
        whole.l_type = F_RDLCK;
        if (!fd || ::fcntl(fd.get(), F_OFD_GETLK, &whole) != 0 || whole.l_type == F_UNLCK)
            return std::nullopt;
        return holder(fd.get());
    }

private:
    static std::string path_of(std::string const& database)
    {
        return (database.ends_with(".db") ? database.substr(0, database.size() - 3) : database) + ".lock";
    }

    static std::string_view file_system_of(int fd) noexcept
    {
        struct ::statfs disk{};
        struct ::stat file{};
        if (::fstatfs(fd, &disk) != 0 || ::fstat(fd, &file) != 0) return {};
        return shared_file_system(static_cast<std::uint32_t>(disk.f_type), file.st_dev);
    }

    static std::string holder(int fd)
    {
        std::array<char, 64> text;
        ::ssize_t const n = ::pread(fd, text.data(), text.size(), 0);
        std::string who(text.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
        who.resize(std::min(who.find('\n'), who.size()));
        return who.starts_with("process ") ? who : "another process";
    }

    unique_fd fd_;
};

} // namespace ocrpipe::detail

#endif
