#ifndef OCRPIPE_CORE_FIFO_SEMAPHORE_HPP
#define OCRPIPE_CORE_FIFO_SEMAPHORE_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/asio/redirect_error.hpp>

#include <cstddef>
#include <limits>
#include <list>
#include <utility>

namespace ocrpipe::detail
{

/// A counting semaphore for coroutines of one thread or strand: first come, first served, and a released unit
/// is handed to the first waiter directly, so that nobody can overtake it and no wake-up is lost.
///
/// Boost 1.81's experimental channels drop messages on close and never wake blocked senders; the engine uses
/// this semaphore instead.
class fifo_semaphore
{
public:
    /// Holds an acquired unit, and releases it in the end.
    class unit
    {
    public:
        unit() = default;
        explicit unit(fifo_semaphore& s) noexcept : of_(&s) {}
        unit(unit&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        unit& operator=(unit&& other) noexcept
        {
            std::swap(of_, other.of_);
            return *this;
        }
        ~unit()
        {
            if (of_) of_->release();
        }
        explicit operator bool() const noexcept { return of_ != nullptr; }

    private:
        fifo_semaphore* of_ = nullptr;
    };

    /// `units` 0 means no limit.
    fifo_semaphore(executor const& ex, std::size_t units)
        : executor_(ex), units_(units == 0 ? std::numeric_limits<std::size_t>::max() : units)
    {
    }

    /// Takes one unit if that needs no wait. Returns whether it did.
    bool try_acquire() noexcept
    {
        if (closed_ || !available()) return false;
        ++used_;
        return true;
    }

    /// Takes one unit, waiting for it until `deadline` if necessary. Returns false, without taking a unit, if
    /// the deadline passed, the wait was cancelled, or the semaphore was closed.
    task<bool> acquire(clock::time_point deadline = clock::time_point::max())
    {
        if (try_acquire()) co_return true;
        if (closed_) co_return false;
        auto const self = waiters_.emplace(waiters_.end(), executor_);
        self->expiry.expires_at(deadline);
        error_code ignored;
        co_await self->expiry.async_wait(asio::redirect_error(use_task, ignored));
        bool const granted = self->granted;
        waiters_.erase(self);
        co_return granted;
    }

    void release()
    {
        --used_;
        grant();
    }

    /// Changes the number of units. If more are in use, those above it are not handed out again.
    void resize(std::size_t units)
    {
        units_ = units;
        grant();
    }

    /// Ends all waits, present and future.
    void close()
    {
        closed_ = true;
        for (waiter& w : waiters_)
            w.expiry.cancel();
    }

    /// Whether acquire() would not wait.
    bool available() const noexcept { return used_ < units_; }
    std::size_t waiting() const noexcept { return waiters_.size(); }

private:
    struct waiter {
        explicit waiter(executor const& ex) : expiry(ex) {}
        timer expiry;
        bool granted = false;
    };

    /// Hands free units to the first waiters.
    void grant()
    {
        for (waiter& w : waiters_) {
            if (!available()) return;
            // A wait that was cancelled has already left its timer: cancel() finds nothing to wake, and the
            // next waiter is tried.
            if (w.granted || w.expiry.cancel() == 0) continue;
            w.granted = true;
            ++used_;
        }
    }

    executor executor_;
    std::size_t units_;
    std::size_t used_ = 0;
    bool closed_ = false;
    std::list<waiter> waiters_;
};

} // namespace ocrpipe::detail

#endif
