// A library for LD_PRELOAD that stands between a program and the files of one folder: it writes down what is
// changed and synced, and what is sent meanwhile, and does the one wrong thing that it is told to. For tests
// on the real binary, SQLite's files included.
//
// FAULT_FILES_FOLDER: changes of files in it (not deeper) are noted and counted, from 0.
//
// FAULT_FILES_LOG: where they are noted, in the order in which they took effect:
// "OP ERRNO OFFSET LENGTH NAME\n", LENGTH bytes, "\n".
//
// FAULT_FILES_FAULT: "N HOW" or "N HOW OP NAME": what happens at the N-th change, or the N-th of that kind.
// kill: the process ends when it is done; tear: when half of it is done; an errno's number: it fails, a write
// after half of its bytes; a sync fails without making anything safe.
//
// Syncs are noted, not performed: they take long and nobody cuts the power. Memory that is mapped is not
// seen: SQLite's -shm is rebuilt after a crash.

#include <climits>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace
{

constexpr int kill_after = -1;
constexpr int tear = -2;
constexpr std::size_t bytes_of_a_send = 4096; // enough for a small request

template<class F>
F* next(char const* name)
{
    return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

std::string variable(char const* name)
{
    char const* const value = std::getenv(name);
    return value ? value : "";
}

class recorder
{
public:
    static recorder& get()
    {
        static recorder r;
        return r;
    }

    /// The name of a file in the folder; empty for others.
    std::string name_of(std::string_view path) const
    {
        if (folder_.empty() || path.size() <= folder_.size() + 1 || !path.starts_with(folder_) ||
            path[folder_.size()] != '/')
            return {};
        std::string_view const name = path.substr(folder_.size() + 1);
        bool const derived = name.ends_with("-shm") || name.ends_with(".lock");
        return derived || name.find('/') != std::string_view::npos ? std::string() : std::string(name);
    }
    std::string name_of(int fd) const
    {
        char path[PATH_MAX];
        char link[64];
        std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ::ssize_t const n = ::readlink(link, path, sizeof path);
        if (n <= 0) return {};
        std::string_view const found(path, static_cast<std::size_t>(n));
        return found == folder_ ? "." : name_of(found);
    }
    std::string name_at(int folder, char const* path) const
    {
        if (path[0] == '/' || folder == AT_FDCWD) return name_of(std::string_view(path));
        return name_of(folder) == "." ? std::string(path) : std::string();
    }

    struct change {
        char const* op;
        std::string name;
        ::off_t offset = 0;
        std::string_view bytes = {};
    };

    /// Notes a change that `perform(share)` makes, of which `share` says how many bytes; does what is to go
    /// wrong.
    template<class Perform>
    ::ssize_t make(change c, Perform perform)
    {
        std::lock_guard const lock(mutex_);
        std::size_t const half = c.bytes.size() / 2;
        int how = 0;
        if (c.name == failing_ && c.op == std::string_view("write")) {
            // The rest of a write that had been short.
            how = error_;
            failing_.clear();
            note(c.op, how, c.offset, c.name, {});
            errno = how;
            return -1;
        }
        bool const counts = fault_op_.empty() || (c.op == fault_op_ && c.name == fault_name_);
        if (counts && fault_at_ == count_++) how = fault_;
        if (how > 0) {
            error_ = how;
            if (half != 0) {
                failing_ = c.name;
                note(c.op, 0, c.offset, c.name, c.bytes.substr(0, half));
                return perform(half);
            }
            note(c.op, how, c.offset, c.name, {});
            errno = how;
            return -1;
        }
        if (how == tear) {
            if (half != 0) perform(half);
            end();
        }
        ::ssize_t const done = perform(c.bytes.size());
        int const error = done < 0 ? errno : 0;
        note(c.op, error, c.offset, c.name,
             done > 0 ? c.bytes.substr(0, static_cast<std::size_t>(done)) : std::string_view());
        if (how == kill_after) end();
        errno = error;
        return done;
    }

    /// Notes what goes out, before it does.
    void sending(std::string_view bytes)
    {
        std::lock_guard const lock(mutex_);
        note("send", 0, 0, "socket", bytes.substr(0, bytes_of_a_send));
    }

private:
    recorder() : folder_(variable("FAULT_FILES_FOLDER"))
    {
        std::string const log = variable("FAULT_FILES_LOG");
        if (!log.empty())
            log_ = static_cast<int>(::syscall(SYS_openat, AT_FDCWD, log.c_str(),
                                              O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        std::istringstream fault(variable("FAULT_FILES_FAULT"));
        std::string how;
        if (!(fault >> fault_at_ >> how)) return;
        fault_ = how == "kill" ? kill_after : how == "tear" ? tear : std::atoi(how.c_str());
        fault >> fault_op_ >> fault_name_;
    }

    void note(char const* op, int error, ::off_t offset, std::string const& name,
              std::string_view bytes) const
    {
        if (log_ < 0) return;
        std::string line = std::string(op) + ' ' + std::to_string(error) + ' ' + std::to_string(offset) +
                           ' ' + std::to_string(bytes.size()) + ' ' + name + '\n';
        line += bytes;
        line += '\n';
        static_cast<void>(::syscall(SYS_write, log_, line.data(), line.size()));
    }

    [[noreturn]] static void end()
    {
        ::kill(::getpid(), SIGKILL);
        for (;;)
            ::pause();
    }

    std::string const folder_;
    int log_ = -1;
    std::mutex mutex_;
    unsigned long count_ = 0;
    unsigned long fault_at_ = ULONG_MAX;
    int fault_ = 0;
    std::string fault_op_;
    std::string fault_name_;
    int error_ = 0;
    std::string failing_; // whose last write was cut short
};

bool is_socket(int fd)
{
    struct ::stat status {
    };
    return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

::off_t place(int fd)
{
    struct ::stat status {
    };
    if ((::fcntl(fd, F_GETFL) & O_APPEND) != 0 && ::fstat(fd, &status) == 0) return status.st_size;
    return ::lseek(fd, 0, SEEK_CUR);
}

int sync_file(int fd, char const* op)
{
    std::string name = recorder::get().name_of(fd);
    if (name.empty()) return 0;
    return static_cast<int>(recorder::get().make({op, std::move(name)}, [](std::size_t) { return 0; }));
}

template<class Open>
int open_file(std::string const& name, char const* path, int folder, int flags, Open open)
{
    bool const exists = ::faccessat(folder, path, F_OK, 0) == 0;
    bool const emptied = exists && (flags & O_TRUNC) != 0;
    if (name.empty() || (!emptied && (exists || (flags & O_CREAT) == 0))) return open();
    return static_cast<int>(
        recorder::get().make({emptied ? "truncate" : "create", name}, [&](std::size_t) { return open(); }));
}

} // namespace

extern "C" {

::ssize_t write(int fd, void const* data, std::size_t size)
{
    auto* const real = next<::ssize_t(int, void const*, std::size_t)>("write");
    std::string_view const bytes(static_cast<char const*>(data), size);
    std::string name = recorder::get().name_of(fd);
    if (name.empty()) {
        if (is_socket(fd)) recorder::get().sending(bytes);
        return real(fd, data, size);
    }
    return recorder::get().make({"write", std::move(name), place(fd), bytes},
                                [&](std::size_t n) { return real(fd, data, n); });
}

::ssize_t pwrite64(int fd, void const* data, std::size_t size, ::off_t offset)
{
    auto* const real = next<::ssize_t(int, void const*, std::size_t, ::off_t)>("pwrite64");
    std::string name = recorder::get().name_of(fd);
    if (name.empty()) return real(fd, data, size, offset);
    return recorder::get().make({"write", std::move(name), offset, {static_cast<char const*>(data), size}},
                                [&](std::size_t n) { return real(fd, data, n, offset); });
}

::ssize_t pwrite(int fd, void const* data, std::size_t size, ::off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

int ftruncate64(int fd, ::off_t size)
{
    auto* const real = next<int(int, ::off_t)>("ftruncate64");
    std::string name = recorder::get().name_of(fd);
    if (name.empty()) return real(fd, size);
    return static_cast<int>(recorder::get().make({"truncate", std::move(name), size},
                                                 [&](std::size_t) { return real(fd, size); }));
}

int ftruncate(int fd, ::off_t size) { return ftruncate64(fd, size); }

int truncate(char const* path, ::off_t size) noexcept
{
    auto* const real = next<int(char const*, ::off_t)>("truncate");
    std::string name = recorder::get().name_of(std::string_view(path));
    if (name.empty()) return real(path, size);
    return static_cast<int>(recorder::get().make({"truncate", std::move(name), size},
                                                 [&](std::size_t) { return real(path, size); }));
}

int fsync(int fd) { return sync_file(fd, "sync"); }
int fdatasync(int fd) { return sync_file(fd, "sync"); }
int syncfs(int fd) noexcept { return sync_file(fd, "syncfs"); }

int rename(char const* from, char const* to) noexcept
{
    auto* const real = next<int(char const*, char const*)>("rename");
    std::string name = recorder::get().name_of(std::string_view(to));
    if (name.empty()) return real(from, to);
    std::string const before = recorder::get().name_of(std::string_view(from));
    return static_cast<int>(
        recorder::get().make({"rename", before + ' ' + name}, [&](std::size_t) { return real(from, to); }));
}

int renameat(int from_folder, char const* from, int to_folder, char const* to) noexcept
{
    auto* const real = next<int(int, char const*, int, char const*)>("renameat");
    std::string name = recorder::get().name_at(to_folder, to);
    if (name.empty()) return real(from_folder, from, to_folder, to);
    std::string const before = recorder::get().name_at(from_folder, from);
    return static_cast<int>(recorder::get().make({"rename", before + ' ' + name}, [&](std::size_t) {
        return real(from_folder, from, to_folder, to);
    }));
}

int unlink(char const* path) noexcept
{
    auto* const real = next<int(char const*)>("unlink");
    std::string name = recorder::get().name_of(std::string_view(path));
    if (name.empty() || ::faccessat(AT_FDCWD, path, F_OK, 0) != 0) return real(path);
    return static_cast<int>(
        recorder::get().make({"remove", std::move(name)}, [&](std::size_t) { return real(path); }));
}

int open64(char const* path, int flags, ...)
{
    std::va_list rest;
    va_start(rest, flags);
    ::mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, ::mode_t) : 0;
    va_end(rest);
    auto* const real = next<int(char const*, int, ...)>("open64");
    return open_file(recorder::get().name_of(std::string_view(path)), path, AT_FDCWD, flags,
                     [&] { return real(path, flags, mode); });
}

int open(char const* path, int flags, ...)
{
    std::va_list rest;
    va_start(rest, flags);
    ::mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, ::mode_t) : 0;
    va_end(rest);
    return open64(path, flags, mode);
}

int openat(int folder, char const* path, int flags, ...)
{
    std::va_list rest;
    va_start(rest, flags);
    ::mode_t const mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, ::mode_t) : 0;
    va_end(rest);
    auto* const real = next<int(int, char const*, int, ...)>("openat64");
    return open_file(recorder::get().name_at(folder, path), path, folder, flags,
                     [&] { return real(folder, path, flags, mode); });
}

::ssize_t send(int fd, void const* data, std::size_t size, int flags)
{
    recorder::get().sending({static_cast<char const*>(data), size});
    return next<::ssize_t(int, void const*, std::size_t, int)>("send")(fd, data, size, flags);
}

::ssize_t sendmsg(int fd, ::msghdr const* message, int flags)
{
    std::string bytes;
    for (std::size_t i = 0; i != message->msg_iovlen && bytes.size() < bytes_of_a_send; ++i)
        bytes.append(static_cast<char const*>(message->msg_iov[i].iov_base),
                     std::min(message->msg_iov[i].iov_len, bytes_of_a_send));
    recorder::get().sending(bytes);
    return next<::ssize_t(int, ::msghdr const*, int)>("sendmsg")(fd, message, flags);
}

} // extern "C"
