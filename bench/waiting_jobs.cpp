// What waiting costs, without a network: a client over a transport that always says "not yet", with as many
// jobs waiting as asked for, polled at a steady rate. Prints memory a job and CPU a poll as JSON.
//
// waiting_jobs JOBS POLLS: when so many polls were answered it is over.

#include <ocrpipe/client.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace
{

using namespace ocrpipe;

class pending_transport final : public transport
{
public:
    task<exchange_result> send(http_request) override
    {
        ++polls;
        http_response r;
        r.status = 200;
        r.content_type = "application/json";
        r.body = R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";
        co_return exchange_result(std::move(r));
    }
    void close() override {}

    std::size_t polls = 0;
};

std::size_t resident_bytes()
{
    std::size_t pages = 0;
    std::size_t resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds()
{
    ::rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    auto const seconds = [](::timeval const& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(u.ru_utime) + seconds(u.ru_stime);
}

void run(std::size_t jobs, std::size_t polls)
{
    asio::io_context ioc(1);
    client_options options;
    options.thread_safe = false;
    options.endpoint.base_url = "http://127.0.0.1";
    options.endpoint.portal_user_id = "bench";
    options.endpoint.api_key = secret("bench-key");
    options.job_deadline = std::chrono::hours(24);
    // The same number of polls a second however many jobs wait: about 50,000.
    auto const interval = std::chrono::milliseconds(jobs / 50 + 1);
    options.schedule = std::make_shared<fixed_poll_schedule>(interval, interval * 3 / 2);
    auto owned = std::make_unique<pending_transport>();
    pending_transport& answers = *owned;
    client c(ioc, std::move(options), std::move(owned));

    std::size_t const before = resident_bytes();
    for (std::size_t i = 0; i != jobs; ++i) {
        wait_request w("req-0000000000000-" + std::to_string(10'000'000 + i));
        w.just_submitted = true;
        c.async_wait(std::move(w), [](result<ocr_result>) {});
        ioc.poll();
        ioc.restart();
    }
    std::size_t const held = resident_bytes() - before;

    std::size_t const from = answers.polls;
    double const start = cpu_seconds();
    while (answers.polls - from < polls)
        ioc.run_one();
    double const used = cpu_seconds() - start;
    double const counted = static_cast<double>(answers.polls - from);
    if (c.statistics().waiting_jobs != jobs) throw std::runtime_error("jobs were lost");
    std::printf(
        "{\"jobs\":%zu,\"resident_mb\":%.1f,\"bytes_a_job\":%.0f,\"polls\":%.0f,\"cpu_us_a_poll\":%.3f}\n",
        jobs, static_cast<double>(resident_bytes()) / 1e6,
        static_cast<double>(held) / static_cast<double>(jobs), counted, 1e6 * used / counted);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 3) {
        std::cerr << "usage: waiting_jobs JOBS POLLS\n";
        return 2;
    }
    try {
        run(std::stoull(argv[1]), std::stoull(argv[2]));
    } catch (std::exception const& e) {
        std::cerr << "waiting_jobs: " << e.what() << '\n';
        return 1;
    }
}
