#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/core/json_text.hpp>

#include "emulator/emulator.hpp"
#include "emulator/fault.hpp"
#include "support/run_coro.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <sys/stat.h>

using namespace ocrpipe;
namespace json = boost::json;

namespace
{

emulator::emulator_options quick_service()
{
    emulator::emulator_options o;
    o.latency = emulator::parse_latency("fixed:20ms").value();
    return o;
}

client_options options_for(emulator::emulator const& service)
{
    client_options o;
    o.endpoint.base_url = service.base_url();
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("test-key");
    o.schedule =
        std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(10), std::chrono::milliseconds(20));
    o.retry.base = o.retry.throttled_base = std::chrono::milliseconds(20);
    o.profile.settle_time = std::chrono::milliseconds(50);
    o.seed = 1;
    return o;
}

struct finished_run {
    std::optional<run_report> report;
    std::optional<failure> failed;
};

/// Runs DIR/in into DIR/out on a fresh context.
finished_run run(temp_directory const& dir, client_options const& options, pipeline_options bulk,
                 std::function<void(pipeline&, client&, asio::io_context&)> const& meanwhile = {})
{
    finished_run outcome;
    asio::io_context ioc(1);
    client c(ioc, options);
    bulk.directory = (dir.path() / "out").string();
    bulk.doc_type = "INVOICE";
    pipeline p(ioc, c, open_input((dir.path() / "in").string()), bulk, make_memory_ledger(ioc));
    if (meanwhile) meanwhile(p, c, ioc);
    run_coro(ioc, [&]() -> task<void> {
        result<run_report> r = co_await p.run();
        if (r)
            outcome.report = *r;
        else
            outcome.failed = r.error();
    });
    return outcome;
}

std::vector<json::object> lines_of(temp_directory const& dir, std::string const& file)
{
    std::vector<json::object> lines;
    std::istringstream in(dir.read("out/" + file));
    for (std::string line; std::getline(in, line);)
        lines.push_back(json::parse(line).as_object());
    return lines;
}

std::string pdf(int i) { return "%PDF-1.4 document " + std::to_string(i); }

} // namespace

TEST_CASE("pipeline: a directory of documents -> each has one line with its own result, files of mode 0600")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    std::map<std::string, std::string> content;
    for (int i = 0; i != 50; ++i) {
        std::string const name = "in/" + std::to_string(i % 5) + "/hóa đơn " + std::to_string(i) + ".pdf";
        content[(dir.path() / name).string()] = pdf(i);
        dir.write(name, pdf(i));
    }
    pipeline_options bulk;
    bulk.text = true;
    finished_run const r = run(dir, options_for(service), bulk);
    REQUIRE(r.report.has_value());
    CHECK(r.report->done == 50);
    CHECK(r.report->failed == 0);

    emulator::truth_snapshot const truth = service.truth();
    CHECK(truth.accepted() == 50);
    CHECK(truth.most_accepted() == 1);
    std::map<std::string, std::string> request_of;
    for (emulator::truth_document const& d : truth.documents)
        request_of[d.sha256] = d.request_ids.at(0);

    std::set<std::string> seen;
    for (json::object const& line : lines_of(dir, "results-00001.jsonl")) {
        std::string const path(line.at("path").as_string());
        CHECK(content.count(path) == 1);
        CHECK(seen.insert(path).second);
        // The right result on the right document: the service saw these bytes under this request_id.
        CHECK(request_of.at(std::string(line.at("sha256").as_string())) == line.at("request_id").as_string());
        CHECK(line.at("status").as_string() == "done");
        CHECK(line.at("result").as_object().contains("data"));
    }
    CHECK(seen.size() == 50);

    struct ::stat st {
    };
    REQUIRE(::stat((dir.path() / "out/results-00001.jsonl").c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0600);
    json::object const report = json::parse(dir.read("out/report.json")).as_object();
    CHECK(report.at("done").to_number<int>() == 50);
    std::size_t texts = 0;
    for (auto const& entry : std::filesystem::directory_iterator(dir.path() / "out/text"))
        texts += entry.file_size() > 0;
    CHECK(texts == 50);
}

