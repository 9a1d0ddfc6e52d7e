#include <ocrpipe/bulk/run/detail/run_directory.hpp>

#include "support/open_ledger.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ocrpipe;
using detail::open_run_directory;
using detail::opened_directory;

namespace
{

/// The directory of a run and its ledger.
struct bench {
    bench() : ledger(dir.path())
    {
        options.directory = dir.path().string();
        options.inputs = {"/docs"};
    }

    /// A line of a results file.
    std::string result_line_of(std::string const& id, std::string const& request_id)
    {
        result_record r;
        r.id = r.path = id;
        r.request_id = request_id;
        r.status = "done";
        r.result_json = "{}";
        r.polls = 3;
        std::string line;
        append_result_line(line, r);
        return line;
    }

    std::size_t lines_of(std::string const& file)
    {
        std::string const text = dir.read(file);
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

    temp_directory dir;
    open_ledger ledger;
    pipeline_options options;
};

input_problem empty_file(std::string path)
{
    return {std::move(path), {}, errc::empty_document, "has no bytes"};
}

} // namespace

TEST_CASE("open_run_directory: results that a new ledger does not know -> refused; empty files are not")
{
    bench b;
    b.dir.write("results-00001.jsonl", "");
    CHECK(open_run_directory(b.options, *b.ledger.share()).has_value());
    b.dir.write("results-00001.jsonl", b.result_line_of("a", "r-1"));
    auto const refused = open_run_directory(b.options, *b.ledger.share());
    REQUIRE(refused.has_error());
    CHECK(refused.error().is(errc::invalid_argument));
    CHECK(b.lines_of("results-00001.jsonl") == 1);
}

TEST_CASE("open_run_directory: a ledger in memory -> the directory must not hold any file of another run")
{
    for (std::string const file : {"results-00001.jsonl", "failures.jsonl", "report.json"}) {
        CAPTURE(file);
        bench b;
        ledger_in_memory memory;
        b.dir.write(file, "");
        auto const refused = open_run_directory(b.options, *memory.share());
        REQUIRE(refused.has_error());
        CHECK(refused.error().is(errc::invalid_argument));
        CHECK(refused.error().reason.find(file) != std::string::npos);
    }
    bench b;
    ledger_in_memory memory;
    CHECK(open_run_directory(b.options, *memory.share()).has_value());
}

TEST_CASE(
    "open_run_directory: results after the last recorded one -> those of polled jobs are kept, the rest cut")
{
    bench b;
    for (std::string const id : {"a", "b"}) {
        REQUIRE_FALSE(b.ledger.intent(document_named(id)));
        REQUIRE_FALSE(b.ledger.submitted(id, request("r-" + id)));
    }
    b.dir.write("results-00001.jsonl", b.result_line_of("a", "r-a") + b.result_line_of("b", "r-other"));
    auto const opened = open_run_directory(b.options, *b.ledger.share());
    REQUIRE(opened.has_value());
    REQUIRE(opened->results.size() == 1);
    CHECK(opened->results[0].id == "a");
    CHECK(opened->results[0].end.polls == 3);
    CHECK(opened->results[0].end.result.value().offset == 0);
    CHECK(b.lines_of("results-00001.jsonl") == 1);
}

TEST_CASE("open_run_directory: an unrecorded result that lacks parts -> cut, to be polled again")
{
    bench b;
    REQUIRE_FALSE(b.ledger.intent(document_named("a")));
    REQUIRE_FALSE(b.ledger.submitted("a", request("r-a")));
    std::vector<part_entry> parts{{operation::table, "d-1", {}, "part_absent"},
                                  {operation::table, "d-2", "parts/a/table-2.json", {}}};
    for (bool const lacks_one : {false, true}) {
        CAPTURE(lacks_one);
        if (lacks_one) parts.push_back({operation::table, "d-3", {}, std::string(not_fetched)});
        result_record r;
        r.id = r.path = "a";
        r.request_id = "r-a";
        r.status = "done";
        r.result_json = "{}";
        r.parts = parts;
        std::string line;
        append_result_line(line, r);
        b.dir.write("results-00001.jsonl", line);
        auto const opened = open_run_directory(b.options, *b.ledger.share());
        REQUIRE(opened.has_value());
        CHECK(opened->results.size() == (lacks_one ? 0 : 1));
    }
    CHECK(b.lines_of("results-00001.jsonl") == 0);
}

TEST_CASE("open_run_directory: inputs that this run examines again -> their old lines are dropped")
{
    bench b;
    {
        auto before = failures_writer::open(b.options.directory);
        REQUIRE(before.has_value());
        REQUIRE_FALSE(before->append(empty_file("/docs/a.pdf")));
        REQUIRE_FALSE(before->append(empty_file("/elsewhere/a.pdf")));
    }
    REQUIRE(open_run_directory(b.options, *b.ledger.share()).has_value());
    CHECK(b.dir.read("failures.jsonl").starts_with("{\"path\":\"/elsewhere/a.pdf\""));
    CHECK(b.lines_of("failures.jsonl") == 1);
}

TEST_CASE("run_directory: a problem of an earlier run found again -> one line at the end")
{
    bench b;
    b.options.inputs.clear();
    {
        auto before = failures_writer::open(b.options.directory);
        REQUIRE(before.has_value());
        REQUIRE_FALSE(before->append(empty_file("/docs/a.pdf")));
    }
    auto const opened = open_run_directory(b.options, *b.ledger.share());
    REQUIRE(opened.has_value());
    REQUIRE_FALSE(opened->files->failures().append(empty_file("/docs/a.pdf")));
    REQUIRE_FALSE(opened->files->failures().append(empty_file("/docs/b.pdf")));
    REQUIRE(opened->files->rewrite_failures(*b.ledger.share()).has_value());
    CHECK(b.lines_of("failures.jsonl") == 2);
}

TEST_CASE("run_directory: lines appended after the rewrite -> in the new file")
{
    bench b;
    auto const opened = open_run_directory(b.options, *b.ledger.share());
    REQUIRE(opened.has_value());
    REQUIRE(opened->files->rewrite_failures(*b.ledger.share()).has_value());
    REQUIRE_FALSE(opened->files->failures().append(empty_file("/docs/b.pdf")));
    CHECK_FALSE(opened->files->sync());
    CHECK(b.lines_of("failures.jsonl") == 1);
}
