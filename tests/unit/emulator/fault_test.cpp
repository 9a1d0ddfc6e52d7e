#include "emulator/fault.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace ocrpipe::emulator;

TEST_CASE("parse_fault: a bare name -> the catalogue's defaults")
{
    auto const rule = parse_fault("slow-body");
    REQUIRE(rule.has_value());
    CHECK(rule->kind == fault_kind::slow_body);
    CHECK(rule->ms == std::chrono::milliseconds(2000));
    CHECK(rule->count == 0);
    CHECK(rule->p == 1);
    CHECK(rule->routes == route_any);
}

TEST_CASE("parse_fault: every name of the catalogue -> understood, with its defaults")
{
    for (auto const& about : fault_catalogue()) {
        CAPTURE(about.name);
        auto const rule = parse_fault(about.name);
        REQUIRE(rule.has_value());
        CHECK(rule->kind == about.kind);
        CHECK(!about.line.empty());
    }
}

TEST_CASE("parse_fault: all kinds of parameters -> read")
{
    auto const rule =
        parse_fault("throttle-429-retry-after:count=3:p=0.25:route=result:after=7:form=date:skew=-60");
    REQUIRE(rule.has_value());
    CHECK(rule->count == 3);
    CHECK(rule->p == 0.25);
    CHECK(rule->routes == route_result);
    CHECK(rule->after == std::chrono::seconds(7));
    CHECK(rule->after_as_date);
    CHECK(rule->skew == std::chrono::seconds(-60));
    CHECK(parse_fault("truncated-body:bytes=100")->bytes == 100);
    CHECK(parse_fault("not-found-young:polls=4")->polls == 4);
    CHECK(parse_fault("status:code=422")->code == 422);
    CHECK(parse_fault("job-failed:word=TIMEOUT_EXCEEDED")->word == "TIMEOUT_EXCEEDED");
}

TEST_CASE("parse_fault: what makes no sense -> refused with the culprit's name")
{
    for (std::string const text :
         {"no-such-fault", "stall:bytes=3", "stall:ms=soon", "status:code=99", "stall:count=0", "stall:count",
          "reset-after-acceptance:route=result", "throttle-429:p=2", "job-failed:route=result",
          "refuse-connection:count=2", "stall:route=elsewhere"}) {
        CAPTURE(text);
        auto const rule = parse_fault(text);
        REQUIRE_FALSE(rule.has_value());
        CHECK(rule.error().code == ocrpipe::errc::invalid_argument);
        CHECK(!rule.error().reason.empty());
    }
    CHECK(parse_fault("no-such-fault").error().reason.find("no-such-fault") != std::string::npos);
}

TEST_CASE("fault_plan: a count -> the first so many, and the next rule takes over")
{
    fault_plan plan({*parse_fault("throttle-429:count=2"), *parse_fault("forbidden-403:count=1")}, 1);
    CHECK(plan.take(fault_stage::before_acceptance, route_submit, 1) == 0);
    CHECK(plan.take(fault_stage::before_acceptance, route_result, 2) == 0);
    CHECK(plan.take(fault_stage::before_acceptance, route_part, 3) == 1);
    CHECK_FALSE(plan.take(fault_stage::before_acceptance, route_submit, 4).has_value());
}

TEST_CASE("fault_plan: another stage or route -> not taken and not used up")
{
    fault_plan plan({*parse_fault("throttle-429:count=1:route=result")}, 1);
    CHECK_FALSE(plan.take(fault_stage::before_acceptance, route_submit, 1).has_value());
    CHECK_FALSE(plan.take(fault_stage::after_acceptance, route_result, 1).has_value());
    CHECK(plan.take(fault_stage::before_acceptance, route_result, 1).has_value());
}

TEST_CASE("fault_plan: a probability -> decided by seed and key alone, about that often")
{
    auto const decisions = [](std::uint64_t seed) {
        fault_plan plan({*parse_fault("throttle-429:p=0.2")}, seed);
        std::string out;
        for (std::uint64_t key = 0; key != 1000; ++key)
            out += plan.take(fault_stage::before_acceptance, route_submit, key) ? '1' : '0';
        return out;
    };
    CHECK(decisions(1) == decisions(1));
    CHECK(decisions(1) != decisions(2));
    std::string const ones = decisions(1);
    auto const n = std::count(ones.begin(), ones.end(), '1');
    CHECK(n > 150);
    CHECK(n < 250);
}

TEST_CASE("fault_plan: taken but not carried out -> the account says planned, not happened")
{
    fault_plan plan({*parse_fault("stall:count=2"), *parse_fault("bad-json")}, 1);
    CHECK(plan.take(fault_stage::after_acceptance, route_submit, 1) == 0);
    auto accounts = plan.accounts();
    CHECK(accounts[0].name == "stall:count=2");
    CHECK(accounts[0].planned == 2);
    CHECK(accounts[0].happened == 0);
    CHECK(accounts[1].planned == 1);
    plan.happened(0);
    CHECK(plan.accounts()[0].happened == 1);
}
