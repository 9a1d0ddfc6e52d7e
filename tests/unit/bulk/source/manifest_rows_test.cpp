#include <ocrpipe/bulk/source/detail/manifest_columns.hpp>
#include <ocrpipe/bulk/source/manifest_source.hpp>

#include "unit/bulk/source/manifest.hpp"

#include <string>

using namespace ocrpipe;

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

TEST_CASE("manifest_rows: CSV as other programs write it -> the same two documents")
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

TEST_CASE("manifest_rows: rows shorter than the header -> the missing fields are empty")
{
    collected const all = manifest("l.csv", "path,doc_type,id\na.pdf\nsub/b c.png,x\n").all();
    CHECK(all.problems.empty());
    REQUIRE(all.items.size() == 2);
    CHECK(all.items[0].doc_type.empty());
    CHECK(all.items[1].doc_type == "x");
}

TEST_CASE("manifest_rows: .tsv with one column -> commas belong to the names")
{
    temp_directory dir;
    dir.write("a, b; c.pdf", "1");
    std::string const list = dir.write("l.tsv", "path\na, b; c.pdf\n").string();
    manifest_source source(list, manifest_format::csv);
    CHECK(collect(source).items.size() == 1);
}

TEST_CASE("manifest_rows: JSONL in UTF-16, and with CR line ends -> read")
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

TEST_CASE("manifest_rows: files that are no manifest -> refused as a whole, with what they look like")
{
    using namespace std::string_literals;
    for (char const* const name : {"l.csv", "l.jsonl", "l.tsv"}) {
        CHECK(refusal(name, "PK\x03\x04\x14\0\6\0[Content_Types].xml"s)
                  .find("an Excel or LibreOffice workbook") != std::string::npos);
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

TEST_CASE("manifest_rows: a header without path -> the columns that are there, and the likely one")
{
    CHECK(refusal("l.csv", "Datei;Typ\na.pdf;x\n").find("only: Datei, Typ;") != std::string::npos);
    for (char const* const name :
         {"file", "File Name", "filename", "\u0111\u01B0\u1EDDng d\u1EABn", "paht", "T\u00EAn t\u1EC7p"}) {
        CAPTURE(name);
        CHECK(refusal("l.csv", std::string("id;") + name + "\n1;a.pdf\n")
                  .find(std::string("rename the column ") + name + " to path") != std::string::npos);
    }
    CHECK(manifest("l.jsonl", "{\"Path\":\"a.pdf\"}\n").problem_at(1).find("rename the key Path to path") !=
          std::string::npos);
}

TEST_CASE("manifest_rows: names in a Latin code page -> a problem that says so, and the rest is read")
{
    manifest const m("l.csv", "path\na.pdf\nh\xF3"
                              "a.pdf\n");
    CHECK(m.all().items.size() == 1);
    collected const all = m.all();
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].message.find("save that list as UTF-8") != std::string::npos);
}

TEST_CASE("manifest_rows: Windows paths and URLs -> a problem that says so")
{
    for (char const* const path :
         {"C:\\docs\\a.pdf", "sub\\a.pdf", "C:/docs/a.pdf", "file:///tmp/a.pdf", "https://x/a.pdf"}) {
        CAPTURE(path);
        collected const all = manifest("l.csv", std::string("path\n") + path + "\n").all();
        REQUIRE(all.problems.size() == 1);
        CHECK(all.problems[0].message.find("URL or a Windows path") != std::string::npos);
    }
}
