#include "emulator/emulator.hpp"

#include "emulator/server.hpp"
#include "emulator/service.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>
#include <type_traits>

namespace ocrpipe::emulator
{
namespace
{

emulator_options checked(emulator_options options)
{
    auto const problems = options.validate();
    if (!problems.empty()) throw std::invalid_argument(fmt::format("{}", fmt::join(problems, "; ")));
    return options;
}

} // namespace

struct emulator::impl {
    explicit impl(emulator_options o)
        : options(checked(std::move(o)))
        , ioc(std::in_place, 1)
        , work(boost::asio::make_work_guard(*ioc))
        , answers(options, [this](std::function<void()> f) { boost::asio::post(*ioc, std::move(f)); })
        , front(std::in_place, *ioc, options, answers)
        , port(front->port())
        , thread([this] { ioc->run(); })
    {
    }

    ~impl() { stop(); }

    void stop()
    {
        if (!thread.joinable()) return;
        // Two hops: a write that was done while this was posted has its completion, and its line in the truth
        // log, in between.
        boost::asio::post(*ioc, [this] { boost::asio::post(*ioc, [this] { ioc->stop(); }); });
        thread.join();
        answers.stop_reading();
        front.reset();
        work.reset();
        // Destroys the connections' coroutines, which close their sockets.
        ioc.reset();
    }

    /// Runs `f` in the emulator's thread, or here once that has ended.
    template<class F>
    auto in_thread(F f) -> decltype(f())
    {
        if (!ioc) return f();
        std::packaged_task<decltype(f())()> call(std::move(f));
        auto outcome = call.get_future();
        boost::asio::post(*ioc, [&call] { call(); });
        return outcome.get();
    }

    emulator_options options;
    std::optional<boost::asio::io_context> ioc;
    /// The thread must outlive a closed listener.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
    service answers;
    std::optional<server> front;
    unsigned short port;
    std::thread thread;
};

emulator::emulator(emulator_options options) : impl_(std::make_unique<impl>(std::move(options))) {}

emulator::~emulator() = default;

unsigned short emulator::port() const noexcept { return impl_->port; }

std::string emulator::base_url() const
{
    auto const& o = impl_->options;
    bool const v6 = o.address.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}", o.tls.cert.empty() ? "http" : "https", v6 ? "[" : "", o.address,
                       v6 ? "]" : "", impl_->port);
}

void emulator::refuse_connections(bool refuse)
{
    impl_->in_thread([this, refuse] { impl_->front->refuse_connections(refuse); });
}

void emulator::add_fault(fault_rule rule)
{
    impl_->in_thread([this, &rule] { impl_->answers.faults().add(std::move(rule)); });
}

truth_snapshot emulator::truth() const
{
    return impl_->in_thread([this] { return impl_->answers.truth(); });
}

std::vector<fault_account> emulator::fault_accounting() const
{
    return impl_->in_thread([this] { return impl_->answers.faults().accounts(); });
}

bool emulator::all_faults_happened() const
{
    auto const accounts = fault_accounting();
    return std::all_of(accounts.begin(), accounts.end(),
                       [](fault_account const& a) { return a.happened >= a.planned; });
}

statistics emulator::counters() const
{
    return impl_->in_thread([this] { return impl_->answers.counters(); });
}

void emulator::stop() { impl_->stop(); }

} // namespace ocrpipe::emulator
