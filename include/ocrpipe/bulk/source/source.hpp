#ifndef OCRPIPE_BULK_SOURCE_SOURCE_HPP
#define OCRPIPE_BULK_SOURCE_SOURCE_HPP

#include <ocrpipe/bulk/source/input.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// Where documents come from, one at a time: little is listed ahead, so that a slow consumer holds a
/// directory of a million files in bounded memory.
///
/// Thread safety: one thread at a time.
class source
{
public:
    virtual ~source() = default;

    /// The next document or problem; nothing at the end, and then for ever.
    ///
    /// May block in the file system, or on a pipe whose writer is slow.
    virtual std::optional<input> next() = 0;
};

/// Several sources, one after another.
class chained_source final : public source
{
public:
    explicit chained_source(std::vector<std::unique_ptr<source>> parts) noexcept : parts_(std::move(parts)) {}

    std::optional<input> next() override
    {
        for (; current_ != parts_.size(); ++current_) {
            if (auto found = parts_[current_]->next()) return found;
            parts_[current_].reset(); // gives its descriptors and buffers back
        }
        return std::nullopt;
    }

private:
    std::vector<std::unique_ptr<source>> parts_;
    std::size_t current_ = 0;
};

} // namespace ocrpipe

#endif
