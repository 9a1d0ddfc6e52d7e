// Each step of I/O on a document's way fails once: a change of the ledger, an exchange with the service, a
// change of an output file. Then the next run ends with one result or one reason for each document.
#include <ocrpipe/bulk/ledger/sqlite_ledger.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/bulk/run/pipeline.hpp>
#include <ocrpipe/bulk/source/open_input.hpp>
#include <ocrpipe/testing/scripted_transport.hpp>

#include "support/failing_files.hpp"
#include "support/failing_ledger.hpp"
#include "support/temp_directory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/json.hpp>
#include <boost/system/errc.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace ocrpipe;
using testing::seen_request;
using t = testing::scripted_transport;
namespace fs = std::filesystem;

namespace
{

enum class fault {
    none,
    change_refused,
    change_lost,
    change_made_unnoticed,
    not_connected,
    answer_lost, ///< the service has received all of the request
    file,
};

/// Which step of a run fails, and how.
class planned_fault
{
public:
    explicit planned_fault(fault what = fault::none, int step = 0) : what_(what), left_(step) {}

    /// Counts a step that can fail in this way. True for the one that does.
    bool strikes(fault here) { return here == what_ && left_-- == 0; }
    bool happened() const { return left_ < 0; }

    change_outcome of(std::string_view change)
    {
        // A ledger refuses a result only if it does not know the job, and then the job was not polled; parts
        // only if their document was sent again, and then they are of no use.
        bool const is_refusable = change != "finished" && change != "parts_fetched";
        if (is_refusable && strikes(fault::change_refused)) return change_outcome::refused;
        if (strikes(fault::change_lost)) return change_outcome::lost;
        if (strikes(fault::change_made_unnoticed)) return change_outcome::made_unnoticed;
        return change_outcome::made;
    }

private:
    fault const what_;
    std::atomic<int> left_; ///< the ledger's thread syncs the results
};

class never_waits final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override
    {
        return std::chrono::milliseconds(0);
    }
};

using outcome = result<run_report>;

bool adds_up(run_report const& r)
{
    return r.found == r.done + r.failed + r.unfinished + r.not_sent + r.repeated;
}

/// Four documents on their way through the same folder, run after run. The answer for the second one is not
/// strict JSON, so it is kept in a file. The service refuses the third one. The content of the fourth one comes
/// when its result has been recorded as empty.
class workbench
{
public:
    static constexpr std::size_t refused = 2;
    static constexpr std::size_t late = 3;

    /// `parts_at_once`: with 1, a result is recorded before its parts are fetched.
    explicit workbench(std::size_t parts_at_once) : parts_at_once_(parts_at_once)
    {
        for (std::size_t i = 0; i != accepted.size(); ++i)
            dir_.write(fmt::format("in/{}.pdf", i), fmt::format("%PDF-1.4 document {}", i));
    }

    outcome run(planned_fault& plan)
    {
        failing_files const files(out().string(), [&plan] { return plan.strikes(fault::file); });
        asio::io_context ioc(1);
        client_options o;
        o.endpoint.portal_user_id = "1";
        o.endpoint.api_key = secret("key");
        o.schedule = std::make_shared<never_waits>();
        o.profile.settle_time = std::chrono::milliseconds(0);
        o.retry.base = o.retry.throttled_base = o.retry.cap = std::chrono::milliseconds(1);
        auto const answer = [&](seen_request const& r) { return exchange(r, plan); };
        client c(ioc, o, std::make_unique<t>(answer, log_));

        sqlite_ledger_options where;
        where.path = (dir_.path() / "ledger.db").string();
        where.max_delay = std::chrono::milliseconds(0);
        result<std::unique_ptr<ledger>> opened = open_sqlite_ledger(ioc, where);
        REQUIRE(opened.has_value());
        auto const of_change = [&plan](std::string_view change) { return plan.of(change); };
        auto const l = std::make_shared<failing_ledger>(std::move(*opened), of_change);

        pipeline_options bulk;
        bulk.directory = out().string();
        bulk.doc_type = "INVOICE";
        bulk.parts = {operation::table, operation::image};
        bulk.max_fetching_parts = parts_at_once_;
        bulk.text = true;
        pipeline p(ioc, c, open_input((dir_.path() / "in").string()), bulk, l);
        std::optional<result<run_report>> end;
        asio::co_spawn(ioc, p.run(), [&end](std::exception_ptr thrown, result<run_report> r) {
            CHECK_FALSE(thrown);
            end.emplace(std::move(r));
        });
        while (!end && ioc.run_one() != 0) {
        }
        REQUIRE(end.has_value());
        static_cast<void>(l->close()); // fails again if a sync failed
        ioc.poll();
        CHECK(ioc.stopped()); // nothing is left to wait for
        return std::move(*end);
    }