TEST_CASE("pipeline: unsupported, empty and special files among the inputs -> reported, the rest goes on")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    dir.write("in/good.pdf", pdf(1));
    dir.write("in/notes.txt", "just text");
    dir.write("in/empty.pdf", "");
    REQUIRE(::mkfifo((dir.path() / "in/fifo").c_str(), 0600) == 0);
    finished_run const r = run(dir, options_for(service), {});
    REQUIRE(r.report.has_value());
    CHECK(r.report->done == 1);
    CHECK(r.report->failed == 1);
    CHECK(r.report->unreadable == 2);
    std::map<std::string, std::string> reasons;
    for (json::object const& line : lines_of(dir, "failures.jsonl"))
        reasons[std::filesystem::path(std::string(line.at("path").as_string())).filename().string()] =
            std::string(line.at("class").as_string());
    CHECK(reasons == std::map<std::string, std::string>{{"notes.txt", "unsupported_file_type"},
                                                        {"empty.pdf", "empty_document"},
                                                        {"fifo", "unreadable_file"}});
    CHECK(service.truth().accepted() == 1);
}

TEST_CASE("pipeline: parts asked for -> files whose names come from our ids, listed in the result's line")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    dir.write("in/a.pdf", pdf(1));
    pipeline_options bulk;
    bulk.parts = {operation::table, operation::signature, operation::stamp, operation::image};
    finished_run const r = run(dir, options_for(service), bulk);
    REQUIRE(r.report.has_value());
    CHECK(r.report->done == 1);
    auto const lines = lines_of(dir, "results-00001.jsonl");
    REQUIRE(lines.size() == 1);
    std::set<std::string> kinds;
    for (json::value const& part : lines[0].at("parts").as_array()) {
        std::string const file(part.at("file").as_string());
        CHECK(file.starts_with("parts/a.pdf-"));
        CHECK(std::filesystem::file_size(dir.path() / "out" / file) > 0);
        kinds.insert(std::string(part.at("kind").as_string()));
    }
    CHECK(kinds == std::set<std::string>{"table", "signature", "stamp", "image"});
}

TEST_CASE("pipeline: a wrong key -> the run ends, no document is failed, few requests were sent")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    for (int i = 0; i != 200; ++i)
        dir.write("in/" + std::to_string(i) + ".pdf", pdf(i));
    client_options o = options_for(service);
    o.endpoint.api_key = secret("wrong-key");
    o.max_auth_refusals = 1;
    finished_run const r = run(dir, o, {});
    REQUIRE(r.failed.has_value());
    CHECK(r.failed->is(errc::unauthorized));
    CHECK(dir.read("out/failures.jsonl").empty());
    CHECK(service.truth().accepted() == 0);
    json::object const report = json::parse(dir.read("out/report.json")).as_object();
    CHECK(report.at("done").to_number<int>() == 0);
    CHECK(report.at("submits").to_number<int>() < 50);
}

TEST_CASE("pipeline: stopped while jobs are pending -> what is in flight is finished, the rest is left alone")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    for (int i = 0; i != 300; ++i)
        dir.write("in/" + std::to_string(i) + ".pdf", pdf(i));
    pipeline_options bulk;
    bulk.max_in_flight = 5;
    finished_run const r =
        run(dir, options_for(service), bulk,
            [](pipeline& p, client&, asio::io_context& ioc) { asio::post(ioc, [&p] { p.stop(); }); });
    REQUIRE(r.report.has_value());
    CHECK(r.report->done < 300);
    CHECK(r.report->done == service.truth().accepted());
    CHECK(r.report->failed == 0);
}

TEST_CASE("pipeline: stopped twice with a job that never ends -> its request_id is in failures.jsonl")
{
    emulator::emulator_options o = quick_service();
    o.faults.push_back(emulator::parse_fault("endless-pending").value());
    emulator::emulator service(o);
    temp_directory dir;
    dir.write("in/a.pdf", pdf(1));
    finished_run const r =
        run(dir, options_for(service), {}, [](pipeline& p, client&, asio::io_context& ioc) {
            auto const watch = std::make_shared<asio::steady_timer>(ioc);
            auto const look = std::make_shared<std::function<void(error_code)>>();
            *look = [&p, watch, look](error_code) {
                if (p.statistics().waiting > 0) {
                    p.stop();
                    p.stop();
                    *look = {};
                    return;
                }
                watch->expires_after(std::chrono::milliseconds(1));
                watch->async_wait(*look);
            };
            asio::post(ioc, [look] { (*look)({}); });
        });
    REQUIRE(r.report.has_value());
    CHECK(r.report->unfinished == 1);
    auto const lines = lines_of(dir, "failures.jsonl");
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].at("request_id").as_string() == service.truth().documents.at(0).request_ids.at(0));
}

