#include <ocrpipe/api/profile.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

response_profile parsed(std::string_view json)
{
    auto p = parse_profile(json);
    REQUIRE(p.has_value());
    return *std::move(p);
}

/// Why a profile is refused.
std::string refusal(std::string_view json)
{
    auto const p = parse_profile(json);
    REQUIRE(p.has_error());
    CHECK(p.error().is(errc::invalid_argument));
    CHECK(p.error().where == phase::prepare);
    return p.error().reason;
}

bool mentions(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("parse_profile: an empty object -> the default profile, which has no problems")
{
    CHECK(parsed("{}") == default_profile());
    CHECK(parsed(" {}\n") == response_profile());
    CHECK(problems(default_profile()).empty());
    CHECK(&default_profile() == &default_profile());
}

TEST_CASE("parse_profile: members that are given -> replaced; all others keep their default")
{
    response_profile expected;
    expected.success_words = {"XONG", "OK*"};
    expected.gateway_texts = {};
    expected.request_id_keys = {"requestId", "id"};
    expected.settle_time = milliseconds(1'500);
    expected.settle_reads = 1;
    expected.lost_time = seconds(3600);
    expected.lost_reads = 1000;
    expected.content_without_status_is_final = true;
    expected.extra_fields = {{"model", "idp"}, {"ngôn ngữ", "tiếng Việt"}};
    CHECK(parsed(R"({"success_words":["XONG","OK*"],"gateway_texts":[],"request_id_keys":["requestId","id"],
                     "settle_seconds":1.5,"settle_reads":1,"lost_seconds":3600,"lost_reads":1000,
                     "content_without_status_is_final":true,
                     "extra_fields":{"model":"idp","ngôn ngữ":"tiếng Việt"}})") == expected);
}

TEST_CASE("parse_profile: an unknown member -> refused, with its name and the known ones")
{
    std::string const why = refusal(R"({"sucess_words":["OK"]})");
    CHECK(mentions(why, "sucess_words"));
    for (std::string_view const known :
         {"success_words", "settle_seconds", "lost_reads", "content_without_status_is_final", "extra_fields"})
        CHECK(mentions(why, known));
    CHECK(mentions(refusal(R"({"settle_time":1})"), "settle_time"));
}

TEST_CASE("parse_profile: the wrong type -> refused, naming the member and what is allowed")
{
    struct {
        std::string_view json, member, allowed;
    } const cases[] = {
        {R"({"success_words":"OK"})", "success_words", "array of strings"},
        {R"({"success_words":["OK",1]})", "success_words", "array of strings"},
        {R"({"data_keys":null})", "data_keys", "array of strings"},
        {R"({"settle_seconds":"10"})", "settle_seconds", "seconds from 0 to 3600"},
        {R"({"lost_reads":3.5})", "lost_reads", "whole number from 1 to 1000"},
        {R"({"settle_reads":true})", "settle_reads", "whole number from 1 to 1000"},
        {R"({"content_without_status_is_final":1})", "content_without_status_is_final", "true or false"},
        {R"({"extra_fields":["model"]})", "extra_fields", "object of strings"},
        {R"({"extra_fields":{"model":1}})", "extra_fields", "object of strings"},
    };
    for (auto const& c : cases) {
        CAPTURE(c.json);
        std::string const why = refusal(c.json);
        CHECK(mentions(why, c.member));
        CHECK(mentions(why, c.allowed));
    }
}

TEST_CASE("parse_profile: numbers out of range -> refused; the ends of the range -> taken")
{
    for (std::string const member : {"settle_seconds", "lost_seconds"}) {
        CAPTURE(member);
        for (std::string const bad : {"-0.001", "3600.001", "1e300", "18446744073709551615"})
            CHECK(mentions(refusal("{\"" + member + "\":" + bad + "}"), member));
        for (std::string const good : {"0", "3600", "0.0"})
            CHECK(parse_profile("{\"" + member + "\":" + good + "}").has_value());
    }
    for (std::string const member : {"settle_reads", "lost_reads"}) {
        CAPTURE(member);
        for (std::string const bad : {"0", "-1", "1001", "18446744073709551615"})
            CHECK(mentions(refusal("{\"" + member + "\":" + bad + "}"), member));
        for (std::string const good : {"1", "1000"})
            CHECK(parse_profile("{\"" + member + "\":" + good + "}").has_value());
    }
}

TEST_CASE("parse_profile: not a JSON object -> refused")
{
    for (std::string_view const json : {"", "{", "[]", "null", "\"x\"", "{} {}", "{\"a\":}"}) {
        CAPTURE(json);
        CHECK(mentions(refusal(json), "profile: "));
    }
    CHECK(mentions(refusal(std::string(100'000, '[')), "not valid JSON"));
}

TEST_CASE("parse_profile: extra fields that every submit sets itself, or without a name -> refused")
{
    for (std::string const field : {"flow", "doc_type", "file_type", "file", ""}) {
        CAPTURE(field);
        CHECK(mentions(refusal("{\"extra_fields\":{\"" + field + "\":\"x\"}}"), "extra_fields"));
    }
}

TEST_CASE("parse_profile: entries that match everything, or nothing -> refused")
{
    CHECK(mentions(refusal(R"({"failure_words":[""]})"), "failure_words"));
    CHECK(mentions(refusal(R"({"failure_words":["*"]})"), "failure_words"));
    CHECK(mentions(refusal(R"({"failure_words":["TIME*OUT"]})"), "TIME*OUT"));
    CHECK(mentions(refusal(R"({"status_keys":[""]})"), "status_keys"));
    CHECK(mentions(refusal("{\"status_keys\":[\"" + std::string(65, 'k') + "\"]}"), "too long"));
    CHECK(parse_profile("{\"status_keys\":[\"" + std::string(64, 'k') + "\"]}").has_value());
    CHECK(mentions(refusal(R"({"request_id_keys":[]})"), "request_id_keys"));
    CHECK(mentions(refusal(R"({"documents_keys":[]})"), "documents_keys"));
    CHECK(mentions(refusal(R"({"content_keys":[]})"), "content_keys"));
}

TEST_CASE("parse_profile: a member's name with control characters -> made printable in the refusal")
{
    std::string const why = refusal(R"({"a\u001b[31m\u0000":1})");
    CHECK_FALSE(mentions(why, "\x1B"));
    CHECK(why.find('\0') == std::string::npos);
}

TEST_CASE("problems: several at once -> all of them")
{
    response_profile p;
    p.settle_reads = 0;
    p.lost_reads = 1001;
    p.settle_time = milliseconds(-1);
    p.lost_time = std::chrono::hours(2);
    p.request_id_keys.clear();
    p.success_words = {"A*B"};
    CHECK(problems(p).size() == 6);
}
