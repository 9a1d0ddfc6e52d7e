#ifndef OCRPIPE_BULK_LEDGER_IMPL_BATCHED_LEDGER_IPP
#define OCRPIPE_BULK_LEDGER_IMPL_BATCHED_LEDGER_IPP

#include <ocrpipe/bulk/ledger/detail/batched_ledger.hpp>

#include <boost/asio/post.hpp>
#include <boost/system/errc.hpp>

#include <algorithm>
#include <iterator>

namespace ocrpipe::detail
{

OCRPIPE_DECL void batched_ledger::start()
{
    thread_ = std::thread([this] { work(); });
    started_ = true;
}

OCRPIPE_DECL void batched_ledger::enqueue(ledger_change what, ledger_handler h)
{
    pending_change c{std::move(what), now(), std::move(h), {}};
    bool const flush = std::holds_alternative<flush_change>(c.what);
    std::unique_lock lock(mutex_);
    if (closing_ || !started_) {
        c.outcome = closing_ ? errc::cancelled : errc::invalid_argument;
        lock.unlock();
        std::vector<pending_change> refused;
        refused.push_back(std::move(c));
        return post_handlers(std::move(refused));
    }
    changed_ = true;
    if (!guard_) guard_.emplace(ioc_.get_executor());
    if (queue_.empty()) oldest_ = steady::now();
    urgent_ = urgent_ || flush;
    queue_.push_back(std::move(c));
    // The thread need not wake between the first change of a batch and the one that fills it.
    if (queue_.size() == 1 || due()) wake_.notify_one();
}

OCRPIPE_DECL void batched_ledger::work()
{
    // Maximum changes per commit, however many are pending: bounds the latency of each.
    constexpr std::size_t largest_commit = 1000;
    std::unique_lock lock(mutex_);
    // Runs without the lock, unless an earlier step failed.
    auto const run = [&](auto step) {
        if (broken_) return;
        lock.unlock();
        result<void> const done = step();
        lock.lock();
        if (!done) broken_ = done.error();
    };
    for (;;) {
        wake_.wait(lock, [this] { return !queue_.empty() || closing_; });
        if (queue_.empty()) return;
        wake_.wait_until(lock, oldest_ + when_.max_delay, [this] { return due(); });

        auto const end =
            queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), largest_commit));
        std::vector<pending_change> batch(std::make_move_iterator(queue_.begin()),
                                          std::make_move_iterator(end));
        queue_.erase(queue_.begin(), end);
        urgent_ = urgent_ && !queue_.empty();
        run([&] { return sync_and_commit(batch); });
        // broken_ is set before the handlers run, so that they can call broken().
        if (broken_)
            for (pending_change& c : batch)
                c.outcome = errc::ledger_failed;
        lock.unlock();
        post_handlers(std::move(batch));
        lock.lock();
        if (queue_.empty()) guard_.reset();
        run([this] { return between_commits(); });
    }
}

OCRPIPE_DECL result<void> batched_ledger::sync_and_commit(std::span<pending_change> batch)
{
    if (sync_results_ && std::any_of(batch.begin(), batch.end(),
                                     [](pending_change const& c) { return records_result(c.what); }))
        if (error_code const ec = sync_results_()) {
            bool const removed = ec == boost::system::errc::no_such_file_or_directory;
            return failure(errc::ledger_failed, phase::prepare,
                           removed ? "the results file was removed or replaced while the run wrote to it"
                                   : "the results could not be synced to disk",
                           ec);
        }
    return commit(batch);
}

OCRPIPE_DECL void batched_ledger::post_handlers(std::vector<pending_change> batch)
{
    // Handlers run per turn of the io_context, so that socket handlers are not starved.
    constexpr std::size_t at_once = 128;
    for (std::size_t from = 0; from < batch.size(); from += at_once) {
        std::vector<std::pair<ledger_handler, error_code>> some;
        for (std::size_t i = from; i != std::min(from + at_once, batch.size()); ++i)
            if (batch[i].handler) some.emplace_back(std::move(batch[i].handler), batch[i].outcome);
        boost::asio::post(ioc_, [some = std::move(some)]() mutable {
            for (auto& [handler, ec] : some)
                handler(ec);
        });
    }
}

OCRPIPE_DECL result<std::uint64_t> batched_ledger::interrupted_intents_to_ambiguous()
{
    // The thread does nothing before the first change, and this lock prevents one.
    std::lock_guard const lock(mutex_);
    if (changed_ || closing_ || !started_)
        return failure(errc::invalid_argument, phase::prepare,
                       "interrupted intents must be settled before the first change");
    if (broken_) return *broken_;
    result<std::uint64_t> const count = mark_interrupted(now());
    if (!count) broken_ = count.error();
    return count;
}

OCRPIPE_DECL std::optional<failure> batched_ledger::broken() const
{
    std::lock_guard const lock(mutex_);
    return broken_;
}

OCRPIPE_DECL error_code batched_ledger::close()
{
    {
        std::lock_guard const lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    result<void> const done = release(!broken());
    std::lock_guard const lock(mutex_);
    if (!done && !broken_) broken_ = done.error();
    return broken_ ? broken_->code : error_code();
}

} // namespace ocrpipe::detail

#endif
