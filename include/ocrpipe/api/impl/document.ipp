#ifndef OCRPIPE_API_IMPL_DOCUMENT_IPP
#define OCRPIPE_API_IMPL_DOCUMENT_IPP

#include <ocrpipe/api/detail/chunk_stream.hpp>
#include <ocrpipe/api/document.hpp>
#include <ocrpipe/core/side_task.hpp>

#include <boost/asio/this_coro.hpp>

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
    if (!bytes) return document(nullptr, 0, std::move(name));
    char const* const first = bytes->data();
    std::size_t const size = bytes->size();
    return document(std::shared_ptr<char const>(std::move(bytes), first), size, std::move(name));
}

OCRPIPE_DECL document document::from_chunks(std::shared_ptr<chunk_source> source, std::uint64_t size,
                                            std::string name)
{
    document d;
    d.stream_ = std::make_shared<detail::chunk_stream>(std::move(source), size);
    d.name_ = std::move(name);
    return d;
}

namespace detail
{

inline failure document_failure(document const& d, errc code, std::string_view why, error_code cause = {})
{
    std::string name = printable_excerpt(d.name(), 255);
    if (name.empty()) name = "the document";
    return failure(code, phase::prepare, name.append(why), cause);
}

} // namespace detail

/// Opens a document from chunks: until the reader is destroyed, no other one can be opened.
OCRPIPE_DECL result<document_reader> document_reader::claim(document const& d)
{
    document_reader r;
    if (d.stream_->size() == 0) return detail::document_failure(d, errc::empty_document, {});
    if (d.stream_->in_use.exchange(true))
        return detail::document_failure(d, errc::invalid_argument, " is being sent already");
    r.stream_ = std::shared_ptr<detail::chunk_stream>(
        d.stream_.get(), [in_use = d.stream_](detail::chunk_stream* s) { s->in_use = false; });
    if (!r.can_rewind())
        return detail::document_failure(d, errc::invalid_argument,
                                        " was read before, and its source cannot rewind");
    r.version_.size = r.stream_->size();
    r.rewind();
    return r;
}

OCRPIPE_DECL task<std::optional<failure>> document_reader::begin(document d, std::size_t count,
                                                                 clock::time_point deadline)
{
    result<document_reader> const reader = claim(d);
    if (!reader) co_return reader.error();
    if (!d.stream_->first().empty()) co_return std::nullopt;
    executor const ex = co_await asio::this_coro::executor;
    error_code ec;
    detail::side_task reading(ex, detail::chunk_stream::begin(d.stream_, count, ec));
    bool const ended = co_await reading.wait(deadline);
    if (!ended) {
        co_await reading.stop();
        errc const why = clock::now() >= deadline ? errc::deadline_exceeded : errc::cancelled;
        co_return detail::document_failure(d, why, ": its source has not yielded its first bytes");
    }
    if (!ec) co_return std::nullopt;
    bool const ours = ec.category() == category();
    co_return detail::document_failure(d, ours ? static_cast<errc>(ec.value()) : errc::unreadable_file,
                                       ": " + d.stream_->why(), ours ? error_code() : ec);
}

OCRPIPE_DECL result<document_reader> document_reader::open(document const& d)
{
    if (d.is_streamed()) {
        if (d.stream_->first().empty() && d.stream_->size() != 0)
            return detail::document_failure(d, errc::invalid_argument,
                                            ": its first bytes were not read (document_reader::begin)");
        return claim(d);
    }
    document_reader r;
    if (!d.is_file()) {
        if (!d.bytes_ || d.size_ == 0)
            return failure(errc::empty_document, phase::prepare, printable_excerpt(d.name(), 255));
        r.bytes_ = d.bytes_;
        r.version_.size = d.size_;
        return r;
    }
    auto const failed = [&d](errc e, error_code cause, std::string_view why = {}) {
        return failure(e, phase::prepare, printable_excerpt(d.path(), 1024).append(why), cause);
    };
    // O_NONBLOCK: opening a FIFO without a writer must not hang; it is refused below.
    r.fd_ = ::open(d.path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (r.fd_ < 0) return failed(errc::unreadable_file, detail::last_system_error());
    struct ::stat st{};
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
    , stream_(std::move(other.stream_))
    , fd_(std::exchange(other.fd_, -1))
    , version_(other.version_)
    , offset_(other.offset_)
    , must_stay_(other.must_stay_)
{
}

OCRPIPE_DECL document_reader& document_reader::operator=(document_reader&& other) noexcept
{
    std::swap(bytes_, other.bytes_);
    std::swap(stream_, other.stream_);
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

OCRPIPE_DECL std::uint64_t document_reader::at_hand() const noexcept
{
    return stream_ ? stream_->first().size() : size();
}

OCRPIPE_DECL task<std::size_t> document_reader::fetch(std::span<char> out, error_code& ec)
{
    std::size_t const n = co_await detail::chunk_stream::read(stream_, out, ec);
    offset_ += n;
    co_return n;
}

OCRPIPE_DECL std::string document_reader::why() const { return stream_ ? stream_->why() : std::string(); }

OCRPIPE_DECL bool document_reader::can_rewind() const noexcept { return !stream_ || stream_->can_rewind(); }

OCRPIPE_DECL void document_reader::rewind() noexcept
{
    offset_ = 0;
    if (stream_) stream_->rewind();
}

OCRPIPE_DECL std::size_t document_reader::read(std::span<char> out, error_code& ec)
{
    ec = {};
    std::uint64_t const left = at_hand() - offset_;
    std::size_t const want = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left));
    if (fd_ < 0) {
        std::memcpy(out.data(), (stream_ ? stream_->first().data() : bytes_.get()) + offset_, want);
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
    struct ::stat now{};
    if (!ec && last && must_stay_ && (::fstat(fd_, &now) != 0 || detail::version_of(now) != version_))
        ec = make_error_code(errc::file_changed);
    if (ec) return 0;
    offset_ += got;
    return got;
}

} // namespace ocrpipe

#endif
