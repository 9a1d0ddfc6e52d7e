#include "client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace client_tests;

TEST_CASE_FIXTURE(
    fixture, "saturation: as many documents as are allowed -> one more is refused at once, with the bound "
             "and a time to try again")
{
    client_options o = quick();
    o.saturation.max_documents = 2;
    client c = make([](seen_request const&) { return t::hold(); }, o);
    int held_back = 0;
    for (int i = 0; i != 2; ++i)
        c.async_submit(invoice(), [&](result<submitted_job>) { ++held_back; });
    std::optional<failure> refused;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { refused = r.error(); });
    while (!refused && ioc.run_one() != 0) {
    }
    REQUIRE(refused.has_value());
    CHECK(refused->is(errc::saturated));
    CHECK(refused->retry_after >= std::chrono::seconds(1));
    CHECK(refused->reason == "2 documents are held, and saturation.max_documents is 2");
    CHECK(c.statistics().held_documents == 2);
    CHECK(c.statistics().held_bytes == 20);
    CHECK(c.statistics().estimated_wait >= std::chrono::seconds(1));
    c.close();
    ioc.run();
    CHECK(held_back == 2);
    CHECK(c.statistics().held_documents == 0);
    CHECK(c.statistics().held_bytes == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "saturation: more bytes than are allowed -> refused, but one large document is not")
{
    client_options o = quick();
    o.saturation.max_bytes = 15;
    client c = make([](seen_request const&) { return t::json(201, accepted); }, o);
    std::vector<bool> good;
    std::string reason;
    auto const note = [&](result<submitted_job> r) {
        good.push_back(r.has_value());
        if (!r) reason = r.error().reason;
    };
    c.async_submit(invoice(), note);
    c.async_submit(invoice(), note);
    ioc.run();
    CHECK(std::count(good.begin(), good.end(), true) == 1);
    CHECK(reason == "10 bytes are held, 10 more were given, and saturation.max_bytes is 15");
    submit_request const large(document::from_bytes("%PDF-1.4 " + std::string(100, 'x'), "a.pdf"), "INVOICE");
    c.async_submit(large, note);
    ioc.restart();
    ioc.run();
    CHECK(good.back());
}

TEST_CASE_FIXTURE(fixture, "client: recognize, accepted and waiting for its result -> it holds no document")
{
    client_options o = quick();
    o.saturation.max_documents = 1;
    client c = make(
        [](seen_request const& r) {
            return r.method == http_method::post ? t::json(201, accepted) : t::hold();
        },
        o);
    c.async_recognize(invoice(), [](result<ocr_result>) {});
    while (c.statistics().polls == 0 && ioc.run_one() != 0) {
    }
    CHECK(c.statistics().held_documents == 0);
}

TEST_CASE_FIXTURE(fixture,
                  "client: recognize behind max_in_flight until its deadline -> deadline_exceeded that "
                  "names the bound, and nothing is sent")
{
    client_options o = quick();
    o.rates.max_in_flight = 1;
    client c = make(
        [](seen_request const& r) {
            return r.method == http_method::post ? t::json(201, accepted) : t::hold();
        },
        o);
    c.async_recognize(invoice(), [](result<ocr_result>) {});
    submit_request second = invoice();
    second.deadline = std::chrono::milliseconds(20);
    std::optional<failure> f;
    c.async_recognize(second, [&](result<ocr_result> r) { f = r.error(); });
    while (!f && ioc.run_one() != 0) {
    }
    REQUIRE(f.has_value());
    CHECK(f->is(errc::deadline_exceeded));
    CHECK(f->reason.find("rates.max_in_flight") != std::string::npos);
    CHECK(posts() == 1);
}

TEST_CASE_FIXTURE(fixture, "client: recognize, the deadline passes after the acceptance -> still_processing "
                           "with the request_id")
{
    client c = make([](seen_request const& r) {
        return t::json(r.method == http_method::post ? 201 : 200,
                       r.method == http_method::post ? accepted : pending);
    });
    submit_request request = invoice();
    request.deadline = std::chrono::milliseconds(50);
    std::optional<failure> f;
    c.async_recognize(request, [&](result<ocr_result> r) { f = r.error(); });
    ioc.run();
    REQUIRE(f.has_value());
    CHECK(f->is(errc::still_processing));
    CHECK(f->request_id == "r-1");
}

TEST_CASE_FIXTURE(fixture,
                  "client: recognize, cancelled while it waits for its result -> the hook already has "
                  "the request_id and the file_ids")
{
    client c = make([](seen_request const& r) {
        return r.method == http_method::post ? t::json(201, accepted) : t::hold();
    });
    std::optional<submitted_job> kept;
    submit_hooks hooks;
    hooks.accepted = [&](submitted_job const& job) -> task<void> {
        kept = job;
        co_return;
    };
    asio::cancellation_signal stop;
    bool ended = false;
    c.async_recognize(invoice(), std::move(hooks),
                      asio::bind_cancellation_slot(stop.slot(), [&](result<ocr_result> r) {
                          ended = true;
                          CHECK(r.error().is(errc::cancelled));
                      }));
    while (c.statistics().polls == 0 && ioc.run_one() != 0) {
    }
    stop.emit(asio::cancellation_type::all);
    ioc.run();
    CHECK(ended);
    REQUIRE(kept.has_value());
    CHECK(kept->request_id == "r-1");
    CHECK(kept->file_ids == std::vector<std::string>{"f-1"});
}
