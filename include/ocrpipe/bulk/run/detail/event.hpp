#ifndef OCRPIPE_BULK_RUN_DETAIL_EVENT_HPP
#define OCRPIPE_BULK_RUN_DETAIL_EVENT_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/task.hpp>

#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace ocrpipe::detail
{

/// Wakes one waiting coroutine; a notification that arrives before the wait is remembered.
class event
{
public:
    explicit event(asio::io_context& ioc) : expiry_(ioc.get_executor()) {}

    task<void> wait()
    {
        if (!std::exchange(notified_, false)) {
            expiry_.expires_at(clock::time_point::max());
            error_code ignored;
            co_await expiry_.async_wait(asio::redirect_error(use_task, ignored));
            notified_ = false;
        }
    }

    void notify()
    {
        notified_ = true;
        expiry_.cancel();
    }

private:
    timer expiry_;
    bool notified_ = false;
};

} // namespace ocrpipe::detail

#endif
