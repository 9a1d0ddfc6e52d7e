#include "csv_cells.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace ocrpipe::cli;

namespace
{

std::string cell(std::string_view text)
{
    std::string out;
    append_csv_cell(out, text);
    return out;
}

} // namespace

TEST_CASE("append_csv_cell: commas, quotes, line breaks and outer spaces -> quoted; else as it is")
{
    for (auto const& [text, expected] :
         {std::pair("", ""), std::pair("plain", "plain"), std::pair("hoá đơn", "hoá đơn"),
          std::pair("a,b", "\"a,b\""), std::pair("say \"a\"", "\"say \"\"a\"\"\""),
          std::pair("two\nlines", "\"two\nlines\""), std::pair("two\rlines", "\"two\rlines\""),
          std::pair(" a", "\" a\""), std::pair("a ", "\"a \"")})
        CHECK(cell(text) == expected);
}

TEST_CASE("append_csv_cell: what a spreadsheet would calculate -> an apostrophe in front")
{
    for (char const* const text :
         {"=1+1", "@SUM(A1)", "+1+cmd|' /C calc'!A0", "-2+3", "\t=1", "-A1", "\uFF1D1", "\uFF0B1", "--1"}) {
        CAPTURE(text);
        CHECK(is_formula(text));
        CHECK(cell(text).starts_with("'"));
    }
    CHECK(cell("=HYPERLINK(\"http://x\",\"y\")") == "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
    CHECK(cell("\r=1") == "\"'\r=1\"");
}

TEST_CASE("append_csv_cell: amounts and telephone numbers -> as they are")
{
    for (char const* const text :
         {"-12.50", "+84 912 345 678", "-1,200,000", "+5%", "1-2", "a=b", "2026-01-02", "'x", "-", "+"}) {
        CAPTURE(text);
        CHECK_FALSE(is_formula(text));
    }
    CHECK(cell("-12.50") == "-12.50");
    CHECK(cell("-1,200") == "\"-1,200\"");
}

TEST_CASE("append_csv_cell: bytes that are no UTF-8, and NUL -> U+FFFD")
{
    CHECK(cell("caf\xE9!") == "caf\uFFFD!");
    CHECK(cell(std::string_view("a\0b", 3)) == "a\uFFFDb");
}
