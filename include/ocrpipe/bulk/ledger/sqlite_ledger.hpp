#ifndef OCRPIPE_BULK_LEDGER_SQLITE_LEDGER_HPP
#define OCRPIPE_BULK_LEDGER_SQLITE_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/result.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace ocrpipe
{

/// How a ledger in a SQLite file is kept.
struct sqlite_ledger_options {
    std::string path; ///< of the database, such as DIR/ledger.db; its folder must exist

    /// Only look: takes no lock, so that it works beside a run; writes nothing, and every change fails with
    /// errc::invalid_argument. The database must exist.
    bool read_only = false;

    std::size_t max_batch_rows = 300;        ///< a commit is begun when this many changes wait; 1 or more
    std::chrono::milliseconds max_delay{10}; ///< or when the oldest has waited this long; 0 means at once

    /// Pages of 4 KiB in the write-ahead log after which the writer's thread moves them to the database, and
    /// in which a page written often counts once; 1 or more. More of them save work and cost disk.
    std::size_t checkpoint_pages = 8192;

    /// Gives the times that are recorded; called on the thread that asks for a change.
    std::function<std::chrono::system_clock::time_point()> now = std::chrono::system_clock::now;

    std::string vfs; ///< the SQLite VFS to use, for tests; empty means the default
};

/// Opens or creates (mode 0600) a ledger in a SQLite database in WAL mode with synchronous=FULL.
///
/// Owned by one process at a time, by a lock on the file beside it whose name ends in .lock, which the system
/// takes back when the process ends, however it ends. The `sqlite3` shell can read it meanwhile. Commits and
/// checkpoints happen on a thread of the ledger's own.
///
/// Errors: errc::ledger_in_use: another process, or another object in this one, has it. errc::ledger_failed:
/// no ledger, corrupt, of a newer
///   version, on a network file system (whose locks and shared memory cannot be trusted), or out of reach;
///   cause and reason say which. errc::invalid_argument: an option is out of range.
/// Cost: 10,000 documents a second and more, three changes each.
result<std::unique_ptr<ledger>> open_sqlite_ledger(boost::asio::io_context& ioc,
                                                   sqlite_ledger_options options);

} // namespace ocrpipe

#endif
