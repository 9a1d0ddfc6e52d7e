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

/// Yields documents one at a time. A source lists little ahead, so memory stays bounded even if a slow
/// consumer reads a directory of a million files.
///
/// Thread safety: one thread at a time.
class source
{
public:
    virtual ~source() = default;

    /// Returns the next document or problem. After the last one, this and every later call returns nullopt.
    ///
    /// May block on the file system, or on a pipe with a slow writer.
    virtual std::optional<input> next() = 0;
};

/// Reads several sources one after another.
class chained_source final : public source
{
public:
    explicit chained_source(std::vector<std::unique_ptr<source>> parts) noexcept : parts_(std::move(parts)) {}

    std::optional<input> next() override
    {
        for (; current_ != parts_.size(); ++current_) {
            if (auto found = parts_[current_]->next()) return found;
            parts_[current_].reset(); // releases its descriptors and buffers
        }
        return std::nullopt;
    }

private:
    std::vector<std::unique_ptr<source>> parts_;
    std::size_t current_ = 0;
};

} // namespace ocrpipe

#endif
