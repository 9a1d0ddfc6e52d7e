#include <ocrpipe/bulk/detail/csv_record.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ocrpipe;
using outcome = detail::csv_record::outcome;
using fields = std::vector<std::string>;

namespace
{

struct parsed {
    detail::csv_record record;
    fields values;
};

parsed parse(std::string_view text, bool last = true)
{
    parsed p{};
    p.record = detail::parse_csv_record(text, last, p.values);
    return p;
}

} // namespace

TEST_CASE("parse_csv_record: plain fields -> split at commas, spaces kept")
{
    CHECK(parse("a,b c,,d\nnext").values == fields{"a", "b c", "", "d"});
    CHECK(parse("a,b c,,d\nnext").record.consumed == 9);
    CHECK(parse(" a , b ").values == fields{" a ", " b "});
    CHECK(parse("a,").values == fields{"a", ""});
    CHECK(parse("\n").values == fields{""});
}

TEST_CASE("parse_csv_record: quoted fields -> commas, line breaks and doubled quotes belong to them")
{
    CHECK(parse("\"a,b\",\"c\nd\r\ne\",\"say \"\"hi\"\"\",\"\"\nx").values ==
          fields{"a,b", "c\nd\r\ne", "say \"hi\"", ""});
    CHECK(parse("\"\"\"\"").values == fields{"\""});
    CHECK(parse("a\"b,\"c\"").values == fields{"a\"b", "c"});
}

TEST_CASE("parse_csv_record: CRLF or CR at the very end -> part of the line break, after quotes too")
{
    for (char const* text : {"a,b\r\n", "\"a\",\"b\"\r\n", "a,b\r", "\"a\",\"b\"\r", "a,\"b\"\n"}) {
        CAPTURE(text);
        CHECK(parse(text).values == fields{"a", "b"});
        CHECK(parse(text).record.consumed == std::string_view(text).size());
    }
    CHECK(parse("a\rb,c\n").values == fields{"a\rb", "c"});
}

TEST_CASE("parse_csv_record: text cut off anywhere while more may come -> incomplete, then the same record")
{
    std::string const text = "a,\"b\"\"\r\n,c\",d,\"e\"\r\n";
    for (std::size_t n = 0; n != text.size(); ++n) {
        CAPTURE(n);
        auto const p = parse(std::string_view(text).substr(0, n), false);
        CHECK(p.record.what == outcome::incomplete);
        CHECK(p.record.consumed == 0);
    }
    CHECK(parse(text, false).record.what == outcome::complete);
    CHECK(parse(text, false).values == fields{"a", "b\"\r\n,c", "d", "e"});
}

TEST_CASE("parse_csv_record: text after a closing quote -> broken, left at the end of that line")
{
    auto const p = parse("\"a\nb\"x,c\nnext\n");
    CHECK(p.record.what == outcome::broken);
    CHECK(p.record.consumed == std::string_view("\"a\nb\"x,c\n").size());
    CHECK(parse("\"a\"\rb").record.what == outcome::broken);
    CHECK(parse("\"a\"x", false).record.what == outcome::incomplete);
}

TEST_CASE("parse_csv_record: a quote that is never closed -> broken, and only its first line is given up")
{
    auto const p = parse("a,\"b\nnext,row\nlast,row\n");
    CHECK(p.record.what == outcome::broken);
    CHECK(p.record.consumed == std::string_view("a,\"b\n").size());
    CHECK(parse("\"").record.consumed == 1);
}
