// What a run measures and writes into report.json, against the emulator.
#include <ocrpipe/bulk/ledger/memory_ledger.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/measure/run_measurements.hpp>

#include "emulator/emulator.hpp"
#include "emulator/fault.hpp"
#include "support/run_coro.hpp"
#include "support/temp_directory.hpp"

#include <boost/json.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace ocrpipe;
namespace json = boost::json;

namespace
{

struct measured_run {
    explicit measured_run(std::string const& latency, std::vector<std::string> const& faults = {})
        : service(options_of(latency, faults))
    {
        client_options_.endpoint.base_url = service.base_url();
        client_options_.endpoint.portal_user_id = "1";
        client_options_.endpoint.api_key = secret("test-key");
        client_options_.schedule = std::make_shared<fixed_poll_schedule>(std::chrono::milliseconds(20),
                                                                         std::chrono::milliseconds(20));
        bulk.directory = (dir.path() / "out").string();
        bulk.doc_type = "INVOICE";
        bulk.on_notice = [this](std::string_view event, std::string_view) { notices.emplace_back(event); };
        bulk.on_report = [this](std::string_view text) { reports.push_back(json::parse(text).as_object()); };
    }

    static emulator::emulator_options options_of(std::string const& latency,
                                                 std::vector<std::string> const& faults)
    {
        emulator::emulator_options o;
        o.latency = emulator::parse_latency(latency).value();
        for (std::string const& f : faults)
            o.faults.push_back(emulator::parse_fault(f).value());
        return o;
    }

    void documents(int n)
    {
        for (int i = 0; i != n; ++i)
            dir.write("in/" + std::to_string(i) + ".pdf", "%PDF-1.4 document " + std::to_string(i));
    }

    result<run_report> run()
    {
        asio::io_context ioc(1);
        client c(ioc, client_options_);
        pipeline p(ioc, c, open_input((dir.path() / "in").string()), bulk, make_memory_ledger(ioc));
        if (meanwhile) meanwhile(ioc);
        std::optional<result<run_report>> outcome;
        run_coro(ioc, [&]() -> task<void> {
            result<run_report> r = co_await p.run();
            outcome = std::move(r);
        });
        finished = p.measurements().finished();
        return *std::move(outcome);
    }

    json::object report() { return json::parse(dir.read("out/report.json")).as_object(); }

    emulator::emulator service;
    temp_directory dir;
    client_options client_options_;
    pipeline_options bulk;
    std::function<void(asio::io_context&)> meanwhile;
    std::vector<std::string> notices;
    std::vector<json::object> reports;
    std::uint64_t finished = 0;
};

std::int64_t count(json::value const& v) { return v.at("count").as_int64(); }

} // namespace

TEST_CASE("pipeline: a finished run -> report.json has what was measured, which agrees with its counts")
{
    measured_run r("fixed:100ms");
    r.documents(20);
    r.dir.write("in/notes.txt", "no document");
    r.bulk.remedy = [](std::string_view c) { return c == "unsupported_file_type" ? "convert it" : ""; };
    r.bulk.shown_settings["submits_per_second"] = "unlimited";
    REQUIRE(r.run().has_value());
    json::object const o = r.report();
    CHECK(r.finished == 20);
    CHECK(o.at("kind").as_string() == "run");
    CHECK(o.at("state").as_string() == "finished");
    CHECK(o.at("done").as_int64() == 20);
    CHECK(o.at("eta").is_null());
    CHECK(o.at("paid").at("accepted").as_int64() == 20);
    CHECK(o.at("paid").at("in_doubt").as_int64() == 0);

    json::value const& latency = o.at("latency");
    CHECK(count(latency.at("submit")) == 20);
    CHECK(count(latency.at("end_to_end")) == 20);
    CHECK(count(latency.at("time_to_ready_high")) == 20);
    CHECK(count(latency.at("poll")) == o.at("polls").as_int64());
    CHECK(count(latency.at("wait_for_turn")) == o.at("polls").as_int64() + o.at("submits").as_int64());
    CHECK(count(latency.at("wait_for_ledger")) == 20);
    // The service takes 100 ms for each; the answer before was too early, and the last one was not.
    CHECK(latency.at("time_to_ready_high").at("min").to_number<double>() >= 0.09);
    CHECK(latency.at("end_to_end").at("min").to_number<double>() >= 0.1);
    CHECK(latency.at("time_to_ready_low").at("max").to_number<double>() <=
          latency.at("time_to_ready_high").at("max").to_number<double>());

    CHECK(count(o.at("document_polls")) == 20);
    CHECK(o.at("document_polls").at("mean").to_number<double>() * 20 ==
          doctest::Approx(static_cast<double>(o.at("polls").as_int64())).epsilon(0.001));
    std::int64_t submitted = 0;
    std::int64_t finished = 0;
    for (json::value const& row : o.at("series").at("rows").as_array()) {
        submitted += row.as_array()[1].as_int64();
        finished += row.as_array()[3].as_int64();
    }
    CHECK(submitted == o.at("submits").as_int64());
    CHECK(finished == 20);
    std::int64_t answered = 0;
    for (auto const& [status, n] : o.at("http_statuses").at("submit").as_object())
        answered += status == "200" || status == "201" ? n.as_int64() : 0;
    CHECK(answered == 20);
    json::array const& slowest = o.at("slowest").as_array();
    REQUIRE(slowest.size() == 10);
    CHECK(slowest[0].at("seconds").to_number<double>() >= slowest[9].at("seconds").to_number<double>());
    CHECK(slowest[0].at("bytes").as_int64() > 0);
    CHECK(o.at("peaks").at("in_flight").as_int64() >= 1);
    CHECK(o.at("peaks").at("in_flight").as_int64() <= 21);
    CHECK(o.at("peaks").at("backlog").as_int64() >= 1);
    CHECK(o.at("configuration").at("flow").as_string() == "single");
    CHECK(o.at("configuration").at("max_in_flight").as_string() == "1000");
    CHECK(o.at("configuration").at("submits_per_second").as_string() == "unlimited");
    json::value const& error = o.at("errors").as_array().at(0);
    CHECK(error.at("class").as_string() == "unsupported_file_type");
    CHECK(error.at("remedy").as_string() == "convert it");
    CHECK(o.at("verdict").as_string().starts_with("20 of 21 documents are done, and 1 failed, at "));
    REQUIRE(r.reports.size() == 1);
    CHECK(json::serialize(r.reports[0]) == json::serialize(o));
}

