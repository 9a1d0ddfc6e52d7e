#include <ocrpipe/bulk/detail/manifest_columns.hpp>
#include <ocrpipe/bulk/manifest_source.hpp>

#include "support/temp_directory.hpp"
#include "unit/bulk/collect.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <sys/stat.h>

using namespace ocrpipe;

namespace
{

/// A folder with two documents, and the manifest in it.
class manifest
{
public:
    manifest(std::string_view name, std::string_view text) : name_(name)
    {
        dir_.write("a.pdf", "1");
        dir_.write("sub/b c.png", "22");
        dir_.write(name, text);
    }

    collected all(std::shared_ptr<source_notes> notes = nullptr) const
    {
        manifest_source source(file(name_), *manifest_format_of(name_), std::move(notes));
        collected all = collect(source);
        CHECK_FALSE(source.next());
        return all;
    }
    std::string file(std::string const& name) const { return dir_.path().string() + "/" + name; }

    /// What is wrong with a line, empty when nothing is.
    std::string problem_at(int line) const
    {
        collected const got = all();
        for (auto const& p : got.problems)
            if (p.where == file(name_) + ":" + std::to_string(line)) {
                CHECK(p.code == errc::invalid_argument);
                return p.message;
            }
        return {};
    }

private:
    temp_directory dir_;
    std::string name_;
};

} // namespace

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
    CHECK(m.problem_at(4) == "path is missing: call the key file path if it names the file");
    CHECK(m.problem_at(5) == "path is not a string");
    CHECK(m.problem_at(6) == "file_type is neither PDF nor IMAGE nor detect");
    CHECK(m.problem_at(7) == "doc_type holds control characters or is not UTF-8");
    CHECK(m.problem_at(8) == "flow holds control characters or is not UTF-8");
    CHECK(m.problem_at(9) == "id holds control characters or is not UTF-8");
    CHECK(m.problem_at(10) == "path holds a NUL byte");
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
          "3 fields where the header names 2: put a field that contains \",\" in double quotes");
    CHECK(m.problem_at(5) == "a quoted field is followed by text");
    CHECK(m.problem_at(6) == "doc_type holds control characters or is not UTF-8");
    CHECK(m.problem_at(8) == "path is missing");
    CHECK(m.problem_at(10) == "a quoted field does not end");
    CHECK(all.problems.size() == 5);
}

TEST_CASE("manifest_source: a CSV header that does not do -> one problem, and no row is guessed at")
{
    CHECK(manifest("l.csv", "").problem_at(1) == "the manifest has no header that names its columns");
    CHECK(manifest("l.csv", "a.pdf\nsub/b c.png\n").problem_at(1) ==
          "the header does not name a column path, but: a.pdf; the first line must name the columns: path, "
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
    CHECK(m.problem_at(10'002).starts_with("3 fields where the header names 2"));
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
    CHECK(m.problem_at(3'003).starts_with("3 fields where the header names 2"));
}

namespace
{

std::string utf16(std::u16string_view text, bool little_endian, bool mark = true)
{
    std::string out;
    auto const put = [&](char16_t c) {
        char const low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8);
        out += little_endian ? low : high;
        out += little_endian ? high : low;
    };
    if (mark) put(0xFEFF);
    for (char16_t const c : text)
        put(c);
    return out;
}

/// What is wrong with a manifest that is refused as a whole.
std::string refusal(std::string_view name, std::string_view text)
{
    collected const all = manifest(name, text).all();
    CHECK(all.items.empty());
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].where.ends_with(":1"));
    return all.problems[0].message;
}

} // namespace

TEST_CASE("manifest_source: CSV as other programs write it -> the same two documents")
{
    std::string const plain = "path,doc_type,id\na.pdf,invoice,1\nsub/b c.png,receipt,2\n";
    auto const with = [&plain](std::string_view separator, std::string_view line_end) {
        std::string out;
        for (char const c : plain)
            out += c == ',' ? separator : c == '\n' ? line_end : std::string_view(&c, 1);
        return out;
    };
    auto const wide = [](std::string_view text) { return std::u16string(text.begin(), text.end()); };
    std::string const quoted =
        "\"Path\";\" DOC_TYPE \";\"ID\"\r\n\"a.pdf\";\"invoice\";\"1\"\r\n\"sub/b c.png\";"
        "\"receipt\";\"2\"\r\n";
    for (std::string const& text : {
             with(",", "\n"),
             with(";", "\r\n"),
             with("\t", "\n"),
             with("|", "\n"),
             with(",", "\r"),
             with(";", "\r"),
             "sep=;\r\n" + with(";", "\r\n"),
             "\"sep=\t\"\n" + with("\t", "\n"),
             "SEP=^\r" + with("^", "\r"),
             "\xEF\xBB\xBFsep=;\n" + with(";", "\n"),
             quoted,
             utf16(wide(quoted), true),
             utf16(wide(with("\t", "\r\n")), true),
             utf16(wide(with(",", "\n")), false),
             with(" , ", "\n"),
             std::string("path, doc_type, id\n\"a.pdf\", \"invoice\" , \"1\"\nsub/b c.png , receipt,\"2\"\n"),
             std::string(
                 "path,doc_type,id\n\n  \na.pdf,invoice,1,,\n,,\n ,\t, \nsub/b c.png,receipt,2\n,,,,\n"),
             std::string("path;doc_type;id;;\na.pdf;invoice;1;;\nsub/b c.png;receipt;2\n"),
             std::string("id,doc_type,note,path\n1,invoice,\"a;b;c;d\",a.pdf\n2,receipt,x,sub/b c.png"),
         }) {
        CAPTURE(text);
        collected const all = manifest("list.csv", text).all();
        CHECK(all.problems.empty());
        REQUIRE(all.items.size() == 2);
        CHECK(all.items[0].path.ends_with("/a.pdf"));
        CHECK(all.items[0].doc_type == "invoice");
        CHECK(detail::trimmed(all.items[0].id) == "1");
        CHECK(all.items[1].path.ends_with("/sub/b c.png"));
        CHECK(all.items[1].doc_type == "receipt");
    }
}

TEST_CASE("manifest_source: rows shorter than the header -> the missing fields are empty")
{
    collected const all = manifest("l.csv", "path,doc_type,id\na.pdf\nsub/b c.png,x\n").all();
    CHECK(all.problems.empty());
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].doc_type.empty());
    CHECK(all.items[1].doc_type == "x");
}

