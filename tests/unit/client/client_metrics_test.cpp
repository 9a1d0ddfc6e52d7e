#include <ocrpipe/metrics.hpp>
#include <ocrpipe/testing/manual_clock.hpp>

#include "client_fixture.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <set>
#include <sstream>
#include <string>

using namespace client_tests;
using namespace std::chrono_literals;

namespace
{

bool has_line(std::string const& text, std::string const& line)
{
    return ('\n' + text).find('\n' + line + '\n') != std::string::npos;
}

} // namespace

TEST_CASE("client_metrics: a document -> latency and wait by operation, statuses, retries and polls")
{
    testing::manual_clock time;
    fixture f;
    auto const metrics = std::make_shared<client_metrics>();
    client_options o = quick();
    o.observer = metrics;
    client c = f.make(
        [&](seen_request const& r) {
            time.advance(r.method == http_method::post ? 40ms : 3ms);
            if (r.method != http_method::post) return t::json(200, f.log.size() == 4 ? finished : pending);
            if (f.log.size() == 2) return t::json(201, accepted);
            return t::fails(errc::connect_failed, bytes_sent::none);
        },
        o);
    bool done = false;
    c.async_recognize(invoice(), [&](result<ocr_result> r) { done = r.has_value(); });
    time.run(f.ioc);
    CHECK(done);
    metrics_snapshot const m = metrics->snapshot();
    operation_metrics const& submit = m.of(operation::submit);
    CHECK(submit.latency.count() == 1);
    CHECK(submit.latency.max() == 40ms);
    CHECK(submit.wait.count() == 1);
    CHECK(submit.retries == 1);
    CHECK(submit.statuses.at(201) == 1);
    CHECK(submit.statuses.at(-static_cast<int>(errc::connect_failed)) == 1);
    CHECK(submit.bytes_up == f.log[1].body.size());
    CHECK(submit.bytes_down == accepted.size());
    operation_metrics const& poll = m.of(operation::result);
    CHECK(poll.latency.count() == 2);
    CHECK(poll.latency.min() == 3ms);
    CHECK(poll.not_yet == 1);
    CHECK(poll.retries == 0);
    CHECK(m.of(operation::table).statuses.empty());
}

TEST_CASE("client_metrics: connections -> how many, why they were closed, and the time of each phase")
{
    client_metrics metrics;
    connection_event e;
    e.began = clock::time_point(1h);
    e.resolved = e.began + 1ms;
    e.connected = e.began + 5ms;
    e.tunnelled = e.began + 8ms;
    e.secured = e.at = e.began + 20ms;
    metrics.on_connection(e);
    e.tunnelled = e.secured = {};
    metrics.on_connection(e);
    e.what = connection_step::reused;
    metrics.on_connection(e);
    e.what = connection_step::failed;
    metrics.on_connection(e);
    e.what = connection_step::closed;
    e.why = close_reason::by_peer;
    metrics.on_connection(e);
    connection_metrics const c = metrics.snapshot().connections;
    CHECK(c.opened == 2);
    CHECK(c.reused == 1);
    CHECK(c.failed == 1);
    CHECK(c.open == 1);
    CHECK(c.closed[static_cast<std::size_t>(close_reason::by_peer)] == 1);
    CHECK(c.resolve.max() == 1ms);
    CHECK(c.connect.max() == 4ms);
    CHECK(c.tls.count() == 1);
    CHECK(c.tls.max() == 12ms);
    for (int i = 0; i != 2; ++i)
        metrics.on_connection(e);
    CHECK(metrics.snapshot().connections.open == 0); // one was opened before the observer was added
}

TEST_CASE("client_metrics: a pause that has not ended -> counted up to now")
{
    testing::manual_clock time;
    client_metrics metrics;
    metrics.on_pause({pause_kind::outage, true, clock::now(), {}});
    time.advance(1500ms);
    CHECK(metrics.snapshot().of(pause_kind::outage).count == 1);
    CHECK(metrics.snapshot().of(pause_kind::outage).total == 1500ms);
    CHECK(metrics.snapshot().of(pause_kind::throttled).count == 0);
}

TEST_CASE("prometheus_text: a snapshot -> counters by operation, and cumulative buckets")
{
    client_metrics metrics;
    exchange_event e;
    e.what = operation::result;
    e.due = clock::time_point(1h);
    for (auto const took : {2ms, 2ms, 700ms, 26h / 1ms * 1ms}) {
        e.status = 200;
        e.sent = e.due + 1ms;
        e.answered = e.sent + took;
        metrics.on_exchange(e);
    }
    e.status = 0;
    e.error = errc::first_byte_timeout;
    e.again_at = e.answered + 1s;
    metrics.on_exchange(e);
    std::string const text = prometheus_text(metrics.snapshot());
    CAPTURE(text);
    CHECK(has_line(text, "# TYPE ocrpipe_requests_total counter"));
    CHECK(has_line(text, "ocrpipe_requests_total{operation=\"result\",status=\"200\"} 4"));
    CHECK(has_line(text, "ocrpipe_requests_total{operation=\"result\",status=\"first_byte_timeout\"} 1"));
    CHECK(has_line(text, "ocrpipe_retries_total{operation=\"result\"} 1"));
    std::string const bucket = "ocrpipe_request_duration_seconds_bucket{operation=\"result\",le=\"";
    CHECK(has_line(text, "# TYPE ocrpipe_request_duration_seconds histogram"));
    CHECK(has_line(text, bucket + "0.001\"} 0"));
    CHECK(has_line(text, bucket + "0.0025\"} 2"));
    CHECK(has_line(text, bucket + "0.5\"} 2"));
    CHECK(has_line(text, bucket + "1\"} 3"));
    CHECK(has_line(text, bucket + "86400\"} 3"));
    CHECK(has_line(text, bucket + "+Inf\"} 4"));
    CHECK(has_line(text, "ocrpipe_request_duration_seconds_count{operation=\"result\"} 4"));
    CHECK(has_line(text, "ocrpipe_connections 0"));
    CHECK(has_line(text, "ocrpipe_connections_closed_total{reason=\"by_peer\"} 0"));
    CHECK(text.find("operation=\"submit\"") == std::string::npos);
}

TEST_CASE("prometheus_text: both texts -> one valid page: each name has one HELP, one TYPE, and its samples")
{
    client_metrics metrics;
    std::istringstream page(prometheus_text(client_statistics()) + prometheus_text(metrics.snapshot()));
    std::set<std::string> families;
    std::string family, line;
    while (std::getline(page, line)) {
        CAPTURE(line);
        if (line.starts_with("# HELP ")) {
            family = line.substr(7, line.find(' ', 7) - 7);
            CHECK(families.insert(family).second);
            std::getline(page, line);
            CHECK(line.starts_with("# TYPE " + family + ' '));
        } else {
            CHECK(line.starts_with(family));
            CHECK(line.find_last_not_of("0123456789.e+-") == line.rfind(' '));
        }
    }
    CHECK(families.contains("ocrpipe_held_documents"));
    CHECK(families.contains("ocrpipe_pauses_total"));
    CHECK_FALSE(families.contains("ocrpipe_requests_total")); // nothing was sent
}
