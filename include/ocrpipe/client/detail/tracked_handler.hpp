#ifndef OCRPIPE_CLIENT_DETAIL_TRACKED_HANDLER_HPP
#define OCRPIPE_CLIENT_DETAIL_TRACKED_HANDLER_HPP

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/associator.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include <utility>

namespace ocrpipe::detail
{

/// A completion handler that keeps its own executor running until it is called. It has the executor, the slot
/// and the allocator of the handler. A handler without an executor needs no guard: the operation itself is
/// work.
template<class Handler>
class tracked_handler
{
public:
    explicit tracked_handler(Handler h)
        : handler_(std::move(h))
        , work_(boost::asio::make_work_guard(boost::asio::get_associated_executor(handler_)))
    {
    }

    template<class Outcome>
    void operator()(Outcome outcome)
    {
        work_.reset();
        std::move(handler_)(std::move(outcome));
    }

    Handler const& handler() const noexcept { return handler_; }

private:
    Handler handler_;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
};

} // namespace ocrpipe::detail

template<template<class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, ocrpipe::detail::tracked_handler<Handler>, Default>
    : Associator<Handler, Default> {
    using tracked = ocrpipe::detail::tracked_handler<Handler>;

    static auto get(tracked const& h) noexcept { return Associator<Handler, Default>::get(h.handler()); }
    static auto get(tracked const& h, Default const& d) noexcept
    {
        return Associator<Handler, Default>::get(h.handler(), d);
    }
};

#endif
