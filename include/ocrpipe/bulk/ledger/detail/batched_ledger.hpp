#ifndef OCRPIPE_BULK_LEDGER_DETAIL_BATCHED_LEDGER_HPP
#define OCRPIPE_BULK_LEDGER_DETAIL_BATCHED_LEDGER_HPP

#include <ocrpipe/bulk/ledger/detail/ledger_change.hpp>
#include <ocrpipe/bulk/ledger/ledger.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ocrpipe::detail
{

/// When a commit starts.
struct batching {
    std::size_t max_rows;                ///< this many changes are pending
    std::chrono::milliseconds max_delay; ///< the oldest pending change has waited this long
};

/// A ledger that commits many changes at a time, on its own thread. Derived classes read and commit.
///
/// A derived class calls start() when it is ready for changes, and close() in its destructor.
class batched_ledger : public ledger
{
public:
    void admit_intent(ledger_document d, std::optional<row_version> seen, ledger_handler h) final
    {
        enqueue(intent_change{std::move(d), seen}, std::move(h));
    }
    void submitted(std::string id, submit_record what, ledger_handler h) final
    {
        enqueue(submitted_change{std::move(id), std::move(what)}, std::move(h));
    }
    void finished(std::string id, finish_record what, ledger_handler h) final
    {
        enqueue(finished_change{std::move(id), std::move(what)}, std::move(h));
    }
    void parts_fetched(std::string id, parts_record what, ledger_handler h) final
    {
        enqueue(parts_change{std::move(id), std::move(what)}, std::move(h));
    }
    void not_sent(std::string id, ledger_handler h) final
    {
        enqueue(not_sent_change{std::move(id)}, std::move(h));
    }
    void skip(ledger_document d, skip_record what, ledger_handler h) final
    {
        enqueue(skip_change{std::move(d), std::move(what)}, std::move(h));
    }
    void set_metadata(std::string key, std::string value, ledger_handler h) final
    {
        enqueue(metadata_change{std::move(key), std::move(value)}, std::move(h));
    }
    void index_content(ledger_handler h) final { enqueue(index_change{}, std::move(h)); }
    void flush(ledger_handler h) final { enqueue(flush_change{}, std::move(h)); }

    // The thread does not read it before the first change.
    void sync_results_with(std::function<error_code()> sync) final { sync_results_ = std::move(sync); }
    result<std::uint64_t> interrupted_intents_to_ambiguous() final;
    std::optional<failure> broken() const final;
    error_code close() final;

protected:
    batched_ledger(boost::asio::io_context& ioc, batching when,
                   std::function<std::chrono::system_clock::time_point()> clock)
        : ioc_(ioc), when_(when), clock_(std::move(clock))
    {
    }

    /// Starts the thread. Until then every change fails with errc::invalid_argument.
    ///
    /// Throws std::system_error if the thread cannot be started.
    void start();

    /// Milliseconds since the epoch.
    std::int64_t now() const
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(clock_().time_since_epoch()).count();
    }

private:
    using steady = std::chrono::steady_clock;
    using work_guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    // After an error of commit() or between_commits(), neither is called again. Both run on the thread.

    /// Makes the changes durable, and sets the outcome of each invalid one to errc::invalid_argument. An
    /// error means that none of them is guaranteed.
    virtual result<void> commit(std::span<pending_change> batch) = 0;
    /// Does maintenance for which no handler should wait.
    virtual result<void> between_commits() { return {}; }

    /// Called before the first change.
    virtual result<std::uint64_t> mark_interrupted(std::int64_t at) = 0;
    /// Releases what the ledger holds, after the thread has ended. `intact`: no commit has failed. May be
    /// called more than once.
    virtual result<void> release(bool intact) = 0;

    void enqueue(ledger_change what, ledger_handler h);
    void work();
    result<void> sync_and_commit(std::span<pending_change> batch);
    bool due() const { return urgent_ || closing_ || queue_.size() >= when_.max_rows; }
    void post_handlers(std::vector<pending_change> batch);

    boost::asio::io_context& ioc_;
    batching const when_;
    std::function<std::chrono::system_clock::time_point()> const clock_;
    std::function<error_code()> sync_results_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<pending_change> queue_;
    steady::time_point oldest_{}; ///< when the first change in the queue was requested
    bool started_ = false;
    bool urgent_ = false;
    bool changed_ = false;
    bool closing_ = false;
    std::optional<failure> broken_;
    std::optional<work_guard> guard_; ///< held while handlers are still to be posted
    std::thread thread_;
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/batched_ledger.ipp>
#endif

#endif
