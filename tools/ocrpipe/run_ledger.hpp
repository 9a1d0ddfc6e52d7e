#ifndef OCRPIPE_TOOLS_RUN_LEDGER_HPP
#define OCRPIPE_TOOLS_RUN_LEDGER_HPP

#include <ocrpipe/bulk/ledger/ledger.hpp>
#include <ocrpipe/core/result.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace ocrpipe::cli
{

/// What a command wants of a run's ledger.
enum class ledger_use {
    begin_or_go_on,
    go_on, ///< a run must have been begun in the directory
    look,  ///< beside a run, changing nothing
};

/// The ledger of the run in `directory`, which is created when the run is begun.
///
/// Errors: errc::unwritable_output; errc::invalid_argument when no run was begun there; those of
/// open_sqlite_ledger.
result<std::shared_ptr<ledger>> open_run_ledger(boost::asio::io_context& ioc, std::string const& directory,
                                                ledger_use use);

/// `directory`/report.json.
std::string report_path(std::string const& directory);

} // namespace ocrpipe::cli

#endif
