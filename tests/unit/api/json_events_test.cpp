#include <ocrpipe/api/json_events.hpp>

#include "support/repeatable_random.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace ocrpipe;

namespace
{

/// Records the events; skips containers whose key is `unwanted`.
struct recorder {
    void key(detail::json_string const& s)
    {
        last_key = text_of(s);
        log += "key " + last_key + '\n';
    }
    void string(detail::json_string const& s) { log += "string " + text_of(s) + '\n'; }
    void number(std::string_view s) { (log += "number ") += std::string(s) + '\n'; }
    void truth(bool b) { log += b ? "true\n" : "false\n"; }
    void null() { log += "null\n"; }
    bool open(bool is_object)
    {
        if (last_key == unwanted) return false;
        log += is_object ? "{\n" : "[\n";
        return true;
    }
    void close(bool empty) { log += empty ? "empty\n" : "end\n"; }

    static std::string text_of(detail::json_string const& s)
    {
        return s.escaped ? detail::unescaped(s) : std::string(s.raw);
    }

    std::string unwanted = "unwanted";
    std::string last_key;
    std::string log;
};

std::optional<std::string> events_of(std::string_view text)
{
    recorder r;
    if (!detail::read_json(text, r)) return std::nullopt;
    return r.log;
}

/// The events of `v`, as the recorder writes them.
void write_down(boost::json::value const& v, std::string& log)
{
    if (auto const* const o = v.if_object()) {
        log += "{\n";
        for (auto const& [key, member] : *o) {
            log += "key " + std::string(key) + '\n';
            write_down(member, log);
        }
        log += o->empty() ? "empty\n" : "end\n";
    } else if (auto const* const a = v.if_array()) {
        log += "[\n";
        for (auto const& element : *a)
            write_down(element, log);
        log += a->empty() ? "empty\n" : "end\n";
    } else if (auto const* const s = v.if_string()) {
        log += "string " + std::string(*s) + '\n';
    } else if (v.is_number()) {
        log += "number " + boost::json::serialize(v) + '\n';
    } else {
        log += boost::json::serialize(v) + '\n';
    }
}

/// Boost.JSON's verdict, with our limit of depth.
bool is_json(std::string_view text, boost::json::value& v)
{
    boost::json::parse_options options;
    options.max_depth = detail::max_json_depth;
    boost::system::error_code ec;
    v = boost::json::parse(text, ec, {}, options);
    return !ec;
}

} // namespace

TEST_CASE("read_json: every kind of value -> told in order, strings as they stand")
{
    auto const events = events_of(
        " { \"a\" : [ 1 , -2.5e+3 , true , false , null , [ ] , { } ] ,\t\"b\\n\" : \"x\\\"\\u00e9\" }\r\n");
    REQUIRE(events.has_value());
    CHECK(*events == "{\nkey a\n[\nnumber 1\nnumber -2.5e+3\ntrue\nfalse\nnull\n[\nempty\n{\nempty\nend\n"
                     "key b\n\nstring x\"é\nend\n");
}

TEST_CASE(
    "read_json: a container that is not wanted -> nothing of it is told, and it is checked all the same")
{
    CHECK(events_of(R"({"unwanted":{"a":[1,{"b":"c"}]},"wanted":[2]})") ==
          "{\nkey unwanted\nkey wanted\n[\nnumber 2\nend\nend\n");
    for (char const* text : {R"({"unwanted":[1 2]})", R"({"unwanted":{"a" 1}})", R"({"unwanted":[tru]})",
                             R"({"unwanted":[01]})", R"({"unwanted":["\x"]})", R"({"unwanted":[})",
                             R"({"unwanted":{]})", R"({"unwanted":[1,]})", "{\"unwanted\":[\"\n\"]}"}) {
        CAPTURE(text);
        CHECK_FALSE(events_of(text).has_value());
    }
}

TEST_CASE("read_json: escapes of each kind -> the characters")
{
    CHECK(events_of(R"("\"\\\/\b\f\n\r\t")") == "string \"\\/\b\f\n\r\t\n");
    CHECK(events_of(R"("\u0041\u00E9\u20ac\ud83d\ude00")") == "string Aé€😀\n");
    for (char const* text : {R"("\u12g4")", R"("\u12)", R"("\)", R"("\a")", R"("\x41")", R"("\U0041")"}) {
        CAPTURE(text);
        CHECK_FALSE(events_of(text).has_value());
    }
}

