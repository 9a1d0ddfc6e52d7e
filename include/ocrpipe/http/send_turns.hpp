#ifndef OCRPIPE_HTTP_SEND_TURNS_HPP
#define OCRPIPE_HTTP_SEND_TURNS_HPP

#include <ocrpipe/http/tcp_types.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include <deque>
#include <memory>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Schedules the uploads of a transport: after its first chunk, each upload sends one chunk per turn, and all
/// sockets are polled between turns. So a received answer waits for a chunk or two, not for one of every
/// upload.
///
/// Waiting for a turn cannot be cancelled. The turn comes soon; the caller must check for cancellation then.
class send_turns
{
public:
    explicit send_turns(asio::io_context& ioc) : executor_(ioc.get_executor()) {}

    /// co_await returns at the caller's turn.
    auto async_next()
    {
        return asio::async_initiate<asio::deferred_t const, void()>(
            [this](auto handler) { enqueue(std::move(handler)); }, asio::deferred);
    }

private:
    using turn = asio::any_completion_handler<void()>;
    using line = std::deque<turn>;

    void enqueue(turn t)
    {
        std::shared_ptr<line> waiting = waiting_.lock();
        bool const first = !waiting;
        if (first) waiting_ = waiting = std::make_shared<line>();
        waiting->push_back(std::move(t));
        if (first) post_next(executor_, std::move(waiting));
    }

    /// The pending handler in the io_context owns the queue, so both are destroyed together.
    static void post_next(io_executor const& executor, std::shared_ptr<line> waiting)
    {
        asio::post(executor, [executor, waiting = std::move(waiting)]() mutable {
            turn next = std::move(waiting->front());
            waiting->pop_front();
            // Post one at a time: handlers posted together run together, before the sockets are polled.
            if (!waiting->empty()) post_next(executor, std::move(waiting));
            waiting.reset();
            std::move(next)();
        });
    }

    io_executor executor_;
    std::weak_ptr<line> waiting_;
};

} // namespace detail
} // namespace ocrpipe

#endif
