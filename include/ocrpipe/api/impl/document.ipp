#ifndef OCRPIPE_API_IMPL_DOCUMENT_IPP
#define OCRPIPE_API_IMPL_DOCUMENT_IPP

#include <ocrpipe/api/document.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ocrpipe
{
namespace detail
{

inline error_code last_system_error() noexcept { return error_code(errno, boost::system::system_category()); }

OCRPIPE_DECL file_version version_of(struct ::stat const& status) noexcept
{
    return {static_cast<std::uint64_t>(status.st_size),
            std::int64_t(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

} // namespace detail

OCRPIPE_DECL document document::from_file(std::string path, std::string name)
{
    document d;
    auto const slash = path.find_last_of('/');
    d.name_ = !name.empty() ? std::move(name) : slash == std::string::npos ? path : path.substr(slash + 1);
    d.path_ = std::move(path);
    return d;
}

OCRPIPE_DECL document document::from_file(std::string path, file_version as_it_was)
{
    document d = from_file(std::move(path));
    d.version_ = as_it_was;
    return d;
}

OCRPIPE_DECL document document::from_bytes(std::shared_ptr<std::string const> bytes, std::string name)
{
    document d;
    d.bytes_ = std::move(bytes);
    d.name_ = std::move(name);
    return d;
}

OCRPIPE_DECL result<document_reader> document_reader::open(document const& d)
{
    document_reader r;
    if (!d.is_file()) {
        if (!d.bytes() || d.bytes()->empty())
            return failure(errc::empty_document, phase::prepare, printable_excerpt(d.name(), 255));
        r.bytes_ = d.bytes();
        r.version_.size = r.bytes_->size();
        return r;
    }
    auto const failed = [&d](errc e, error_code cause, std::string_view why = {}) {
        return failure(e, phase::prepare, printable_excerpt(d.path(), 1024).append(why), cause);
    };
    // O_NONBLOCK: opening a FIFO without a writer must not hang; it is refused below.
    r.fd_ = ::open(d.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (r.fd_ < 0) return failed(errc::unreadable_file, detail::last_system_error());
    struct ::stat st {
    };
    if (::fstat(r.fd_, &st) != 0) return failed(errc::unreadable_file, detail::last_system_error());
    if (!S_ISREG(st.st_mode)) return failed(errc::unreadable_file, {}, " is not a regular file");
    if (st.st_size == 0) return failed(errc::empty_document, {});
    r.version_ = detail::version_of(st);
    r.must_stay_ = d.version().has_value();
    if (d.version() && r.version() != *d.version())
        return failed(errc::file_changed, {}, " was modified after it was found");
    return r;
}

OCRPIPE_DECL document_reader::document_reader(document_reader&& other) noexcept
    : bytes_(std::move(other.bytes_))
    , fd_(std::exchange(other.fd_, -1))
    , version_(other.version_)
    , offset_(other.offset_)
    , must_stay_(other.must_stay_)
{
}

OCRPIPE_DECL document_reader& document_reader::operator=(document_reader&& other) noexcept
{
    std::swap(bytes_, other.bytes_);
    std::swap(fd_, other.fd_);
    version_ = other.version_;
    offset_ = other.offset_;
    must_stay_ = other.must_stay_;
    return *this;
}

OCRPIPE_DECL document_reader::~document_reader()
{
    if (fd_ >= 0) ::close(fd_);
}

OCRPIPE_DECL std::size_t document_reader::read(std::span<char> out, error_code& ec)
{
    ec = {};
    std::size_t const want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size() - offset_));
    if (bytes_) {
        std::memcpy(out.data(), bytes_->data() + offset_, want);
        offset_ += want;
        return want;
    }
    // The last read asks for one byte more than size(), to detect a file that grew. If `out` has no room for
    // that byte, another system call reads it.
    bool const last = want != 0 && offset_ + want == size();
    std::size_t const ask = std::min(out.size(), want + 1);
    std::size_t got = 0;
    while (got < want) {
        ::ssize_t const n = ::pread(fd_, out.data() + got, ask - got, static_cast<::off_t>(offset_ + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            ec = make_error_code(errc::unreadable_file);
            return 0;
        }
        if (n == 0) break;
        got += static_cast<std::size_t>(n);
    }
    if (got != want) ec = make_error_code(errc::file_changed);
    char beyond;
    if (!ec && last && ask == want && ::pread(fd_, &beyond, 1, static_cast<::off_t>(size())) > 0)
        ec = make_error_code(errc::file_changed);
    struct ::stat now {
    };
    if (!ec && last && must_stay_ && (::fstat(fd_, &now) != 0 || detail::version_of(now) != version_))
        ec = make_error_code(errc::file_changed);
    if (ec) return 0;
    offset_ += got;
    return got;
}

} // namespace ocrpipe

#endif
