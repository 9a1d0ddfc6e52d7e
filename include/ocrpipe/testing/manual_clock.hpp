#ifndef OCRPIPE_TESTING_MANUAL_CLOCK_HPP
#define OCRPIPE_TESTING_MANUAL_CLOCK_HPP

#include <ocrpipe/core/clock.hpp>

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace ocrpipe::testing
{

namespace asio = boost::asio;

/// Stops ocrpipe::clock while it exists, and lets a test move that clock: backoffs, poll intervals, deadlines
/// and Retry-After then take no real time. The wall clock goes on, and so do timers that are not the
/// library's.
///
/// Use it with a transport that waits for nothing real, such as scripted_transport. With real sockets, the
/// clock would jump to the next timeout instead of waiting for an answer.
///
/// Thread safety: none. The process has one clock, so at most one manual_clock may exist at a time.
class manual_clock
{
public:
    /// Throws std::logic_error if another manual_clock exists.
    manual_clock()
    {
        std::int64_t none = 0;
        auto const since_epoch = std::chrono::steady_clock::now().time_since_epoch();
        std::int64_t const now = std::chrono::duration_cast<clock::duration>(since_epoch).count();
        if (!detail::manual_time.compare_exchange_strong(none, now))
            throw std::logic_error("ocrpipe: there is a manual_clock already");
        detail::next_manual_timer = 0;
    }
    ~manual_clock() { detail::manual_time = 0; }
    manual_clock(manual_clock const&) = delete;
    manual_clock& operator=(manual_clock const&) = delete;

    void advance(clock::duration by) { detail::manual_time += by.count(); }

    /// Runs the context until it has no more work or is stopped. When no handler is ready, the clock moves to
    /// the next timer. Returns the number of handlers that ran.
    std::size_t run(asio::io_context& context) { return run_until(context, clock::time_point::max()); }

    /// The same, but ends at the latest when the clock has moved by `span`.
    std::size_t run_for(asio::io_context& context, clock::duration span)
    {
        clock::time_point const until = clock::now() + span;
        std::size_t const ran = run_until(context, until);
        if (!context.stopped() && clock::now() < until) advance(until - clock::now());
        return ran;
    }

private:
    static std::size_t run_until(asio::io_context& context, clock::time_point until)
    {
        std::size_t ran = 0;
        while (!context.stopped()) {
            detail::next_manual_timer = 0;
            std::size_t const n = context.poll();
            ran += n;
            if (n != 0 || context.stopped()) continue;
            std::int64_t const next = detail::next_manual_timer;
            std::int64_t const last = until.time_since_epoch().count();
            if (next > last) break;
            // If there is no timer, the context waits for another thread.
            if (next == 0)
                ran += context.run_one_for(std::chrono::milliseconds(1));
            else
                detail::manual_time = std::max<std::int64_t>(detail::manual_time, next);
        }
        return ran;
    }
};

} // namespace ocrpipe::testing

#endif
