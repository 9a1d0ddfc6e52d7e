#include <ocrpipe/bulk/source/manifest_source.hpp>

#include "unit/bulk/source/manifest.hpp"

#include <string>
#include <sys/stat.h>

using namespace ocrpipe;

TEST_CASE("manifest_format_of: the ending in any case -> its format")
{
    CHECK(manifest_format_of("x.jsonl") == manifest_format::jsonl);
    CHECK(manifest_format_of("dir.csv/x.NdJson") == manifest_format::jsonl);
    CHECK(manifest_format_of("list.CSV") == manifest_format::csv);
    CHECK(manifest_format_of("list.Tsv") == manifest_format::csv);
    CHECK_FALSE(manifest_format_of("x.json"));
    CHECK_FALSE(manifest_format_of("csv"));
    CHECK_FALSE(manifest_format_of(".csv"));
    CHECK_FALSE(manifest_format_of("x.csv/y"));
    CHECK_FALSE(manifest_format_of(""));
}

TEST_CASE(
    "manifest_source: JSONL with all keys -> an item with all of them, relative to the manifest's folder")
{
    manifest m("list.jsonl",
               "{\"path\":\"a.pdf\",\"id\":\"inv-1\",\"flow\":\"f7\",\"doc_type\":\"invoice\",\"file_type\":"
               "\"PDF\"}\n"
               "{\"path\":\"./sub//b "
               "c.png\",\"file_type\":\"image\",\"color\":{\"unknown\":[1,2]},\"id\":null,\"flow\":\"\"}\n");
    collected const all = m.all();
    CHECK(all.problems.empty());
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].path == m.file("a.pdf"));
    CHECK(all.items[0].id == "inv-1");
    CHECK(all.items[0].flow == "f7");
    CHECK(all.items[0].doc_type == "invoice");
    CHECK(all.items[0].type == file_type::pdf);
    CHECK(all.items[0].size == 1);
    CHECK(all.items[1].path == m.file("sub/b c.png"));
    CHECK(all.items[1].id == all.items[1].path);
    CHECK(all.items[1].flow.empty());
    CHECK(all.items[1].type == file_type::image);
}

TEST_CASE("manifest_source: an absolute path -> taken as it is")
{
    temp_directory elsewhere;
    std::string const path = elsewhere.write("x.pdf", "1").string();
    collected const all = manifest("list.jsonl", "{\"path\":\"" + path + "\"}").all();
    CHECK(all.paths() == std::vector<std::string>{path});
}

TEST_CASE("manifest_source: JSON ids that are integers, beyond 2^53 too -> their digits; other numbers -> a "
          "problem")
{
    manifest m("list.jsonl",
               "{\"path\":\"a.pdf\",\"id\":-7}\n{\"path\":\"a.pdf\",\"id\":18446744073709551615}\n"
               "{\"path\":\"a.pdf\",\"id\":1.5}\n");
    collected const all = m.all();
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].id == "-7");
    CHECK(all.items[1].id == "18446744073709551615");
    CHECK(m.problem_at(3) == "id is not a string");
}

TEST_CASE("manifest_source: byte order mark, CRLF, blank lines, no line break at the end -> tolerated")
{
    CHECK(manifest("l.jsonl", "\xEF\xBB\xBF{\"path\":\"a.pdf\"}\r\n  \r\n\n{\"path\":\"sub/b c.png\"}")
              .all()
              .items.size() == 2);
    CHECK(manifest("l.csv", "\xEF\xBB\xBFpath\r\na.pdf\r\n\r\n\nsub/b c.png").all().items.size() == 2);
}

TEST_CASE("manifest_source: broken JSONL rows -> a problem each with its line, and the rest goes on")
{
    manifest m("list.jsonl", "{\"path\":\"a.pdf\"}\n"
                             "{\"path\":\n"
                             "[\"a.pdf\"]\n"
                             "{\"file\":\"a.pdf\"}\n"
                             "{\"path\":7}\n"
                             "{\"path\":\"a.pdf\",\"file_type\":\"docx\"}\n"
                             "{\"path\":\"a.pdf\",\"doc_type\":\"a\\r\\nb\"}\n"
                             "{\"path\":\"a.pdf\",\"flow\":\"\\u0000\"}\n"
                             "{\"path\":\"a.pdf\",\"id\":\"a\\tb\"}\n"
                             "{\"path\":\"a\\u0000.pdf\"}\n"
                             "{\"path\":\"a.pdf\",\"id_bytes\":\"%zz\"}\n"
                             "{\"path\":\"\xE9.pdf\"}\n"
                             "{\"path\":\"sub/b c.png\"}\n");
    collected const all = m.all();
    CHECK(all.items.size() == 2);
    CHECK(all.problems.size() == 11);
    CHECK(m.problem_at(2).starts_with("the line is not JSON"));
    CHECK(m.problem_at(3) == "the line is not a JSON object");
    CHECK(m.problem_at(4) == "path is missing: rename the key file to path if it names the file");
    CHECK(m.problem_at(5) == "path is not a string");
    CHECK(m.problem_at(6) == "file_type is neither PDF nor IMAGE nor detect");
    CHECK(m.problem_at(7) == "doc_type contains control characters or is not UTF-8");
    CHECK(m.problem_at(8) == "flow contains control characters or is not UTF-8");
    CHECK(m.problem_at(9) == "id contains control characters or is not UTF-8");
    CHECK(m.problem_at(10) == "path contains a NUL byte");
    CHECK(m.problem_at(11) == "id_bytes is not percent-encoded");
    CHECK(m.problem_at(12).starts_with("the line is not JSON: it is not UTF-8"));
}

