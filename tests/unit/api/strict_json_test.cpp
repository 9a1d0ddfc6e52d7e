#include <ocrpipe/api/strict_json.hpp>

#include "support/repeatable_random.hpp"

#include <boost/json/parse.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace ocrpipe;
using namespace std::string_literals;

namespace
{

bool is_strict(std::string_view text)
{
    boost::system::error_code ec;
    boost::json::parse(text, ec);
    return !ec;
}

/// Characters as `unit` bytes each; none of them needs a surrogate pair.
std::string wide(std::u32string_view text, std::size_t unit, bool big_endian)
{
    std::string out;
    for (char32_t const c : text)
        for (std::size_t i = 0; i != unit; ++i)
            out += static_cast<char>(c >> 8 * (big_endian ? unit - 1 - i : i));
    return out;
}

json_error error_of(std::string_view text)
{
    auto const e = find_json_error(text);
    REQUIRE(e.has_value());
    return *e;
}

/// The result of strict_json() for a text that some reader accepts; it must be strict.
std::string made_strict(std::string_view text)
{
    auto const made = strict_json(text);
    REQUIRE(made.has_value());
    REQUIRE(is_strict(*made));
    REQUIRE_FALSE(strict_json(*made).has_value());
    REQUIRE_FALSE(find_json_error(text).has_value());
    return *made;
}

} // namespace

TEST_CASE("strict_json: a strict text -> nothing to do")
{
    for (char const* text : {"{}", " [1, 2]\n", R"({"a":"\ud83d\ude00 ệ \u0000"})", "1E400", "-0", "null"}) {
        CAPTURE(text);
        CHECK_FALSE(strict_json(text).has_value());
        CHECK_FALSE(find_json_error(text).has_value());
    }
}

TEST_CASE("strict_json: a text that only lenient readers take -> the same value, the rest as it was written")
{
    struct row {
        std::string_view text;
        std::string_view strict;
    };
    for (auto const& [text, strict] : {
             row{"\xEF\xBB\xBF{ \"a\" : 1.50 }\n", "{ \"a\" : 1.50 }\n"},
             row{"[NaN, Infinity ,-Infinity,1e5]", "[null, null ,null,1e5]"},
             row{"NaN", "null"},
             row{R"(["\ud800","\u0041\udc00\n","\ud83d\ude00"])",
                 "[\"\uFFFD\",\"\\u0041\uFFFD\\n\",\"\\ud83d\\ude00\"]"},
             row{"{\"\xE9t\xE9\":\"a\xE1\xBB\",\"b\":\"ệ\"}", "{\"\uFFFDt\uFFFD\":\"a\uFFFD\",\"b\":\"ệ\"}"},
             row{"\"\xED\xA0\xBD\xED\xB8\x80\"", "\"\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\""},
         }) {
        CAPTURE(text);
        CHECK(made_strict(text) == strict);
    }
}

TEST_CASE("strict_json: UTF-16 and UTF-32, of both byte orders, with and without a mark -> UTF-8")
{
    std::u32string const text = U"{\"số\":[1,\"hoá đơn\"]}";
    for (std::size_t const unit : {std::size_t{2}, std::size_t{4}}) {
        for (bool const big_endian : {false, true}) {
            for (char const* mark : {"", "\uFEFF"}) {
                CAPTURE(unit);
                CAPTURE(big_endian);
                CAPTURE(mark);
                std::string const body = wide((*mark ? U"\uFEFF" : U"") + text, unit, big_endian);
                CHECK(json_in_utf8(body) == "{\"số\":[1,\"hoá đơn\"]}");
                CHECK(made_strict(body) == "{\"số\":[1,\"hoá đơn\"]}");
            }
        }
    }
    CHECK(json_in_utf8(wide(U"1", 2, false)) == "1");
    CHECK(json_in_utf8(wide(U"\"\xD83D\xDE00\xD83D\"", 2, true)) == "\"😀\uFFFD\"");
    CHECK(made_strict(wide(U"[NaN]", 2, false)) == "[null]");
    for (std::string const& text_in_utf8 : {""s, "{"s, "{}"s, "\"\xC4\x80\""s, "\xEF\xBB\xBF{}"s})
        CHECK_FALSE(json_in_utf8(text_in_utf8).has_value());
}

