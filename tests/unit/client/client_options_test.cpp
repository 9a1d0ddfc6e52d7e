#include <ocrpipe/client/client_options.hpp>

#include <boost/asio/ssl/context.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace ocrpipe;

namespace
{

client_options fine()
{
    client_options o;
    o.endpoint.portal_user_id = "42";
    o.endpoint.api_key = secret("key");
    return o;
}

bool names(std::vector<std::string> const& problems, std::string const& option)
{
    return std::any_of(problems.begin(), problems.end(),
                       [&](std::string const& p) { return p.rfind(option + ":", 0) == 0; });
}

} // namespace

TEST_CASE("client_options: the defaults with user id and key -> no problem")
{
    CHECK(fine().validate().empty());
}

TEST_CASE("client_options: several mistakes -> each is reported at once, with its option's name")
{
    client_options o = fine();
    o.endpoint.portal_user_id.clear();
    o.endpoint.api_key = secret();
    o.pool.poll_connections = 0;
    o.timeouts.first_byte = o.timeouts.submit = std::chrono::milliseconds(0);
    o.rates.submits_per_second = -1;
    o.retry.max_attempts = 0;
    std::vector<std::string> const problems = o.validate();
    CHECK(problems.size() == 7);
    for (char const* option : {"portal_user_id", "api_key", "pool.poll_connections", "timeouts.first_byte",
                               "timeouts.submit", "rates.submits_per_second", "retry.max_attempts"})
        CHECK_MESSAGE(names(problems, option), option);
}

TEST_CASE("client_options: a key with a line break -> refused, and not shown")
{
    client_options o = fine();
    o.endpoint.api_key = secret("s3cret\r\nX-Evil: 1");
    std::vector<std::string> const problems = o.validate();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find("s3cret") == std::string::npos);
}

TEST_CASE("client_options: header fields and user agent -> what could change the message is refused, unshown")
{
    client_options o = fine();
    o.endpoint.user_agent = "archive/2.1 (batch)";
    o.endpoint.header_fields = {{"X-Team", secret("scans and more")}, {"x_1~", secret("")}};
    CHECK(o.validate().empty());
    for (char const* const name :
         {"", "X Team", "X:", "X-T\xc3\xa9", "X\r\nY", "Host", "AUTHORIZATION", "content-length",
          "Transfer-Encoding", "Connection", "User-Agent", "portal-user-id", "Range", "Expect", "TE"}) {
        o.endpoint.header_fields = {{name, secret("value")}};
        CHECK_MESSAGE(names(o.validate(), "header_fields"), name);
    }
    for (char const* const value : {"s3cret\r\nX-Evil: 1", "s3cret\n", "s3cret\t", "s3cret\xff"}) {
        o.endpoint.header_fields = {{"X-Team", secret(value)}};
        REQUIRE(o.validate().size() == 1);
        CHECK(o.validate()[0].find("s3cret") == std::string::npos);
    }
    o.endpoint.header_fields.clear();
    o.endpoint.user_agent = "a\r\nb";
    CHECK(names(o.validate(), "user_agent"));
}

TEST_CASE("client_options: a key provider -> no key is required; an own TLS context -> no files beside it")
{
    client_options o = fine();
    o.endpoint.api_key = secret();
    o.endpoint.api_key_provider = []() -> task<result<secret>> { co_return secret("key"); };
    CHECK(o.validate().empty());
    o.tls.context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    CHECK(o.validate().empty());
    o.tls.ca_file = "ca.pem";
    CHECK(names(o.validate(), "tls.context"));
}

TEST_CASE("client_options: an address or a proxy that is no URL, or sends the key in clear text -> reported "
          "with all other problems")
{
    struct {
        char const* base_url;
        char const* proxy;
        std::size_t problems;
    } const rows[] = {
        {"https://ocr.example", "http://p:3128", 0},
        {"https://ocr.example", "p:3128", 0},
        {"http://127.0.0.1:8080", "", 0},
        {"http://ocr.example", "", 1},
        {"https://ocr.example/path", "", 1},
        {"ftp://ocr.example", "", 1},
        {"https://ocr.example", "socks5://p:1", 1},
        {"http://ocr.example", "http://p:x", 2},
        {"", "", 1},
    };
    for (auto const& row : rows) {
        CAPTURE(row.base_url);
        CAPTURE(row.proxy);
        client_options o = fine();
        o.endpoint.base_url = row.base_url;
        o.proxy.url = row.proxy;
        CHECK(o.validate().size() == row.problems);
        o.retry.max_attempts = 0;
        CHECK(o.validate().size() == row.problems + 1);
    }
    client_options o = fine();
    o.endpoint.base_url = "http://ocr.example";
    o.endpoint.allow_plain_http = true;
    CHECK(o.validate().empty());
}

TEST_CASE("client_options: a proxy that is no URL -> its password is not shown")
{
    client_options o = fine();
    o.proxy.url = "socks5://me:sesame@p:1";
    REQUIRE(o.validate().size() == 1);
    CHECK(o.validate()[0].find("sesame") == std::string::npos);
}