TEST_CASE("manifest_source: .tsv with one column -> commas belong to the names")
{
    temp_directory dir;
    dir.write("a, b; c.pdf", "1");
    std::string const list = dir.write("l.tsv", "path\na, b; c.pdf\n").string();
    manifest_source source(list, manifest_format::csv);
    CHECK(collect(source).items.size() == 1);
}

TEST_CASE("manifest_source: JSONL in UTF-16, and with CR line ends -> read")
{
    std::u16string const text =
        u"{\"path\":\"a.pdf\"}\r\n{\"path\":\"sub/b c.png\",\"id\":\"\u1EBF \U0001F600\"}";
    for (bool const little : {true, false}) {
        collected const all = manifest("l.jsonl", utf16(text, little)).all();
        REQUIRE(all.items.size() == 2);
        CHECK(all.items[1].id == "\u1EBF \U0001F600");
    }
    CHECK(manifest("l.jsonl", "{\"path\":\"a.pdf\"}\r{\"path\":\"a.pdf\"}\r").all().items.size() == 2);
    manifest const m("l.jsonl", "{\"path\":\"a.pdf\"}\r\n\r{\"path\":7}\n");
    CHECK(m.problem_at(3) == "path is not a string");
}

TEST_CASE("manifest_source: files that are no manifest -> refused as a whole, with what they look like")
{
    using namespace std::string_literals;
    for (char const* const name : {"l.csv", "l.jsonl", "l.tsv"}) {
        CHECK(refusal(name, "PK\x03\x04\x14\0\6\0[Content_Types].xml"s).find("workbook of Excel") !=
              std::string::npos);
        CHECK(refusal(name, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"s).find("old Excel") != std::string::npos);
        CHECK(refusal(name, "%PDF-1.7\n%...").find("a PDF") != std::string::npos);
        CHECK(refusal(name, "\x89PNG\r\n\x1A\n").find("an image") != std::string::npos);
        CHECK(refusal(name, "\x1F\x8B\x08").find("compressed") != std::string::npos);
        CHECK(refusal(name, "<!DOCTYPE html>\n<html>").find("web page") != std::string::npos);
        CHECK(refusal(name, "<?xml version=\"1.0\"?>").find("XML") != std::string::npos);
        CHECK(refusal(name, utf16(u"path,id\na.pdf,1\n", true, false)).find("UTF-16") != std::string::npos);
        CHECK(refusal(name, utf16(u"path,id\na.pdf,1\n", false, false)).find("UTF-16") != std::string::npos);
        CHECK(refusal(name, "path\0\1\2\3\4\5\6"s).find("binary") != std::string::npos);
    }
    CHECK(refusal("l.csv", "{\"path\":\"a.pdf\"}\n").find(".jsonl") != std::string::npos);
    CHECK(refusal("l.csv", "[{\"path\":\"a.pdf\"}]").find("JSON") != std::string::npos);
    CHECK(refusal("l.jsonl", "path,id\na.pdf,1\n").find(".csv") != std::string::npos);
    CHECK(refusal("l.jsonl", "id;path\n1;a.pdf\n").find(".csv") != std::string::npos);
    CHECK(refusal("l.jsonl", "[\n  {\"path\": \"a.pdf\"}\n]\n").find("array") != std::string::npos);
    CHECK(refusal("l.jsonl", "{\n  \"path\": \"a.pdf\"\n}\n").find("several lines") != std::string::npos);
}

TEST_CASE("manifest_source: a header without path -> the columns that are there, and the likely one")
{
    CHECK(refusal("l.csv", "Datei;Typ\na.pdf;x\n").find("but: Datei, Typ;") != std::string::npos);
    for (char const* const name :
         {"file", "File Name", "filename", "\u0111\u01B0\u1EDDng d\u1EABn", "paht", "T\u00EAn t\u1EC7p"}) {
        CAPTURE(name);
        CHECK(refusal("l.csv", std::string("id;") + name + "\n1;a.pdf\n")
                  .find(std::string("call the column ") + name + " path") != std::string::npos);
    }
    CHECK(manifest("l.jsonl", "{\"Path\":\"a.pdf\"}\n").problem_at(1).find("call the key Path path") !=
          std::string::npos);
}

TEST_CASE("manifest_source: names in a Latin code page -> a problem that says so, and the rest is read")
{
    manifest const m("l.csv", "path\na.pdf\nh\xF3"
                              "a.pdf\n");
    CHECK(m.all().items.size() == 1);
    collected const all = m.all();
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].message.find("save that list as UTF-8") != std::string::npos);
}

