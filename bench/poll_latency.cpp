// How long a result takes while nothing else happens, and while large documents go up on every submit
// connection of the same client. Prints the quantiles of both as JSON.
//
// --documents: reads in each half. --size: bytes of the large documents.

#include <ocrpipe/client.hpp>

#include "client_arguments.hpp"

#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace
{

using clock_type = std::chrono::steady_clock;

class run
{
public:
    run(boost::asio::io_context& ioc, bench::client_arguments const& a)
        : args_(a), client_(ioc, options_for(a))
    {
        // A result needs the id of a submit.
        client_.async_submit(document(0), [this](ocrpipe::result<ocrpipe::submitted_job> job) {
            request_id_ = std::move(job.value().request_id);
            read();
        });
    }

    void report()
    {
        std::printf("{\"uploads\":%zu,", uploads_);
        print("alone", alone_);
        std::printf(",");
        print("beside_uploads", beside_);
        std::printf("}\n");
    }

private:
    static ocrpipe::client_options options_for(bench::client_arguments const& a)
    {
        ocrpipe::client_options o;
        o.thread_safe = false;
        o.endpoint.base_url = a.url;
        o.endpoint.portal_user_id = bench::portal_user_id;
        o.endpoint.api_key = ocrpipe::secret(std::string(bench::api_key));
        o.pool.submit_connections = a.connections;
        o.pool.max_connects_per_second = 0;
        return o;
    }

    ocrpipe::submit_request document(std::size_t i) const
    {
        return ocrpipe::submit_request(ocrpipe::document::from_file(bench::file_path(args_, i)), "INVOICE");
    }

    /// One read after another: each is timed by itself.
    void read()
    {
        if (beside_.size() == args_.documents) return client_.close();
        bool const uploading = alone_.size() == args_.documents;
        if (uploading && beside_.empty())
            for (std::size_t i = 0; i != args_.connections; ++i)
                upload();
        auto const start = clock_type::now();
        client_.async_result(request_id_, [this, start, uploading](ocrpipe::result<ocrpipe::ocr_result> r) {
            (void)r.value();
            (uploading ? beside_ : alone_).push_back(clock_type::now() - start);
            read();
        });
    }

    void upload()
    {
        client_.async_submit(document(uploads_), [this](ocrpipe::result<ocrpipe::submitted_job> job) {
            if (beside_.size() == args_.documents) return;
            (void)job.value();
            ++uploads_;
            upload();
        });
    }

    static void print(char const* name, std::vector<clock_type::duration>& times)
    {
        std::sort(times.begin(), times.end());
        auto const at = [&times](std::size_t thousandth) {
            return std::chrono::duration<double, std::micro>(times[(times.size() - 1) * thousandth / 1000])
                .count();
        };
        std::printf("\"%s\":{\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f}", name, at(500), at(900),
                    at(990));
    }

    bench::client_arguments const args_;
    ocrpipe::client client_;
    std::string request_id_;
    std::vector<clock_type::duration> alone_;
    std::vector<clock_type::duration> beside_;
    std::size_t uploads_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    try {
        boost::asio::io_context ioc(1);
        run r(ioc, bench::parse_client_arguments(argc, argv));
        ioc.run();
        r.report();
    } catch (std::exception const& e) {
        std::cerr << "poll_latency: " << e.what() << '\n';
        return 1;
    }
}
