#include <ocrpipe/core/error_advice.hpp>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <string>

using namespace ocrpipe;

namespace
{

std::string table_of_the_page()
{
    std::ifstream page(OCRPIPE_DOCS "/errors.md");
    REQUIRE(page);
    std::string table;
    for (std::string line; std::getline(page, line);)
        if (line.starts_with("| `")) table += line + "\n";
    return table;
}

std::string table_of_the_function()
{
    std::string table;
    for (int i = 0; i <= static_cast<int>(errc::saturated); ++i) {
        auto const e = static_cast<errc>(i);
        error_advice const a = advice_on(e);
        table += fmt::format("| `{}` | {} | {} | {} | {} |\n", name(e), make_error_code(e).message(),
                             name(a.retry), name(a.whose), a.http_status);
    }
    return table;
}

} // namespace

TEST_CASE("advice_on: the table in docs/errors.md has exactly the function's rows, one for each code")
{
    std::string const expected = table_of_the_function();
    INFO("the table must be:\n" << expected);
    CHECK(table_of_the_page() == expected);
}

TEST_CASE("advice_on: only ok is answered with a success, and saturated and throttled with 503")
{
    CHECK(advice_on(errc::ok).http_status == 200);
    for (int i = 1; i <= static_cast<int>(errc::saturated); ++i) {
        CHECK(advice_on(static_cast<errc>(i)).http_status >= 400);
        CHECK(advice_on(static_cast<errc>(i)).http_status < 600);
    }
    CHECK(advice_on(errc::saturated).http_status == 503);
    CHECK(advice_on(errc::throttled).http_status == 503);
    CHECK(advice_on(static_cast<errc>(9999)) == error_advice{});
}

TEST_CASE("advice_on: a failure with a request_id is never submitted again, but asked for")
{
    failure f(errc::connection_closed, phase::first_byte, "");
    CHECK(advice_on(f).retry == retry_advice::yes);
    f.request_id = "r-1";
    CHECK(advice_on(f).retry == retry_advice::ask_again);
    CHECK(advice_on(f).http_status == 502);
    for (int i = 0; i <= static_cast<int>(errc::saturated); ++i) {
        f.code = static_cast<errc>(i);
        CHECK(advice_on(f).retry != retry_advice::yes);
    }
    f.code = errc::job_failed;
    CHECK(advice_on(f).retry == retry_advice::no);
}

TEST_CASE("advice_on: the code of another library -> nothing is known")
{
    failure f;
    f.code = error_code(static_cast<int>(errc::saturated), boost::system::system_category());
    CHECK(advice_on(f) == error_advice{});
}
