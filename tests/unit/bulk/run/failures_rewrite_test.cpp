#include <ocrpipe/bulk/run/detail/failures_rewrite.hpp>

#include "support/open_ledger.hpp"
#include "support/temp_directory.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace ocrpipe;
using namespace ocrpipe::detail;

namespace
{

/// A line as a run writes it when the ledger could not record a submit.
std::string unrecorded_line(std::string const& id, std::string const& request_id)
{
    ledger_document const d = document_named(id);
    failure f(errc::ledger_failed, phase::none, "disk full");
    f.request_id = request_id;
    f.attempts = 2;
    std::vector<std::string> const file_ids{"f-1", "f-2"};
    failure_record record;
    record.document = &d;
    record.what = &f;
    record.file_ids = file_ids;
    std::string line;
    append_failure_line(line, record, "/base");
    line.pop_back();
    return line;
}

std::string problem_line(std::string path, std::string where = {})
{
    std::string line;
    append_failure_line(line, {std::move(path), std::move(where), errc::empty_document, "has no bytes"},
                        "/base");
    line.pop_back();
    return line;
}

} // namespace

TEST_CASE(
    "read_unrecorded_submit: a line that a run wrote -> its document and submit, whatever bytes the id has")
{
    for (std::string const id : {"a.pdf", "latin-\xE9.pdf", "two\nlines.pdf"}) {
        CAPTURE(id);
        std::string const line = unrecorded_line(id, "r-1");
        CHECK(is_document_line(line));
        auto const s = read_unrecorded_submit(line);
        REQUIRE(s);
        CHECK(s->id == id);
        CHECK(s->sha256 == document_named(id).sha256);
        CHECK(s->what.request_id == "r-1");
        CHECK(s->what.attempts == 2);
        CHECK(s->what.file_ids == std::vector<std::string>{"f-1", "f-2"});
        CHECK_FALSE(s->interrupted);
    }
}

TEST_CASE("read_unrecorded_submit: other failures, damaged lines and lines without a request_id -> none")
{
    std::string const line = unrecorded_line("a.pdf", "r-1");
    for (std::string const& other : {std::string(), line.substr(0, line.size() / 2), problem_line("b.pdf"),
                                     std::string(R"({"id":"a","class":"rejected","request_id":"r-1"})"),
                                     std::string(R"({"id":"a","class":"ledger_failed"})"),
                                     std::string(R"(["class":"ledger_failed"])")}) {
        CAPTURE(other);
        CHECK_FALSE(read_unrecorded_submit(other));
    }
}

TEST_CASE("is_found_again: an input below a directory of this run, or in a manifest of this run -> true")
{
    std::vector<std::string> const inputs{"docs", "list.csv", "/x/a.pdf"};
    CHECK(is_found_again(problem_line("docs/a.pdf"), inputs, "/base"));
    CHECK(is_found_again(problem_line("/x/a.pdf"), inputs, "/base"));
    CHECK(is_found_again(problem_line("elsewhere/a.pdf", "list.csv:3"), inputs, "/base"));
    CHECK_FALSE(is_found_again(problem_line("docs2/a.pdf"), inputs, "/base"));
    CHECK_FALSE(is_found_again(problem_line("docs/a.pdf", "other.csv:3"), inputs, "/base"));
    CHECK_FALSE(is_found_again(problem_line("docs/a.pdf"), {}, "/base"));
    CHECK(is_found_again(problem_line("any"), {"/"}, "/base"));
    CHECK(is_found_again("not JSON", {}, "/base"));
}

TEST_CASE("is_only_record: a document in doubt with the same content -> recoverable, once")
{
    temp_directory dir;
    open_ledger l(dir.path());
    REQUIRE_FALSE(l.intent(document_named("a")));
    std::vector<unrecorded_submit> recoverable;
    CHECK(is_only_record(unrecorded_line("a", "r-1"), *l.share(), recoverable).value());
    CHECK(is_only_record(unrecorded_line("a", "r-2"), *l.share(), recoverable).value());
    REQUIRE(recoverable.size() == 1);
    CHECK(recoverable[0].what.request_id == "r-1");
    CHECK(recoverable[0].interrupted);
    REQUIRE_FALSE(l.finished("a", ended(document_state::ambiguous, errc::ambiguous_submit)));
    recoverable.clear();
    CHECK(is_only_record(unrecorded_line("a", "r-1"), *l.share(), recoverable).value());
    REQUIRE(recoverable.size() == 1);
    CHECK_FALSE(recoverable[0].interrupted);
}

TEST_CASE("is_only_record: a document that is not in doubt -> kept until the ledger has its request_id")
{
    temp_directory dir;
    open_ledger l(dir.path());
    std::vector<unrecorded_submit> recoverable;
    CHECK(is_only_record(unrecorded_line("unknown", "r-1"), *l.share(), recoverable).value());
    REQUIRE_FALSE(l.intent(document_named("changed", "other content")));
    CHECK(is_only_record(unrecorded_line("changed", "r-2"), *l.share(), recoverable).value());
    REQUIRE_FALSE(l.intent(document_named("known")));
    REQUIRE_FALSE(l.submitted("known", request("r-3")));
    CHECK_FALSE(is_only_record(unrecorded_line("known", "r-3"), *l.share(), recoverable).value());
    CHECK(recoverable.empty());
}

