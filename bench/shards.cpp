// What threads cost and bring: documents a second through clients whose transport answers from memory, so
// that only the client itself is measured. One client on one thread, without and with a strand; then a client
// for each thread, with limits of their own and with shared limits. Wall time counts only if the cores are
// free, which the clients with limits of their own show; compare CPU seconds otherwise.

#include <ocrpipe/client.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{

using namespace ocrpipe;

class memory_transport final : public transport
{
public:
    task<exchange_result> send(http_request request) override
    {
        // As a socket would: the answer comes later.
        auto const ex = co_await asio::this_coro::executor;
        co_await asio::post(ex, asio::use_awaitable);
        http_response r;
        r.status = 200;
        r.content_type = "application/json";
        r.body = request.method() == http_method::post
                     ? R"({"data":{"request_id":"r-1"}})"
                     : R"({"data":{"status":"COMPLETED","progress":{"total_doc":1,"ignored":0,"finished":1},)"
                       R"("documents":[{"document_id":"d","status":"SUCCESS","ocr_data":[{"name":"a",)"
                       R"("value":["1"]}]}]}})";
        co_return r;
    }
    void close() override {}
};

double cpu_seconds()
{
    std::timespec t;
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// A client that has 32 documents in progress until all are done.
class load
{
public:
    load(asio::io_context& ioc, client_options o, std::size_t documents)
        : client_(ioc, std::move(o), std::make_unique<memory_transport>()), left_(documents)
    {
        for (int i = 0; i != 32; ++i)
            next();
    }
    std::size_t done() const noexcept { return done_; }

private:
    void next()
    {
        if (left_ == 0) return;
        --left_;
        client_.async_submit(submit_request(document::from_bytes(bytes_, "a.pdf"), "A"),
                             [this](result<submitted_job> job) {
                                 client_.async_wait(job.value().request_id, [this](result<ocr_result> r) {
                                     if (r) ++done_;
                                     next();
                                 });
                             });
    }

    client client_;
    std::shared_ptr<std::string const> bytes_ = std::make_shared<std::string>("%PDF-1.4 x");
    std::size_t left_;
    std::size_t done_ = 0;
};

struct measured {
    double documents_a_second;
    double cpu_microseconds;
};

measured run(std::size_t threads, client_options const& o, std::size_t documents)
{
    auto const began = std::chrono::steady_clock::now();
    double const cpu = cpu_seconds();
    std::vector<std::size_t> done(threads);
    {
        std::vector<std::jthread> all;
        for (std::size_t i = 0; i != threads; ++i)
            all.emplace_back([&, i] {
                asio::io_context ioc(1);
                load l(ioc, o, documents);
                ioc.run();
                done[i] = l.done();
            });
    }
    for (std::size_t const d : done)
        if (d != documents) throw std::runtime_error("documents are missing");
    double const n = static_cast<double>(threads * documents);
    std::chrono::duration<double> const wall = std::chrono::steady_clock::now() - began;
    return {n / wall.count(), (cpu_seconds() - cpu) / n * 1e6};
}

} // namespace

int main()
try {
    constexpr std::size_t documents = 30'000;
    client_options o;
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("key");
    client_options single = o;
    single.thread_safe = false;
    client_options shared = single;
    shared.shared = std::make_shared<shared_pace>(shared);

    run(1, single, documents / 10);
    for (int round = 0; round != 3; ++round) {
        measured const one = run(1, single, documents);
        measured const strand = run(1, o, documents);
        measured const apart = run(2, single, documents);
        measured const two = run(2, shared, documents);
        std::printf("one thread %.2f us CPU; on a strand %.2f us (x %.3f); two clients with shared limits "
                    "%.2f us (x %.3f), documents a second x %.2f, with limits of their own x %.2f\n",
                    one.cpu_microseconds, strand.cpu_microseconds,
                    strand.cpu_microseconds / one.cpu_microseconds, two.cpu_microseconds,
                    two.cpu_microseconds / one.cpu_microseconds,
                    two.documents_a_second / one.documents_a_second,
                    apart.documents_a_second / one.documents_a_second);
    }
    return 0;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
