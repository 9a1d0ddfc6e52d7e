// Every fault of the emulator by name, against the real client over loopback: what the caller sees, that the
// fault happened, that each result is of its own document, and that none was accepted twice.
#include <ocrpipe/client.hpp>

#include "emulator/emulator.hpp"
#include "emulator/fault.hpp"
#include "emulator/mix.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

using namespace ocrpipe;

namespace
{

constexpr int documents = 4;

/// One planned fault and what it does to four documents: `failed` of them end with `failure`, the rest with
/// their result.
struct row {
    std::string_view fault;
    int failed = 0;
    errc failure = errc::ok;
};

// A submit whose answer is lost or makes no sense is ambiguous, whatever spoilt it; a poll is repeated.
constexpr row rows[] = {
    {"refuse-connection:ms=150"},
    {"early-413:count=1", 1, errc::rejected},
    {"reset-during-upload:count=1:bytes=100", 1, errc::ambiguous_submit},
    {"reset-before-answer:count=1:route=submit", 1, errc::ambiguous_submit},
    {"reset-before-answer:count=1:route=result"},
    {"throttle-429:count=2:route=submit"},
    {"throttle-429:count=2:route=result"},
    {"throttle-429-retry-after:count=1:route=submit"},
    {"throttle-429-retry-after:count=1:route=result:form=date:skew=3600"},
    {"throttle-text-400:count=1:route=submit"},
    {"throttle-text-400:count=1:route=result"},
    {"error-500-before-acceptance:count=1", 1, errc::ambiguous_submit},
    {"error-503-retry-after:count=1:route=submit"},
    {"error-503-retry-after:count=1:route=result"},
    {"forbidden-403:count=1:route=submit"},
    {"forbidden-403:count=1:route=result"},
    {"gateway-404:count=1:route=submit"},
    {"html-200:count=1:route=submit", 1, errc::ambiguous_submit},
    {"html-200:count=1:route=result"},
    {"envelope-error:count=1:route=submit", 1, errc::ambiguous_submit},
    {"envelope-error:count=1:route=result"},
    {"redirect-same-origin:count=1:route=submit"},
    {"redirect-same-origin:count=1:route=result"},
    {"redirect-other-origin:count=1:route=submit:word=localhost", 1, errc::redirect_refused},
    {"status:count=1:route=submit:code=502", 1, errc::ambiguous_submit},
    {"status:count=1:route=submit:code=422", 1, errc::rejected},
    {"status:count=1:route=result:code=502"},
    {"status:count=1:route=result:code=408"},
    {"reset-after-acceptance:count=1", 1, errc::ambiguous_submit},
    {"error-500-after-acceptance:count=1", 1, errc::ambiguous_submit},
    {"no-request-id:count=1", 1, errc::ambiguous_submit},
    {"stall:count=1:route=submit", 1, errc::ambiguous_submit},
    {"stall:count=1:route=result"},
    {"slow-body:count=1:ms=200:route=submit"},
    {"slow-body:count=1:ms=200:route=result"},
    {"truncated-body:count=1:route=submit", 1, errc::ambiguous_submit},
    {"truncated-body:count=1:route=result"},
    {"reset-mid-body:count=1:route=submit", 1, errc::ambiguous_submit},
    {"reset-mid-body:count=1:route=result"},
    {"bad-json:count=1:route=submit", 1, errc::ambiguous_submit},
    {"bad-json:count=1:route=result"},
    {"bad-http:count=1:route=submit", 1, errc::ambiguous_submit},
    {"bad-http:count=1:route=result"},
    {"empty-200:count=1:route=submit", 1, errc::ambiguous_submit},
    {"empty-200:count=1:route=result"},
    {"null-200:count=1:route=submit", 1, errc::ambiguous_submit},
    {"null-200:count=1:route=result"},
    {"empty-object-200:count=1:route=submit", 1, errc::ambiguous_submit},
    {"empty-object-200:count=1:route=result"},
    {"huge-header:count=1:route=submit", 1, errc::ambiguous_submit},
    {"huge-header:count=1:route=result", 1, errc::header_too_large},
    {"huge-body:count=1:bytes=4000000:route=submit", 1, errc::ambiguous_submit},
    {"huge-body:count=1:bytes=4000000:route=result", 1, errc::body_too_large},
    {"close-keep-alive:count=2:route=submit"},
    {"close-keep-alive:count=2:route=result"},
    {"close-delimited:count=1:route=submit"},
    {"close-delimited:count=1:route=result"},
    {"gzip-unasked:count=1:route=submit"},
    {"gzip-unasked:count=1:route=result"},
    {"chunked-trailers:count=1:route=submit"},
    {"chunked-trailers:count=1:route=result"},
    {"continue-100:count=1:route=submit"},
    {"continue-100:count=1:route=result"},
    {"another-job:count=3"},
    {"endless-pending:count=1", 1, errc::still_processing},
    {"terminal-before-filled:count=1:polls=2"},
    {"empty-result:count=1"},
    {"job-failed:count=1", 1, errc::job_failed},
    {"job-failed:count=1:word=cancelled", 1, errc::job_failed},
    {"document-failed:count=1"},
    {"unknown-status:count=1:polls=2"},
    {"total-doc-zero:count=1:polls=2"},
    {"not-found-young:count=1:polls=2"},
    {"lost-404:count=1", 1, errc::job_lost},
    {"gone-410:count=1", 1, errc::job_expired},
};

/// Of the text that the emulator finds in a document.
std::string first_line_of(std::string const& bytes)
{
    return fmt::format("document {:016x}", emulator::key_of(sha256(bytes)));
}

/// Short times throughout: what a fault leads to does not depend on them, how long the test takes does.
client_options hurried(std::string const& base_url)
{
    using std::chrono::milliseconds;
    client_options o;
    o.endpoint.base_url = base_url;
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("test-key");
    o.schedule = std::make_shared<fixed_poll_schedule>(milliseconds(10), milliseconds(20));
    o.retry.base = milliseconds(40);
    o.retry.throttled_base = milliseconds(40);
    o.retry.cap = milliseconds(200);
    o.retry.max_attempts = 10;
    o.timeouts.first_byte = o.timeouts.submit = milliseconds(500);
    o.limits.max_answer_bytes = 1'000'000;
    o.profile.settle_time = milliseconds(100);
    o.profile.lost_time = milliseconds(60);
    o.job_deadline = milliseconds(4'000);
    o.seed = 1;
    return o;
}

} // namespace

TEST_CASE("faults: each one by name -> it happened, the caller sees what the decision tables say, nothing is "
          "paid twice")
{
    for (row const& r : rows) {
        CAPTURE(r.fault);
        emulator::emulator_options o;
        o.latency = emulator::parse_latency("fixed:5ms").value();
        o.faults.push_back(emulator::parse_fault(r.fault).value());
        emulator::emulator service(o);

        asio::io_context ioc(1);
        client c(ioc, hurried(service.base_url()));
        std::map<std::string, int> outcomes;
        for (int i = 0; i != documents; ++i) {
            std::string const name = "document-" + std::to_string(i) + ".pdf";
            std::string const bytes = "%PDF-1.4 " + std::string(2000, 'x') + name;
            std::string const own = first_line_of(bytes);
            c.async_recognize(
                submit_request(document::from_bytes(bytes, name), "INVOICE"),
                [&, own](result<ocr_result> got) {
                    if (got && !got->empty()) CHECK(got->raw().find(own) != std::string::npos);
                    ++outcomes[got ? "recognized"
                                   : std::string(ocrpipe::name(static_cast<errc>(got.error().code.value())))];
                    if (!got) MESSAGE(std::string(r.fault), ": ", to_string(got.error()));
                });
        }
        ioc.run();

        std::map<std::string, int> expected;
        if (r.failed > 0) expected[std::string(name(r.failure))] = r.failed;
        expected["recognized"] = documents - r.failed;
        CHECK(outcomes == expected);
        CHECK(service.all_faults_happened());
        CHECK(service.truth().most_accepted() <= 1);
        CHECK(service.truth().accepted() <= documents);
    }
}

TEST_CASE("faults: a connection that is reset on accept -> recognized or ambiguous, by how far the request "
          "got, never accepted twice")
{
    emulator::emulator_options o;
    o.latency = emulator::parse_latency("fixed:5ms").value();
    o.faults.push_back(emulator::parse_fault("reset-on-accept:count=2").value());
    emulator::emulator service(o);
    asio::io_context ioc(1);
    client c(ioc, hurried(service.base_url()));
    int ended = 0;
    for (int i = 0; i != documents; ++i)
        c.async_recognize(
            submit_request(document::from_bytes("%PDF-1.4 " + std::to_string(i), "a.pdf"), "INVOICE"),
            [&](result<ocr_result> got) {
                ++ended;
                if (!got) CHECK(got.error().is(errc::ambiguous_submit));
            });
    ioc.run();
    CHECK(ended == documents);
    CHECK(service.all_faults_happened());
    CHECK(service.truth().most_accepted() <= 1);
}

TEST_CASE(
    "faults: a part that is absent -> part_absent after the settle window, and the document keeps its result")
{
    emulator::emulator_options o;
    o.latency = emulator::parse_latency("fixed:5ms").value();
    o.faults.push_back(emulator::parse_fault("part-absent:count=1").value());
    emulator::emulator service(o);
    asio::io_context ioc(1);
    client c(ioc, hurried(service.base_url()));
    std::optional<failure> f;
    c.async_recognize(
        submit_request(document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE"), [&](result<ocr_result> got) {
            REQUIRE(got.has_value());
            REQUIRE(got->documents().size() == 1);
            c.async_table(got->request_id(), got->documents()[0].id, [&](result<part_data> part) {
                REQUIRE_FALSE(part.has_value());
                f = part.error();
            });
        });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::part_absent));
    CHECK_FALSE(f->request_id.empty());
    CHECK(service.all_faults_happened());
}

TEST_CASE("faults: the tests above cover the emulator's whole catalogue")
{
    std::set<std::string_view> tested{"reset-on-accept", "part-absent"};
    for (row const& r : rows)
        tested.insert(r.fault.substr(0, r.fault.find(':')));
    for (emulator::fault_info const& f : emulator::fault_catalogue())
        CHECK_MESSAGE(tested.count(f.name) == 1, std::string(f.name));
}