TEST_CASE("pipeline: a directory that holds another run's results -> refused, nothing is touched")
{
    emulator::emulator service(quick_service());
    temp_directory dir;
    dir.write("in/a.pdf", pdf(1));
    dir.write("out/results-00001.jsonl", "{\"id\":\"old\"}\n");
    finished_run const r = run(dir, options_for(service), {});
    REQUIRE(r.failed.has_value());
    CHECK(r.failed->is(errc::invalid_argument));
    CHECK(dir.read("out/results-00001.jsonl") == "{\"id\":\"old\"}\n");
    CHECK(service.truth().accepted() == 0);
}

TEST_CASE("pipeline: its own failures.jsonl given back as a manifest -> the failed document is read")
{
    temp_directory dir;
    dir.write("in/a.pdf", pdf(1));
    {
        emulator::emulator_options o = quick_service();
        o.faults.push_back(emulator::parse_fault("job-failed:count=1").value());
        emulator::emulator service(o);
        finished_run const r = run(dir, options_for(service), {});
        REQUIRE(r.report.has_value());
        CHECK(r.report->failed == 1);
    }
    emulator::emulator service(quick_service());
    asio::io_context ioc(1);
    client c(ioc, options_for(service));
    pipeline_options bulk;
    bulk.directory = (dir.path() / "again").string();
    bulk.doc_type = "OTHER";
    pipeline p(ioc, c, open_input((dir.path() / "out/failures.jsonl").string()), bulk,
               make_memory_ledger(ioc));
    run_coro(ioc, [&]() -> task<void> {
        result<run_report> const r = co_await p.run();
        CHECK(r.value().done == 1);
    });
    // The row's own doc_type, not this run's default.
    CHECK(service.truth().documents.at(0).doc_type == "INVOICE");
}

TEST_CASE("pipeline: a document -> its line and its row in the ledger say when its requests went and came")
{
    emulator::emulator_options o = quick_service();
    o.faults.push_back(emulator::parse_fault("total-doc-zero:count=1:polls=2").value()); // not finished yet
    emulator::emulator service(o);
    temp_directory dir;
    dir.write("in/a.pdf", pdf(1));
    asio::io_context ioc(1);
    client c(ioc, options_for(service));
    pipeline_options bulk;
    bulk.directory = (dir.path() / "out").string();
    bulk.doc_type = "INVOICE";
    std::shared_ptr<ledger> const l = make_memory_ledger(ioc);
    pipeline p(ioc, c, open_input((dir.path() / "in").string()), bulk, l);
    run_coro(ioc, [&]() -> task<void> {
        result<run_report> const r = co_await p.run();
        CHECK(r.has_value());
    });
    std::vector<json::object> const lines = lines_of(dir, "results-00001.jsonl");
    REQUIRE(lines.size() == 1);
    std::uint64_t cursor = 0;
    auto const rows = l->rows(document_states::all(), cursor, 10).value();
    REQUIRE(rows.size() == 1);
    ledger_row const& row = rows[0];
    std::vector<std::pair<std::string_view, std::int64_t>> const times{
        {"sent_at", row.sent_at},
        {"submitted_at", row.submitted_at},
        {"last_pending_at", row.last_pending_at},
        {"ready_at", row.ready_at}};
    std::int64_t before = row.intent_at;
    for (auto const& [key, at] : times) {
        CAPTURE(key);
        CHECK(at + 1 >= before); // each is rounded to a millisecond by itself
        before = at;
        std::string text;
        ocrpipe::detail::append_json_time(
            text, std::chrono::system_clock::time_point(std::chrono::milliseconds(at)));
        CHECK(json::serialize(lines[0].at(key)) == text);
    }
    CHECK(row.finished_at + 1 >= row.ready_at);
}
