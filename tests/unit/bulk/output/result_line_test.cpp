#include <ocrpipe/bulk/output/result_line.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono;

namespace
{

std::vector<part_entry> const parts{{operation::table, "d\"1", "parts/hoá/table-1.json", ""},
                                    {operation::image, "f1", "", "part_absent"}};

/// With every member.
result_record full_record()
{
    result_record r;
    r.id = "hoá \"đơn\"\n\xE9";
    r.path = "in/hoá đơn.pdf";
    r.sha256 = "00ff";
    r.request_id = "r\\9";
    r.duplicate_of = "or\",\"status\":\"iginal";
    r.status = "done_in_part";
    auto const midnight = sys_days(year(2026) / 1 / 2);
    r.times = {midnight, midnight + milliseconds(1), midnight + seconds(1), midnight + seconds(2),
               midnight + seconds(3)};
    r.attempts = 2;
    r.polls = 3;
    r.possible_duplicate = true;
    r.recognized = false;
    r.parts = parts;
    r.text = "text/hoá đơn.pdf-0123456789ab.txt";
    r.file_changed = true;
    r.result_json = R"({"id":"no","n":1.50,"result":[{}]})";
    return r;
}

std::string line_of(result_record const& r)
{
    std::string out;
    append_result_line(out, r);
    return out;
}

} // namespace

TEST_CASE("read_result_line: what append_result_line() wrote -> the same record, byte for byte")
{
    for (bool const all : {true, false}) {
        result_record bare;
        bare.id = "a";
        std::string const text = line_of(all ? full_record() : bare);
        std::optional<result_line> const line = read_result_line(text);
        REQUIRE(line);
        CHECK(line_of(line->record()) == text);
        CHECK(read_result_line(std::string_view(text).substr(0, text.size() - 1)));
    }
    std::string const text = line_of(full_record());
    std::optional<result_line> const line = read_result_line(text);
    CHECK(line->result_is_json);
    CHECK(line->id == full_record().id);
    CHECK(line->duplicate_of == full_record().duplicate_of);
    CHECK(line->parts[1].error == "part_absent");
    CHECK(line->parts[0].sub_id == "d\"1");
    CHECK(line->result_json.data() >= text.data());
    CHECK(line->result_json.data() < text.data() + text.size());
}

TEST_CASE("append_result_line: members that are new -> behind those that were there")
{
    CHECK(
        line_of(full_record())
            .ends_with(
                R"("possible_duplicate":true,"recognized":false,"parts":[{"kind":"table","document_id":"d\"1","file":)"
                R"("parts/hoá/table-1.json"},{"kind":"image","file_id":"f1","error":"part_absent"}],)"
                R"("text":"text/hoá đơn.pdf-0123456789ab.txt","file_changed":true,)"
                R"("result":{"id":"no","n":1.50,"result":[{}]}})"
                "\n"));
}

TEST_CASE("read_result_line: members of another program, in another order, with white space -> read as well")
{
    auto const line = read_result_line(
        R"( { "result" : {"a": [1, {"b": "}"}]} , "unknown": {"id": [1]}, "polls":7, "id" : "x", "request_id":"r"} )");
    REQUIRE(line);
    CHECK(line->id == "x");
    CHECK(line->request_id == "r");
    CHECK(line->polls == 7);
    CHECK(line->result_json == R"({"a": [1, {"b": "}"}]})");
}

TEST_CASE("read_result_line: a result that no parser takes, or deeper than one allows -> as it stands")
{
    std::string const deep = std::string(5'000, '[') + std::string(5'000, ']');
    for (std::string const& json : {deep, std::string("{\"a\":NaN}"), std::string("{\"a\":\"\\ud800\"}"),
                                    std::string("{\"a\":\"\xFF\"}"), std::string("{{{{}}")}) {
        result_record r;
        r.id = "a";
        r.result_json = json;
        auto const line = read_result_line(line_of(r));
        REQUIRE(line);
        CHECK(line->id == "a");
        std::string const text = line_of(r);
        CHECK(read_result_line(text)->result_json == json);
        CHECK_FALSE(read_result_line(text)->result_is_json);
    }
}

TEST_CASE("read_result_line: what is no line of results -> nothing")
{
    for (char const* const text :
         {"", "{", "{}", "[]", "null", R"({"id":7})", R"({"path":"a"})", R"({"id":"a")", R"({"id":"a"}x)",
          R"({"id":"a","result":)", R"({"id":"a",)", R"({"id" "a"})", R"({"id":"a","parts":[)"}) {
        CAPTURE(text);
        CHECK_FALSE(read_result_line(text));
    }
}

TEST_CASE("read_result_line: every beginning of a line, up to the service's JSON -> nothing, and nothing "
          "behind it is read")
{
    std::string const text = line_of(full_record());
    std::size_t const json = text.rfind("\"result\":{\"id\"");
    for (std::size_t n = 0; n <= json + 9; ++n) {
        std::string const beginning = text.substr(0, n); // its own memory, so that a sanitizer sees its end
        CHECK_FALSE(read_result_line(beginning));
    }
}