TEST_CASE("manifest_source: a row that names a missing file, a directory, an empty file -> a problem with "
          "path and line")
{
    manifest m("list.jsonl", "{\"path\":\"missing.pdf\"}\n{\"path\":\"sub\"}\n{\"path\":\"a.pdf\"}\n");
    collected const all = m.all();
    CHECK(all.items.size() == 1);
    REQUIRE(all.problem(m.file("missing.pdf")));
    CHECK(all.problem(m.file("missing.pdf"))->where == m.file("list.jsonl") + ":1");
    CHECK(all.problem(m.file("missing.pdf"))->code == errc::unreadable_file);
    REQUIRE(all.problem(m.file("sub")));
    CHECK(all.problem(m.file("sub"))->message == "is a directory");
}

TEST_CASE("manifest_source: a JSONL line longer than 1 MiB -> a problem, and the next line is read")
{
    manifest m("list.jsonl", "{\"path\":\"" + std::string(2'000'000, 'x') + "\"}\n{\"path\":\"a.pdf\"}\n");
    CHECK(m.all().items.size() == 1);
    CHECK(m.problem_at(1) == "the line is longer than 1 MiB");
}

TEST_CASE("manifest_source: exact bytes beside the readable name -> they win, control characters and all")
{
    temp_directory dir;
    std::string const path = dir.write("latin-\xE9\n.pdf", "1").string();
    std::string const list =
        dir.write("l.jsonl", "{\"path\":\"latin-?.pdf\",\"path_bytes\":\"latin-%E9%0A.pdf\","
                             "\"id\":\"i\\n\",\"id_bytes\":\"i%0A\"}\n")
            .string();
    manifest_source source(list, manifest_format::jsonl);
    collected const all = collect(source);
    REQUIRE(all.items.size() == 1);
    CHECK(all.items[0].path == path);
    CHECK(all.items[0].id == "i\n");
}

TEST_CASE("manifest_source: CSV with columns in any order and case -> items; unknown columns are passed over")
{
    manifest m("list.csv", "Doc_Type,note, PATH ,id,file_type\n"
                           "invoice,\"two\nlines, and a comma\",a.pdf,7,pdf\n"
                           ",,\"sub/b c.png\",,\n");
    collected const all = m.all();
    CHECK(all.problems.empty());
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].path == m.file("a.pdf"));
    CHECK(all.items[0].doc_type == "invoice");
    CHECK(all.items[0].id == "7");
    CHECK(all.items[0].type == file_type::pdf);
    CHECK(all.items[1].path == m.file("sub/b c.png"));
    CHECK(all.items[1].doc_type.empty());
    CHECK(all.items[1].id == all.items[1].path);
}

TEST_CASE("manifest_source: broken CSV rows -> a problem each where it begins, and the rest goes on")
{
    manifest m("list.csv",
               "path,doc_type\n"
               "a.pdf,x\n"
               "a.pdf\n"
               "a.pdf,x,y\n" // one more than the header names; "a.pdf" alone is one without a type
               "\"a.pdf\"x,\n"
               "a.pdf,\"two\nlines\"\n"
               ",x\n"
               "sub/b c.png,\"ok\"\n"
               "a.pdf,\"never closed\n"
               "a.pdf,last\n");
    collected const all = m.all();
    CHECK(all.items.size() == 4);
    CHECK(m.problem_at(4) ==
          "3 fields, but the header names 2: put a field that contains \",\" in double quotes");
    CHECK(m.problem_at(5) == "a quoted field is followed by text");
    CHECK(m.problem_at(6) == "doc_type contains control characters or is not UTF-8");
    CHECK(m.problem_at(8) == "path is missing");
    CHECK(m.problem_at(10) == "a quoted field is not closed");
    CHECK(all.problems.size() == 5);
}

