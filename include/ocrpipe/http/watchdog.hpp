#ifndef OCRPIPE_HTTP_WATCHDOG_HPP
#define OCRPIPE_HTTP_WATCHDOG_HPP

#include <ocrpipe/http/tcp_types.hpp>

#include <memory>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// One timer for the deadlines of all connections in use.
///
/// Extending a deadline, which happens on every read and write, is one store; the timer is rearmed only for a
/// deadline earlier than the one it waits for. When nothing is watched, no timer is pending, so
/// io_context::run() can return.
class watchdog
{
public:
    class entry
    {
    public:
        entry() = default;
        entry(entry const&) = delete;
        entry& operator=(entry const&) = delete;

        virtual ~entry() = default;

    private:
        friend class watchdog;

        /// The deadline has passed; the entry is no longer watched.
        virtual void on_deadline() = 0;

        clock::time_point when_;
        std::size_t index_ = unwatched;
    };

    explicit watchdog(executor const& ex) : timer_(ex) {}

    /// Watches `e`, or changes its deadline. Call forget() before destroying an entry.
    void watch(entry& e, clock::time_point when);
    void forget(entry& e) noexcept;

private:
    static constexpr std::size_t unwatched = static_cast<std::size_t>(-1);

    void arm(clock::time_point when);
    void on_timer();
    void unlink(entry& e) noexcept;

    timer timer_;
    clock::time_point armed_ = clock::time_point::max();
    std::vector<entry*> entries_;
    /// Detects handlers that run after our destruction.
    std::shared_ptr<void> alive_ = std::make_shared<char>();
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/watchdog.ipp>
#endif

#endif