TEST_CASE("read_json: what Python or JavaScript reads beyond RFC 8259 -> read, and noted as lenient")
{
    struct row {
        std::string_view text;
        std::string_view events;
    };
    for (auto const& [text, events] : {
             row{"\xEF\xBB\xBF{}", "{\nempty\n"},
             row{"\xEF\xBB\xBF\xEF\xBB\xBF 1", "number 1\n"},
             row{"[NaN,Infinity,-Infinity]", "[\nnumber NaN\nnumber Infinity\nnumber -Infinity\nend\n"},
             row{R"("\ud83d")", "string \uFFFD\n"},
             row{R"("\ude00x")", "string \uFFFDx\n"},
             row{R"("\ud83d\u0041")", "string \uFFFDA\n"},
             row{R"("\ude00\ud83d")", "string \uFFFD\uFFFD\n"},
             row{R"("\ud83d\ud83d\ude00")", "string \uFFFD😀\n"},
             row{R"("\ud83d\\u0041")", "string \uFFFD\\u0041\n"},
             row{"{\"\xff\":1}", "{\nkey \uFFFD\nnumber 1\nend\n"},
             // Each run that could begin a character is one U+FFFD, and a quote is never a part of it.
             row{"\"\xff\xfe\xe1\xbb\"", "string \uFFFD\uFFFD\uFFFD\n"},
             row{"\"\xed\xa0\xbd\"", "string \uFFFD\uFFFD\uFFFD\n"},
             row{"\"\xc0\x80\"", "string \uFFFD\uFFFD\n"},
             row{"\"\xf0\x9f\x98z\"", "string \uFFFDz\n"},
             row{"\"\xf4\x90\x80\x80\"", "string \uFFFD\uFFFD\uFFFD\uFFFD\n"},
         }) {
        CAPTURE(text);
        recorder r;
        detail::json_notes notes;
        CHECK(detail::read_json(text, r, notes));
        CHECK(notes.lenient);
        CHECK(r.log == events);
    }
}

TEST_CASE("read_json: what is unusual but strict -> read, and not noted")
{
    for (std::string const& text :
         {std::string("\"\\u0000\""), std::string("-0"), std::string("1E400"), std::string("1e-400"),
          std::string(5000, '1'), std::string("{\"a\":1,\"a\":2}"), std::string("\"\x7f\""),
          std::string("\"\u2028\uFFFD\uFEFF\"")}) {
        CAPTURE(text);
        recorder r;
        detail::json_notes notes;
        CHECK(detail::read_json(text, r, notes));
        CHECK_FALSE(notes.lenient);
    }
}

TEST_CASE("read_json: what neither Python nor JavaScript reads -> refused")
{
    using namespace std::string_view_literals;
    for (std::string_view const text : {""sv,
                                        " "sv,
                                        "\xEF\xBB\xBF"sv,
                                        " \xEF\xBB\xBF{}"sv,
                                        "{}\0"sv,
                                        "\0{}"sv,
                                        "\"\t\""sv,
                                        "\"\0\""sv,
                                        "\x0b{}"sv,
                                        "{}\x0c"sv,
                                        "\xC2\xA0{}"sv,
                                        "01"sv,
                                        "1."sv,
                                        ".5"sv,
                                        "+1"sv,
                                        "0x10"sv,
                                        "1_0"sv,
                                        "1e"sv,
                                        "-"sv,
                                        "-NaN"sv,
                                        "+Infinity"sv,
                                        "nan"sv,
                                        "-Inf"sv,
                                        "inf"sv,
                                        "[1,]"sv,
                                        "{\"a\":1,}"sv,
                                        "{}//x"sv,
                                        "{'a':1}"sv,
                                        "{a:1}"sv,
                                        "True"sv,
                                        "undefined"sv,
                                        "{}{}"sv,
                                        "{}\n{}"sv,
                                        ")]}',\n{}"sv,
                                        "\x1e{}"sv,
                                        "{}\xff"sv}) {
        CAPTURE(text);
        CHECK_FALSE(events_of(text).has_value());
    }
}

