#ifndef OCRPIPE_TOOLS_INTERRUPTION_HPP
#define OCRPIPE_TOOLS_INTERRUPTION_HPP

#include "exit_code.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <functional>
#include <utility>

namespace ocrpipe::cli
{

/// SIGINT, SIGTERM and, unless it was ignored from the start, SIGHUP as events of the io_context: the first
/// asks politely, the second insists, the third finds the system's default and ends the process whatever it
/// is doing.
///
/// Lifetime: no handler runs after its destruction.
class interruption
{
public:
    /// `on_signal` is told how many signals there were, 1 or 2.
    interruption(boost::asio::io_context& ioc, std::function<void(int times)> on_signal)
        : signals_(ioc, SIGINT, SIGTERM), on_signal_(std::move(on_signal))
    {
        struct ::sigaction now {
        };
        if (::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) signals_.add(SIGHUP);
        wait();
    }

    /// By the first signal; all_done when there was none.
    exit_code code() const noexcept { return code_; }

private:
    void wait()
    {
        signals_.async_wait([this](boost::system::error_code ec, int number) {
            if (ec) return;
            if (++times_ == 1)
                code_ = number == SIGTERM  ? exit_code::terminated
                        : number == SIGHUP ? exit_code::hung_up
                                           : exit_code::interrupted;
            on_signal_(times_);
            if (times_ < 2) return wait();
            boost::system::error_code ignored;
            signals_.clear(ignored);
        });
    }

    boost::asio::signal_set signals_;
    std::function<void(int)> on_signal_;
    int times_ = 0;
    exit_code code_ = exit_code::all_done;
};

/// SIGUSR1 as an event, as often as it comes: somebody asks how far the run is. Ignored afterwards, as it was
/// before.
class status_signal
{
public:
    status_signal(boost::asio::io_context& ioc, std::function<void()> on_signal)
        : signals_(ioc, SIGUSR1), on_signal_(std::move(on_signal))
    {
        wait();
    }
    ~status_signal()
    {
        // This leaves the system's default behind, which ends the process.
        boost::system::error_code ignored;
        signals_.clear(ignored);
        std::signal(SIGUSR1, SIG_IGN);
    }
    status_signal(status_signal const&) = delete;
    status_signal& operator=(status_signal const&) = delete;

private:
    void wait()
    {
        signals_.async_wait([this](boost::system::error_code ec, int) {
            if (ec) return;
            on_signal_();
            wait();
        });
    }

    boost::asio::signal_set signals_;
    std::function<void()> on_signal_;
};

} // namespace ocrpipe::cli

#endif
