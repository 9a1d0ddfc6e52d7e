#include <ocrpipe/core/json_text.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;

namespace
{

std::string json_string(std::string_view text)
{
    std::string out;
    detail::append_json_string(out, text);
    return out;
}

std::string json_name(std::string_view text)
{
    std::string out;
    detail::append_json_name(out, "id", text);
    return out;
}

} // namespace

TEST_CASE("append_json_string: every byte that needs it -> escaped")
{
    CHECK(json_string("plain, hoá đơn") == "\"plain, hoá đơn\"");
    CHECK(json_string("\"\\/") == "\"\\\"\\\\/\"");
    CHECK(json_string("\n\r\t") == "\"\\n\\r\\t\"");
    CHECK(json_string(std::string_view("\0\x1F\x7F", 3)) == "\"\\u0000\\u001f\\u007f\"");
}

TEST_CASE("append_json_string: what is not UTF-8 -> U+FFFD for each byte, and still valid JSON")
{
    CHECK(json_string("a\xE9z") == "\"a\\ufffdz\"");
    CHECK(json_string("\xED\xA0\x80") == "\"\\ufffd\\ufffd\\ufffd\"");
    for (int byte = 0; byte != 256; ++byte) {
        std::string const text{'x', static_cast<char>(byte), 'y'};
        CAPTURE(byte);
        boost::system::error_code ec;
        boost::json::parse(json_string(text), ec);
        CHECK_FALSE(ec);
    }
}

TEST_CASE("append_json_name: plain text -> the key alone; other bytes -> the exact ones beside it")
{
    CHECK(json_name("docs/hoá đơn 100%.pdf") == "\"id\":\"docs/hoá đơn 100%.pdf\"");
    CHECK(json_name("a\xE9/b") == "\"id\":\"a\\ufffd/b\",\"id_bytes\":\"a%E9%2Fb\"");
    CHECK(json_name("a\nb") == "\"id\":\"a\\nb\",\"id_bytes\":\"a%0Ab\"");
}

TEST_CASE("append_json_name: any bytes -> come back from percent_decoded as they were")
{
    std::string all;
    for (int byte = 0; byte != 256; ++byte)
        all += static_cast<char>(byte);
    boost::json::value const parsed = boost::json::parse("{" + json_name(all) + "}");
    boost::json::string const& bytes = parsed.at("id_bytes").as_string();
    CHECK(detail::percent_decoded(std::string_view(bytes.data(), bytes.size())) == all);
}

TEST_CASE("percent_decoded: a percent sign without two digits -> nothing")
{
    CHECK(detail::percent_decoded("%41%6a%6A") == "Ajj");
    CHECK(detail::percent_decoded("") == "");
    for (char const* text : {"%", "%4", "a%", "%G1", "%1G", "%%41"}) {
        CAPTURE(text);
        CHECK_FALSE(detail::percent_decoded(text));
    }
}

TEST_CASE("append_json_time: a time, before 1970 too -> RFC 3339 in UTC with milliseconds; none -> null")
{
    using namespace std::chrono;
    auto const text = [](std::optional<system_clock::time_point> t) {
        std::string out;
        detail::append_json_time(out, t);
        return out;
    };
    CHECK(text(sys_days(year(2026) / 2 / 3) + hours(4) + minutes(5) + seconds(6) + microseconds(7'999)) ==
          "\"2026-02-03T04:05:06.007Z\"");
    CHECK(text(sys_days(year(1970) / 1 / 1) - milliseconds(1)) == "\"1969-12-31T23:59:59.999Z\"");
    CHECK(text(std::nullopt) == "null");
}
