#include "metrics_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe::cli;

namespace
{

bool has_line(std::string const& text, std::string const& line)
{
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("metrics_text: counts of the report -> samples with the same numbers")
{
    std::string const text = metrics_text(R"({
        "version": "0.1.0", "kind": "run", "source_exhausted": true, "done": 7, "failed": 2, "unfinished": 1, "not_sent": 0,
        "repeated": 3, "done_now": 6, "bytes": 12345, "started_at": "1970-01-01T00:00:02.500Z",
        "failed_by_class": {"rejected": 2}, "paid": {"accepted": 8, "in_doubt": 1, "possible_duplicates": 0},
        "now": {"in_flight": 4, "backlog": 1, "documents_per_second": null}, "eta": null,
        "http_statuses": {"submit": {"201": 8, "429": 1}, "result": {"connection_closed": 5}},
        "limits": {"limiting": {"service": 4.5}, "pauses": {"outage": {"count": 1, "seconds": 2.5}}}})");
    CHECK(has_line(text, R"(ocrpipe_build_info{version="0.1.0",kind="run"} 1)"));
    CHECK(has_line(text, "ocrpipe_start_time_seconds 2.5"));
    CHECK(has_line(text, R"(ocrpipe_documents{state="done"} 7)"));
    CHECK(has_line(text, R"(ocrpipe_documents{state="failed"} 2)"));
    CHECK(has_line(text, R"(ocrpipe_documents{state="repeated"} 3)"));
    CHECK(has_line(text, "ocrpipe_source_exhausted 1"));
    CHECK(has_line(text, "ocrpipe_documents_accepted_total 8"));
    CHECK(has_line(text, "ocrpipe_documents_done_total 6"));
    CHECK(has_line(text, R"(ocrpipe_failed_documents{class="rejected"} 2)"));
    CHECK(has_line(text, "ocrpipe_in_flight 4"));
    CHECK(has_line(text, "ocrpipe_submitted_bytes_total 12345"));
    CHECK(has_line(text, R"(ocrpipe_requests_total{operation="submit",status="201"} 8)"));
    CHECK(has_line(text, R"(ocrpipe_requests_total{operation="result",status="connection_closed"} 5)"));
    CHECK(has_line(text, R"(ocrpipe_limited_seconds_total{limit="service"} 4.5)"));
    CHECK(has_line(text, R"(ocrpipe_paused_seconds_total{reason="outage"} 2.5)"));
    CHECK(has_line(text, "# TYPE ocrpipe_requests_total counter"));
    CHECK(has_line(text, "# TYPE ocrpipe_backlog gauge"));
}

TEST_CASE("metrics_text: a histogram -> cumulative buckets whose last one is the count")
{
    std::string const text = metrics_text(R"({"latency": {"submit": {"count": 6, "mean": 0.5,
        "buckets": [[0, 0.0001, 1], [0.0099, 0.01, 2], [0.0999, 0.1009, 1], [90000, 90900, 2]]}}})");
    std::string const name = "ocrpipe_request_duration_seconds";
    CHECK(has_line(text, "# TYPE " + name + " histogram"));
    CHECK(has_line(text, name + R"(_count{operation="submit"} 6)"));
    CHECK(has_line(text, name + R"(_sum{operation="submit"} 3)"));
    CHECK(has_line(text, name + R"(_bucket{operation="submit",le="0.001"} 1)"));
    CHECK(has_line(text, name + R"(_bucket{operation="submit",le="0.01"} 3)"));
    CHECK(has_line(text, name + R"(_bucket{operation="submit",le="0.25"} 4)"));
    CHECK(has_line(text, name + R"(_bucket{operation="submit",le="86400"} 4)"));
    CHECK(has_line(text, name + R"(_bucket{operation="submit",le="+Inf"} 6)"));
}

TEST_CASE("metrics_text: members that the report does not have -> left out, without a heading")
{
    std::string const text =
        metrics_text(R"({"version": "0.1.0", "now": 3, "latency": [], "eta": {"seconds": "soon"}})");
    CHECK(text.find("ocrpipe_build_info") != text.npos);
    for (char const* absent :
         {"ocrpipe_in_flight", "ocrpipe_request_duration", "ocrpipe_remaining", "ocrpipe_documents"})
        CHECK_MESSAGE(text.find(absent) == text.npos, absent);
}

TEST_CASE("metrics_text: text that is no report -> nothing")
{
    CHECK(metrics_text("").empty());
    CHECK(metrics_text("[1]").empty());
    CHECK(metrics_text("{").empty());
}
