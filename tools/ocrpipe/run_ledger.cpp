#include "run_ledger.hpp"

#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace ocrpipe::cli
{

result<std::shared_ptr<ledger>> open_run_ledger(boost::asio::io_context& ioc, std::string const& directory,
                                                ledger_use use)
{
    namespace fs = std::filesystem;
    auto const refused = [](errc e, std::error_code cause, std::string reason) {
        failure f;
        f.code = e;
        f.cause = error_code(cause);
        f.where = phase::prepare;
        f.reason = std::move(reason);
        return f;
    };
    std::error_code ec;
    sqlite_ledger_options o;
    o.path = (fs::path(directory) / "ledger.db").string();
    o.read_only = use == ledger_use::look;
    if (use == ledger_use::begin_or_go_on) {
        fs::create_directories(directory, ec);
        if (ec) return refused(errc::unwritable_output, ec, directory);
    } else if (!fs::exists(o.path, ec)) {
        return refused(errc::invalid_argument, {},
                       fmt::format("{}: there is no run in this directory: name the --out directory of a run",
                                   directory));
    }
    result<std::unique_ptr<ledger>> opened = open_sqlite_ledger(ioc, std::move(o));
    if (!opened) return std::move(opened).error();
    return std::shared_ptr<ledger>(std::move(*opened));
}

std::string report_path(std::string const& directory)
{
    return directory + (directory.ends_with('/') ? "" : "/") + "report.json";
}

} // namespace ocrpipe::cli
