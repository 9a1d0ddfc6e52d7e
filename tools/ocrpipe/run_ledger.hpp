#ifndef OCRPIPE_TOOLS_RUN_LEDGER_HPP
#define OCRPIPE_TOOLS_RUN_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/result.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace ocrpipe::cli
{

/// How a command uses a run's ledger.
enum class ledger_use {
    begin_or_go_on,
    go_on, ///< a run must have been started in the directory
    look,  ///< read-only; works while a run is active
};

/// The ledger of the run in `directory`, which is created when the run starts.
///
/// Errors: errc::unwritable_output; errc::invalid_argument if no run was started there; those of
/// open_sqlite_ledger.
result<std::shared_ptr<ledger>> open_run_ledger(boost::asio::io_context& ioc, std::string const& directory,
                                                ledger_use use);

/// `directory`/report.json.
std::string report_path(std::string const& directory);

} // namespace ocrpipe::cli

#endif
