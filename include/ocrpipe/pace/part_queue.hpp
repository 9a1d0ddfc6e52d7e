#ifndef OCRPIPE_PACE_PART_QUEUE_HPP
#define OCRPIPE_PACE_PART_QUEUE_HPP

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>

namespace ocrpipe
{

/// The order in which parts of many documents are asked for: batch after batch, with a bounded number under
/// way. Pure.
///
/// `Batch` is a handle, such as a pointer; the parts of a batch are numbered from 0.
template<class Batch>
class part_queue
{
public:
    struct turn {
        Batch batch;
        std::size_t part;
    };

    /// `at_once`: parts under way at a time; at least 1.
    explicit part_queue(std::size_t at_once) : at_once_(at_once) {}

    /// Whether a batch of this size could be under way at once, without waiting for others.
    bool has_room(std::size_t parts) const noexcept { return under_way_ + waiting_ + parts <= at_once_; }

    void add(Batch b, std::size_t parts)
    {
        if (parts == 0) return;
        batches_.push_back({b, 0, parts});
        waiting_ += parts;
    }

    /// The part to ask for now. nullopt if none waits, or if as many as allowed are under way.
    std::optional<turn> next()
    {
        if (batches_.empty() || under_way_ == at_once_) return std::nullopt;
        place& front = batches_.front();
        turn const t{front.batch, front.next++};
        if (front.next == front.end) batches_.pop_front();
        --waiting_;
        ++under_way_;
        return t;
    }

    /// A part that next() returned has ended.
    void ended() noexcept { --under_way_; }

    /// Drops the parts of this batch that still wait, so that they are not fetched. Returns their number.
    std::size_t drop(Batch b)
    {
        auto const found =
            std::find_if(batches_.begin(), batches_.end(), [b](place const& p) { return p.batch == b; });
        if (found == batches_.end()) return 0;
        std::size_t const dropped = found->end - found->next;
        waiting_ -= dropped;
        batches_.erase(found);
        return dropped;
    }

private:
    struct place {
        Batch batch;
        std::size_t next;
        std::size_t end;
    };

    std::size_t const at_once_;
    std::deque<place> batches_; ///< batches with parts that wait
    std::size_t waiting_ = 0;
    std::size_t under_way_ = 0;
};

} // namespace ocrpipe

#endif
