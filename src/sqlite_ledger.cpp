// The ledger in SQLite: the only translation unit that includes sqlite3.h.

#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/core/atomic_file.hpp>

#include "sqlite_ledger/connection.hpp"
#include "sqlite_ledger/lock.hpp"
#include "sqlite_ledger/reader.hpp"
#include "sqlite_ledger/writer.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace
{

namespace asio = boost::asio;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

class sqlite_ledger final : public ledger
{
public:
    sqlite_ledger(asio::io_context& ioc, sqlite_ledger_options options)
        : ioc_(ioc), options_(std::move(options))
    {
    }
    ~sqlite_ledger() override { close(); }

    result<void> open();

    result<std::optional<ledger_row>> find(std::string_view id) override { return reader_.find(id); }
    result<std::optional<known_document>> look_up(std::string_view id, std::string_view path,
                                                  std::uint64_t size, std::int64_t mtime_ns,
                                                  std::string_view parameters) override
    {
        return reader_.look_up(id, path, size, mtime_ns, parameters);
    }
    result<std::optional<ledger_row>> find_request(std::string_view request_id) override
    {
        return reader_.find_request(request_id);
    }
    result<std::optional<ledger_row>> find_done_by_content(std::string_view sha256,
                                                           std::string_view parameters) override
    {
        return reader_.find_done_by_content(sha256, parameters);
    }
    result<std::vector<ledger_row>> rows(document_states in, std::uint64_t& cursor,
                                         std::size_t limit) override
    {
        return reader_.rows(in, cursor, limit);
    }
    result<document_counts> counts() override { return reader_.counts(); }
    result<std::optional<result_location>> last_result_location() override
    {
        return reader_.last_result_location();
    }
    result<std::optional<std::string>> metadata(std::string_view key) override
    {
        return reader_.metadata(key);
    }

    void admit_intent(ledger_document d, std::optional<row_version> seen, ledger_handler h) override
    {
        enqueue(detail::intent_change{std::move(d), seen}, std::move(h));
    }
    void submitted(std::string id, submit_record what, ledger_handler h) override
    {
        enqueue(detail::submitted_change{std::move(id), std::move(what)}, std::move(h));
    }
    void finished(std::string id, finish_record what, ledger_handler h) override
    {
        enqueue(detail::finished_change{std::move(id), std::move(what)}, std::move(h));
    }
    void not_sent(std::string id, ledger_handler h) override
    {
        enqueue(detail::not_sent_change{std::move(id)}, std::move(h));
    }
    void skip(ledger_document d, std::string duplicate_of, result_location where, ledger_handler h) override
    {
        enqueue(detail::skip_change{std::move(d), std::move(duplicate_of), where}, std::move(h));
    }
    void sync_results_with(std::function<error_code()> sync) override
    {
        // The thread does not touch the writer before the first change.
        writer_.sync_results_with(std::move(sync));
    }
    void set_metadata(std::string key, std::string value, ledger_handler h) override
    {
        enqueue(detail::metadata_change{std::move(key), std::move(value)}, std::move(h));
    }
    void index_content(ledger_handler h) override { enqueue(detail::index_change{}, std::move(h)); }
    void flush(ledger_handler h) override { enqueue(detail::flush_change{}, std::move(h)); }

    result<std::uint64_t> interrupted_intents_to_ambiguous() override;
    std::optional<failure> broken() const override;
    error_code close() override;

private:
    using work_guard = asio::executor_work_guard<asio::io_context::executor_type>;

    /// Maximum changes per commit, however many are pending: bounds the latency of each.
    static constexpr std::size_t largest_commit = 1000;
    /// Handlers run per turn of the io_context, so that socket handlers are not starved.
    static constexpr std::size_t handlers_at_once = 128;

    std::int64_t now() const
    {
        return std::chrono::duration_cast<std::chrono::milliseconds>(options_.now().time_since_epoch())
            .count();
    }
    void enqueue(detail::ledger_change what, ledger_handler h);
    void work();
    bool due() const { return urgent_ || closing_ || queue_.size() >= options_.max_batch_rows; }
    void post_handlers(std::vector<detail::pending_change> batch);

    asio::io_context& ioc_;
    sqlite_ledger_options const options_;
    detail::ledger_lock lock_;
    detail::ledger_reader reader_;
    detail::ledger_writer writer_; ///< used only by the thread, once it has something to write

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<detail::pending_change> queue_;
    steady::time_point oldest_{}; ///< when the queue was last empty
    bool urgent_ = false;
    bool changed_ = false;
    bool closing_ = false;
    std::optional<failure> broken_;
    std::optional<work_guard> guard_; ///< held while handlers are still to be posted
    std::thread thread_;
};

result<void> sqlite_ledger::open()
{
    if (options_.path.empty() || options_.max_batch_rows == 0 || options_.checkpoint_pages == 0 ||
        options_.checkpoint_pages > 1'000'000 || options_.max_delay < 0s || options_.max_delay > 1h) {
        failure f =
            detail::ledger_failure("path, max_batch_rows, max_delay or checkpoint_pages is out of range");
        f.code = errc::invalid_argument;
        return f;
    }
    if (options_.read_only) {
        detail::database_connection db;
        if (int const rc = db.open(options_.path, SQLITE_OPEN_READONLY, options_.vfs); rc != SQLITE_OK)
            return db.describe(rc);
        result<bool> const fresh = detail::ledger_writer::is_fresh(db);
        if (!fresh) return fresh.error();
        if (*fresh) return detail::ledger_failure(options_.path + ": an empty database, not yet a ledger");
        return reader_.open(options_.path, options_.vfs, detail::other_writers::yes);
    }

    result<void> done = lock_.acquire(options_.path);
    if (!done) return done;
    // Created here for its mode, which SQLite gives to the log beside it too; its name is durable with the
    // log's first sync, with which SQLite syncs the folder. Nothing in this process has the file open yet:
    // closing a second descriptor would drop SQLite's locks.
    if (unique_fd const file(::open(options_.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)); !file)
        return detail::ledger_failure(options_.path, errno_code());
    else
        // The whole database is about to be read, in the order of the source.
        ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_WILLNEED);
    // A log was left by a process that did not end normally, perhaps because a sync had failed.
    std::string const log = options_.path + "-wal";
    std::error_code none;
    if (std::uintmax_t const size = std::filesystem::file_size(log, none); !none && size != 0)
        if (error_code const ec = detail::write_again(log, 0, size)) return detail::ledger_failure(log, ec);
    done = writer_.open(options_.path, options_.vfs, options_.checkpoint_pages, now());
    if (!done) return done;
    done = reader_.open(options_.path, options_.vfs, detail::other_writers::no);
    if (!done) return done;
    try {
        thread_ = std::thread([this] { work(); });
    } catch (std::system_error const& e) {
        return detail::ledger_failure("no thread for the ledger",
                                      error_code(e.code().value(), boost::system::system_category()));
    }
    return {};
}