    /// What is in report.json, if it was written.
    std::optional<run_report> written_report() const
    {
        if (!fs::exists(out() / "report.json")) return std::nullopt;
        return parse_report(dir_.read("out/report.json")).value();
    }

    /// The values of `member` in the lines about a document.
    std::vector<std::string> lines_about(std::size_t document, std::string const& file,
                                         std::string const& member) const
    {
        std::vector<std::string> found;
        std::istringstream in(dir_.read("out/" + file));
        for (std::string line; std::getline(in, line);) {
            boost::json::object const o = boost::json::parse(line).as_object();
            if (fs::path(o.at("path").as_string().c_str()).stem() == std::to_string(document))
                found.emplace_back(o.at(member).as_string());
        }
        return found;
    }

    /// The last line of each document.
    std::vector<std::string> last_results() const
    {
        std::map<std::string, std::string> last;
        std::istringstream in(dir_.read("out/results-00001.jsonl"));
        for (std::string line; std::getline(in, line);)
            last.insert_or_assign(read_result_line(line)->id, line);
        std::vector<std::string> lines;
        for (auto const& [id, line] : last)
            lines.push_back(line);
        return lines;
    }

    /// Checks the end of the last run. `lost_answers`: the answer to a submit may have been lost.
    void check_end(outcome const& last, bool lost_answers) const
    {
        REQUIRE(last.has_value());
        CHECK(adds_up(*last));
        CHECK(last->found == accepted.size());
        CHECK(last->done + last->failed == accepted.size());
        std::size_t done = 0;
        for (std::size_t i = 0; i != accepted.size(); ++i) {
            CAPTURE(i);
            CHECK(accepted[i] <= 1);
            std::vector<std::string> const results = lines_about(i, "results-00001.jsonl", "status");
            std::vector<std::string> const reasons = lines_about(i, "failures.jsonl", "class");
            // A line is written again with parts that were fetched later, or with content that came late.
            bool const may_repeat = parts_at_once_ == 1 || i == late;
            bool const has_result = may_repeat ? !results.empty() : results.size() == 1;
            CHECK(has_result + reasons.size() == 1);
            if (i == late && has_result && last->to_ask_again == 0) CHECK(results.back() == "done");
            for (std::string const& reason : reasons)
                CHECK((reason == "ambiguous_submit" || (reason == "rejected" && i == refused)));
            // What was paid for is not lost.
            if (accepted[i] == 1 && !lost_answers) CHECK(has_result);
            for (std::string const& text : lines_about(i, "results-00001.jsonl", "text"))
                CHECK(fs::exists(out() / text));
            done += has_result;
        }
        CHECK(last->done == done);
        CHECK(last->done_empty == last->to_ask_again);
        CHECK(last->parts_failed + last->parts_wanted == 0);
        for (std::string const& last_line : last_results()) {
            boost::json::array const parts = boost::json::parse(last_line).at("parts").as_array();
            CHECK(parts.size() <= 2);
            for (boost::json::value const& part : parts)
                CHECK(fs::exists(out() / part.at("file").as_string().c_str()));
        }
    }

    std::array<int, 4> accepted{}; ///< submits

private:
    fs::path out() const { return dir_.path() / "out"; }

    exchange_result exchange(seen_request const& r, planned_fault& plan)
    {
        if (plan.strikes(fault::not_connected)) return t::fails(errc::connect_failed, bytes_sent::none);
        exchange_result made = answer(r);
        if (plan.strikes(fault::answer_lost)) return t::fails(errc::connection_closed, bytes_sent::all);
        return made;
    }