TEST_CASE("manifest_source: a CSV header that does not do -> one problem, and no row is guessed at")
{
    CHECK(manifest("l.csv", "").problem_at(1) == "the manifest has no header that names its columns");
    CHECK(manifest("l.csv", "a.pdf\nsub/b c.png\n").problem_at(1) ==
          "the header has no column path, only: a.pdf; the first line must name the columns: path, "
          "and if needed id, flow, doc_type, file_type");
    CHECK(manifest("l.csv", "path,id,Path\na.pdf,1,a.pdf\n").problem_at(1) == "the header names path twice");
    CHECK(manifest("l.csv", "\"path\"x\na.pdf\n").problem_at(1) == "a quoted field is followed by text");
    collected const all = manifest("l.csv", "a.pdf\nsub/b c.png\n").all();
    CHECK(all.items.empty());
    CHECK(all.problems.size() == 1);
}

TEST_CASE(
    "manifest_source: a CSV row longer than 1 MiB, quoted or not -> a problem, and the next line is read")
{
    for (std::string const quote : {"", "\""}) {
        manifest m("l.csv", "path\n" + quote + std::string(3'000'000, 'x') + "\na.pdf\n");
        CHECK(m.problem_at(2) == "the row is longer than 1 MiB");
        collected const all = m.all();
        CHECK(all.paths() == std::vector<std::string>{m.file("a.pdf")});
        CHECK(all.problems.size() == 1);
    }
}

TEST_CASE(
    "manifest_source: rows of exactly 1 MiB -> taken; of a byte more -> a problem, wherever the blocks end")
{
    for (std::string const before : {"", "a.pdf,\n"})
        for (std::string const end : {"\n", ""}) {
            std::string const row = "a.pdf," + std::string(1024 * 1024 - 6, 'n');
            manifest fits("l.csv", "path,note\n" + before + row + end);
            CHECK(fits.all().problems.empty());
            manifest longer("l.csv", "path,note\n" + before + row + "n" + end);
            CHECK(longer.problem_at(before.empty() ? 2 : 3) == "the row is longer than 1 MiB");
            CHECK(longer.all().items.size() == (before.empty() ? 0 : 1));

            std::string const line = R"({"path":"a.pdf","n":")" + std::string(1024 * 1024 - 23, 'n') + "\"}";
            REQUIRE(line.size() == 1024 * 1024);
            CHECK(manifest("l.jsonl", line + end).all().items.size() == 1);
            CHECK(manifest("l.jsonl", " " + line + end).problem_at(1) == "the line is longer than 1 MiB");
        }
}

TEST_CASE("manifest_source: CSV rows across the blocks in which a file is read -> none lost, lines counted")
{
    std::string text = "path,note\n";
    for (int i = 0; i != 5'000; ++i)
        text += "a.pdf,\"" + std::string(static_cast<std::size_t>(i % 97), 'n') + "\n\"\r\n";
    manifest m("l.csv", text + "a.pdf,,broken\n");
    CHECK(m.all().items.size() == 5'000);
    CHECK(m.problem_at(10'002).starts_with("3 fields, but the header names 2"));
}

TEST_CASE("manifest_source: a manifest that cannot be opened or read -> one problem")
{
    temp_directory dir;
    std::string const folder = (dir.path() / "folder.csv").string();
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    for (std::string const& path : {dir.path().string() + "/missing.csv", folder})
        for (manifest_format const f : {manifest_format::csv, manifest_format::jsonl}) {
            manifest_source source(path, f);
            collected const all = collect(source);
            CHECK(all.items.empty());
            REQUIRE(all.problems.size() == 1);
            CHECK(all.problems[0].code == errc::unreadable_file);
            CHECK_FALSE(source.next());
        }
}

TEST_CASE(
    "manifest_source: a CSV quote that does not end in a file of several MiB -> its line alone is given up")
{
    std::string text = "path,doc_type\na.pdf,\"x\n";
    for (int i = 0; i != 3'000; ++i)
        text += "a.pdf," + std::string(1'000, 'x') + "\n";
    manifest m("l.csv", text + "a.pdf,,broken\n");
    CHECK(m.all().items.size() == 3'000);
    CHECK(m.all().problems.size() == 2);
    CHECK(m.problem_at(2) == "the row is longer than 1 MiB");
    CHECK(m.problem_at(3'003).starts_with("3 fields, but the header names 2"));
}

TEST_CASE("manifest_source: a name in another Unicode form -> found, and known by the name as it was written")
{
    temp_directory dir;
    dir.write("ho\u00E1 \u0111\u01A1n/b\u1EA3ng.pdf", "1");
    std::string const apart = "hoa\u0301 \u0111o\u031Bn/ba\u0309ng.pdf";
    std::string const list = dir.write("l.csv", "path\n" + apart + "\n").string();
    manifest_source source(list, manifest_format::csv);
    collected const all = collect(source);
    REQUIRE(all.items.size() == 1);
    CHECK(all.items[0].path == dir.path().string() + "/ho\u00E1 \u0111\u01A1n/b\u1EA3ng.pdf");
    CHECK(all.items[0].id == dir.path().string() + "/" + apart);
}
