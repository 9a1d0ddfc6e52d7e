// Our library as a program would use it: a client over pooled connections on one thread, jobs waiting in its
// table, no ledger.
//
// --url may name several servers, with commas between them: each gets a client and a thread of its own, on a
// core of its own, all documents, and a results file with its number behind the name.

#include <ocrpipe/bulk/output/results_writer.hpp>
#include <ocrpipe/client.hpp>
#include <ocrpipe/pace/poll_schedule.hpp>

#include "client_arguments.hpp"
#include "results_file.hpp"

#include <cstdio>
#include <iostream>
#include <memory>
#include <sched.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace
{

class run
{
public:
    run(boost::asio::io_context& ioc, bench::client_arguments const& a)
        : args_(a), client_(ioc, options_for(a)), results_(a.out)
    {
        // One document stands ready behind each that is being sent.
        for (std::size_t i = 0; i != 2 * submit_share(a); ++i)
            submit_next();
    }

    void report()
    {
        results_.flush();
        ocrpipe::client_statistics const s = client_.statistics();
        std::printf("{\"documents\":%zu,\"pending_answers\":%llu}\n", results_.count(),
                    static_cast<unsigned long long>(s.pending_answers));
    }

private:
    /// Half of the connections each for submits and polls, so that there are as many as every other client
    /// has.
    static std::size_t submit_share(bench::client_arguments const& a) { return (a.connections + 1) / 2; }

    static ocrpipe::client_options options_for(bench::client_arguments const& a)
    {
        ocrpipe::client_options o;
        o.thread_safe = false;
        o.endpoint.base_url = a.url;
        o.endpoint.portal_user_id = bench::portal_user_id;
        o.endpoint.api_key = ocrpipe::secret(std::string(bench::api_key));
        o.tls.ca_file = a.ca;
        o.pool.submit_connections = submit_share(a);
        o.pool.poll_connections = std::max<std::size_t>(1, a.connections / 2);
        // The others open their connections at once too.
        o.pool.max_connects_per_second = 0;
        o.rates.submits_per_second = a.rate;
        o.rates.polls_per_second = a.rate;
        o.schedule = std::make_shared<ocrpipe::fixed_poll_schedule>(a.processing, a.processing);
        return o;
    }

    void submit_next()
    {
        if (submitted_ == args_.documents) return;
        std::size_t const document = submitted_++;
        client_.async_submit(ocrpipe::submit_request(
                                 ocrpipe::document::from_file(bench::file_path(args_, document)), "INVOICE"),
                             [this, document](ocrpipe::result<ocrpipe::submitted_job> job) {
                                 submit_next();
                                 wait_for(document, std::move(job.value()));
                             });
    }

    void wait_for(std::size_t document, ocrpipe::submitted_job job)
    {
        ocrpipe::wait_request wait(std::move(job.request_id));
        wait.document_bytes = args_.size;
        wait.just_submitted = true;
        client_.async_wait(std::move(wait), [this, document](ocrpipe::result<ocrpipe::ocr_result> r) {
            write(document, r.value());
        });
    }

    void write(std::size_t document, ocrpipe::ocr_result const& r)
    {
        std::string const id = std::to_string(document);
        ocrpipe::result_record line;
        line.id = id;
        line.request_id = r.request_id();
        line.status = "done";
        line.polls = r.reads();
        line.result_json = r.raw();
        ocrpipe::append_result_line(results_.line(), line);
        results_.appended();
    }

    bench::client_arguments const args_;
    ocrpipe::client client_;
    bench::results_file results_;
    std::size_t submitted_ = 0;
};

void run_alone(bench::client_arguments const& a)
{
    boost::asio::io_context ioc(1);
    run r(ioc, a);
    ioc.run();
    r.report();
}

void pin_to(std::size_t number)
{
    cpu_set_t allowed;
    CPU_ZERO(&allowed);
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw std::runtime_error("sched_getaffinity");
    for (int core = 0; core != CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed) || number-- != 0) continue;
        CPU_ZERO(&allowed);
        CPU_SET(core, &allowed);
        if (::sched_setaffinity(0, sizeof allowed, &allowed) == 0) return;
    }
    throw std::runtime_error("a thread has no core of its own");
}

void run_beside_each_other(bench::client_arguments a)
{
    std::string const urls = std::exchange(a.url, {}) + ',';
    std::string const out = a.out;
    std::vector<std::jthread> threads;
    for (std::size_t from = 0, end; (end = urls.find(',', from)) != urls.npos; from = end + 1) {
        std::size_t const number = threads.size();
        a.url = urls.substr(from, end - from);
        a.out = out + '.' + std::to_string(number);
        threads.emplace_back([a, number] {
            pin_to(number);
            run_alone(a);
        });
    }
}

} // namespace

int main(int argc, char** argv)
{
    try {
        bench::client_arguments const a = bench::parse_client_arguments(argc, argv);
        if (a.url.find(',') == a.url.npos)
            run_alone(a);
        else
            run_beside_each_other(a);
    } catch (std::exception const& e) {
        std::cerr << "engine: " << e.what() << '\n';
        return 1;
    }
}