    exchange_result answer(seen_request const& r)
    {
        if (r.method == http_method::post) {
            std::string const before = "%PDF-1.4 document ";
            auto const i = static_cast<std::size_t>(r.body.at(r.body.find(before) + before.size()) - '0');
            if (i == refused) return t::json(415, R"({"message":"no such document"})");
            ++accepted.at(i);
            return t::json(201,
                           fmt::format(R"({{"data":{{"request_id":"r-{0}","file_ids":["f-{0}"]}}}})", i));
        }
        if (r.lane == lane::part) return t::json(200, R"({"data":{"table":[["a"]]}})");
        constexpr int reads_until_empty = 3;
        if (r.target == "ingest/r-3" && ++late_reads_ <= reads_until_empty)
            return t::json(200, R"({"data":{"status":"COMPLETED","documents":[{"ocr_data":null}]}})");
        return t::json(
            200, fmt::format(R"({{"data":{{"status":"COMPLETED","documents":[{{"document_id":"d-1",)"
                             R"("status":"SUCCESS","ocr_data":[{{"name":"total","value":["12",{}]}}]}}]}}}})",
                             r.target == "ingest/r-1" ? "NaN" : "1"));
    }

    std::size_t const parts_at_once_;
    temp_directory dir_;
    std::vector<seen_request> log_;
    int late_reads_ = 0;
};

/// Fails step after step of a run, each in a folder of its own, until a run has no such step any more.
/// Returns how many steps failed.
int fail_each(fault what, std::size_t parts_at_once,
              std::function<void(workbench const&, outcome const&)> const& check_disturbed)
{
    for (int step = 0;; ++step) {
        CAPTURE(step);
        workbench bench(parts_at_once);
        planned_fault plan(what, step);
        outcome const disturbed = bench.run(plan);
        if (!plan.happened()) {
            bench.check_end(disturbed, false);
            return step;
        }
        check_disturbed(bench, disturbed);
        planned_fault nothing;
        outcome const next = bench.run(nothing);
        bench.check_end(next, what == fault::answer_lost);
        CHECK(next->to_ask_again == 0);
    }
}

} // namespace

TEST_CASE(
    "pipeline: any one change of the ledger fails -> the run ends with ledger_failed, the next one with "
    "every document that was paid for")
{
    for (fault const what : {fault::change_refused, fault::change_lost, fault::change_made_unnoticed}) {
        CAPTURE(what);
        auto const check = [](workbench const& bench, outcome const& disturbed) {
            REQUIRE_FALSE(disturbed.has_value());
            CHECK(disturbed.error().is(errc::ledger_failed));
            std::optional<run_report> const report = bench.written_report();
            REQUIRE(report.has_value());
            CHECK(adds_up(*report));
        };
        int const steps = fail_each(what, 1000, check);
        CHECK(steps >= 11); // four intents, three request ids, four ends; one of these is replaced
        int const later = what == fault::change_refused ? 0 : 4; // for each of four parts
        CHECK(fail_each(what, 1, check) >= steps + later);
    }
}

TEST_CASE("pipeline: any one exchange fails -> made again, except a submit that may have been accepted")
{
    for (fault const what : {fault::not_connected, fault::answer_lost}) {
        CAPTURE(what);
        auto const check = [&](workbench const& bench, outcome const& disturbed) {
            bench.check_end(disturbed, what == fault::answer_lost);
            std::uint64_t const lost = disturbed->failed_by_class.count("ambiguous_submit");
            CHECK(disturbed->done + lost >= 2);
            CHECK(disturbed->transport_failures == 1);
            CHECK((lost == 0 || what == fault::answer_lost));
        };
        for (std::size_t const parts_at_once : {1000, 1})
            // four submits, two results and one in four reads, six parts
            CHECK(fail_each(what, parts_at_once, check) >= 16);
    }
}

TEST_CASE(
    "pipeline: any one change of an output file fails -> the run ends with the disk's error, the next one "
    "with every document that was paid for")
{
    auto const check = [](workbench const& bench, outcome const& disturbed) {
        REQUIRE_FALSE(disturbed.has_value());
        // The ledger syncs the results before it calls a document done.
        CHECK((disturbed.error().is(errc::unwritable_output) || disturbed.error().is(errc::ledger_failed)));
        CHECK(disturbed.error().cause == boost::system::errc::io_error);
        if (std::optional<run_report> const report = bench.written_report()) CHECK(adds_up(*report));
    };
    // Of each of three documents: a folder, four parts and texts of four steps each, and its line.
    for (std::size_t const parts_at_once : {1000, 1})
        CHECK(fail_each(fault::file, parts_at_once, check) >= 30);
}
