// A client of the emulator, observed: exchanges, connections and traces on a real connection.
#include <ocrpipe/client.hpp>
#include <ocrpipe/metrics.hpp>

#include "emulator/emulator.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

using namespace ocrpipe;
using std::chrono::milliseconds;

TEST_CASE("client_metrics: documents through the emulator -> what it served is what was counted")
{
    constexpr std::uint64_t documents = 8;
    emulator::emulator_options o;
    o.latency = emulator::parse_latency("fixed:30ms").value();
    emulator::emulator service(o);

    auto const metrics = std::make_shared<client_metrics>();
    client_options c;
    c.endpoint.base_url = service.base_url();
    c.endpoint.portal_user_id = "1";
    c.endpoint.api_key = secret("test-key");
    c.schedule = std::make_shared<fixed_poll_schedule>(milliseconds(10), milliseconds(10));
    c.observer = metrics;
    std::uint64_t recognized = 0;
    auto const span = trace_context::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    asio::io_context ioc(1);
    client_statistics counted;
    {
        client all(ioc, c);
        for (std::uint64_t i = 0; i != documents; ++i) {
            submit_request request(document::from_bytes("%PDF-1.4 " + std::to_string(i), "a.pdf"), "INVOICE");
            request.trace = std::make_shared<trace_context const>(*span);
            all.async_recognize(std::move(request),
                                [&](result<ocr_result> r) { recognized += r.has_value() ? 1 : 0; });
        }
        ioc.run();
        counted = all.statistics();
    }
    ioc.restart();
    ioc.run(); // the client closes its connections
    CHECK(recognized == documents);

    metrics_snapshot const m = metrics->snapshot();
    operation_metrics const& submits = m.of(operation::submit);
    operation_metrics const& polls = m.of(operation::result);
    CHECK(submits.latency.count() == service.counters().submits);
    CHECK(submits.wait.count() == documents);
    CHECK(polls.latency.count() == service.counters().polls);
    CHECK(polls.not_yet == polls.latency.count() - documents);
    CHECK(polls.not_yet == counted.pending_answers);
    CHECK(polls.statuses.at(200) == counted.polls);
    CHECK(m.connections.opened == service.counters().connections);
    CHECK(m.connections.connect.count() == m.connections.opened);
    CHECK(m.connections.tls.empty());
    CHECK(m.connections.reused == service.counters().requests - m.connections.opened);
    CHECK(m.connections.closed[static_cast<std::size_t>(close_reason::shutdown)] == m.connections.opened);
    CHECK(m.connections.open == 0);
    CHECK(prometheus_text(m).find("ocrpipe_requests_total{operation=\"result\",status=\"200\"} " +
                                  std::to_string(counted.polls) + '\n') != std::string::npos);
}
