#ifndef OCRPIPE_BULK_DETAIL_READ_AHEAD_HPP
#define OCRPIPE_BULK_DETAIL_READ_AHEAD_HPP

#include <ocrpipe/bulk/source.hpp>
#include <ocrpipe/document.hpp>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>

namespace ocrpipe::detail
{

/// A document that was found, opened once and hashed. Small ones are held whole, so that they are read from
/// the disk once.
struct prepared_document {
    input_item item;
    document doc;
    std::uint64_t size = 0;
    std::string sha256; ///< lower-case hex
};

using prepared = std::variant<prepared_document, input_problem>;

/// Takes documents from a source on a thread of its own, a bounded number ahead: a slow pipe or disk never
/// holds up the polls, and the hashing runs beside the network.
///
/// The thread shares ownership of its state and is detached: one that is blocked in a pipe nobody writes to
/// cannot be joined, and touches nothing but that state.
class read_ahead
{
public:
    /// At most this many documents, and this many bytes of documents held whole, are ahead.
    static constexpr std::size_t max_ahead = 64;
    static constexpr std::size_t max_held_bytes = std::size_t(32) << 20;
    static constexpr std::uint64_t hold_below = std::uint64_t(256) << 10;

    /// `wake` is called on the thread when try_pop() has something again after it had nothing, and at the
    /// end.
    read_ahead(std::unique_ptr<source> s, std::function<void()> wake);
    ~read_ahead();
    read_ahead(read_ahead const&) = delete;
    read_ahead& operator=(read_ahead const&) = delete;

    /// The next document or problem, if one is ready.
    std::optional<prepared> try_pop();

    /// Nothing is left and nothing more will come.
    bool exhausted() const;

    /// Takes nothing more from the source; what is ahead is dropped.
    void stop();

private:
    struct state;
    std::shared_ptr<state> state_;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/read_ahead.ipp>
#endif

#endif
