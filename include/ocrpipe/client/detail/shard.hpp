#ifndef OCRPIPE_CLIENT_DETAIL_SHARD_HPP
#define OCRPIPE_CLIENT_DETAIL_SHARD_HPP

#include <ocrpipe/core/task.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <utility>

namespace ocrpipe::detail
{

/// Converts an executor to the type that handlers use. The executor of an io_context is not wrapped twice,
/// because each copy would then allocate memory.
inline asio::any_completion_executor as_completion_executor(executor const& ex)
{
    auto const* const plain = ex.target<asio::io_context::executor_type>();
    return plain ? asio::any_completion_executor(*plain) : asio::any_completion_executor(ex);
}

/// Where a client keeps its state: on the user's executor if that is a strand or if the client is not
/// thread-safe, otherwise on a strand of that executor.
class shard
{
public:
    shard(executor outer, bool thread_safe)
        : outer_(std::move(outer))
        , has_own_strand_(thread_safe && !is_strand(outer_))
        , inner_(has_own_strand_ ? executor(asio::make_strand(outer_)) : outer_)
        , thread_safe_(thread_safe)
    {
        if (auto const* const plain = inner_.target<asio::io_context::executor_type>()) plain_ = *plain;
    }

    executor const& outer() const noexcept { return outer_; } ///< the user's
    executor const& inner() const noexcept { return inner_; } ///< where the state is
    bool has_own_strand() const noexcept { return has_own_strand_; }
    bool is_thread_safe() const noexcept { return thread_safe_; }

    /// Runs `f` later, on the inner executor.
    template<class F>
    void post(F f) const
    {
        if (plain_) return asio::post(*plain_, std::move(f)); // cheaper than through any_io_executor
        asio::post(inner_, std::move(f));
    }

    /// Runs `f` on the inner executor: at once if the caller runs there. Without thread safety, the caller is
    /// taken to run there.
    template<class F>
    void run(F f) const
    {
        if (!thread_safe_) return f();
        asio::dispatch(inner_, std::move(f));
    }

private:
    static bool is_strand(executor const& ex) noexcept
    {
        return ex.target<asio::strand<executor>>() != nullptr ||
               ex.target<asio::strand<asio::io_context::executor_type>>() != nullptr ||
               ex.target<asio::strand<asio::thread_pool::executor_type>>() != nullptr;
    }

    executor outer_;
    bool has_own_strand_;
    executor inner_;
    std::optional<asio::io_context::executor_type> plain_; ///< the inner executor, if it is an io_context's
    bool thread_safe_;
};

} // namespace ocrpipe::detail

#endif
