#ifndef OCRPIPE_PACE_CONCURRENCY_LIMIT_HPP
#define OCRPIPE_PACE_CONCURRENCY_LIMIT_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace ocrpipe
{

/// How many requests of a kind may be under way at a time, learned from the answers: additive increase,
/// multiplicative decrease.
///
/// Requests that a service refuses because it serves as many as it can halve the limit; as many successes in
/// a row as the limit allows requests raise it by one. The refusals of requests that were sent together count
/// once.
///
/// Thread safety: none; a limit belongs to one thread.
class concurrency_limit
{
public:
    /// Identifies the requests that were sent under the same limit.
    using epoch = std::uint32_t;

    /// `most`: the largest limit, with which it starts; at least 1.
    explicit concurrency_limit(std::size_t most) noexcept : most_(std::max<std::size_t>(most, 1)) {}

    std::size_t limit() const noexcept { return limit_; }
    /// Note it when a request is sent.
    epoch now() const noexcept { return epoch_; }

    /// A request that was sent in `sent` was refused.
    void refused(epoch sent) noexcept
    {
        successes_ = 0;
        if (sent != epoch_) return;
        limit_ = std::max<std::size_t>(limit_ / 2, 1);
        ++epoch_;
    }

    /// A request was not refused.
    void succeeded() noexcept
    {
        if (limit_ == most_ || ++successes_ < limit_) return;
        ++limit_;
        successes_ = 0;
    }

private:
    std::size_t const most_;
    std::size_t limit_ = most_;
    std::size_t successes_ = 0; ///< in a row
    epoch epoch_ = 0;
};

} // namespace ocrpipe

#endif
