// A pipeline inside a program: documents in memory, a sink of its own, and any completion token.
#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>

#include "emulator/emulator.hpp"
#include "support/chunks.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <set>
#include <string>

using namespace ocrpipe;

namespace
{

/// Yields `count` documents that are in memory.
class memory_source final : public source
{
public:
    explicit memory_source(int count, std::atomic<int>* yielded = nullptr) : count_(count), yielded_(yielded)
    {
    }

    std::optional<input> next() override
    {
        if (next_ == count_) return std::nullopt;
        input_item i;
        i.id = "document " + std::to_string(next_);
        i.path = i.id + ".pdf";
        i.doc = document::from_bytes("%PDF-1.4 " + std::to_string(next_++), i.path);
        if (yielded_) ++*yielded_;
        return i;
    }

private:
    int next_ = 0;
    int count_;
    std::atomic<int>* yielded_;
};

class from_chunks final : public source
{
public:
    std::optional<input> next() override
    {
        if (std::exchange(done_, true)) return std::nullopt;
        input_item i;
        i.id = i.path = "streamed.pdf";
        i.doc = document::from_chunks(std::make_shared<chunks>("%PDF-1.4"), 8, i.path);
        return i;
    }

private:
    bool done_ = false;
};

/// A service, a folder and a client in one io_context.
struct embedded {
    embedded()
    {
        options.endpoint.base_url = service.base_url();
        options.endpoint.portal_user_id = "1";
        options.endpoint.api_key = secret("test-key");
        options.schedule = std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(10),
                                                                 std::chrono::milliseconds(20));
        c.emplace(ioc, options);
        how.directory = (dir.path() / "out").string();
        how.doc_type = "INVOICE";
    }

    std::shared_ptr<ledger> on_disk()
    {
        sqlite_ledger_options where;
        std::filesystem::create_directories(dir.path() / "out");
        where.path = (dir.path() / "out/ledger.db").string();
        result<std::unique_ptr<ledger>> opened = open_sqlite_ledger(ioc, where);
        REQUIRE(opened.has_value());
        return std::move(*opened);
    }

    pipeline make(std::unique_ptr<source> s) { return pipeline(ioc, *c, std::move(s), how, record); }

    emulator::emulator service{emulator::emulator_options()};
    temp_directory dir;
    asio::io_context ioc{1};
    std::shared_ptr<ledger> record = make_memory_ledger(ioc);
    client_options options;
    std::optional<client> c;
    pipeline_options how;
};

} // namespace

TEST_CASE_FIXTURE(embedded,
                  "pipeline: documents in memory, with a future -> each is sent once, and its result "
                  "goes to the sink before the next is taken")
{
    std::set<std::string> delivered;
    int running = 0;
    int most = 0;
    std::atomic<int> yielded{0};
    auto deliver = [&](ledger_document const& d, ocr_result const& r) -> task<error_code> {
        most = std::max(most, ++running);
        detail::timer pause(ioc, clock::now() + std::chrono::milliseconds(1));
        co_await pause.async_wait(detail::use_task);
        --running;
        CHECK_FALSE(r.text().empty());
        delivered.insert(d.id);
        co_return error_code();
    };
    how.on_result = deliver;
    how.max_in_flight = 2;
    pipeline p = make(std::make_unique<memory_source>(20, &yielded));
    std::future<result<run_report>> future = p.async_run(asio::use_future);
    ioc.run();
    result<run_report> const report = future.get();
    REQUIRE(report.has_value());
    CHECK(report->done == 20);
    CHECK(delivered.size() == 20);
    CHECK(most <= 2);
    CHECK(service.truth().accepted() == 20);
    CHECK(service.truth().most_accepted() == 1);
}

TEST_CASE_FIXTURE(embedded,
                  "pipeline: a sink that fails -> the run ends, and the next run delivers the result "
                  "without another submit")
{
    int calls = 0;
    auto const failing = [&](ledger_document const&, ocr_result const&) -> task<error_code> {
        ++calls;
        co_return make_error_code(boost::system::errc::no_space_on_device);
    };
    how.on_result = failing;
    std::optional<result<run_report>> ended;
    auto const note = [&](result<run_report> r) { ended = std::move(r); };
    record = on_disk();
    std::optional<pipeline> p(make(std::make_unique<memory_source>(1)));
    p->async_run(note);
    ioc.run();
    REQUIRE(ended.has_value());
    REQUIRE(ended->has_error());
    CHECK(ended->error().is(errc::unwritable_output));
    CHECK(ended->error().cause == boost::system::errc::no_space_on_device);
    CHECK(calls == 1);
    CHECK(record->counts().value()[document_state::done] == 0);

    auto const counting = [&](ledger_document const&, ocr_result const&) -> task<error_code> {
        ++calls;
        co_return error_code();
    };
    how.on_result = counting;
    c.emplace(ioc, options); // the run has closed the other one
    p.reset();
    record.reset();
    record = on_disk();
    p.emplace(make(std::make_unique<memory_source>(1)));
    p->async_run(note);
    ioc.restart();
    ioc.run();
    REQUIRE_MESSAGE(ended->has_value(), (ended->has_error() ? to_string(ended->error()) : std::string()));
    CHECK((*ended)->done == 1);
    CHECK(calls == 2);
    CHECK(service.truth().accepted() == 1);
}

TEST_CASE_FIXTURE(embedded,
                  "pipeline: a document from chunks -> an input problem, since its hash is not known")
{
    std::optional<input_problem> problem;
    how.on_unreadable = [&](input_problem const& p) { problem = p; };
    pipeline p = make(std::make_unique<from_chunks>());
    std::optional<result<run_report>> ended;
    p.async_run([&](result<run_report> r) { ended = std::move(r); });
    ioc.run();
    REQUIRE(problem.has_value());
    CHECK(problem->code == errc::invalid_argument);
    CHECK(problem->path == "streamed.pdf");
    CHECK(ended->value().unreadable == 1);
    CHECK(service.truth().accepted() == 0);
}

TEST_CASE_FIXTURE(embedded, "pipeline: cancelled through the slot of its token -> stopped")
{
    asio::cancellation_signal stop;
    std::optional<result<run_report>> ended;
    how.on_result = [&](ledger_document const&, ocr_result const&) -> task<error_code> {
        stop.emit(asio::cancellation_type::terminal);
        co_return error_code();
    };
    how.max_in_flight = 1;
    pipeline p = make(std::make_unique<memory_source>(50));
    p.async_run(
        asio::bind_cancellation_slot(stop.slot(), [&](result<run_report> r) { ended = std::move(r); }));
    ioc.run();
    REQUIRE(ended.has_value());
    REQUIRE(ended->has_value());
    CHECK((*ended)->end == run_end::stopped);
    CHECK((*ended)->done < 50);
}
