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

/// Takes documents from a source on a thread of its own, a bounded number ahead: a slow pipe or disk never
/// holds up the polls, and the hashing runs beside the network.
///
/// The thread shares ownership of its state and is detached: one that is blocked in a pipe nobody writes to
/// cannot be joined, and touches nothing but that state.
class read_ahead
{
public:
    /// At most this many documents are ahead; of those held whole that is 16 MiB.
    static constexpr std::size_t max_ahead = 64;
    static constexpr std::size_t refill_at = max_ahead / 2; ///< once full, it goes on when so many are left

    /// `wake` is called on the thread when try_pop() has something again after it had nothing, and at the
    /// end.
    read_ahead(std::unique_ptr<source> s, std::shared_ptr<intake> in, std::function<void()> wake);
    ~read_ahead();
    read_ahead(read_ahead const&) = delete;
    read_ahead& operator=(read_ahead const&) = delete;

    /// The next document or problem, if one is ready.
    std::optional<prepared> try_pop();

    /// Nothing is left and nothing more will come.
    bool exhausted() const;

    /// Takes nothing more from the source; what is ahead is dropped. Waits for a document that is being read,
    /// for one buffer at most, but not for the source.
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
