#include <ocrpipe/pace/poll_schedule.hpp>

#include "given_arguments.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace ocrpipe::cli;

TEST_CASE("make_plan: a plain run -> defaults, and the account from the environment")
{
    auto const p = make_plan(run_of({"scans"}), with(account));
    REQUIRE(p.problems.empty());
    client_options const& o = p.plan.client;
    CHECK(o.endpoint.base_url == client_options().endpoint.base_url);
    CHECK(o.endpoint.portal_user_id == "42");
    CHECK(o.endpoint.api_key.reveal() == "sk-1");
    CHECK(o.pool.submit_connections == pool_options().submit_connections);
    CHECK(o.pool.poll_connections == pool_options().poll_connections);
    CHECK(o.pool.part_connections == pool_options().part_connections);
    CHECK(o.job_deadline == client_options().job_deadline);
    CHECK(o.rates.submits_per_second == 0);
    CHECK(!o.retry.resubmit_ambiguous);
    REQUIRE(o.schedule);
    CHECK(o.schedule->next_delay({}, 0) == std::chrono::seconds(2));
    CHECK(o.schedule->next_delay({}, 0.999999) > std::chrono::milliseconds(4'990));
    auto const& run = std::get<run_plan>(p.plan.command);
    CHECK(run.pipeline.directory == "out");
    CHECK(run.pipeline.flow == "single");
    CHECK(run.pipeline.doc_type == "invoice");
    CHECK(run.pipeline.max_in_flight == 1'000);
    CHECK(run.pipeline.type == file_type::detect);
    CHECK(run.pipeline.parts.empty());
}

TEST_CASE("make_plan: every limit given -> typed and passed on")
{
    auto raw = run_of({"scans"}, {{"flow", "7"},
                                  {"file-type", "image"},
                                  {"deadline", "90s"},
                                  {"poll-interval", "100ms-200ms"},
                                  {"max-inflight", "5k"},
                                  {"connections", "70"},
                                  {"submit-rate", "300/m"},
                                  {"poll-rate", "20"},
                                  {"bandwidth", "10MiB"},
                                  {"max-answer", "256MiB"},
                                  {"max-header", "1MiB"},
                                  {"parts", "tables,images,tables"},
                                  {"on-ambiguous", "resubmit"},
                                  {"submit-timeout", "5m"},
                                  {"follow-links", "true"},
                                  {"min-age", "10s"},
                                  {"seed", "9"}});
    raw.text = true;
    auto const p = make_plan(raw, with(account));
    REQUIRE(p.problems.empty());
    client_options const& o = p.plan.client;
    CHECK(o.job_deadline == std::chrono::seconds(90));
    CHECK(o.timeouts.submit == std::chrono::minutes(5));
    CHECK(o.schedule->next_delay({}, 0) == std::chrono::milliseconds(100));
    CHECK(o.pool.submit_connections == 40);
    CHECK(o.pool.poll_connections == 20);
    CHECK(o.pool.part_connections == 10);
    CHECK(o.pool.max_waiting >= 5'000);
    CHECK(o.rates.submits_per_second == 5);
    CHECK(o.rates.polls_per_second == 20);
    CHECK(o.rates.bytes_per_second == 10'485'760);
    CHECK(o.limits.max_answer_bytes == 268'435'456);
    CHECK(o.limits.max_header_bytes == 1'048'576);
    CHECK(o.timeouts.answer >= 4 * timeout_options().answer); // a larger answer takes longer
    CHECK(o.retry.resubmit_ambiguous);
    CHECK(o.seed == 9);
    auto const& run = std::get<run_plan>(p.plan.command);
    CHECK(run.pipeline.flow == "7");
    CHECK(run.pipeline.type == file_type::image);
    CHECK(run.pipeline.max_in_flight == 5'000);
    CHECK(run.pipeline.text);
    CHECK(run.follow_links);
    CHECK(run.min_age == std::chrono::seconds(10));
    CHECK(run.pipeline.parts == std::vector<operation>{operation::table, operation::image});
}

TEST_CASE("make_plan: a proxy's password on the command line -> masked in the command that continues")
{
    auto raw = run_of({"a"});
    raw.typed = {"run", "a", "--proxy", "http://me:it's@p:1", "--proxy=http://me:sesame@p:2", "--out", "out"};
    auto const p = make_plan(raw, with(account));
    CHECK(std::get<run_plan>(p.plan.command).resume_command ==
          "ocrpipe run a --proxy 'http://me:***@p:1' '--proxy=http://me:***@p:2' --out out");
}

TEST_CASE("make_plan: no key -> the message names the three ways to give one")
{
    auto const p = make_plan(run_of({"a"}), with({{"OCRPIPE_PORTAL_USER_ID", "42"}}));
    REQUIRE(p.problems.size() == 1);
    CHECK(mentions(p.problems, "OCRPIPE_API_KEY"));
    CHECK(mentions(p.problems, "--api-key-file"));
    CHECK(mentions(p.problems, "--api-key-command"));
}

TEST_CASE("make_plan: the key's file cannot be read -> one problem, not a second one about a missing key")
{
    auto const p =
        make_plan(run_of({"a"}, {{"doc-type", "x"}, {"api-key-file", "/nonexistent/key"}}), with(account));
    REQUIRE(p.problems.size() == 1);
    CHECK(mentions(p.problems, "/nonexistent/key"));
}

TEST_CASE("make_plan: a manifest may name the type of document itself, a directory cannot")
{
    CHECK(make_plan(run_of({"a.jsonl", "b.CSV"}, {}), with(account)).problems.empty());
    CHECK(
        mentions(make_plan(run_of({"a.jsonl", "scans"}, {}), with(account)).problems, "--doc-type: missing"));
    CHECK(make_plan(run_of({"scans"}, {{"flow", "42"}}), with(account)).problems.empty());
}

TEST_CASE("make_plan: -0 without standard input -> a problem")
{
    auto raw = run_of({"scans"});
    raw.null_separated = true;
    CHECK(mentions(make_plan(raw, with(account)).problems, "--null"));
    raw.inputs = {"-"};
    CHECK(make_plan(raw, with(account)).problems.empty());
}

TEST_CASE("make_plan: the form of messages -> JSON only for a run without a terminal, unless said")
{
    auto const format = [](raw_arguments const& raw, bool terminal, variables extra = {}) {
        extra.insert(account.begin(), account.end());
        return make_plan(raw, with(extra, terminal)).plan.messages.format;
    };
    raw_arguments single;
    single.command = command::result;
    single.request_id = "r";
    CHECK(format(run_of({"a"}), true) == log_format::people);
    CHECK(format(run_of({"a"}), false) == log_format::json);
    CHECK(format(single, false) == log_format::people);
    CHECK(format(single, true, {{"OCRPIPE_LOG_FORMAT", "json"}}) == log_format::json);
    CHECK(format(run_of({"a"}), false, {{"OCRPIPE_LOG_FORMAT", "human"}}) == log_format::people);
}

TEST_CASE("make_plan: color -> on a terminal only, and never against NO_COLOR or a dumb one")
{
    auto const color = [](bool terminal, variables extra) {
        extra.insert(account.begin(), account.end());
        return make_plan(run_of({"a"}), with(extra, terminal)).plan.messages.color;
    };
    CHECK(color(true, {}));
    CHECK(color(true, {{"NO_COLOR", ""}}));
    CHECK(!color(true, {{"NO_COLOR", "1"}}));
    CHECK(!color(true, {{"TERM", "dumb"}}));
    CHECK(!color(false, {{"OCRPIPE_LOG_FORMAT", "human"}}));
}

TEST_CASE("make_plan: an address that is none, or that would show the key -> named by its flag, a password "
          "is not repeated")
{
    auto const problems = [](typed_options options) {
        options["doc-type"] = "x";
        return make_plan(run_of({"a"}, options), with(account)).problems;
    };
    CHECK(mentions(problems({{"base-url", "ftp://x"}}), "--base-url:"));
    CHECK(mentions(problems({{"base-url", "http://ocr.example"}}), "--allow-plain-http"));
    CHECK(problems({{"base-url", "http://ocr.example"}, {"allow-plain-http", "true"}}).empty());
    CHECK(problems({{"base-url", "http://127.0.0.1:8080"}}).empty());
    auto const proxy = problems({{"proxy", "socks://me:sesame@p:1"}});
    CHECK(mentions(proxy, "--proxy:"));
    CHECK(!mentions(proxy, "sesame"));
}

TEST_CASE("make_plan: - as the document -> standard input, unless that is a terminal")
{
    for (command const c : {command::submit, command::recognize}) {
        raw_arguments raw;
        raw.command = c;
        raw.file = "-";
        raw.options = {{"doc-type", "invoice"}};
        surroundings around = with(account);
        auto const piped = make_plan(raw, around);
        CHECK(piped.problems.empty());
        CHECK((c == command::submit ? std::get<submit_plan>(piped.plan.command).from_standard_input
                                    : std::get<recognize_plan>(piped.plan.command).from_standard_input));
        around.stdin_is_terminal = true;
        CHECK(mentions(make_plan(raw, around).problems, "FILE: - is standard input, which is a terminal"));
        raw.file = "./-";
        auto const named = make_plan(raw, around);
        CHECK(named.problems.empty());
        CHECK_FALSE((c == command::submit
                         ? std::get<submit_plan>(named.plan.command).from_standard_input
                         : std::get<recognize_plan>(named.plan.command).from_standard_input));
    }
}

TEST_CASE("make_plan: the status line -> on a terminal, for people, when information is wanted")
{
    auto const shown = [](bool terminal, typed_options options, variables extra = {}) {
        extra.insert(account.begin(), account.end());
        return make_plan(run_of({"a"}, options), with(extra, terminal)).plan.messages.status_line;
    };
    CHECK(shown(true, {}));
    CHECK(shown(true, {}, {{"NO_COLOR", "1"}}));
    CHECK(!shown(false, {{"log-format", "human"}}));
    CHECK(!shown(true, {{"log-format", "json"}}));
    CHECK(!shown(true, {{"log-level", "warn"}}));
    CHECK(!shown(true, {}, {{"TERM", "dumb"}}));
}

TEST_CASE("make_plan: single documents -> refused credentials are said at once, a run probes again")
{
    raw_arguments raw;
    raw.command = command::recognize;
    raw.file = "a.pdf";
    raw.options = {{"doc-type", "invoice"}};
    auto const p = make_plan(raw, with(account));
    REQUIRE(p.problems.empty());
    CHECK(p.plan.client.max_auth_refusals == 1);
    CHECK(std::get<recognize_plan>(p.plan.command).form == output_form::text);
    CHECK(std::get<recognize_plan>(p.plan.command).request.doc.path() == "a.pdf");
    CHECK(make_plan(run_of({"a"}), with(account)).plan.client.max_auth_refusals ==
          client_options().max_auth_refusals);
}

TEST_CASE("make_plan: empty ids and files -> problems, nothing is asked of the service")
{
    raw_arguments raw;
    raw.command = command::image;
    auto const p = make_plan(raw, with(account));
    CHECK(mentions(p.problems, "ID: empty"));
    CHECK(mentions(p.problems, "FILE_ID: empty"));
    CHECK(mentions(p.problems, "--out: empty"));
}

TEST_CASE("make_plan: a secret with a blank in it -> refused without being shown")
{
    variables v = account;
    v["OCRPIPE_API_KEY"] = "se cret";
    auto const p = make_plan(run_of({"a"}), with(v));
    REQUIRE(p.problems.size() == 1);
    CHECK(p.problems[0].starts_with("OCRPIPE_API_KEY: the key contains a blank"));
    CHECK(!mentions(p.problems, "se cret"));
}

TEST_CASE("share_connections: any total from 3 -> all used, each lane has one")
{
    for (std::size_t total = 3; total != 500; ++total) {
        pool_options pool;
        share_connections(total, pool);
        CHECK(pool.submit_connections + pool.poll_connections + pool.part_connections == total);
        CHECK(pool.submit_connections >= 1);
        CHECK(pool.poll_connections >= 1);
        CHECK(pool.part_connections >= 1);
        CHECK(pool.submit_connections >= pool.poll_connections);
    }
}

TEST_CASE("make_plan: export -> one form; only parts need an account")
{
    raw_arguments raw;
    raw.command = command::export_results;
    raw.directory = "out";
    auto const plan_with = [&](variables const& v) { return make_plan(raw, with(v)); };
    CHECK(mentions(plan_with({}).problems, "--text, --parts LIST and --csv"));
    raw.text = true;
    // What run reads from the environment chooses nothing here.
    auto const text = plan_with({{"OCRPIPE_PARTS", "tables"}});
    REQUIRE(text.problems.empty());
    CHECK(std::get<export_plan>(text.plan.command).form == export_form::text);
    raw.csv = true;
    CHECK(mentions(plan_with({}).problems, "export:"));
    raw.text = false;
    raw.output = "x.csv";
    auto const csv = plan_with({});
    REQUIRE(csv.problems.empty());
    CHECK(std::get<export_plan>(csv.plan.command).form == export_form::csv);
    CHECK(std::get<export_plan>(csv.plan.command).output == "x.csv");
    raw.csv = false;
    raw.options = {{"parts", "tables,images"}};
    CHECK(mentions(plan_with(account).problems, "--out"));
    raw.output.clear();
    CHECK(mentions(plan_with({}).problems, "api key"));
    auto const parts = plan_with(account);
    REQUIRE(parts.problems.empty());
    CHECK(std::get<export_plan>(parts.plan.command).parts ==
          std::vector<operation>{operation::table, operation::image});
    raw.options = {{"parts", ""}};
    CHECK(mentions(plan_with(account).problems, "--parts"));
    raw.directory.clear();
    CHECK(mentions(plan_with(account).problems, "DIR"));
}
