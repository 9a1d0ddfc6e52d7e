// What the steps of a document cost by themselves. Each benchmark checks what it did.

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/job/job_table.hpp>
#include <ocrpipe/pace/gcra.hpp>

#include <array>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// A finished result of about 2 KB.
std::string const& result_body()
{
    static std::string const body = [] {
        std::string b =
            R"({"data":{"request_id":"req-0000000000000-00000001","status":"SUCCESS",)"
            R"("progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[{"document_id":"d-1",)"
            R"("document_type":"INVOICE","status":"SUCCESS","is_correct_classification":true,"ocr_data":[)";
        for (int i = 1; b.size() < 1900; ++i)
            b +=
                std::string(i == 1 ? "" : ",") + R"({"name":"line_item_)" + std::to_string(i) +
                R"(","value":[{"name":"line_item","extracted_value":"part no. 1234, grey","extracted_prob":0.98,)"
                R"("coordinates":[120,340,980,370]}]})";
        return b + R"(],"schema":{"table":[]}}]}})";
    }();
    return body;
}

std::string const pending_body =
    R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";

exchange_result answer_of(int status, std::string body)
{
    http_response r;
    r.status = status;
    r.content_type = "application/json";
    r.body = std::move(body);
    return r;
}

void multipart(benchmark::State& state)
{
    auto const size = static_cast<std::size_t>(state.range(0));
    std::string bytes = "%PDF-1.4\n" + std::string(size, 'x');
    submit_request const request(document::from_bytes(std::move(bytes), "document.pdf"), "INVOICE");
    std::vector<char> out(256 * 1024);
    std::uint64_t seed = 0;
    std::uint64_t sent = 0;
    std::uint64_t expected = 0;
    for (auto _ : state) {
        result<multipart_body> body = multipart_body::make(request, {}, ++seed);
        error_code ec;
        expected += body->size();
        while (std::size_t const n = body->read(out, ec))
            sent += n;
        benchmark::DoNotOptimize(out.data());
    }
    if (sent != expected || sent == 0) state.SkipWithError("the bodies are not whole");
    state.SetBytesProcessed(static_cast<std::int64_t>(sent));
}
BENCHMARK(multipart)->Arg(20 * 1024)->Arg(5'000'000);

void classify_submit(benchmark::State& state)
{
    exchange_result const answer = answer_of(201, R"({"data":{"request_id":"req-0000000000000-00000001"}})");
    bool right = true;
    for (auto _ : state) {
        submitted_job job;
        right &= read_submit(answer, default_profile(), job).what == submit_verdict::accepted;
        benchmark::DoNotOptimize(job);
    }
    if (!right) state.SkipWithError("not accepted");
}
BENCHMARK(classify_submit);

void classify_result(benchmark::State& state, std::string const& body, result_verdict expected)
{
    exchange_result const answer = answer_of(200, body);
    bool right = true;
    for (auto _ : state) {
        result_history history;
        right &= read_result(answer, history, default_profile(), "req-0000000000000-00000001", true,
                             clock::time_point(1h))
                     .what == expected;
    }
    if (!right) state.SkipWithError("another verdict");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
}
BENCHMARK_CAPTURE(classify_result, done_2kb, result_body(), result_verdict::done);
BENCHMARK_CAPTURE(classify_result, pending, pending_body, result_verdict::pending);

void body_facts_2kb(benchmark::State& state)
{
    int documents = 0;
    for (auto _ : state)
        documents += read_body_facts(result_body(), default_profile()).filled_documents;
    if (documents != state.iterations()) state.SkipWithError("not one document each");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * result_body().size()));
}
BENCHMARK(body_facts_2kb);

/// The size of a waiting job's record, its handler and strings' heads included.
struct record {
    std::array<std::byte, 192> bytes;
};

/// In a table of that many waiting jobs, the one that is due is taken out and scheduled again.
void poll_heap_reschedule(benchmark::State& state)
{
    job_table<record> table;
    std::uint64_t x = 42;
    auto const delay = [&x] {
        x = x * 6364136223846793005u + 1442695040888963407u;
        return std::chrono::microseconds(2'000'000 + (x >> 33) % 3'000'000);
    };
    clock::time_point now(1h);
    for (std::int64_t i = 0; i != state.range(0); ++i)
        table.schedule(table.emplace(), now + delay());
    bool in_order = true;
    for (auto _ : state) {
        clock::time_point const due = *table.next_due();
        in_order &= due >= now;
        now = due;
        table.schedule(*table.pop_due(now), now + delay());
    }
    if (!in_order || table.scheduled() != static_cast<std::size_t>(state.range(0)))
        state.SkipWithError("the heap is wrong");
}
BENCHMARK(poll_heap_reschedule)->Arg(1'000)->Arg(20'000)->Arg(1'000'000);

/// A job's whole stay: added, scheduled, due, gone.
void job_table_cycle(benchmark::State& state)
{
    job_table<record> table;
    clock::time_point now(1h);
    for (int i = 0; i != 1000; ++i)
        table.schedule(table.emplace(), now += 1ms);
    for (auto _ : state) {
        table.schedule(table.emplace(), now += 1ms);
        table.erase(*table.pop_due(now));
    }
    if (table.size() != 1000) state.SkipWithError("jobs were lost");
}
BENCHMARK(job_table_cycle);

void gcra_reserve(benchmark::State& state)
{
    gcra limiter(1'000'000);
    clock::time_point now(1h);
    clock::time_point last = now;
    for (auto _ : state)
        last = limiter.reserve(now += 1us);
    if (last < now) state.SkipWithError("a place in the past");
    benchmark::DoNotOptimize(last);
}
BENCHMARK(gcra_reserve);

void results_line(benchmark::State& state)
{
    result_record r;
    r.id = "document-000001";
    r.path = "/data/scans/2024/document-000001.pdf";
    r.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    r.request_id = "req-0000000000000-00000001";
    r.status = "done";
    r.times.submitted_at = std::chrono::system_clock::time_point(490'000h);
    r.times.finished_at = *r.times.submitted_at + 2s;
    r.attempts = 1;
    r.polls = 1;
    r.result_json = result_body();
    std::string out;
    for (auto _ : state) {
        out.clear();
        append_result_line(out, r);
        benchmark::DoNotOptimize(out.data());
    }
    if (out.find(result_body()) == out.npos || out.back() != '\n')
        state.SkipWithError("the line is not whole");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * out.size()));
}
BENCHMARK(results_line);

} // namespace

BENCHMARK_MAIN();
