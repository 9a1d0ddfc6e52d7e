#ifndef OCRPIPE_JOB_JOB_TABLE_HPP
#define OCRPIPE_JOB_JOB_TABLE_HPP

#include <ocrpipe/core/clock.hpp>

#include <boost/assert.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// A table of waiting jobs: records in stable slots, and a heap of the scheduled ones, ordered by due time.
///
/// A record keeps its address until erase(); its slot number may be reused afterwards. A record has at most
/// one schedule. Records and heap are stored in chunks of 1024 that are never moved, so growing copies
/// nothing. Memory grows with the largest number of jobs held at once and is released only on destruction.
///
/// Thread safety: none; a table belongs to one thread.
/// Cost: schedule, pop_due and erase are O(log n); all other operations are O(1). sizeof(Record) + 24 bytes
/// per job, rounded up to the alignment.
template<class Record>
class job_table
{
public:
    using slot = std::uint32_t;

    job_table() = default;
    job_table(job_table const&) = delete;
    job_table& operator=(job_table const&) = delete;
    ~job_table()
    {
        for_each([this](slot s, Record&) { erase(s); });
    }

    /// Adds a record, not yet scheduled.
    ///
    /// Errors: throws std::bad_alloc and whatever Record's constructor throws; the table is then unchanged.
    template<class... Args>
    slot emplace(Args&&... args)
    {
        slot const s = free_ != nil ? free_ : used_;
        BOOST_ASSERT(s < free_mark);
        if (s / chunk_size == chunks_.size()) chunks_.push_back(std::make_unique_for_overwrite<chunk>());
        node& n = at(s);
        ::new (static_cast<void*>(&n.storage)) Record(std::forward<Args>(args)...);
        if (free_ != nil)
            free_ = n.place == end_of_free ? nil : n.place & ~free_mark;
        else
            ++used_;
        n.place = unscheduled;
        ++size_;
        return s;
    }

    Record& operator[](slot s) noexcept { return record(live(s)); }

    /// Sets the time when the record is due; replaces a previous schedule.
    void schedule(slot s, clock::time_point due) noexcept
    {
        node& n = live(s);
        if (n.place == unscheduled) {
            n.place = scheduled_++;
            sift_up(n.place, entry{due, s});
        } else {
            settle(n.place, entry{due, s});
        }
    }

    /// Unschedules and returns the earliest record if it is due at `now`; the record stays in the table.
    std::optional<slot> pop_due(clock::time_point now) noexcept
    {
        if (scheduled_ == 0 || heap(0).due > now) return std::nullopt;
        slot const s = heap(0).who;
        unschedule(at(s));
        return s;
    }

    /// The earliest time at which pop_due() returns a slot; nullopt if nothing is scheduled.
    std::optional<clock::time_point> next_due() const noexcept
    {
        if (scheduled_ == 0) return std::nullopt;
        return chunks_.front()->heap.front().due;
    }

    /// Unschedules and destroys the record.
    void erase(slot s) noexcept
    {
        node& n = live(s);
        if (n.place != unscheduled) unschedule(n);
        record(n).~Record();
        n.place = free_ == nil ? end_of_free : free_ | free_mark;
        free_ = s;
        --size_;
    }

    /// Calls `f(slot, Record&)` for every record, in no particular order; `f` may erase the record it is
    /// called for.
    template<class F>
    void for_each(F&& f)
    {
        for (slot s = 0; s != used_; ++s)
            if (!(at(s).place & free_mark)) f(s, record(at(s)));
    }

    std::size_t size() const noexcept { return size_; }
    std::size_t scheduled() const noexcept { return scheduled_; }
    bool empty() const noexcept { return size_ == 0; }

private:
    static constexpr std::size_t chunk_size = 1024;
    static constexpr std::uint32_t free_mark = 0x8000'0000;
    static constexpr std::uint32_t unscheduled = free_mark - 1;
    static constexpr std::uint32_t end_of_free = std::numeric_limits<std::uint32_t>::max();
    static constexpr slot nil = std::numeric_limits<slot>::max();

    struct node {
        alignas(Record) std::array<std::byte, sizeof(Record)> storage;
        /// Index in the heap, or `unscheduled`, or (with free_mark) the next free slot.
        std::uint32_t place = end_of_free;
    };

    struct entry {
        clock::time_point due;
        slot who;
    };
    static_assert(sizeof(entry) == 16);

    /// There are never more heap entries than slots, so one allocation serves both and schedule() cannot
    /// fail.
    struct chunk {
        std::array<node, chunk_size> nodes;
        std::array<entry, chunk_size> heap;
    };

    node& at(slot s) noexcept { return chunks_[s / chunk_size]->nodes[s % chunk_size]; }
    node& live(slot s) noexcept
    {
        BOOST_ASSERT(s < used_ && !(at(s).place & free_mark));
        return at(s);
    }
    static Record& record(node& n) noexcept { return *std::launder(reinterpret_cast<Record*>(&n.storage)); }
    entry& heap(std::uint32_t i) noexcept { return chunks_[i / chunk_size]->heap[i % chunk_size]; }

    void put(std::uint32_t i, entry const& e) noexcept
    {
        heap(i) = e;
        at(e.who).place = i;
    }

    void sift_up(std::uint32_t i, entry e) noexcept
    {
        while (i != 0) {
            std::uint32_t const parent = (i - 1) / 4;
            if (!(e.due < heap(parent).due)) break;
            put(i, heap(parent));
            i = parent;
        }
        put(i, e);
    }

    void sift_down(std::uint32_t i, entry e) noexcept
    {
        for (;;) {
            std::uint32_t const first = 4 * i + 1;
            if (first >= scheduled_) break;
            std::uint32_t least = first;
            for (std::uint32_t c = first + 1; c < first + 4 && c < scheduled_; ++c)
                if (heap(c).due < heap(least).due) least = c;
            if (!(heap(least).due < e.due)) break;
            put(i, heap(least));
            i = least;
        }
        put(i, e);
    }

    /// Places an entry at a vacated index and restores the heap order.
    void settle(std::uint32_t i, entry const& e) noexcept
    {
        if (i != 0 && e.due < heap((i - 1) / 4).due)
            sift_up(i, e);
        else
            sift_down(i, e);
    }

    void unschedule(node& n) noexcept
    {
        std::uint32_t const hole = std::exchange(n.place, unscheduled);
        entry const last = heap(--scheduled_);
        if (hole != scheduled_) settle(hole, last);
    }

    std::vector<std::unique_ptr<chunk>> chunks_;
    slot free_ = nil;             ///< head of the free list
    std::uint32_t used_ = 0;      ///< slots below this one have been used
    std::uint32_t scheduled_ = 0; ///< entries in the heap
    std::size_t size_ = 0;
};

} // namespace ocrpipe

#endif
