#include "option_table.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace ocrpipe::cli;

namespace
{

environment variables(std::map<std::string, std::string> values)
{
    return [values = std::move(values)](std::string const& name) -> std::optional<std::string> {
        auto const found = values.find(name);
        if (found == values.end()) return std::nullopt;
        return found->second;
    };
}

} // namespace

TEST_CASE("resolve: flag, environment and default are all there -> the flag")
{
    auto const s = resolve("flow", {{"flow", "7"}}, variables({{"OCRPIPE_FLOW", "8"}}));
    CHECK(s.value == "7");
    CHECK(s.from == origin::flag);
    CHECK(s.shown_as == "--flow");
}

TEST_CASE("resolve: no flag -> the environment")
{
    auto const s = resolve("max-inflight", {{"flow", "7"}}, variables({{"OCRPIPE_MAX_INFLIGHT", "8"}}));
    CHECK(s.value == "8");
    CHECK(s.from == origin::environment);
    CHECK(s.shown_as == "OCRPIPE_MAX_INFLIGHT");
}

TEST_CASE("resolve: neither -> the default")
{
    auto const s = resolve("flow", {}, variables({}));
    CHECK(s.value == "single");
    CHECK(s.from == origin::default_value);
}

TEST_CASE("resolve: an empty variable counts as not set, an empty flag as given")
{
    CHECK(resolve("flow", {}, variables({{"OCRPIPE_FLOW", ""}})).value == "single");
    auto const s = resolve("proxy", {{"proxy", ""}}, variables({{"OCRPIPE_PROXY", "http://p:1"}}));
    CHECK(s.value.empty());
    CHECK(s.from == origin::flag);
}

TEST_CASE("shared_options: every name is unique, and none of them takes the key itself")
{
    std::set<std::string_view> names;
    for (option_spec const& s : shared_options()) {
        CHECK_MESSAGE(names.insert(s.name).second, s.name);
        CHECK(s.name != "api-key");
        CHECK_MESSAGE(!s.help.empty(), s.name);
    }
    CHECK(environment_name("portal-user-id") == "OCRPIPE_PORTAL_USER_ID");
}
