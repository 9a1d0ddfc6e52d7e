#include "given_arguments.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

/// What an option cannot mean. `as_variable` is null where every variable's text is a value.
struct wrong_value {
    std::string_view option;
    char const* as_flag; ///< null for a switch
    char const* as_variable;
};

constexpr wrong_value wrong_values[] = {
    {"base-url", "ftp://x", "ftp://x"},
    {"portal-user-id", "4 2", "4 2"},
    {"api-key-file", "/nonexistent/key", "/nonexistent/key"},
    {"api-key-command", "exit 7", "exit 7"},
    {"ca-file", "/nonexistent/ca.pem", "/nonexistent/ca.pem"},
    {"client-cert", "/nonexistent/cert.pem", "/nonexistent/cert.pem"},
    {"client-key", "/nonexistent/key.pem", "/nonexistent/key.pem"},
    {"proxy", "socks5://p:1", "socks5://p:1"},
    {"allow-plain-http", nullptr, "perhaps"},
    {"max-answer", "1.5", "3GiB"},
    {"max-header", "1.5", "1GiB"},
    {"profile", "/nonexistent/profile.json", "/nonexistent/profile.json"},
    {"flow", "", nullptr},
    {"doc-type", "", nullptr},
    {"file-type", "gif", "gif"},
    {"on-ambiguous", "perhaps", "perhaps"},
    {"deadline", "soon", "5000d"},
    {"submit-timeout", "soon", "5000d"},
    {"poll-interval", "5s-2s", "5s-2s"},
    {"max-inflight", "0", "0"},
    {"connections", "2", "two"},
    {"submit-rate", "fast", "fast"},
    {"poll-rate", "20/d", "20/d"},
    {"bandwidth", "-1", "-1"},
    {"parts", "pages", "pages"},
    {"dedupe", "name", "name"},
    {"accept-changes", nullptr, "perhaps"},
    {"follow-links", nullptr, "perhaps"},
    {"min-age", "old", "10"},
    {"drain-timeout", "1", "1"},
    {"max-documents", "few", "few"},
    {"max-duration", "long", "long"},
    {"max-outage", "ever", "ever"},
    {"fail-budget", "101%", "101%"},
    {"metrics", "9464", "0.0.0.0:9464"},
    {"metrics-allow-remote", nullptr, "perhaps"},
    {"log-level", "loud", "loud"},
    {"log-format", "xml", "xml"},
    {"seed", "x", "x"},
};

} // namespace

TEST_CASE(
    "option_reader: each option's wrong value -> a problem that begins with the flag, or with the variable")
{
    auto const begins = [](planning const& p, std::string const& name) {
        return std::any_of(p.problems.begin(), p.problems.end(),
                           [&](std::string const& problem) { return problem.starts_with(name + ": "); });
    };
    for (option_spec const& spec : shared_options()) {
        CAPTURE(spec.name);
        auto const row = std::find_if(std::begin(wrong_values), std::end(wrong_values),
                                      [&](wrong_value const& w) { return w.option == spec.name; });
        REQUIRE(row != std::end(wrong_values));
        bool const is_of_the_key = spec.name.starts_with("api-key");
        variables set = account;
        if (is_of_the_key) set.erase("OCRPIPE_API_KEY");
        typed_options typed{{"doc-type", "invoice"}};
        if (spec.name == "portal-user-id") set.erase("OCRPIPE_PORTAL_USER_ID");
        if (row->as_variable != nullptr) {
            set[environment_name(spec.name)] = row->as_variable;
            auto const p = make_plan(run_of({"scans"}, typed), with(set));
            CHECK_MESSAGE(begins(p, environment_name(spec.name)),
                          fmt::format("{}", fmt::join(p.problems, "; ")));
            CHECK_FALSE(begins(p, "--" + std::string(spec.name)));
        }
        if (row->as_flag != nullptr) {
            typed[std::string(spec.name)] = row->as_flag;
            auto const p = make_plan(run_of({"scans"}, typed), with(set));
            CHECK_MESSAGE(begins(p, "--" + std::string(spec.name)),
                          fmt::format("{}", fmt::join(p.problems, "; ")));
            CHECK_FALSE(begins(p, environment_name(spec.name)));
        }
    }
}

