#include "emulator/multipart.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe::emulator;

namespace
{

std::string const type = "multipart/form-data; boundary=b";

std::string with_disposition(std::string const& disposition)
{
    return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\n\r\nx\r\n--b--\r\n";
}

std::string file_name_of(std::string const& disposition)
{
    auto const form = parse_form(type, with_disposition(disposition));
    REQUIRE(form.has_value());
    REQUIRE(form->size() == 1);
    REQUIRE((*form)[0].file_name.has_value());
    return *(*form)[0].file_name;
}

} // namespace

TEST_CASE("parse_form: fields and a file -> names, types and contents, empty and binary ones included")
{
    std::string const binary("\r\n--c\0\r\n-", 9);
    std::string const body = "--b\r\nContent-Disposition: form-data; name=\"flow\"\r\n\r\nsingle\r\n"
                             "--b\r\ncontent-disposition: form-data; name=empty\r\n\r\n\r\n"
                             "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n"
                             "Content-Type: image/png\r\n\r\n" +
                             binary + "\r\n--b--\r\n";
    auto const form = parse_form(type, body);
    REQUIRE(form.has_value());
    REQUIRE(form->size() == 3);
    CHECK((*form)[0].name == "flow");
    CHECK((*form)[0].content == "single");
    CHECK_FALSE((*form)[0].file_name.has_value());
    CHECK((*form)[1].content.empty());
    CHECK((*form)[2].file_name == "a.png");
    CHECK((*form)[2].content_type == "image/png");
    CHECK((*form)[2].content == binary);
}

TEST_CASE("parse_form: a quoted boundary, a preamble and blanks behind a boundary -> read")
{
    auto const form =
        parse_form("Multipart/Form-Data; charset=utf-8; boundary=\"b c\"",
                   "preamble\r\n--b c  \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b c--");
    REQUIRE(form.has_value());
    CHECK((*form)[0].content == "1");
}

TEST_CASE("parse_form: file names in every escape a client uses -> decoded")
{
    CHECK(file_name_of(R"(name="file"; filename="a\"b\\c.png")") == R"(a"b\c.png)");
    CHECK(file_name_of(R"(name="file"; filename="a%22b%0D%0Ac%20.png")") == "a\"b\r\nc%20.png");
    CHECK(file_name_of(R"(name="file"; filename="hóa đơn.png")") == "hóa đơn.png");
    CHECK(file_name_of(R"(name="file"; filename="hoa.png"; filename*=UTF-8''h%C3%B3a.png)") == "hóa.png");
    CHECK(file_name_of(R"(name="file"; filename*=utf-8''h%C3%B3a.png; filename="hoa.png")") == "hóa.png");
    CHECK(file_name_of(R"(name="file"; filename="")").empty());
}

TEST_CASE("parse_form: bodies that are not what they claim -> refused with a reason")
{
    auto const refused = [](std::string const& content_type, std::string const& body) {
        auto const form = parse_form(content_type, body);
        CHECK_FALSE(form.has_value());
        CHECK((form.has_value() || !form.error().reason.empty()));
    };
    std::string const good = with_disposition("name=\"a\"");
    CHECK(parse_form(type, good).has_value());
    refused("application/json", good);
    refused("multipart/form-data", good);
    refused("multipart/form-data; boundary=other", good);
    refused(type, "");
    refused(type, good.substr(0, good.size() - 8));
    refused(type, "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n");
    refused(type, with_disposition("filename=\"a\""));
    refused(type, with_disposition("name=\"a"));
    refused(type, "--b\nContent-Disposition: form-data; name=\"a\"\n\nx\n--b--\n");
    refused(type, "--b\r\nno colon\r\n\r\nx\r\n--b--\r\n");
}
