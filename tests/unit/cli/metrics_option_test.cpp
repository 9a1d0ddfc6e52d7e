#include "given_arguments.hpp"
#include "metrics_option.hpp"

#include <doctest/doctest.h>

#include <variant>

using namespace ocrpipe::cli;

namespace
{

planning planned(typed_options options)
{
    options.emplace("doc-type", "invoice");
    return make_plan(run_of({"in"}, std::move(options)), with(account));
}

} // namespace

TEST_CASE("parse_listen_address: an address and a port -> both")
{
    auto const v4 = parse_listen_address("127.0.0.1:9464");
    REQUIRE(v4);
    CHECK(v4->address().to_string() == "127.0.0.1");
    CHECK(v4->port() == 9464);
    auto const v6 = parse_listen_address("[::1]:80");
    REQUIRE(v6);
    CHECK(v6->address().to_string() == "::1");
    auto const name = parse_listen_address("localhost:0");
    REQUIRE(name);
    CHECK(name->address().is_loopback());
}

TEST_CASE("parse_listen_address: no port, a name, or something else -> refused")
{
    for (char const* text :
         {"", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:1x", "::1:80",
          "[127.0.0.1]:80", "example.com:80", "[]:1", "127.0.0.1:-1"})
        CHECK_MESSAGE(!parse_listen_address(text), text);
}

TEST_CASE("--metrics: not given -> no address; a loopback address -> planned")
{
    auto const without = planned({});
    CHECK(without.problems.empty());
    CHECK(!std::get<run_plan>(without.plan.command).metrics);
    auto const p = planned({{"metrics", "127.0.0.1:9464"}});
    CHECK(p.problems.empty());
    REQUIRE(std::get<run_plan>(p.plan.command).metrics);
    CHECK(std::get<run_plan>(p.plan.command).metrics->port() == 9464);
}

TEST_CASE("--metrics: an address of the network -> only with --metrics-allow-remote")
{
    CHECK(mentions(planned({{"metrics", "0.0.0.0:9464"}}).problems, "--metrics: other machines"));
    CHECK(planned({{"metrics", "0.0.0.0:9464"}, {"metrics-allow-remote", "true"}}).problems.empty());
}

TEST_CASE("--metrics: not an address -> says what it should be")
{
    CHECK(mentions(planned({{"metrics", "9464"}}).problems,
                   "give an address and a port such as 127.0.0.1:9464"));
}
