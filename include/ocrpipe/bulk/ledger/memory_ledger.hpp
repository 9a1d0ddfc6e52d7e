#ifndef OCRPIPE_BULK_LEDGER_MEMORY_LEDGER_HPP
#define OCRPIPE_BULK_LEDGER_MEMORY_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/config.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace ocrpipe
{

/// Creates a ledger that keeps its rows in memory, for runs that leave nothing on disk but their results. It
/// ends with the process: survives_process() is false, and no later run can continue from it.
///
/// A change is durable, in the sense of the interface, as soon as reads see it. The ledger can be read after
/// close().
///
/// `clock`: for the recorded times; called on the thread that requests a change.
/// Errors: throws std::system_error if the ledger's thread cannot be started.
/// Cost: about 1 kB of memory per document.
OCRPIPE_DECL std::unique_ptr<ledger> make_memory_ledger(
    boost::asio::io_context& ioc,
    std::function<std::chrono::system_clock::time_point()> clock = std::chrono::system_clock::now);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/ledger/impl/memory_ledger.ipp>
#endif

#endif
