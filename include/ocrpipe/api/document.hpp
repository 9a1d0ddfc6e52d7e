#ifndef OCRPIPE_API_DOCUMENT_HPP
#define OCRPIPE_API_DOCUMENT_HPP

#include <ocrpipe/core/result.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct stat;

namespace ocrpipe
{

/// Size and modification time, used to detect whether a file has changed.
struct file_version {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0; ///< since the epoch

    bool operator==(file_version const&) const = default;
};

namespace detail
{
OCRPIPE_DECL file_version version_of(struct ::stat const& status) noexcept;
}

/// The source of a document's bytes: a file that is read while it is sent, or a buffer in memory.
///
/// Cheap to copy. Distinct objects may be used from distinct threads.
class document
{
public:
    document() = default;

    /// A regular file, opened only when it is sent. `name` is the file name sent to the service; empty means
    /// the last component of the path.
    static document from_file(std::string path, std::string name = {});

    /// Bytes in memory, shared and never copied.
    static document from_bytes(std::shared_ptr<std::string const> bytes, std::string name);
    static document from_bytes(std::string bytes, std::string name)
    {
        return from_bytes(std::make_shared<std::string const>(std::move(bytes)), std::move(name));
    }

    /// A file that must still have this version when it is read; otherwise document_reader reports
    /// errc::file_changed.
    static document from_file(std::string path, file_version as_it_was);

    std::string const& path() const noexcept { return path_; }
    std::string const& name() const noexcept { return name_; }
    std::shared_ptr<std::string const> const& bytes() const noexcept { return bytes_; }
    std::optional<file_version> const& version() const noexcept { return version_; }
    bool is_file() const noexcept { return !path_.empty(); }

private:
    std::string path_;
    std::string name_;
    std::shared_ptr<std::string const> bytes_;
    std::optional<file_version> version_;
};

/// Reads a document sequentially; never loads the whole file.
///
/// Reading is synchronous (`pread`): reading a file from the page cache is cheaper than switching to another
/// thread. Move-only; closes its descriptor when destroyed.
class document_reader
{
public:
    /// Opens a document. Does not block on a FIFO or device. Errors: errc::unreadable_file if it is not a
    /// regular file or cannot be opened; errc::empty_document if it has no bytes; errc::file_changed if its
    /// version is not the expected one.
    static result<document_reader> open(document const& d);

    document_reader(document_reader&& other) noexcept;
    document_reader& operator=(document_reader&& other) noexcept;
    ~document_reader();

    /// The file's version when it was opened. For bytes in memory, only the size is meaningful.
    file_version version() const noexcept { return version_; }

    /// The document's size in bytes when it was opened.
    std::uint64_t size() const noexcept { return version_.size; }

    /// Reads up to `out.size()` bytes and returns how many were read, 0 at the end.
    ///
    /// Errors: errc::file_changed if the file is now shorter or longer than size(), or if a version was
    /// required and the file has been modified; errc::unreadable_file.
    std::size_t read(std::span<char> out, error_code& ec);

    /// Returns to the first byte, for another attempt.
    void rewind() noexcept { offset_ = 0; }

private:
    document_reader() = default;

    std::shared_ptr<std::string const> bytes_;
    int fd_ = -1;
    file_version version_;
    std::uint64_t offset_ = 0;
    bool must_stay_ = false; ///< check the version again after reading
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/document.ipp>
#endif

#endif
