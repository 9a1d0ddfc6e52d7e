#include "option_names.hpp"

#include <doctest/doctest.h>

using namespace ocrpipe::cli;

namespace
{

option_names some_names()
{
    option_names names({{"flow", "7"}}, [](std::string const& name) -> std::optional<std::string> {
        if (name == "OCRPIPE_BASE_URL" || name == "OCRPIPE_FLOW") return "x";
        return std::nullopt;
    });
    names.set("proxy", "HTTPS_PROXY");
    return names;
}

} // namespace

TEST_CASE("option_names: an option -> its variable when that decides, else its flag")
{
    auto const names = some_names();
    CHECK(names.of("base-url") == "OCRPIPE_BASE_URL");
    CHECK(names.of("flow") == "--flow");
    CHECK(names.of("deadline") == "--deadline");
    CHECK(names.of("proxy") == "HTTPS_PROXY");
}

TEST_CASE("option_names: a problem of client_options -> begins with the flag or the variable")
{
    auto names = some_names();
    CHECK(names.in_problem("base_url: not a URL") == "OCRPIPE_BASE_URL: not a URL");
    CHECK(names.in_problem("base_url: give https://, or allow_plain_http") ==
          "OCRPIPE_BASE_URL: give https://, or --allow-plain-http");
    CHECK(names.in_problem("client_cert: given without client_key: give both or neither") ==
          "--client-cert: given without --client-key: give both or neither");
    CHECK(names.in_problem("client_cert: client_key: cannot be read") ==
          "--client-cert: client_key: cannot be read");
    CHECK(names.in_problem("proxy: not a URL") == "HTTPS_PROXY: not a URL");
    CHECK(names.in_problem("job_deadline: out of range") == "--deadline: out of range");
    CHECK(names.in_problem("profile.status_keys: empty") == "--profile: status_keys: empty");
    CHECK(names.in_problem("api_key: contains a blank") == "api key: the key contains a blank");
    names.set_key("OCRPIPE_API_KEY_FILE");
    CHECK(names.in_problem("api_key: contains a blank") == "OCRPIPE_API_KEY_FILE: the key contains a blank");
    CHECK(names.in_problem("something else: x") == "something else: x");
}

TEST_CASE("option_names: a sentence -> variables in place of whole flags only")
{
    auto const names = some_names();
    CHECK(names.in_sentence("check --base-url, the network and --proxy") ==
          "check OCRPIPE_BASE_URL, the network and HTTPS_PROXY");
    CHECK(names.in_sentence("--proxy") == "HTTPS_PROXY");
    CHECK(names.in_sentence("--proxy-user x--proxy ---proxy --flow") ==
          "--proxy-user x--proxy ---proxy --flow");
    CHECK(names.in_sentence("") == "");
}