TEST_CASE(
    "pipeline: a job that failed, or an answer that was lost -> its class, with the document and the message")
{
    for (auto const& [fault, failure_class] :
         {std::pair("job-failed:count=1", "job_failed"),
          std::pair("reset-after-acceptance:count=1", "ambiguous_submit")}) {
        bool const is_lost = std::string_view(failure_class) == "ambiguous_submit";
        measured_run r("fixed:10ms", {fault});
        r.documents(5);
        REQUIRE(r.run().has_value());
        json::object const o = r.report();
        CHECK(o.at("failed").as_int64() == 1);
        CHECK(o.at("paid").at("in_doubt").as_int64() == (is_lost ? 1 : 0));
        CHECK(o.at("paid").at("accepted").as_int64() == (is_lost ? 4 : 5));
        json::array const& errors = o.at("errors").as_array();
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].at("class").as_string() == failure_class);
        CHECK(errors[0].at("kind").as_string() == "document");
        CHECK(errors[0].at("count").as_int64() == 1);
        CHECK(errors[0].at("document").as_string().find(".pdf") != json::string::npos);
        CHECK_FALSE(errors[0].at("message").as_string().empty());
        CHECK(errors[0].at("remedy").is_null());
        CHECK(o.at("http_statuses").at("submit").as_object().contains("connection_closed") == is_lost);
    }
}

TEST_CASE(
    "pipeline: a run under way -> report.json is written while it goes on; a failure to write it is reported "
    "and does not end the run")
{
    measured_run r("fixed:2500ms");
    r.documents(4);
    r.bulk.report_interval = std::chrono::milliseconds(1);
    // What stands in its way at first is removed when the run complains.
    r.meanwhile = [&](asio::io_context& ioc) {
        auto const soon = std::make_shared<detail::timer>(ioc.get_executor(), std::chrono::milliseconds(100));
        soon->async_wait([&r, soon](error_code) { r.dir.write("out/report.json/in the way", ""); });
    };
    r.bulk.on_notice = [&](std::string_view event, std::string_view) {
        r.notices.emplace_back(event);
        if (event == "report_not_written") std::filesystem::remove_all(r.dir.path() / "out/report.json");
    };
    result<run_report> const outcome = r.run();
    REQUIRE(outcome.has_value());
    CHECK(r.notices == std::vector<std::string>{"report_not_written"});
    REQUIRE(r.reports.size() >= 2);
    json::object const& first = r.reports.front();
    CHECK(first.at("state").as_string() == "running");
    CHECK(first.at("finished_at").is_null());
    CHECK(first.at("seconds").is_null());
    CHECK(first.at("found").as_int64() == 4);
    CHECK(first.at("unfinished").as_int64() == 4);
    CHECK(first.at("now").at("backlog").as_int64() == 4);
    CHECK(first.at("now").at("limiting").as_string() == "service");
    CHECK(first.at("paid").at("accepted").as_int64() == 4);
    CHECK(first.at("verdict").as_string().starts_with("0 of 4 documents are done."));
    json::object const& last = r.reports.back();
    CHECK(last.at("state").as_string() == "finished");
    CHECK(last.at("done").as_int64() == 4);
    CHECK(last.at("limits").at("limiting").at("service").to_number<double>() >= 1);
}

TEST_CASE("pipeline: no interval -> report.json is written once, at the end")
{
    measured_run r("fixed:1200ms");
    r.documents(1);
    r.bulk.report_interval = std::chrono::milliseconds(0);
    REQUIRE(r.run().has_value());
    CHECK(r.reports.size() == 1);
    CHECK(r.report().at("state").as_string() == "finished");
}