TEST_CASE("read_json: nested as deep as allowed -> read; one deeper -> refused")
{
    auto const nested = [](int depth) {
        auto const n = static_cast<std::size_t>(depth);
        return std::string(n, '[') + std::string(n, ']');
    };
    for (int const depth : {63, 64, 65, 127, 128, 129, 1000}) {
        CAPTURE(depth);
        CHECK(events_of(nested(depth)).has_value());
    }
    CHECK_FALSE(events_of(nested(1001)).has_value());
    CHECK_FALSE(events_of(std::string(1'000'000, '[')).has_value());
}

TEST_CASE(
    "read_json: objects and arrays by turns, deeper than one word of bits -> each closed by its own bracket")
{
    std::string opening;
    std::string closing;
    for (int depth = 0; depth != 300; ++depth) {
        bool const is_object = depth * depth % 7 < 3;
        opening += is_object ? "{\"a\":" : "[";
        closing.insert(closing.begin(), is_object ? '}' : ']');
    }
    CHECK(events_of(opening + "1" + closing).has_value());
    for (std::size_t at = 0; at != closing.size(); ++at) {
        std::string wrong = closing;
        wrong[at] = wrong[at] == '}' ? ']' : '}';
        CAPTURE(at);
        CHECK_FALSE(events_of(opening + "1" + wrong).has_value());
    }
}

TEST_CASE("read_json: an answer -> the events that Boost.JSON's tree of it would give")
{
    std::string const text =
        R"({"data":{"request_id":"r-1","file_ids":["a","b"],"progress":{"total_doc":1,"finished":1},)"
        R"("documents":[{"id":7,"ocr_data":[{"name":"số hoá đơn của bên bán hàng","value":[{"extracted_value":)"
        R"("1 \"x\" \u00e9\ud83d\ude00","coordinates":[-1,0,12345678]}]}],"schema":{"table":[]},"n":null,"t":true}]}})";
    boost::json::value v;
    REQUIRE(is_json(text, v));
    std::string expected;
    write_down(v, expected);
    CHECK(events_of(text) == expected);
}

TEST_CASE("read_json: a text and what comes of changing bytes in it -> strict exactly where Boost.JSON "
          "reads it")
{
    std::vector<std::string> const seeds{
        R"({"data":{"request_id":"r-1","status":"SUCCESS","progress":{"total_doc":1,"ignored":0,"finished":1},)"
        R"("documents":[{"id":7,"ocr_data":[{"name":"số hoá đơn","value":[{"extracted_value":"1 \"x\" é",)"
        R"("extracted_prob":0.25,"coordinates":[1,2.5,3,4]}]}],"schema":{"table":[]},"n":null,"t":true}]}})",
        "[1, -0, 0.5, 1e5, -2E-3, \"\", \"sixteen bytes and more of plain text\", \"\\ud83d\\ude00\", {}, "
        "[[]]]",
        " \n\t\"ệ và 😀 \\u1ec7\" ",
    };
    std::string const alphabet = "{}[]\",:\\ \n0123456789.eE+-tfnu\x01\x7f\x80\xc3\xe1\xed\xf0\xff";
    repeatable_random random(7);
    int accepted = 0;
    int refused = 0;
    for (int round = 0; round != 60'000; ++round) {
        std::string text = seeds[random(seeds.size())];
        for (std::size_t changes = random(4); changes != 0; --changes) {
            std::size_t const at = random(text.size());
            if (random(3) == 0)
                text.erase(at, 1 + random(3));
            else if (random(2) == 0)
                text.insert(at, 1, alphabet[random(alphabet.size())]);
            else
                text[at] = alphabet[random(alphabet.size())];
            if (text.empty()) text = " ";
        }
        CAPTURE(text);
        boost::json::value v;
        bool const right = is_json(text, v);
        recorder r;
        detail::json_notes notes;
        bool const read = detail::read_json(text, r, notes);
        REQUIRE((read && !notes.lenient) == right);
        ++(right ? accepted : refused);
    }
    CHECK(accepted > 5'000);
    CHECK(refused > 5'000);
}