void sqlite_ledger::enqueue(detail::ledger_change what, ledger_handler h)
{
    detail::pending_change c{std::move(what), now(), std::move(h), {}};
    bool const flush = std::holds_alternative<detail::flush_change>(c.what);
    std::unique_lock lock(mutex_);
    if (closing_ || options_.read_only) {
        c.outcome = closing_ ? errc::cancelled : errc::invalid_argument;
        lock.unlock();
        std::vector<detail::pending_change> refused;
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

void sqlite_ledger::work()
{
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return !queue_.empty() || closing_; });
        if (queue_.empty()) return;
        wake_.wait_until(lock, oldest_ + options_.max_delay, [this] { return due(); });

        auto const end =
            queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), largest_commit));
        std::vector<detail::pending_change> batch(std::make_move_iterator(queue_.begin()),
                                                  std::make_move_iterator(end));
        queue_.erase(queue_.begin(), end);
        urgent_ = urgent_ && !queue_.empty();
        lock.unlock();
        writer_.commit(batch);
        reader_.committed();
        lock.lock();
        // Set before the handlers run, so that they can call broken().
        if (!broken_) broken_ = writer_.broken();
        lock.unlock();
        post_handlers(std::move(batch));
        lock.lock();
        if (queue_.empty()) guard_.reset();
        if (!writer_.checkpoint_due()) continue;
        lock.unlock();
        reader_.release();
        writer_.checkpoint();
        lock.lock();
        if (!broken_) broken_ = writer_.broken();
    }
}

void sqlite_ledger::post_handlers(std::vector<detail::pending_change> batch)
{
    for (std::size_t from = 0; from < batch.size(); from += handlers_at_once) {
        std::vector<std::pair<ledger_handler, error_code>> some;
        for (std::size_t i = from; i != std::min(from + handlers_at_once, batch.size()); ++i)
            if (batch[i].handler) some.emplace_back(std::move(batch[i].handler), batch[i].outcome);
        asio::post(ioc_, [some = std::move(some)]() mutable {
            for (auto& [handler, ec] : some)
                handler(ec);
        });
    }
}

result<std::uint64_t> sqlite_ledger::interrupted_intents_to_ambiguous()
{
    // The thread does not touch the writer before the first change, and this lock prevents one.
    std::lock_guard const lock(mutex_);
    if (changed_ || closing_ || options_.read_only) {
        failure f = detail::ledger_failure("interrupted intents must be settled before the first change");
        f.code = errc::invalid_argument;
        return f;
    }
    // Usually there are none, and the counts are cached.
    result<document_counts> const known = reader_.counts();
    if (known && (*known)[document_state::intent] == 0) return std::uint64_t{0};
    result<std::uint64_t> count = writer_.interrupted_intents_to_ambiguous(now());
    reader_.committed();
    if (!broken_) broken_ = writer_.broken();
    return count;
}

std::optional<failure> sqlite_ledger::broken() const
{
    std::lock_guard const lock(mutex_);
    return broken_;
}

error_code sqlite_ledger::close()
{
    {
        std::lock_guard const lock(mutex_);
        closing_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    reader_.close();
    writer_.close();
    lock_.release();
    std::lock_guard const lock(mutex_);
    if (!broken_) broken_ = writer_.broken();
    return broken_ ? broken_->code : error_code();
}

} // namespace

result<std::unique_ptr<ledger>> open_sqlite_ledger(asio::io_context& ioc, sqlite_ledger_options options)
{
    auto opened = std::make_unique<sqlite_ledger>(ioc, std::move(options));
    if (result<void> done = opened->open(); !done) return std::move(done).error();
    return std::unique_ptr<ledger>(std::move(opened));
}

} // namespace ocrpipe
