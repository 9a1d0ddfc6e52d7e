#ifndef OCRPIPE_API_DOCUMENT_HPP
#define OCRPIPE_API_DOCUMENT_HPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/core/task.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

class chunk_source;

namespace detail
{
class chunk_stream;

/// What document::from_bytes() accepts beside a std::string, and what converts to one.
template<class R>
concept byte_range =
    std::ranges::contiguous_range<R> && std::ranges::sized_range<R> && !std::convertible_to<R, std::string> &&
    sizeof(std::ranges::range_value_t<R>) == 1 && std::is_trivially_copyable_v<std::ranges::range_value_t<R>>;
} // namespace detail

/// The source of a document's bytes: a file that is read while it is sent, bytes in memory, or a source of
/// chunks.
///
/// Cheap to copy. Distinct objects may be used from distinct threads. Copies of a document from chunks share
/// its source: only one of them can be sent at a time.
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

    /// Bytes in memory, from any contiguous range of char, std::byte, unsigned char or the like.
    ///
    /// Lifetime: the document owns its bytes. A container that you move here is kept as it is. Everything
    /// else is copied, such as a std::span, a std::string_view, or a container that you do not move. An array
    /// of char counts as a string, which ends at its first NUL; pass a std::span of it instead.
    template<detail::byte_range Range>
    static document from_bytes(Range&& bytes, std::string name)
    {
        if constexpr (std::ranges::borrowed_range<Range>) {
            auto const* const first = reinterpret_cast<char const*>(std::ranges::data(bytes));
            return from_bytes(std::string(first, std::ranges::size(bytes)), std::move(name));
        } else {
            auto const owner = std::make_shared<std::remove_cvref_t<Range> const>(std::move(bytes));
            auto const* const first = reinterpret_cast<char const*>(std::ranges::data(*owner));
            return document(std::shared_ptr<char const>(owner, first), std::ranges::size(*owner),
                            std::move(name));
        }
    }

    /// A document of `size` bytes that `source` yields while they are sent. At most 64 KiB wait to be sent.
    ///
    /// The first 1024 bytes are read before the submit waits for its turn, to detect the type of the
    /// document, and are kept. If more was read, and the source cannot rewind, the document cannot be sent
    /// again: a submit then ends with the failure of its attempt, whatever retry_policy allows.
    /// Lifetime: the document shares `source`.
    static document from_chunks(std::shared_ptr<chunk_source> source, std::uint64_t size, std::string name);

    /// A file that must still have this version when it is read; otherwise document_reader reports
    /// errc::file_changed.
    static document from_file(std::string path, file_version as_it_was);

    std::string const& path() const noexcept { return path_; }
    std::string const& name() const noexcept { return name_; }
    /// The bytes of a document in memory.
    std::optional<std::string_view> bytes() const noexcept
    {
        return bytes_ ? std::optional(std::string_view(bytes_.get(), size_)) : std::nullopt;
    }
    std::optional<file_version> const& version() const noexcept { return version_; }
    bool is_file() const noexcept { return !path_.empty(); }
    bool is_streamed() const noexcept { return stream_ != nullptr; }

private:
    friend class document_reader;

    document(std::shared_ptr<char const> bytes, std::size_t size, std::string name)
        : name_(std::move(name)), bytes_(std::move(bytes)), size_(size)
    {
    }

    std::string path_;
    std::string name_;
    std::shared_ptr<char const> bytes_; ///< of a document in memory
    std::size_t size_ = 0;              ///< of bytes_
    std::shared_ptr<detail::chunk_stream> stream_;
    std::optional<file_version> version_;
};

/// Reads a document sequentially; never loads the whole file.
///
/// Reading is synchronous (`pread`): reading a file from the page cache is cheaper than switching to another
/// thread. Only a document from chunks is read with fetch(). Move-only; closes its descriptor when destroyed.
class document_reader
{
public:
    /// Opens a document. Does not block on a FIFO or device. Errors: errc::unreadable_file if it is not a
    /// regular file or cannot be opened; errc::empty_document if it has no bytes; errc::file_changed if its
    /// version is not the expected one; errc::invalid_argument if it is from chunks and is being sent, cannot
    /// be sent again, or needs begin() first.
    static result<document_reader> open(document const& d);

    /// Reads the first `count` bytes of a document from chunks, or all if there are fewer; read() yields them
    /// then.
    ///
    /// Errors: those of open() and fetch(); errc::empty_document; errc::deadline_exceeded at `deadline`.
    /// Cancellation: errc::cancelled; the calling coroutine must not throw when it is cancelled.
    static task<std::optional<failure>> begin(document d, std::size_t count, clock::time_point deadline);

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

    bool is_streamed() const noexcept { return stream_ != nullptr; }

    /// How many of the leading bytes read() yields: for a document from chunks, those that begin() has read;
    /// otherwise all.
    std::uint64_t at_hand() const noexcept;

    /// Reads the bytes of a document from chunks that come after those at hand, at least one of them.
    ///
    /// Errors: errc::invalid_argument if the source has fewer or more than size() bytes;
    /// errc::unreadable_file or that of the source if it fails. why() then says more.
    task<std::size_t> fetch(std::span<char> out, error_code& ec);
    std::string why() const;

    /// Returns to the first byte, for another attempt.
    void rewind() noexcept;
    bool can_rewind() const noexcept;

private:
    document_reader() = default;

    static result<document_reader> claim(document const& d);

    std::shared_ptr<char const> bytes_;
    std::shared_ptr<detail::chunk_stream> stream_; ///< in use by this reader
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
