// What a user's first program does, without a server: a client over a transport of the user's own.
#include <ocrpipe/client.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdio>

std::string_view version_seen_by_the_other_unit();

class canned_transport final : public ocrpipe::transport
{
public:
    ocrpipe::task<ocrpipe::exchange_result> send(ocrpipe::http_request) override
    {
        ocrpipe::http_response answer;
        answer.status = 201;
        answer.content_type = "application/json";
        answer.body = R"({"data":{"request_id":"r-1"}})";
        ocrpipe::exchange_result const outcome(answer);
        co_return outcome;
    }
    void close() override {}
};

int main()
{
    boost::asio::io_context ioc(1);
    ocrpipe::client_options options;
    options.endpoint.portal_user_id = "1";
    options.endpoint.api_key = ocrpipe::secret("key");
    ocrpipe::client client(ioc, options, std::make_unique<canned_transport>());

    std::string request_id;
    ocrpipe::submit_request const request(ocrpipe::document::from_bytes("%PDF-1.4", "a.pdf"), "INVOICE");
    client.async_submit(request, [&](ocrpipe::result<ocrpipe::submitted_job> job) {
        if (job)
            request_id = job->request_id;
        else
            std::puts(to_string(job.error()).c_str());
    });
    ioc.run();
    std::printf("ocrpipe %s: %s\n", std::string(version_seen_by_the_other_unit()).c_str(),
                request_id.c_str());
    return request_id == "r-1" && !version_seen_by_the_other_unit().empty() ? 0 : 1;
}
