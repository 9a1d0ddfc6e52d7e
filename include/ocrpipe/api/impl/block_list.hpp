#ifndef OCRPIPE_API_IMPL_BLOCK_LIST_HPP
#define OCRPIPE_API_IMPL_BLOCK_LIST_HPP

#include <bit>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <vector>

namespace ocrpipe::detail
{

/// A list that grows without a copy, in blocks of doubling size.
///
/// Memory of a block that was not used yet costs nothing, and large blocks go back to the system at the end:
/// allocators map them separately. A std::deque of as many elements has small blocks, which stay with the
/// process.
template<class T>
class block_list
{
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_default_constructible_v<T>);

public:
    void push_back(T const& value)
    {
        if (block_of(size_) == blocks_.size())
            blocks_.push_back(std::make_unique_for_overwrite<T[]>(first_block << blocks_.size()));
        (*this)[size_++] = value;
    }

    T& operator[](std::size_t i) noexcept { return blocks_[block_of(i)][i - start_of(block_of(i))]; }
    T const& operator[](std::size_t i) const noexcept
    {
        return blocks_[block_of(i)][i - start_of(block_of(i))];
    }

    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

private:
    static constexpr std::size_t first_block = 512;

    static std::size_t block_of(std::size_t i) noexcept
    {
        return static_cast<std::size_t>(std::bit_width(i / first_block + 1)) - 1;
    }
    static std::size_t start_of(std::size_t block) noexcept { return (first_block << block) - first_block; }

    std::vector<std::unique_ptr<T[]>> blocks_;
    std::size_t size_ = 0;
};

} // namespace ocrpipe::detail

#endif
