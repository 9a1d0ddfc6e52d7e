// What a client learns about the service, or is told by an earlier run.
#include "client_fixture.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

using namespace client_tests;

TEST_CASE_FIXTURE(fixture, "client: a doc_type that an earlier run knew gets 500s -> it is not stopped")
{
    client c = make([&](seen_request const&) { return t::json(500, ""); });
    service_knowledge known;
    known.doc_types = {"INVOICE"};
    c.remember(known);
    int sent = 0;
    std::function<void(int)> const submit = [&](int left) {
        c.async_submit(invoice(), [&, left](result<submitted_job> r) {
            sent += r.error().is(errc::ambiguous_submit);
            if (left > 1) submit(left - 1);
        });
    };
    submit(6);
    ioc.run();
    CHECK(sent == 6);
    CHECK(posts() == 6);
}

TEST_CASE_FIXTURE(fixture,
                  "client: an earlier run has read results -> a gateway's 404 concerns the job alone")
{
    for (bool const known : {false, true}) {
        CAPTURE(known);
        ioc.restart();
        client_options o = quick();
        o.max_auth_refusals = 1;
        client c = make([](seen_request const&) { return t::json(404, "404 page not found"); }, o);
        service_knowledge before;
        before.results_read = known;
        c.remember(before);
        std::optional<failure> f;
        wait_request w("r-1");
        w.deadline = std::chrono::milliseconds(50);
        c.async_wait(w, [&](result<ocr_result> r) { f = r.error(); });
        ioc.run();
        REQUIRE(f);
        CHECK(f->is(errc::wrong_base_url) == !known);
    }
}

TEST_CASE_FIXTURE(fixture,
                  "client: a job that was finished before -> asked once, and what it has is its result")
{
    std::string const empty =
        R"({"data":{"status":"COMPLETED","progress":{"total_doc":1,"finished":1},"documents":[{"ocr_data":null}]}})";
    std::string const three =
        R"({"data":{"progress":{"total_doc":3,"finished":3},"documents":[{"ocr_data":[{"value":["x"]}]}]}})";
    for (auto const& [body, how] :
         {std::pair(empty, completeness::empty), std::pair(three, completeness::in_part),
          std::pair(finished, completeness::whole)}) {
        ioc.restart();
        log.clear();
        client c = make([&](seen_request const&) { return t::json(200, body); });
        wait_request w("r-1");
        w.finished_before = true;
        std::optional<completeness> got;
        c.async_wait(w, [&](result<ocr_result> r) { got = r.value().how_complete(); });
        ioc.run();
        CHECK(got == how);
        CHECK(log.size() == 1);
    }
}

TEST_CASE_FIXTURE(fixture, "client: content comes late -> the settle window of later jobs covers it")
{
    client c = make([&](seen_request const&) { return t::json(200, finished); });
    CHECK(c.statistics().content_delay == std::chrono::seconds(0));
    service_knowledge known;
    known.content_delay = std::chrono::seconds(30);
    c.remember(known);
    known.content_delay = std::chrono::seconds(5);
    c.remember(known);
    CHECK(c.statistics().content_delay == std::chrono::seconds(30));
}