TEST_CASE("option_reader: many things wrong -> all of them at once, named by flag or variable")
{
    auto raw = run_of({"-", "-"}, {{"deadline", "soon"},
                                   {"connections", "2"},
                                   {"poll-interval", "5s-2s"},
                                   {"bandwidth", "-1"},
                                   {"parts", "tables,pages"},
                                   {"file-type", "gif"},
                                   {"log-level", "loud"},
                                   {"log-format", "xml"},
                                   {"client-cert", "c.pem"},
                                   {"profile", "/nonexistent/profile.json"}});
    auto const p = make_plan(raw, with({{"OCRPIPE_SUBMIT_RATE", "fast"}}));
    for (char const* what :
         {"--deadline: \"soon\"", "--connections: out of range",
          "--poll-interval:", "--bandwidth:", "--parts:", "--file-type:", "--log-level:", "--log-format:",
          "--client-cert: given without --client-key", "--profile:", "OCRPIPE_SUBMIT_RATE: \"fast\"",
          "api key: missing", "--portal-user-id: missing", "--doc-type: missing", "INPUT: - is given twice"})
        CHECK_MESSAGE(mentions(p.problems, what), what);
}

TEST_CASE("option_reader: what the environment decides -> noted by name, never by value")
{
    variables v = account;
    v["OCRPIPE_PROXY"] = "http://me:sesame@p:1";
    v["OCRPIPE_FLOW"] = "8";
    auto const p = make_plan(run_of({"a"}, {{"flow", "7"}}), with(v));
    CHECK(mentions(p.notes, "--proxy comes from OCRPIPE_PROXY"));
    v.erase("OCRPIPE_PROXY");
    v["HTTPS_PROXY"] = "me:sesame@p:1";
    CHECK(mentions(make_plan(run_of({"a"}), with(v)).notes, "the proxy comes from HTTPS_PROXY"));
    CHECK(!mentions(p.notes, "sesame"));
    CHECK(!mentions(p.notes, "--flow"));
}

TEST_CASE("option_reader: a value that is wrong beside others -> still named by where it came from")
{
    auto const problems = [](variables extra, typed_options typed = {}) {
        extra.insert(account.begin(), account.end());
        typed["doc-type"] = "invoice";
        return make_plan(run_of({"scans"}, typed), with(extra)).problems;
    };
    auto const only = [](std::vector<std::string> const& found, std::string_view begin) {
        REQUIRE(found.size() == 1);
        CHECK_MESSAGE(found[0].starts_with(begin), found[0]);
    };
    only(problems({{"HTTPS_PROXY", "socks5://p:1"}}), "HTTPS_PROXY: SOCKS is not supported");
    only(problems({{"https_proxy", "http://p:x"}}), "https_proxy: ");
    only(problems({{"ALL_PROXY", "https://p"}}), "ALL_PROXY: ");
    only(problems({{"http_proxy", "ftp://p"}}, {{"base-url", "http://127.0.0.1:1"}}), "http_proxy: ");
    CHECK(problems({{"HTTPS_PROXY", "p:3128"}}).empty());
    CHECK(problems({{"ALL_PROXY", "socks5://p:1"}, {"NO_PROXY", "*"}}).empty());
    CHECK(problems({{"HTTPS_PROXY", "socks5://p:1"}}, {{"proxy", ""}}).empty());
    only(problems({{"OCRPIPE_BASE_URL", "http://ocr.example"}}), "OCRPIPE_BASE_URL: http:// would send");
    only(problems({{"OCRPIPE_API_KEY", " \n"}}), "OCRPIPE_API_KEY: its first line is empty");
    only(problems({{"OCRPIPE_CLIENT_KEY", "k.pem"}}), "OCRPIPE_CLIENT_KEY: given without --client-cert");
    only(problems({{"OCRPIPE_CLIENT_CERT", "/nonexistent/c"}, {"OCRPIPE_CLIENT_KEY", "/nonexistent/k"}}),
         "OCRPIPE_CLIENT_CERT: /nonexistent/c: cannot be read");
    only(problems({{"OCRPIPE_PROFILE", "/nonexistent/p"}}, {{"profile", "/nonexistent/q"}}),
         "--profile: /nonexistent/q");
}

TEST_CASE("option_reader: a switch in the environment -> on and off by words, nonsense is a problem")
{
    auto const plan_with = [](std::string value) {
        variables v = account;
        v["OCRPIPE_ALLOW_PLAIN_HTTP"] = std::move(value);
        return make_plan(run_of({"a"}), with(v));
    };
    CHECK(plan_with("1").plan.client.endpoint.allow_plain_http);
    CHECK(!plan_with("no").plan.client.endpoint.allow_plain_http);
    CHECK(mentions(plan_with("perhaps").problems, "OCRPIPE_ALLOW_PLAIN_HTTP"));
}
