#include "checks.hpp"

#include <boost/system/errc.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace ocrpipe::cli;

namespace
{

result<ocr_result> refused_with(errc e)
{
    failure f;
    f.code = e;
    return f;
}

} // namespace

TEST_CASE("judge_service: an id that cannot exist is unknown or pending -> let in")
{
    for (errc const e :
         {errc::still_processing, errc::job_lost, errc::job_expired, errc::job_failed, errc::rejected})
        CHECK(judge_service(refused_with(e)).how == verdict::ok);
}

TEST_CASE("judge_service: key, tenant or address are wrong, or nobody is reached -> fail with 4 and a remedy")
{
    for (errc const e : {errc::unauthorized, errc::wrong_base_url, errc::connect_failed,
                         errc::certificate_invalid, errc::proxy_refused, errc::resolve_failed}) {
        auto const f = judge_service(refused_with(e));
        CHECK(f.how == verdict::fail);
        CHECK(f.code == exit_code::refused);
        CHECK_MESSAGE(f.text.find("--") != std::string::npos, f.text);
    }
}

TEST_CASE("judge_service: the service is there and unwell -> warn, not fail")
{
    for (errc const e : {errc::throttled, errc::service_error, errc::unexpected_answer}) {
        auto const f = judge_service(refused_with(e));
        CHECK(f.how == verdict::warn);
        CHECK(f.code == exit_code::all_done);
    }
}

TEST_CASE("judge_disk: writable with room, little room, not writable -> ok, warn, fail with 8")
{
    CHECK(judge_disk("out", 50'000'000'000, {}).how == verdict::ok);
    CHECK(judge_disk("out", 1'000'000, {}).how == verdict::warn);
    auto const f =
        judge_disk("out", 50'000'000'000, make_error_code(boost::system::errc::read_only_file_system));
    CHECK(f.how == verdict::fail);
    CHECK(f.code == exit_code::disk_error);
}

TEST_CASE("judge_configuration: problems -> one finding each, fail with 4")
{
    planning p;
    p.problems = {"--doc-type: missing", "api key: missing"};
    p.warnings = {"others can read it"};
    auto const findings = judge_configuration(p);
    REQUIRE(findings.size() == 3);
    CHECK(findings[0].how == verdict::fail);
    CHECK(findings[0].code == exit_code::refused);
    CHECK(findings[2].how == verdict::warn);
}

TEST_CASE("judge_configuration: all well -> one line that names address and user id, and neither key nor "
          "proxy password")
{
    planning p;
    p.plan.client.endpoint.portal_user_id = "42";
    p.plan.client.endpoint.api_key = secret("sk-1");
    p.plan.client.proxy.url = "http://me:sesame@p:1";
    auto const findings = judge_configuration(p);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].how == verdict::ok);
    CHECK(findings[0].text.find("42") != std::string::npos);
    CHECK(findings[0].text.find("sk-1") == std::string::npos);
    CHECK(findings[0].text.find("sesame") == std::string::npos);
}

TEST_CASE("file_limit: enough -> silence, raised -> said, not enough -> a remedy")
{
    CHECK(!file_limit_message({1'024, 1'024, 200}));
    auto const raised = file_limit_message({64, 4'096, 200});
    REQUIRE(raised);
    CHECK(raised->severity == level::info);
    auto const low = file_limit_message({64, 64, 200});
    REQUIRE(low);
    CHECK(low->severity == level::warn);
    CHECK(low->text.find("--connections") != std::string::npos);
    CHECK(judge_file_limit({64, 64, 200}).how == verdict::fail);
    CHECK(judge_file_limit({64, 4'096, 200}).how == verdict::ok);
}

TEST_CASE("descriptors_needed: grows with every connection")
{
    pool_options few, many;
    share_connections(3, few);
    share_connections(3'000, many);
    CHECK(descriptors_needed(many) > descriptors_needed(few) + 2'997);
}

TEST_CASE("finding: for people and as JSON -> the same verdict and text")
{
    finding const f{"disk", verdict::warn, "little room: make some"};
    CHECK(to_people(f) == "warn    disk          little room: make some");
    auto const json = to_json(to_message(f), {});
    CHECK(json.find("\"check\":\"disk\"") != std::string::npos);
    CHECK(json.find("\"verdict\":\"warn\"") != std::string::npos);
    CHECK(json.find("\"text\":\"little room: make some\"") != std::string::npos);
}
