// How to test a program that uses a client: a scripted transport replaces the service, and the test moves the
// clock, so minutes of polling take no real time.
#include <ocrpipe/testing.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using ocrpipe::testing::scripted_transport;
using ocrpipe::testing::seen_request;

namespace
{

/// The program under test. Calls `done` with the text of a document, or with the reason for its failure.
void total_of(ocrpipe::client& client, ocrpipe::document invoice, std::function<void(std::string)> done)
{
    client.async_recognize(ocrpipe::submit_request(std::move(invoice), "INVOICE"),
                           [done](ocrpipe::result<ocrpipe::ocr_result> answer) {
                               done(answer ? answer->text() : "failed: " + to_string(answer.error()));
                           });
}

} // namespace

int main()
{
    ocrpipe::testing::manual_clock time;
    auto const begin = ocrpipe::clock::now();
    boost::asio::io_context ioc(1);

    // The service needs three minutes.
    std::vector<seen_request> log;
    auto const service = [&](seen_request const& r) {
        if (r.lane == ocrpipe::lane::submit)
            return scripted_transport::json(201, R"({"data":{"request_id":"r-1"}})");
        bool const ready = ocrpipe::clock::now() - begin >= std::chrono::minutes(3);
        return scripted_transport::json(
            200,
            ready
                ? R"({"data":{"status":"COMPLETED","documents":[{"ocr_data":[{"name":"total","value":["12"]}]}]}})"
                : R"({"data":{"status":"RUNNING"}})");
    };
    ocrpipe::client_options options;
    options.endpoint.portal_user_id = "1";
    options.endpoint.api_key = ocrpipe::secret("key");
    ocrpipe::client client(ioc, options, std::make_unique<scripted_transport>(service, log));

    std::string total;
    total_of(client, ocrpipe::document::from_bytes("%PDF-1.4 ...", "invoice.pdf"),
             [&](std::string text) { total = std::move(text); });
    time.run(ioc);

    std::printf("%s after %zu requests\n", total.c_str(), log.size());
    return total.find("12") != total.npos && log.size() > 2 ? 0 : 1;
}
