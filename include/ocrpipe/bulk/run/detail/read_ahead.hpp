#ifndef OCRPIPE_BULK_RUN_DETAIL_READ_AHEAD_HPP
#define OCRPIPE_BULK_RUN_DETAIL_READ_AHEAD_HPP

#include <ocrpipe/bulk/run/detail/intake.hpp>
#include <ocrpipe/bulk/source/source.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace ocrpipe::detail
{

/// Reads documents from a source on a separate thread, a bounded number ahead: a slow pipe or disk never
/// delays the polls, and hashing overlaps with network traffic.
///
/// The thread shares ownership of its state and is detached: a thread blocked on a pipe without a writer
/// cannot be joined, and it accesses only that state.
class read_ahead
{
public:
    /// Maximum number of documents read ahead; those kept in memory take at most 16 MiB.
    static constexpr std::size_t max_ahead = 64;
    /// Once the queue is full, reading resumes when this many are left.
    static constexpr std::size_t refill_at = max_ahead / 2;

    /// `wake` is called on the reading thread when the queue becomes non-empty, and at the end.
    read_ahead(std::unique_ptr<source> s, std::shared_ptr<intake> in, std::function<void()> wake);
    ~read_ahead();
    read_ahead(read_ahead const&) = delete;
    read_ahead& operator=(read_ahead const&) = delete;

    /// Returns the next document or problem, if one is ready.
    std::optional<prepared> try_pop();

    /// Whether the queue is empty and the source is exhausted.
    bool exhausted() const;

    /// Stops reading from the source and drops the queue. Waits for a document being read, for one buffer at
    /// most, but not for the source.
    void stop();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/run/impl/read_ahead.ipp>
#endif

#endif
