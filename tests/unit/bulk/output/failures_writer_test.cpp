#include <ocrpipe/bulk/output/failures_writer.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/output/file_size_limit.hpp"
#include "unit/bulk/source/collect.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace ocrpipe;

namespace
{

failure refused_by_service()
{
    failure f(errc::rejected, phase::classify, "unknown doc_type");
    f.http_status = 422;
    f.attempts = 2;
    f.request_id = "r-1";
    return f;
}

} // namespace

TEST_CASE("append_failure_line: a failed document -> one line with the facts and an absolute path")
{
    ledger_document document;
    document.id = "inv-1";
    document.path = "docs/a.pdf";
    document.flow = "single";
    document.doc_type = "invoice";
    document.type = file_type::pdf;
    failure const f = refused_by_service();
    failure_record r;
    r.document = &document;
    r.what = &f;
    document.sha256 = "00ff";
    r.at = std::chrono::sys_days(std::chrono::year(2026) / 1 / 2);
    std::vector<std::string> const file_ids{"f-1", "f\"2"};
    r.file_ids = file_ids;
    std::string out;
    append_failure_line(out, r, "/home/me");
    boost::json::value const v = boost::json::parse(out);
    CHECK(out.ends_with("}\n"));
    CHECK(v.at("file_ids").as_array() == boost::json::array{"f-1", "f\"2"});
    CHECK(v.at("id").as_string() == "inv-1");
    CHECK(v.at("path").as_string() == "/home/me/docs/a.pdf");
    CHECK(v.at("flow").as_string() == "single");
    CHECK(v.at("doc_type").as_string() == "invoice");
    CHECK(v.at("file_type").as_string() == "PDF");
    CHECK(v.at("sha256").as_string() == "00ff");
    CHECK(v.at("class").as_string() == "rejected");
    CHECK(v.at("message").as_string() == std::string_view(to_string(f)));
    CHECK(v.at("phase").as_string() == "classify");
    CHECK(v.at("http_status").as_int64() == 422);
    CHECK(v.at("request_id").as_string() == "r-1");
    CHECK(v.at("attempts").as_int64() == 2);
    CHECK(v.at("at").as_string() == "2026-01-02T00:00:00.000Z");
}

TEST_CASE("append_failure_line: facts that are not there -> no keys for them")
{
    ledger_document document;
    document.id = document.path = "/a.pdf";
    failure const f(errc::cancelled, phase::none, {});
    failure_record r;
    r.document = &document;
    r.what = &f;
    std::string out;
    append_failure_line(out, r, "/home/me");
    boost::json::value const v = boost::json::parse(out);
    for (char const* key :
         {"flow", "doc_type", "file_type", "sha256", "phase", "http_status", "request_id"}) {
        CAPTURE(key);
        CHECK_FALSE(v.as_object().contains(key));
    }
    CHECK(v.at("path").as_string() == "/a.pdf");
    CHECK(v.at("at").is_null());
}

TEST_CASE(
    "append_failure_line: an input that never became a document -> where it was named, class and message")
{
    input_problem p;
    p.path = "b.pdf";
    p.where = "list.csv:3";
    p.code = errc::empty_document;
    p.message = "has no bytes";
    std::string out;
    append_failure_line(out, p, "/home/me");
    CHECK(out ==
          "{\"path\":\"/home/me/"
          "b.pdf\",\"where\":\"list.csv:3\",\"class\":\"empty_document\",\"message\":\"has no bytes\"}\n");
}

TEST_CASE("failures_writer: given back as a manifest -> the same documents, whatever bytes their names hold")
{
    temp_directory dir;
    temp_directory run;
    auto writer = failures_writer::open(run.path().string());
    REQUIRE(writer.has_value());
    failure const f = refused_by_service();
    for (char const* name : {"plain.pdf", "two\nlines.pdf", "latin-\xE9.pdf", "hoá đơn.pdf"}) {
        ledger_document document;
        document.path = dir.write(name, "1").string();
        document.id = name;
        document.flow = "f1";
        document.type = file_type::image;
        failure_record r;
        r.document = &document;
        r.what = &f;
        REQUIRE_FALSE(writer->append(r));
    }
    REQUIRE_FALSE(writer->sync());
    manifest_source source((run.path() / "failures.jsonl").string(), manifest_format::jsonl);
    collected const all = collect(source);
    CHECK(all.problems.empty());
    REQUIRE(all.items.size() == 4);
    for (auto const& item : all.items) {
        CHECK(item.path == dir.path().string() + "/" + item.id);
        CHECK(item.flow == "f1");
        CHECK(item.type == file_type::image);
    }
}

TEST_CASE("failures_writer: relative paths -> found again from the run's folder")
{
    temp_directory run;
    auto writer = failures_writer::open(run.path().string());
    REQUIRE(writer.has_value());
    input_problem p;
    p.path = "some/file.pdf";
    p.code = errc::unreadable_file;
    REQUIRE_FALSE(writer->append(p));
    boost::json::value const v = boost::json::parse(run.read("failures.jsonl"));
    CHECK(v.at("path").as_string() ==
          std::string_view((std::filesystem::current_path() / "some/file.pdf").string()));
}

TEST_CASE("failures_writer: opened again after a crash -> appends behind the last whole line")
{
    temp_directory run;
    run.write("failures.jsonl", "{\"path\":\"/kept\"}\n{\"path\":\"/cut o");
    auto writer = failures_writer::open(run.path().string());
    REQUIRE(writer.has_value());
    input_problem p;
    p.path = "/x";
    p.code = errc::unreadable_file;
    REQUIRE_FALSE(writer->append(p));
    CHECK(run.read("failures.jsonl").starts_with("{\"path\":\"/kept\"}\n{\"path\":\"/x\""));
}

TEST_CASE("failures_writer: a folder that is missing -> unwritable_output with the cause")
{
    temp_directory run;
    auto const writer = failures_writer::open(run.path().string() + "/missing");
    REQUIRE(writer.has_error());
    CHECK(writer.error().is(errc::unwritable_output));
    CHECK(writer.error().cause == boost::system::errc::no_such_file_or_directory);
}

TEST_CASE("failures_writer: a full device -> no_space_on_device")
{
    temp_directory dir;
    std::filesystem::create_symlink("/dev/full", dir.path() / "failures.jsonl");
    auto writer = failures_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    input_problem const problem{"gone.pdf", "-:1", errc::unreadable_file, "No such file or directory"};
    for (int i = 0; i != 2; ++i)
        CHECK(writer->append(problem) == boost::system::errc::no_space_on_device);
}

TEST_CASE("failures_writer: the disk takes half a line -> no part of it stays, and the call may be repeated")
{
    temp_directory dir;
    auto writer = failures_writer::open(dir.path().string());
    REQUIRE(writer.has_value());
    input_problem const problem{"gone.pdf", "-:1", errc::unreadable_file, "No such file or directory"};
    REQUIRE_FALSE(writer->append(problem));
    std::string const before = dir.read("failures.jsonl");
    {
        file_size_limit const limit(before.size() + 10);
        CHECK(writer->append(problem) == boost::system::errc::file_too_large);
    }
    CHECK(dir.read("failures.jsonl") == before);
    REQUIRE_FALSE(writer->append(problem));
    CHECK(dir.read("failures.jsonl") == before + before);
}
