#ifndef OCRPIPE_CORE_SIDE_TASK_HPP
#define OCRPIPE_CORE_SIDE_TASK_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace ocrpipe::detail
{

/// A task that runs beside the coroutine that started it, which waits for something else meanwhile and can
/// stop it.
///
/// The coroutine must not throw when it is cancelled, and must see the end of the task before it ends itself.
/// Thread safety: one thread or strand, that of `ex`.
class side_task
{
public:
    /// Starts `work`, which must not throw before stop(). `on_end` is called at its end.
    side_task(executor const& ex, task<void> work, std::function<void()> on_end = {})
        : state_(std::make_shared<state>(ex, std::move(on_end)))
    {
        asio::co_spawn(ex, std::move(work),
                       asio::bind_cancellation_slot(state_->stop.slot(), [s = state_](std::exception_ptr e) {
                           if (e && !s->stopped) std::rethrow_exception(e);
                           s->ended = true;
                           s->wake.cancel();
                           if (s->on_end) s->on_end();
                       }));
    }
    side_task(side_task const&) = delete;
    side_task& operator=(side_task const&) = delete;

    bool ended() const noexcept { return state_->ended; }

    /// Waits for the end. Returns false if `until` came first, or the wait was cancelled.
    task<bool> wait(clock::time_point until)
    {
        if (ended()) co_return true;
        state_->wake.expires_at(until);
        error_code ignored;
        co_await state_->wake.async_wait(asio::redirect_error(use_task, ignored));
        co_return ended();
    }

    /// Cancels the task and waits for its end, which cannot be cancelled.
    task<void> stop()
    {
        state_->stopped = true;
        if (!ended()) state_->stop.emit(asio::cancellation_type::terminal);
        while (!ended())
            co_await wait(clock::time_point::max());
    }

private:
    struct state {
        state(executor const& ex, std::function<void()> f) : on_end(std::move(f)), wake(ex) {}

        asio::cancellation_signal stop;
        std::function<void()> on_end;
        timer wake;
        bool stopped = false; ///< an await in a task that is cancelled throws, even if its operation succeeds
        bool ended = false;
    };

    std::shared_ptr<state> state_; ///< the task refers to it, even if the context is destroyed first
};

} // namespace ocrpipe::detail

#endif