TEST_CASE("is_only_record: a ledger that cannot be read -> its failure")
{
    temp_directory dir;
    open_ledger l(dir.path());
    REQUIRE_FALSE(l->close());
    std::vector<unrecorded_submit> recoverable;
    auto const kept = is_only_record(unrecorded_line("a", "r-1"), *l.share(), recoverable);
    REQUIRE(kept.has_error());
    CHECK(kept.error().is(errc::ledger_failed));
}

TEST_CASE("rewrite_failures: the lines to keep, then the documents that did not end well")
{
    temp_directory dir;
    open_ledger l(dir.path());
    for (std::string const id : {"failed", "done", "polled"})
        REQUIRE_FALSE(l.intent(document_named(id)));
    REQUIRE_FALSE(l.finished("failed", ended(document_state::failed, errc::rejected, "no such flow")));
    REQUIRE_FALSE(l.submitted("done", request("r-1")));
    REQUIRE_FALSE(l.submitted("polled", request("r-2")));
    REQUIRE_FALSE(l.finished("done", done_at({1, 0, 10})));
    dir.write("failures.jsonl", "drop\nkeep\n");
    {
        auto const out = rewrite_failures(dir.path().string(), *l.share(),
                                          [](std::string_view line) { return line == "keep"; });
        REQUIRE(out.has_value());
    }
    std::string const now = dir.read("failures.jsonl");
    CHECK(now.starts_with("keep\n{\"id\":\"failed\""));
    CHECK(now.find("\"class\":\"rejected\",\"message\":\"no such flow\"") != std::string::npos);
    CHECK(std::count(now.begin(), now.end(), '\n') == 2);
}

TEST_CASE("rewrite_failures: a ledger in memory -> also the jobs that were paid for and are unfinished")
{
    temp_directory dir;
    ledger_in_memory l;
    for (std::string const id : {"polled", "stuck", "found"})
        REQUIRE_FALSE(l.intent(document_named(id)));
    REQUIRE_FALSE(l.not_sent("found"));
    REQUIRE_FALSE(l.submitted("polled", request("r-1")));
    REQUIRE_FALSE(l.submitted("stuck", request("r-2")));
    REQUIRE_FALSE(l.finished("stuck", ended(document_state::stuck, errc::deadline_exceeded)));
    auto const out = rewrite_failures(dir.path().string(), *l.share(), [](std::string_view) { return true; });
    REQUIRE(out.has_value());
    std::string const now = dir.read("failures.jsonl");
    CHECK(std::count(now.begin(), now.end(), '\n') == 2);
    CHECK(now.starts_with("{\"id\":\"polled\""));
    CHECK(now.find("\"class\":\"client_closed\"") < now.find("\"request_id\":\"r-1\""));
    CHECK(now.find("\"request_id\":\"r-2\"") != std::string::npos);
}

TEST_CASE(
    "rewrite_failures: parts that results lack -> those that failed, with the request_id; in memory all")
{
    auto const lines_of = [](open_ledger& l) {
        temp_directory dir;
        REQUIRE_FALSE(l.intent(document_named("a")));
        REQUIRE_FALSE(l.submitted("a", request("r-1")));
        finish_record end = done_at({1, 0, 10});
        end.missing_parts = {lacking(0, "s-0", errc::service_error, "500"), lacking(1, "s-1")};
        REQUIRE_FALSE(l.finished("a", std::move(end)));
        REQUIRE_FALSE(l.skip(document_named("copy", "a"), "a"));
        auto const all = [](std::string_view) { return true; };
        REQUIRE(rewrite_failures(dir.path().string(), *l.share(), all).has_value());
        return dir.read("failures.jsonl");
    };
    temp_directory dir;
    open_ledger on_disk(dir.path());
    std::string now = lines_of(on_disk);
    CHECK(std::count(now.begin(), now.end(), '\n') == 2);
    CHECK(now.starts_with("{\"id\":\"a\""));
    CHECK(
        now.find("\"kind\":\"stamp\",\"document_id\":\"s-0\",\"class\":\"service_error\",\"message\":\"500\","
                 "\"request_id\":\"r-1\",\"at\":null}") != std::string::npos);
    // A line of a copy that is used as a manifest must not be sent.
    CHECK(now.find("\"request_id\":\"r-1\"", now.find("{\"id\":\"copy\"")) != std::string::npos);
    ledger_in_memory in_memory;
    now = lines_of(in_memory);
    CHECK(std::count(now.begin(), now.end(), '\n') == 4);
    CHECK(now.find("\"document_id\":\"s-1\",\"class\":\"client_closed\"") != std::string::npos);
}
