#include "report_page.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe::cli;

namespace
{

std::string between(std::string const& text, std::string_view from, std::string_view to)
{
    std::size_t const begin = text.find(from);
    REQUIRE(begin != text.npos);
    std::size_t const end = text.find(to, begin + from.size());
    REQUIRE(end != text.npos);
    return text.substr(begin + from.size(), end - begin - from.size());
}

std::size_t count(std::string const& text, std::string_view what)
{
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size())
        ++n;
    return n;
}

} // namespace

TEST_CASE("report_page: names that contain markup -> no part of the page's own markup")
{
    std::string const page = report_page(R"({"document": "</script><script>alert(1)</script><!--"})");
    CHECK(between(page, R"(id="report">)", "</script>") ==
          R"({"document": "\u003c/script>\u003cscript>alert(1)\u003c/script>\u003c!--"})");
    CHECK(count(page, "<script") == 3);
    CHECK(count(page, "</script>") == 3);
}

TEST_CASE("report_page: text that looks like one of its marks -> stays as it is")
{
    std::string const page = report_page(R"({"document": "{{chart}}{{script}}"})");
    CHECK(between(page, R"(id="report">)", "</script>") == R"({"document": "{{chart}}{{script}}"})");
    CHECK(count(page, "{{chart}}") == 1);
}

TEST_CASE("report_page: everything is in the page, and its policy allows nothing else")
{
    std::string const page = report_page("{}");
    std::string const policy = between(page, R"(http-equiv="Content-Security-Policy" content=")", "\"");
    CHECK(policy.starts_with("default-src 'none'; script-src 'sha256-"));
    CHECK(count(policy, "'sha256-") == 3);
    CHECK(policy.find("unsafe") == policy.npos);
    for (std::string_view const part :
         {report_parts::style, report_parts::chart, report_parts::script, report_parts::licence})
        CHECK(count(page, part) == 1);
    CHECK(report_parts::licence.find("The MIT License") != std::string_view::npos);
    CHECK(page.find("src=") == page.npos);
    CHECK(count(page, "href=\"http") == 0);
}