TEST_CASE("manifest_source: paths of Windows and URLs -> a problem that says so")
{
    for (char const* const path :
         {"C:\\docs\\a.pdf", "sub\\a.pdf", "C:/docs/a.pdf", "file:///tmp/a.pdf", "https://x/a.pdf"}) {
        CAPTURE(path);
        collected const all = manifest("l.csv", std::string("path\n") + path + "\n").all();
        REQUIRE(all.problems.size() == 1);
        CHECK(all.problems[0].message.find("URL or a path of Windows") != std::string::npos);
    }
}

TEST_CASE("manifest_source: unknown columns and keys -> named once, with the rows in which keys stand")
{
    auto const notes = std::make_shared<source_notes>();
    collected const csv = manifest("l.csv", "path,note,Amount,,id\na.pdf,x,1,,7\na.pdf,x,1,,8\n").all(notes);
    CHECK(csv.items.size() == 2);
    auto said = notes->take();
    REQUIRE(said.size() == 1);
    CHECK(said[0].event == "unknown_columns");
    CHECK(said[0].text.ends_with(
        "l.csv: these columns are not used: Amount, note; those that are: path, id, flow, doc_type, "
        "file_type"));
    manifest("l.jsonl",
             "{\"path\":\"a.pdf\",\"note\":1}\n{\"path\":\"a.pdf\",\"note\":[],\"color\":\"red\"}\n")
        .all(notes);
    said = notes->take();
    REQUIRE(said.size() == 1);
    CHECK(said[0].text.find("these keys are not used: color (in 1 of 2 rows), note;") != std::string::npos);
}

TEST_CASE("manifest_source: a failures.jsonl -> nothing to say about its keys")
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

TEST_CASE("manifest_source: a column that resembles one which is not there -> the whole CSV is a problem")
{
    for (char const* const name :
         {"doctype", "docType", "doc-type", "Doc Type", "doc_tpye", "document_type", "doc types", "filetype",
          "file type", "flow_id", "Flows", "type", "lo\u1EA1i t\u00E0i li\u1EC7u", "requestId"}) {
        CAPTURE(name);
        manifest const m("l.csv", std::string("path,") + name + "\na.pdf,x\n");
        CHECK(refusal("l.csv", std::string("path,") + name + "\na.pdf,x\n").find("resembles") !=
              std::string::npos);
        std::string const said = misnamed_column_in(m.file("l.csv"), manifest_format::csv);
        CHECK(said.starts_with(m.file("l.csv") + ":1: the column " + name));
    }
}

TEST_CASE("manifest_source: columns that are words of their own, or stand beside the right one -> only named")
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
    "manifest_source: a key that resembles one -> found at the beginning, and later its row is a problem")
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
    CHECK(misnamed_column_in(late.file("l.jsonl"), manifest_format::jsonl).empty());
    CHECK(late.all().items.size() == count);
    CHECK(late.problem_at(static_cast<int>(count) + 1).find("resembles doc_type") != std::string::npos);
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
