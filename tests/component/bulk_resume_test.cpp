#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>

#include "emulator/emulator.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>

using namespace ocrpipe;
namespace fs = std::filesystem;

namespace
{

struct life {
    std::optional<run_report> report; ///< when it came to its end
    std::optional<failure> failed;
};

/// Runs `in` into `out` until so many documents are finished, copies `out` as a crash would leave it, and
/// ends the run.
life live(std::string const& base_url, fs::path const& in, fs::path const& out, std::uint64_t finished_until,
          fs::path const& copy)
{
    asio::io_context ioc(1);
    client_options options;
    options.endpoint.base_url = base_url;
    options.endpoint.portal_user_id = "1";
    options.endpoint.api_key = secret("test-key");
    options.schedule =
        std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(10), std::chrono::milliseconds(20));
    client c(ioc, options);

    fs::create_directories(out);
    sqlite_ledger_options where;
    where.path = (out / "ledger.db").string();
    result<std::unique_ptr<ledger>> opened = open_sqlite_ledger(ioc, where);
    REQUIRE(opened.has_value());
    std::shared_ptr<ledger> const l = std::move(*opened);

    pipeline_options bulk;
    bulk.directory = out.string();
    bulk.doc_type = "INVOICE";
    bulk.results_file_bytes = 8192;
    bulk.max_in_flight = 20;
    pipeline p(ioc, c, open_input(in.string()), bulk, l);
    std::optional<result<run_report>> outcome;
    asio::co_spawn(ioc, p.run(), [&](std::exception_ptr e, result<run_report> r) {
        CHECK_FALSE(e);
        outcome.emplace(std::move(r));
    });
    while (!outcome && p.statistics().finished_now < finished_until)
        ioc.run_one();
    life ended;
    if (!outcome) {
        // First the ledger: results may be ahead of it, never behind.
        fs::create_directories(copy);
        for (char const* const name : {"ledger.db", "ledger.db-wal"})
            fs::copy_file(out / name, copy / name);
        for (fs::directory_entry const& file : fs::directory_iterator(out))
            if (!file.path().filename().string().starts_with("ledger.db"))
                fs::copy(file.path(), copy / file.path().filename());
        p.stop();
        p.stop();
        while (!outcome)
            ioc.run_one();
    } else if (*outcome)
        ended.report = **outcome;
    else
        ended.failed = outcome->error();
    CHECK_FALSE(l->close());
    return ended;
}

} // namespace

TEST_CASE("pipeline: crashes while its results are spread over many small files -> one result each, nothing "
          "accepted twice")
{
    emulator::emulator_options quick;
    quick.latency = emulator::parse_latency("fixed:20ms").value();
    emulator::emulator service(quick);
    temp_directory dir;
    constexpr int documents = 150;
    for (int i = 0; i != documents; ++i)
        dir.write("in/" + std::to_string(i) + ".pdf", "%PDF-1.4 document " + std::to_string(i));

    int lives = 0;
    life last;
    fs::path out;
    do {
        out = dir.path() / ("out" + std::to_string(lives));
        fs::path const next = dir.path() / ("out" + std::to_string(++lives));
        last = live(service.base_url(), dir.path() / "in", out, 15, next);
        REQUIRE_FALSE(last.failed);
        REQUIRE(lives < 50);
    } while (!last.report);
    CHECK(lives > 3);

    std::map<std::string, int> results;
    int files = 0;
    while (fs::exists(out / fmt::format("results-{:05}.jsonl", files + 1))) {
        std::ifstream lines(out / fmt::format("results-{:05}.jsonl", ++files));
        for (std::string line; std::getline(lines, line);)
            ++results[boost::json::parse(line).as_object().at("path").as_string().c_str()];
    }
    CHECK(files > 10);
    for (auto const& [path, count] : results)
        CHECK(count == 1);
    // The rest was being sent when a copy was made.
    CHECK(results.size() + last.report->failed == documents);
    CHECK(last.report->failed_by_class["ambiguous_submit"] == last.report->failed);
    CHECK(last.report->done == results.size());
    CHECK(service.truth().most_accepted() == 1);
}
