#include <ocrpipe/bulk/source/manifest_source.hpp>

#include "unit/bulk/source/manifest.hpp"

#include <algorithm>
#include <memory>
#include <string>

using namespace ocrpipe;

TEST_CASE("manifest_columns: unknown columns and keys -> named once, with the rows in which keys stand")
{
    auto const notes = std::make_shared<source_notes>();
    collected const csv = manifest("l.csv", "path,note,Amount,,id\na.pdf,x,1,,7\na.pdf,x,1,,8\n").all(notes);
    CHECK(csv.items.size() == 2);
    auto said = notes->take();
    REQUIRE(said.size() == 1);
    CHECK(said[0].event == "unknown_columns");
    CHECK(said[0].text.ends_with(
        "l.csv: these columns are not used: Amount, note; known are path, id, flow, doc_type, "
        "file_type"));
    manifest("l.jsonl",
             "{\"path\":\"a.pdf\",\"note\":1}\n{\"path\":\"a.pdf\",\"note\":[],\"color\":\"red\"}\n")
        .all(notes);
    said = notes->take();
    REQUIRE(said.size() == 1);
    CHECK(said[0].text.find("these keys are not used: color (in 1 of 2 rows), note;") != std::string::npos);
}

TEST_CASE("manifest_columns: a failures.jsonl -> nothing to say about its keys")
{
    auto const notes = std::make_shared<source_notes>();
    manifest("failures.jsonl",
             "{\"id\":\"a\",\"path\":\"a.pdf\",\"sha256\":\"x\",\"class\":\"rejected\",\"message\":\"m\","
             "\"phase\":\"submit\","
             "\"http_status\":400,\"file_ids\":[],\"attempts\":1,\"at\":\"t\"}\n"
             "{\"path\":\"a.pdf\",\"where\":\"x:1\",\"class\":\"empty_document\",\"message\":\"m\"}\n")
        .all(notes);
    CHECK(notes->take().empty());
}

TEST_CASE("manifest_columns: a column that resembles one which is not there -> the whole CSV is a problem")
{
    for (char const* const name :
         {"doctype", "docType", "doc-type", "Doc Type", "doc_tpye", "document_type", "doc types", "filetype",
          "file type", "flow_id", "Flows", "type", "lo\u1EA1i t\u00E0i li\u1EC7u", "requestId"}) {
        CAPTURE(name);
        manifest const m("l.csv", std::string("path,") + name + "\na.pdf,x\n");
        CHECK(m.all().items.empty());
        CHECK(m.problem_at(1).find("resembles") != std::string::npos);
        std::string const said = misnamed_column_in(m.file("l.csv"), manifest_format::csv);
        CHECK(said.starts_with(m.file("l.csv") + ":1: the column " + name));
    }
}

TEST_CASE(
    "manifest_columns: columns that are words of their own, or stand beside the right one -> only named")
{
    for (char const* const name :
         {"low",    "slow",     "mime_type", "requested", "requester", "customer",  "amount",
          "status", "date",     "note",      "title",     "size",      "file_size", "file_name",
          "doc_no", "document", "_id",       "uuid",      "pages",     "language",  "file_time"}) {
        CAPTURE(name);
        manifest const m("l.csv", std::string("path,") + name + "\na.pdf,x\n");
        CHECK(m.all().items.size() == 1);
        CHECK(misnamed_column_in(m.file("l.csv"), manifest_format::csv).empty());
    }
    CHECK(manifest("l.csv", "path,doc_type,docType,type\na.pdf,x,y,z\n").all().items.size() == 1);
    CHECK(
        manifest("l.jsonl", "{\"path\":\"a.pdf\",\"doc_type\":\"x\",\"type\":\"y\"}\n").all().items.size() ==
        1);
}

TEST_CASE(
    "manifest_columns: a key that resembles one -> found wherever it stands, and its row is a problem")
{
    manifest const early("l.jsonl", "{\"path\":\"a.pdf\"}\n{\"path\":\"a.pdf\",\"docType\":\"x\"}\n");
    CHECK(misnamed_column_in(early.file("l.jsonl"), manifest_format::jsonl)
              .starts_with(early.file("l.jsonl") + ":2: the key docType"));
    CHECK(early.all().items.size() == 1);
    CHECK(early.problem_at(2).find("resembles doc_type") != std::string::npos);

    std::string rows;
    while (rows.size() < 1'100'000)
        rows += "{\"path\":\"a.pdf\",\"note\":\"" + std::string(1000, 'n') + "\"}\n";
    std::size_t const count = static_cast<std::size_t>(std::count(rows.begin(), rows.end(), '\n'));
    manifest const late("l.jsonl", rows + "{\"path\":\"a.pdf\",\"docType\":\"x\"}\n");
    CHECK(!misnamed_column_in(late.file("l.jsonl"), manifest_format::jsonl).empty());
    CHECK(late.all().items.size() == count);
    CHECK(late.problem_at(static_cast<int>(count) + 1).find("resembles doc_type") != std::string::npos);
}
