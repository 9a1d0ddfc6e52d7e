#include <ocrpipe/bulk/source/detail/csv_record.hpp>

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

parsed parse(std::string_view text, bool last = true, char separator = ',')
{
    parsed p{};
    p.record = detail::parse_csv_record(text, last, p.values, separator);
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

TEST_CASE("parse_csv_record: LF, CRLF and CR -> each ends a record, after quotes too")
{
    for (std::string const end : {"\n", "\r\n", "\r"})
        for (std::string const text : {"a,b", "\"a\",\"b\"", "a,\"b\""}) {
            CAPTURE(text);
            CHECK(parse(text + end).values == fields{"a", "b"});
            CHECK(parse(text + end).record.consumed == (text + end).size());
            CHECK(parse(text + end + "c,d").record.consumed == (text + end).size());
        }
    CHECK(parse("a,b\r", false).record.what == outcome::incomplete);
    CHECK(parse("\"a\rb\",c\r").values == fields{"a\rb", "c"});
}

TEST_CASE("parse_csv_record: another separator -> commas belong to the fields")
{
    CHECK(parse("a,b;\"c;d\"\n", true, ';').values == fields{"a,b", "c;d"});
    CHECK(parse("a\tb c\t\n", true, '\t').values == fields{"a", "b c", ""});
}

TEST_CASE("parse_csv_record: spaces around quotes -> dropped")
{
    CHECK(parse("a, \"b,c\" , d \"e\"\n").values == fields{"a", "b,c", " d \"e\""});
    CHECK(parse("\"a\"  ").values == fields{"a"});
    CHECK(parse("\"a\" x\n").record.what == outcome::broken);
}

TEST_CASE("line_ends_in: LF, CRLF and CR -> one each")
{
    CHECK(detail::line_ends_in("a\nb\r\nc\rd\r\r\n\n") == 6);
    CHECK(detail::line_ends_in("") == 0);
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
    CHECK(parse("\"a\"x", false).record.what == outcome::incomplete);
}

TEST_CASE("parse_csv_record: a quote that is never closed -> broken, and only its first line is given up")
{
    auto const p = parse("a,\"b\nnext,row\nlast,row\n");
    CHECK(p.record.what == outcome::broken);
    CHECK(p.record.consumed == std::string_view("a,\"b\n").size());
    CHECK(parse("\"").record.consumed == 1);
}
