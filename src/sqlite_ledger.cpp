// The ledger in SQLite: the only translation unit that includes sqlite3.h.

#include <ocrpipe/bulk/ledger/detail/batched_ledger.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/core/atomic_file.hpp>

#include "sqlite_ledger/connection.hpp"
#include "sqlite_ledger/lock.hpp"
#include "sqlite_ledger/reader.hpp"
#include "sqlite_ledger/writer.hpp"

#include <fcntl.h>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace
{

using namespace std::chrono_literals;

class sqlite_ledger final : public detail::batched_ledger
{
public:
    sqlite_ledger(boost::asio::io_context& ioc, sqlite_ledger_options options)
        : batched_ledger(ioc, {options.max_batch_rows, options.max_delay}, options.now)
        , options_(std::move(options))
    {
    }
    ~sqlite_ledger() override { close(); }

    result<void> open();

    bool survives_process() const noexcept override { return true; }
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
    result<std::vector<ledger_row>> incomplete_rows(bool settled_too, std::uint64_t& cursor,
                                                    std::size_t limit) override
    {
        return reader_.incomplete_rows(settled_too, cursor, limit);
    }
    result<std::vector<std::string>> documents_lacking_parts() override
    {
        return reader_.documents_lacking_parts();
    }
    result<std::vector<missing_part>> missing_parts(std::string_view id, std::uint64_t from,
                                                    std::size_t limit) override
    {
        return reader_.missing_parts(id, from, limit);
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

private:
    result<void> commit(std::span<detail::pending_change> batch) override
    {
        result<void> done = writer_.commit(batch);
        reader_.committed();
        return done;
    }
    result<void> between_commits() override
    {
        if (!writer_.checkpoint_due()) return {};
        reader_.release();
        return writer_.checkpoint();
    }
    result<std::uint64_t> mark_interrupted(std::int64_t at) override
    {
        // Usually there are none, and the counts are cached.
        result<document_counts> const known = reader_.counts();
        if (known && (*known)[document_state::intent] == 0) return std::uint64_t{0};
        result<std::uint64_t> count = writer_.mark_interrupted(at);
        reader_.committed();
        return count;
    }
    result<void> release(bool intact) override
    {
        reader_.close();
        result<void> done = writer_.close(intact);
        lock_.release();
        return done;
    }

    sqlite_ledger_options const options_;
    detail::ledger_lock lock_;
    detail::ledger_reader reader_;
    detail::ledger_writer writer_; ///< used only by the thread, once it has something to write
};

result<void> sqlite_ledger::open()
{
    if (options_.path.empty() || options_.max_batch_rows == 0 || options_.checkpoint_pages == 0 ||
        options_.checkpoint_pages > 1'000'000 || options_.max_delay < 0s || options_.max_delay > 1h)
        return failure(errc::invalid_argument, phase::prepare,
                       "path, max_batch_rows, max_delay or checkpoint_pages is out of range");
    if (options_.read_only) {
        detail::database_connection db;
        if (int const rc = db.open(options_.path, SQLITE_OPEN_READONLY, options_.vfs); rc != SQLITE_OK)
            return db.describe(rc);
        result<int> const version = detail::ledger_writer::version_of(db);
        if (!version) return version.error();
        if (*version == 0)
            return detail::ledger_failure(options_.path + ": an empty database, not yet a ledger");
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
        start();
    } catch (std::system_error const& e) {
        return detail::ledger_failure("no thread for the ledger",
                                      error_code(e.code().value(), boost::system::system_category()));
    }
    return {};
}

} // namespace

result<std::unique_ptr<ledger>> open_sqlite_ledger(boost::asio::io_context& ioc,
                                                   sqlite_ledger_options options)
{
    auto opened = std::make_unique<sqlite_ledger>(ioc, std::move(options));
    if (result<void> done = opened->open(); !done) return std::move(done).error();
    return std::unique_ptr<ledger>(std::move(opened));
}

} // namespace ocrpipe
