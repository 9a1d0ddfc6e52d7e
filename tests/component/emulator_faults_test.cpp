#include "emulator/emulator.hpp"
#include "emulator_client.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>

using namespace ocrpipe::emulator;
using answer = plain_client::answer;

namespace
{

emulator_options with_fault(std::string const& text)
{
    emulator_options o;
    auto rule = parse_fault(text);
    REQUIRE(rule.has_value());
    o.faults.push_back(*rule);
    return o;
}

/// Asks the same question until it is answered as wanted; how often it was asked. The tests stay below the
/// limit when all is well.
int ask_until(plain_client& client, std::string const& path, std::string_view wanted)
{
    for (int n = 1; n != 100; ++n)
        if (client.get(path).body.find(wanted) != std::string::npos) return n;
    return 0;
}

/// What a client sees when its one submit meets the fault, and whether the document was accepted then.
struct seen_by_submit {
    std::function<bool(answer const&)> holds;
    std::uint64_t accepted;
};

std::map<std::string, seen_by_submit> const submit_faults{
    {"reset-on-accept", {[](answer const& a) { return a.end == answer::reset && a.body.empty(); }, 0}},
    {"early-413", {[](answer const& a) { return a.status == 413; }, 0}},
    {"reset-during-upload", {[](answer const& a) { return a.end == answer::reset && a.status == 0; }, 0}},
    {"reset-before-answer", {[](answer const& a) { return a.end == answer::reset && a.status == 0; }, 0}},
    {"throttle-429",
     {[](answer const& a) { return a.status == 429 && a.head.find("Retry-After") == std::string::npos; }, 0}},
    {"throttle-429-retry-after",
     {[](answer const& a) {
          return a.status == 429 && a.head.find("Retry-After: 1\r\n") != std::string::npos;
      },
      0}},
    {"throttle-text-400",
     {[](answer const& a) { return a.status == 400 && a.body.find("Throttling") != std::string::npos; }, 0}},
    {"error-500-before-acceptance", {[](answer const& a) { return a.status == 500; }, 0}},
    {"error-503-retry-after",
     {[](answer const& a) {
          return a.status == 503 && a.head.find("Retry-After: 1\r\n") != std::string::npos;
      },
      0}},
    {"forbidden-403", {[](answer const& a) { return a.status == 403 && a.body == "Forbidden"; }, 0}},
    {"gateway-404",
     {[](answer const& a) { return a.status == 404 && a.body.find("no Route matched") != std::string::npos; },
      0}},
    {"html-200",
     {[](answer const& a) { return a.status == 200 && a.body.starts_with("<!DOCTYPE html>"); }, 0}},
    {"envelope-error:code=4000006:word=limit",
     {[](answer const& a) { return a.status == 200 && a.body == R"({"code":4000006,"message":"limit"})"; },
      0}},
    {"redirect-same-origin:code=308",
     {[](answer const& a) {
          return a.status == 308 &&
                 a.head.find("Location: /maas/user-1/greennode/idp/v1/ocr/ingest?redirected=1\r\n") !=
                     std::string::npos;
      },
      0}},
    {"redirect-other-origin:word=127.0.0.1%3A9",
     {[](answer const& a) {
          return a.status == 307 && a.head.find("Location: http://127.0.0.1:9/maas/") != std::string::npos;
      },
      0}},
    {"status:code=504", {[](answer const& a) { return a.status == 504; }, 0}},
    {"status:code=503:after=7",
     {[](answer const& a) {
          return a.status == 503 && a.head.find("Retry-After: 7\r\n") != std::string::npos;
      },
      0}},
    {"status:code=204", {[](answer const& a) { return a.status == 204 && a.body.empty(); }, 0}},
    {"reset-after-acceptance", {[](answer const& a) { return a.end == answer::reset && a.status == 0; }, 1}},
    {"error-500-after-acceptance", {[](answer const& a) { return a.status == 500; }, 1}},
    {"no-request-id", {[](answer const& a) { return a.status == 201 && a.body == R"({"data":{}})"; }, 1}},
    {"stall:ms=30", {[](answer const& a) { return a.status == 201; }, 1}},
    {"slow-body:ms=30", {[](answer const& a) { return a.status == 201; }, 1}},
    {"truncated-body:bytes=5",
     {[](answer const& a) { return a.end == answer::closed && a.body.size() == 5; }, 1}},
    {"reset-mid-body:bytes=5",
     {[](answer const& a) { return a.end == answer::reset && a.body.size() == 5; }, 1}},
    {"bad-json",
     {[](answer const& a) { return a.status == 201 && a.end == answer::whole && !a.body.ends_with("}"); },
      1}},
    {"bad-http", {[](answer const& a) { return a.body.starts_with("ICY"); }, 1}},
    {"empty-200", {[](answer const& a) { return a.status == 200 && a.body.empty(); }, 1}},
    {"null-200", {[](answer const& a) { return a.status == 200 && a.body == "null"; }, 1}},
    {"empty-object-200", {[](answer const& a) { return a.status == 200 && a.body == "{}"; }, 1}},
    {"huge-header:bytes=100000",
     {[](answer const& a) { return a.head.size() > 100'000 && a.status == 201; }, 1}},
    {"huge-body:bytes=100000",
     {[](answer const& a) { return a.body.size() > 100'000 && a.end == answer::whole; }, 1}},
    {"close-keep-alive",
     {[](answer const& a) {
          return a.status == 201 && a.head.find("Connection: keep-alive") != std::string::npos;
      },
      1}},
    {"close-delimited",
     {[](answer const& a) {
          return a.end == answer::closed && a.head.find("Content-Length") == std::string::npos &&
                 a.body.ends_with("}");
      },
      1}},
    {"gzip-unasked",
     {[](answer const& a) {
          return a.head.find("Content-Encoding: gzip") != std::string::npos && a.body.starts_with("\x1f\x8b");
      },
      1}},
    {"chunked-trailers",
     {[](answer const& a) { return a.body.find("X-Trailer: last\r\n") != std::string::npos; }, 1}},
    {"continue-100",
     {[](answer const& a) {
          return a.status == 201 && a.interim.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103");
      },
      1}},
};

} // namespace

TEST_CASE(
    "emulator: each fault of a submit -> is seen by the client, accounted for, and accepts or not as it says")
{
    for (auto const& [text, expected] : submit_faults) {
        CAPTURE(text);
        emulator e(with_fault(text + ":count=1"));
        CHECK_FALSE(e.all_faults_happened());
        plain_client client(e.port());
        std::string const document(20'000, 'd');
        answer const met = client.submit(document, "one.png");
        CAPTURE(static_cast<int>(met.end));
        CAPTURE(met.status);
        CHECK(expected.holds(met));
        CHECK(e.all_faults_happened());
        CHECK(e.truth().accepted() == expected.accepted);

        client.disconnect();
        answer const next = client.submit(document, "two.png");
        CHECK(next.status == 201);
        REQUIRE(e.fault_accounting().size() == 1);
        CHECK(e.fault_accounting()[0].happened == 1);
    }
}

TEST_CASE(
    "emulator: every fault of the catalogue but those of jobs, of results alone and of the listener -> is "
    "in the table of this file")
{
    for (auto const& about : fault_catalogue()) {
        if (about.stage == fault_stage::job || about.stage == fault_stage::listener) continue;
        if (about.routes == route_result) continue;
        CAPTURE(about.name);
        bool listed = false;
        for (auto const& [text, expected] : submit_faults)
            listed = listed || text.substr(0, text.find(':')) == about.name;
        CHECK(listed);
    }
}

TEST_CASE("emulator: a fault limited to results -> leaves the submit alone and spoils the poll")
{
    emulator e(with_fault("truncated-body:route=result:count=1:bytes=7"));
    plain_client client(e.port());
    answer const submitted = client.submit("bytes", "a.png");
    CHECK(submitted.status == 201);
    std::string const id = json_string(submitted.body, "request_id");
    answer const spoilt = client.get("ingest/" + id);
    CHECK(spoilt.end == answer::closed);
    CHECK(spoilt.body.size() == 7);
    CHECK(e.truth().documents[0].results_delivered == 0);
    CHECK(client.get("ingest/" + id).body.find("SUCCESS") != std::string::npos);
    CHECK(e.truth().documents[0].results_delivered == 1);
    CHECK(e.all_faults_happened());
}

TEST_CASE("emulator: each fault of a job -> its polls show it, and it is counted once a job")
{
    auto const first_poll = [](std::string const& text) {
        emulator e(with_fault(text + (text.find(':') == std::string::npos ? ":count=1" : "")));
        plain_client client(e.port());
        std::string const id = json_string(client.submit("bytes", "a.png").body, "request_id");
        answer const a = client.get("ingest/" + id);
        client.get("ingest/" + id);
        CHECK(e.fault_accounting()[0].happened == 1);
        return a;
    };
    CHECK(first_poll("endless-pending").body.find(R"("total_doc":1,"ignored":0,"finished":0)") !=
          std::string::npos);
    CHECK(first_poll("empty-result").body.find(R"("ocr_data":null)") != std::string::npos);
    CHECK(first_poll("job-failed:word=CANCELLED").body.find(R"("status":"CANCELLED")") != std::string::npos);
    CHECK(first_poll("lost-404").status == 404);
    CHECK(first_poll("gone-410").status == 410);
    CHECK(first_poll("unknown-status").body == R"({"data":{"status":"REVIEWING","documents":[]}})");
    CHECK(first_poll("total-doc-zero").body.find(R"("total_doc":0)") != std::string::npos);
    CHECK(first_poll("not-found-young").status == 404);
    CHECK(first_poll("terminal-before-filled").body.find(R"("value":[])") != std::string::npos);
    auto const half = first_poll("document-failed").body;
    CHECK(half.find(R"("finished":2)") != std::string::npos);
    CHECK(half.find(R"("status":"FAILED","is_correct")") != std::string::npos);
    CHECK(half.find(R"("extracted_value":"document )") != std::string::npos);
}

TEST_CASE("emulator: faults that last for some polls -> end after so many")
{
    for (std::string const text : {"terminal-before-filled:polls=3", "unknown-status:polls=3",
                                   "total-doc-zero:polls=3", "not-found-young:polls=3"}) {
        CAPTURE(text);
        emulator e(with_fault(text));
        plain_client client(e.port());
        std::string const id = json_string(client.submit("bytes", "a.png").body, "request_id");
        CHECK(ask_until(client, "ingest/" + id, "extracted_value") == 4);
    }
}

TEST_CASE("emulator: part-absent -> the result is whole and its parts answer 404")
{
    emulator e(with_fault("part-absent"));
    plain_client client(e.port());
    answer const submitted = client.submit("bytes", "a.png");
    std::string const id = json_string(submitted.body, "request_id");
    std::string const document = json_string(client.get("ingest/" + id).body, "document_id");
    CHECK(!document.empty());
    CHECK(client.get("ingest/table/" + id + "/" + document).status == 404);
    CHECK(e.all_faults_happened());
}

TEST_CASE("emulator: a share of the documents meets a fault -> the same ones whatever the order")
{
    auto const met = [](bool backwards) {
        emulator e(with_fault("error-500-before-acceptance:p=0.3"));
        plain_client client(e.port());
        std::map<int, int> statuses;
        for (int i = 0; i != 40; ++i) {
            int const document = backwards ? 39 - i : i;
            statuses[document] = client.submit("bytes " + std::to_string(document), "a.png").status;
        }
        return statuses;
    };
    auto const forwards = met(false);
    CHECK(forwards == met(true));
    int failed = 0;
    for (auto const& [document, status] : forwards)
        failed += status == 500 ? 1 : 0;
    CHECK(failed > 3);
    CHECK(failed < 25);
}

TEST_CASE("emulator: a document that failed by chance -> another attempt is another draw")
{
    emulator e(with_fault("error-500-before-acceptance:p=0.5"));
    plain_client client(e.port());
    int accepted = 0;
    for (int attempt = 0; attempt != 30; ++attempt)
        accepted += client.submit("the same bytes", "a.png").status == 201 ? 1 : 0;
    CHECK(accepted > 5);
    CHECK(accepted < 25);
    REQUIRE(e.truth().documents.size() == 1);
    CHECK(e.truth().documents[0].submits == 30);
    CHECK(e.truth().documents[0].accepted == static_cast<std::uint64_t>(accepted));
}

TEST_CASE(
    "emulator: a redirect on the same origin -> the redirected request is answered, even without a count")
{
    emulator e(with_fault("redirect-same-origin"));
    plain_client client(e.port());
    CHECK(client.submit("bytes", "a.png").status == 307);
    CHECK(client.get("ingest/unknown?redirected=1").status == 404);
}

TEST_CASE("emulator: Retry-After as a date under a skewed clock -> lies ahead of the answer's own Date")
{
    emulator e(with_fault("throttle-429-retry-after:after=5:form=date:skew=86400"));
    plain_client client(e.port());
    answer const a = client.submit("bytes", "a.png");
    auto const line = [&](std::string_view name) {
        auto const at = a.head.find(name);
        return at == std::string::npos ? std::string() : a.head.substr(at + name.size(), 29);
    };
    CHECK(line("\r\nRetry-After: ").ends_with("GMT"));
    CHECK(line("\r\nDate: ").ends_with("GMT"));
    CHECK(line("\r\nRetry-After: ") != line("\r\nDate: "));
}

TEST_CASE("emulator: the listener is closed -> connecting is refused, the port stays, and it opens again")
{
    emulator e{emulator_options{}};
    plain_client client(e.port());
    CHECK(client.submit("bytes", "a.png").status == 201);
    e.refuse_connections(true);
    CHECK(client.submit("bytes", "b.png").status == 201); // an open connection lives on
    client.disconnect();
    CHECK(client.submit("bytes", "c.png").end == answer::refused);
    e.refuse_connections(false);
    CHECK(client.submit("bytes", "c.png").status == 201);
    CHECK(e.truth().accepted() == 3);
}

TEST_CASE("emulator: refuse-connection -> connecting is refused at first and works later")
{
    emulator e(with_fault("refuse-connection:ms=30"));
    plain_client client(e.port());
    int refused = 0;
    while (client.submit("bytes", "a.png").end == answer::refused)
        refused += 1;
    CHECK(refused > 0);
    CHECK(e.all_faults_happened());
    CHECK(e.truth().accepted() == 1);
}
