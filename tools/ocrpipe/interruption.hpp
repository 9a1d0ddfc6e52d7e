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
/// requests a graceful stop, the second an immediate stop, and the third has the default action, which kills
/// the process.
///
/// Lifetime: no handler runs after its destruction.
class interruption
{
public:
    /// `on_signal` receives the number of signals so far, 1 or 2.
    interruption(boost::asio::io_context& ioc, std::function<void(int times)> on_signal)
        : signals_(ioc, SIGINT, SIGTERM), on_signal_(std::move(on_signal))
    {
        struct ::sigaction now {
        };
        if (::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) signals_.add(SIGHUP);
        wait();
    }

    /// Determined by the first signal; all_done if there was none.
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

/// Delivers every SIGUSR1 as an event: a request to show the progress of the run. The signal is ignored
/// before and afterwards.
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
        // This restores the default action, which would kill the process.
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