TEST_CASE("strict_json: no JSON -> nothing, and find_json_error says where and why")
{
    struct row {
        std::string text;
        std::size_t offset;
        char const* shown;
    };
    for (auto const& [text, offset, shown] : {
             row{"", 0, "line 1, column 1 (byte 0): a value is missing"},
             row{"Forbidden", 0, "line 1, column 1 (byte 0): a value is missing"},
             row{"{\"a\":1,}", 7, "line 1, column 8 (byte 7): a key is missing"},
             row{"{\"a\" 1}", 5, "line 1, column 6 (byte 5): a colon is missing"},
             row{"[1\n 2]", 4, "line 2, column 2 (byte 4): a comma or ] is missing"},
             row{"{\"ệ\":1 x", 9, "line 1, column 8 (byte 9): a comma or } is missing"},
             row{"{} x", 3, "line 1, column 4 (byte 3): something follows the value"},
             row{"{}\0"s, 2, "line 1, column 3 (byte 2): something follows the value"},
             row{"\"a", 2, "line 1, column 3 (byte 2): the closing quote is missing"},
             row{"\"a\tb\"", 2, "line 1, column 3 (byte 2): a string contains a control character"},
             row{"\"\\x\"", 1, "line 1, column 2 (byte 1): an unknown escape sequence"},
             row{"[1.]", 3, "line 1, column 4 (byte 3): a digit is missing"},
             row{"[-]", 2, "line 1, column 3 (byte 2): a digit is missing"},
             row{"[nul]", 1, "line 1, column 2 (byte 1): a value is missing"},
             row{"\xEF\xBB\xBF{]", 4, "line 1, column 2 (byte 4): a key is missing"},
             row{"[\"\xE9\" 1]", 5, "line 1, column 6 (byte 5): a comma or ] is missing"},
             row{std::string(1001, '['), 1000, "line 1, column 1001 (byte 1000): it is nested too deeply"},
             row{wide(U"{\"ệ\" 1}", 2, false), 10, "line 1, column 6 (byte 10): a colon is missing"},
             row{wide(U"\uFEFF[x", 4, true), 8, "line 1, column 2 (byte 8): a value is missing"},
             row{wide(U"{}", 2, true) + " ", 4, "line 1, column 3 (byte 4): something follows the value"},
         }) {
        CAPTURE(text);
        CHECK_FALSE(strict_json(text).has_value());
        json_error const e = error_of(text);
        CHECK(e.offset == offset);
        CHECK(to_string(e) == shown);
    }
}

TEST_CASE("strict_json: texts damaged at random -> strict, made strict, or with an error within them")
{
    std::string const seed =
        R"({"data":{"documents":[{"ocr_data":[{"name":"số hoá đơn","value":["1 \"x\" \ud83d\ude00",NaN,)"
        "\"\xE9\""
        R"(]}],"n":[null,true,-Infinity,0.5]}]}})";
    repeatable_random random(11);
    int repaired = 0;
    int refused = 0;
    for (int round = 0; round != 20'000; ++round) {
        std::string text = seed;
        for (std::size_t changes = random(4); changes != 0; --changes)
            text[random(text.size())] = static_cast<char>(random(256));
        CAPTURE(text);
        if (strict_json(text)) {
            made_strict(text);
            ++repaired;
        } else if (auto const error = find_json_error(text)) {
            REQUIRE(error->offset <= text.size());
            REQUIRE_FALSE(is_strict(text));
            ++refused;
        } else {
            REQUIRE(is_strict(text));
        }
    }
    CHECK(repaired > 2'000);
    CHECK(refused > 2'000);
}
