#include <ocrpipe/http/http_transport.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE(
    "http_transport::make: options that are wrong -> invalid_argument that names the option and no secret")
{
    asio::io_context ioc(1);
    http_options good;
    good.endpoint.base_url = "https://ocr.test";
    good.endpoint.portal_user_id = "42";
    good.endpoint.api_key = secret("top-secret");
    CHECK(http_transport::make(ioc.get_executor(), good).has_value());
    auto const reason = [&](auto change) {
        http_options o = good;
        change(o);
        auto const made = http_transport::make(ioc.get_executor(), o);
        REQUIRE(made.has_error());
        CHECK(made.error().is(errc::invalid_argument));
        CHECK(made.error().where == phase::prepare);
        CHECK(made.error().reason.find("top-secret") == std::string::npos);
        return made.error().reason;
    };
    CHECK(reason([](http_options& o) { o.endpoint.base_url = "http://ocr.test"; }).find("base_url") == 0);
    CHECK(reason([](http_options& o) { o.endpoint.base_url = "https://ocr.test/path"; }).find("base_url") ==
          0);
    CHECK(reason([](http_options& o) {
              o.endpoint.api_key = secret("top-secret\r\nX: y");
          }).find("api_key") == 0);
    CHECK(reason([](http_options& o) { o.endpoint.portal_user_id = "4\n2"; }).find("portal_user_id") == 0);
    CHECK(reason([](http_options& o) { o.proxy.url = "ftp://proxy"; }).find("proxy") == 0);
    CHECK(reason([](http_options& o) { o.tls.ca_file = "/nowhere"; }).find("ca_file") == 0);
    CHECK(reason([](http_options& o) { o.timeouts.connect = 0ms; }).find("timeouts.connect") == 0);
}
