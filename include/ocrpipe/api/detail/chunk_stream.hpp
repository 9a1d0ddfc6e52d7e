#ifndef OCRPIPE_API_DETAIL_CHUNK_STREAM_HPP
#define OCRPIPE_API_DETAIL_CHUNK_STREAM_HPP

#include <ocrpipe/api/chunk_source.hpp>
#include <ocrpipe/core/config.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ocrpipe::detail
{

/// What the copies of a document from chunks share: its source, how far that was read, and the first bytes,
/// which are kept.
class chunk_stream
{
public:
    chunk_stream(std::shared_ptr<chunk_source> source, std::uint64_t size)
        : source_(std::move(source)), size_(size)
    {
    }

    std::uint64_t size() const noexcept { return size_; }
    std::string_view first() const noexcept { return first_; }

    /// Reads the first bytes: `count` of them, or all if there are fewer.
    static task<void> begin(std::shared_ptr<chunk_stream> self, std::size_t count, error_code& ec);

    /// Reads the next bytes. Those after the last one are asked for as well, before it is returned: there
    /// must be none. Keeps the source alive.
    static task<std::size_t> read(std::shared_ptr<chunk_stream> self, std::span<char> out, error_code& ec);

    /// Whether nothing but first() was read, or the source can rewind.
    bool can_rewind() const noexcept { return taken_ == first_.size() || source_->can_rewind(); }
    void rewind();

    /// Why the last read failed, for people; may be empty.
    std::string const& why() const noexcept { return why_; }

    std::atomic<bool> in_use{false}; ///< by a document_reader

private:
    task<std::size_t> next(std::span<char> out, error_code& ec);

    std::shared_ptr<chunk_source> const source_;
    std::uint64_t const size_; ///< as promised
    std::uint64_t taken_ = 0;  ///< bytes that the source has yielded
    std::string first_;
    std::string why_;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/chunk_stream.ipp>
#endif

#endif
