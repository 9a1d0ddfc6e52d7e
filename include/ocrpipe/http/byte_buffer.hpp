#ifndef OCRPIPE_HTTP_BYTE_BUFFER_HPP
#define OCRPIPE_HTTP_BYTE_BUFFER_HPP

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// A send buffer. Unlike std::string, it does not zero memory that is about to be overwritten; for the chunks
/// of an upload, zeroing would cost as much as reading them.
class byte_buffer
{
public:
    char const* data() const noexcept { return data_.get(); }
    std::size_t size() const noexcept { return size_; }
    std::size_t capacity() const noexcept { return capacity_; }
    bool empty() const noexcept { return size_ == 0; }
    std::string_view view() const noexcept { return std::string_view(data_.get(), size_); }

    void clear() noexcept { size_ = 0; }

    void append(std::string_view bytes)
    {
        if (bytes.empty()) return;
        std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
        size_ += bytes.size();
    }

    /// Returns at least `n` writable bytes after the end; commit() appends them to the buffer.
    std::span<char> prepare(std::size_t n)
    {
        if (capacity_ - size_ < n) grow(size_ + n);
        return std::span<char>(data_.get() + size_, capacity_ - size_);
    }

    void commit(std::size_t n) noexcept { size_ += n; }

private:
    void grow(std::size_t least)
    {
        std::size_t const capacity = std::max({least, capacity_ + capacity_ / 2, std::size_t{2048}});
        auto data = std::make_unique_for_overwrite<char[]>(capacity);
        if (size_ != 0) std::memcpy(data.get(), data_.get(), size_);
        data_ = std::move(data);
        capacity_ = capacity;
    }

    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

} // namespace detail
} // namespace ocrpipe

#endif
