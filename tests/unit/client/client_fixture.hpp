#ifndef TESTS_UNIT_CLIENT_CLIENT_FIXTURE_HPP
#define TESTS_UNIT_CLIENT_CLIENT_FIXTURE_HPP

#include <ocrpipe/client.hpp>
#include <ocrpipe/testing/scripted_transport.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace client_tests
{

using namespace ocrpipe;
using testing::seen_request;
using t = testing::scripted_transport;

inline std::string const accepted = R"({"data":{"request_id":"r-1","file_ids":["f-1"]}})";
inline std::string const pending =
    R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";
inline std::string const finished =
    R"({"data":{"status":"COMPLETED","progress":{"total_doc":1,"ignored":0,"finished":1},"documents":[)"
    R"({"document_id":"d-1","status":"SUCCESS","ocr_data":[{"name":"total","value":["12"]}]}]}})";

/// A schedule that never waits, so that a test's time is its number of polls.
class at_once final : public poll_schedule
{
public:
    std::chrono::milliseconds next_delay(poll_context const&, double) const override
    {
        return std::chrono::milliseconds(0);
    }
};

inline client_options quick()
{
    client_options o;
    o.endpoint.portal_user_id = "1";
    o.endpoint.api_key = secret("key");
    o.schedule = std::make_shared<at_once>();
    o.retry.base = o.retry.throttled_base = o.retry.cap = std::chrono::milliseconds(1);
    o.seed = 7;
    return o;
}

inline submit_request invoice() { return submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "INVOICE"); }

struct fixture {
    asio::io_context ioc{1};
    std::vector<seen_request> log;

    client make(t::script script, client_options o = quick())
    {
        return client(ioc, std::move(o), std::make_unique<t>(std::move(script), log));
    }

    std::size_t posts() const
    {
        return static_cast<std::size_t>(std::count_if(
            log.begin(), log.end(), [](seen_request const& r) { return r.method == http_method::post; }));
    }
};

} // namespace client_tests

#endif
