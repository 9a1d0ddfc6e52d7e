#include "output_file.hpp"

#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/core/write_all.hpp>

#include "standard_output.hpp"

#include <boost/system/errc.hpp>

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{

output_file::~output_file()
{
    if (fd_ && !draft_.empty()) ::unlink(draft_.c_str());
}

error_code output_file::open(std::string path)
{
    path_ = std::move(path);
    if (path_ == "-") return {};
    struct ::stat there {
    };
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
    if (::stat(path_.c_str(), &there) == 0 && S_ISDIR(there.st_mode))
        return make_error_code(boost::system::errc::is_a_directory);
    if (::stat(path_.c_str(), &there) != 0 || S_ISREG(there.st_mode)) {
        std::size_t const slash = path_.rfind('/') + 1; // npos + 1 is 0
        draft_ = path_.substr(0, slash) + '.' + path_.substr(slash) + ".tmp";
        flags |= O_CREAT | O_TRUNC | O_NOFOLLOW;
    }
    fd_ = unique_fd(::open((draft_.empty() ? path_ : draft_).c_str(), flags, 0600));
    return fd_ ? error_code() : errno_code();
}

error_code output_file::flush()
{
    error_code ec;
    if (fd_)
        ec = detail::write_all(fd_.get(), buffer_);
    else if (!reader_gone_)
        ec = detail::write_all(STDOUT_FILENO, buffer_);
    buffer_.clear();
    if (ec != boost::system::errc::broken_pipe || !draft_.empty()) return ec;
    reader_gone_ = true;
    return {};
}

error_code output_file::append(std::string_view bytes)
{
    constexpr std::size_t enough = 256 * 1024;
    buffer_ += bytes;
    return buffer_.size() < enough ? error_code() : flush();
}

error_code output_file::finish()
{
    if (error_code const ec = flush()) return ec;
    if (draft_.empty()) return {};
    if (::fsync(fd_.get()) != 0 || ::rename(draft_.c_str(), path_.c_str()) != 0) return errno_code();
    fd_ = {};
    std::size_t const slash = path_.rfind('/');
    return detail::sync_folder(slash == std::string::npos ? "." : path_.substr(0, slash + 1));
}

} // namespace ocrpipe::cli
