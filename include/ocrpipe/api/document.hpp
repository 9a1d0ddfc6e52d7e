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

/// What tells whether a file was written since.
struct file_version {
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0; ///< since the epoch

    bool operator==(file_version const&) const = default;
};

namespace detail
{
OCRPIPE_DECL file_version version_of(struct ::stat const& status) noexcept;
}

/// Where a document's bytes come from: a file that is read while it is sent, or bytes in memory.
///
/// Cheap to copy. Distinct objects may be used from distinct threads.
class document
{
public:
    document() = default;

    /// A regular file; opened only when it is sent. `name` is what the service is told; empty means the
    /// path's last part.
    static document from_file(std::string path, std::string name = {});

    /// Bytes in memory, shared, never copied.
    static document from_bytes(std::shared_ptr<std::string const> bytes, std::string name);
    static document from_bytes(std::string bytes, std::string name)
    {
        return from_bytes(std::make_shared<std::string const>(std::move(bytes)), std::move(name));
    }

    /// The same file, to be read only as it was then: document_reader gives errc::file_changed otherwise.
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

/// Reads a document front to back, holding a descriptor but never the file.
///
/// Reading is synchronous (`pread`): a page-cached file costs less than a hop to another thread. Move-only;
/// closes its descriptor when destroyed.
class document_reader
{
public:
    /// Opens a document. Refuses what is not a regular file (errc::unreadable_file) without blocking on a
    /// FIFO or device, what has no bytes (errc::empty_document), and what is not the file any more that it
    /// was (errc::file_changed).
    static result<document_reader> open(document const& d);

    document_reader(document_reader&& other) noexcept;
    document_reader& operator=(document_reader&& other) noexcept;
    ~document_reader();

    /// Of the file as it was when it was opened; only its size means something for bytes in memory.
    file_version version() const noexcept { return version_; }

    /// Bytes of the document as it was when it was opened.
    std::uint64_t size() const noexcept { return version_.size; }

    /// Fills `out` as far as there are bytes left; returns how many. Returns 0 at the end.
    ///
    /// Errors: errc::file_changed when the file is now shorter or longer than size(), or is to be read only
    /// as it was and was written; errc::unreadable_file.
    std::size_t read(std::span<char> out, error_code& ec);

    /// Back to the first byte, for another attempt.
    void rewind() noexcept { offset_ = 0; }

private:
    document_reader() = default;

    std::shared_ptr<std::string const> bytes_;
    int fd_ = -1;
    file_version version_;
    std::uint64_t offset_ = 0;
    bool must_stay_ = false; ///< the file is looked at again when it was read
};

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/document.ipp>
#endif

#endif
