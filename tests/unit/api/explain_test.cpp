#include <ocrpipe/api/explain.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>

using namespace ocrpipe;

namespace
{

answer_explanation explained(std::string body, response_profile const& profile = default_profile())
{
    http_response r;
    r.status = 200;
    r.content_type = "application/json";
    r.body = std::move(body);
    return explain_answer(r, profile);
}

std::string places(answer_explanation const& e)
{
    std::string out;
    for (found_member const& m : e.found)
        out += fmt::format("{} {} {}\n", m.what, m.where, m.count);
    return out;
}

} // namespace

TEST_CASE("explain_answer: an unfamiliar form -> where everything was found, and when it is taken")
{
    auto const e = explained(
        R"({"data":{"request_id":"r","results":[{"id":"d1","text":"one"},{"id":"d2","text":"two"}]}})");
    CHECK(e.first.what == result_verdict::pending);
    CHECK(e.last.what == result_verdict::done);
    CHECK(e.reads == 2);
    CHECK(e.after == std::chrono::seconds(2));
    CHECK(places(e) ==
          "request id data.request_id 1\ndocuments data.results 1\ndocument id data.results[].id 2\n"
          "content data.results[].text 2\n");
    CHECK(e.text == "one\ntwo");
    REQUIRE(e.documents.size() == 2);
    CHECK(e.documents[1].id == "d2");
}

TEST_CASE("explain_answer: the profile lines that it gives -> the form is recognized")
{
    for (char const* body :
         {R"({"data":{"documents":[{"document_id":"d","text":"Hello"}]}})",
          R"({"result":{"status":"READ_OUT","pages":[{"content":"Hello"}]}})",
          R"({"JobStatus":"SUCCEEDED","data":{"results":[{"fields":[{"name":"a","value":"Hello"}]}]}})"}) {
        CAPTURE(body);
        auto const before = explained(body);
        CHECK(!before.last.recognized);
        if (!before.described) continue;
        auto const profile = parse_profile(fmt::format("{{{}}}", fmt::join(before.profile_lines, ",")));
        REQUIRE(profile.has_value());
        auto const after = explained(body, *profile);
        CHECK(after.last.what == result_verdict::done);
        CHECK(after.last.recognized);
        CHECK(after.reads == 1);
        CHECK(after.profile_lines.empty());
        CHECK(after.text.find("Hello") != std::string::npos);
    }
    CHECK(explained(R"({"data":{"documents":[{"document_id":"d","text":"Hello"}]}})").described);
}

TEST_CASE("explain_answer: an answer that stays pending -> read to the end and said so")
{
    auto const e = explained(R"({"data":{"progress":{"total_doc":1,"finished":0},"documents":[]}})");
    CHECK(e.last.what == result_verdict::pending);
    CHECK(std::string(e.last.row) == "progress incomplete");
    CHECK(e.profile_lines.empty());
}

TEST_CASE("to_json: the profile it writes -> the profile it was")
{
    response_profile p;
    p.content_keys.push_back("nội dung");
    p.extra_fields.emplace_back("model", "idp");
    p.settle_time = std::chrono::milliseconds(2500);
    auto const read = parse_profile(to_json(p));
    REQUIRE(read.has_value());
    CHECK(bool(*read == p));
    CHECK(bool(*parse_profile(to_json(default_profile())) == default_profile()));
}
