#ifndef OCRPIPE_HTTP_FAIR_SEND_QUEUE_HPP
#define OCRPIPE_HTTP_FAIR_SEND_QUEUE_HPP

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

/// Fair queueing of the uploads of a transport: after its first chunk, each upload sends one chunk per turn,
/// and all sockets are polled between turns. So a received answer waits for a chunk or two, not for one of
/// every upload.
///
/// Waiting for a turn cannot be cancelled. The turn comes soon; the caller must check for cancellation then.
class fair_send_queue
{
public:
    explicit fair_send_queue(executor const& ex) : executor_(ex) {}

    /// co_await returns at the caller's turn.
    auto async_turn()
    {
        return asio::async_initiate<asio::deferred_t const, void()>(
            [this](auto handler) { enqueue(std::move(handler)); }, asio::deferred);
    }

private:
    using handler_type = asio::any_completion_handler<void()>;
    using queue_type = std::deque<handler_type>;

    void enqueue(handler_type handler)
    {
        std::shared_ptr<queue_type> queue = queue_.lock();
        bool const first = !queue;
        if (first) queue_ = queue = std::make_shared<queue_type>();
        queue->push_back(std::move(handler));
        if (first) post_next(executor_, std::move(queue));
    }

    /// The pending handler in the context owns the queue, so both are destroyed together.
    static void post_next(executor const& ex, std::shared_ptr<queue_type> queue)
    {
        asio::post(ex, [ex, queue = std::move(queue)]() mutable {
            handler_type next = std::move(queue->front());
            queue->pop_front();
            // Post one at a time: handlers posted together run together, before the sockets are polled.
            if (!queue->empty()) post_next(ex, std::move(queue));
            queue.reset();
            std::move(next)();
        });
    }

    executor executor_;
    std::weak_ptr<queue_type> queue_;
};

} // namespace detail
} // namespace ocrpipe

#endif
