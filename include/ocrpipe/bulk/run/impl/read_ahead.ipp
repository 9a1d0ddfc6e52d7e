#ifndef OCRPIPE_BULK_RUN_IMPL_READ_AHEAD_IPP
#define OCRPIPE_BULK_RUN_IMPL_READ_AHEAD_IPP

#include <ocrpipe/bulk/run/detail/read_ahead.hpp>

#include <thread>
#include <utility>

namespace ocrpipe::detail
{

struct read_ahead::state {
    std::unique_ptr<source> from;
    std::shared_ptr<intake> in;
    std::function<void()> wake;

    mutable std::mutex mutex;
    std::condition_variable room;
    std::condition_variable idle;
    std::deque<prepared> ready;
    bool consumer_waits = false;
    bool preparing = false;
    bool stopped = false;
    bool exhausted = false;

    void run();
};

OCRPIPE_DECL void read_ahead::state::run()
{
    std::unique_lock lock(mutex);
    while (!stopped) {
        if (ready.size() >= max_ahead)
            room.wait(lock, [this] { return stopped || ready.size() <= refill_at; });
        if (stopped) break;
        lock.unlock();
        std::optional<input> found = from->next();
        std::optional<prepared> p;
        lock.lock();
        if (stopped) break; // a document found meanwhile is dropped with the queue
        if (auto* const item = found ? std::get_if<input_item>(&*found) : nullptr) {
            preparing = true;
            lock.unlock();
            p = in->prepare(std::move(*item));
            lock.lock();
            preparing = false;
            idle.notify_one();
            if (stopped) break;
        } else if (found) {
            p = std::get<input_problem>(std::move(*found));
        }
        if (p)
            ready.push_back(std::move(*p));
        else if (found)
            continue;
        else
            exhausted = true;
        if (std::exchange(consumer_waits, false)) wake();
        if (exhausted) break;
    }
}

OCRPIPE_DECL read_ahead::read_ahead(std::unique_ptr<source> s, std::shared_ptr<intake> in,
                                    std::function<void()> wake)
    : state_(std::make_shared<state>())
{
    state_->from = std::move(s);
    state_->in = std::move(in);
    state_->wake = std::move(wake);
    std::thread([shared = state_] { shared->run(); }).detach();
}

OCRPIPE_DECL read_ahead::~read_ahead() { stop(); }

OCRPIPE_DECL std::optional<prepared> read_ahead::try_pop()
{
    std::lock_guard const lock(state_->mutex);
    if (state_->ready.empty()) {
        state_->consumer_waits = true;
        return std::nullopt;
    }
    prepared p = std::move(state_->ready.front());
    state_->ready.pop_front();
    // Do not wake the thread for each document: a wake-up costs more than reading one.
    if (state_->ready.size() == refill_at) state_->room.notify_one();
    return p;
}

OCRPIPE_DECL bool read_ahead::exhausted() const
{
    std::lock_guard const lock(state_->mutex);
    return state_->exhausted && state_->ready.empty();
}

OCRPIPE_DECL void read_ahead::stop()
{
    std::unique_lock lock(state_->mutex);
    state_->stopped = true;
    state_->ready.clear();
    // wake() is called only under the lock and while not stopped, so never after this line.
    state_->exhausted = true;
    state_->room.notify_one();
    // When the process exits, OpenSSL and the ledger are destroyed while the reading thread may still use
    // them.
    state_->in->cancel();
    state_->idle.wait(lock, [this] { return !state_->preparing; });
}

} // namespace ocrpipe::detail

#endif
