#ifndef OCRPIPE_TESTS_COMPONENT_ROW_SERVICE_HPP
#define OCRPIPE_TESTS_COMPONENT_ROW_SERVICE_HPP

#include "support/scripted_server.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

/// What the service does with one request.
struct reply {
    std::string bytes; ///< sent as they are
    enum { keep, close, reset, hold } then = keep;
    bool early = false; ///< given before the request's body is read
    bool kept = false;  ///< the service may have the document from now on
};

inline std::string const json_field = "Content-Type: application/json\r\n";

inline reply says(int status, std::string const& body = {}, std::string const& fields = json_field)
{
    std::string head = "HTTP/1.1 " + std::to_string(status) + " X\r\n" + fields;
    if (status != 204 && status != 304) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    reply r;
    r.bytes = head + "\r\n" + body;
    return r;
}

inline reply html(int status = 200)
{
    return says(status, "<html><body>hello</body></html>", "Content-Type: text/html\r\n");
}

/// The request is read, and the connection reset.
inline reply lost()
{
    reply r;
    r.then = reply::reset;
    return r;
}

/// The request is read, and nothing comes.
inline reply silent()
{
    reply r;
    r.then = reply::hold;
    return r;
}

/// The answer without its last bytes.
inline reply cut(reply r)
{
    r.bytes.resize(r.bytes.size() - 3);
    r.then = reply::close;
    return r;
}

inline reply early(reply r)
{
    r.early = true;
    return r;
}

inline reply kept(reply r)
{
    r.kept = true;
    return r;
}

/// The service of one row of a decision table, over a real socket: it gives the planned answers, one a
/// request, and keeps account. Requests for the job `other` are outside the plan: the first read finds it
/// done, later ones find it pending.
class row_service
{
public:
    row_service(boost::asio::io_context& ioc, std::vector<reply> plan, bool last_repeats)
        : plan_(std::move(plan))
        , last_repeats_(last_repeats)
        , server_(ioc, [this](scripted_peer& p) { return serve(p); })
    {
    }

    std::string url() const { return server_.url(); }
    void stop() { server_.stop(); }

    std::size_t planned() const noexcept { return plan_.size(); }
    std::size_t given = 0; ///< answers of the plan
    int unplanned = 0;     ///< requests after the last planned answer
    int posts = 0;         ///< submits that arrived
    int kept = 0;          ///< of them, those whose document the service may have
    int after_kept = 0;    ///< submits that came although the service might have the document already

private:
    ocrpipe::task<void> serve(scripted_peer& p)
    {
        for (;;) {
            bool const before_body = given < plan_.size() && plan_[given].early;
            std::string request;
            if (before_body)
                request = co_await p.read_head();
            else
                request = co_await p.read_request();
            if (request.empty()) co_return;
            reply const r = next(request);
            if (!r.bytes.empty()) co_await p.write(r.bytes);
            if (r.early) co_await p.until_closed();
            if (r.then == reply::hold) co_await p.hold();
            if (r.then == reply::reset) p.reset();
            if (r.early || r.then != reply::keep) co_return;
        }
    }

    reply next(std::string const& request)
    {
        if (request.find("/ingest/other HTTP") != std::string::npos)
            return says(200, others_++ == 0 ? done : pending);
        if (given >= plan_.size() && !last_repeats_) {
            ++unplanned;
            return lost();
        }
        reply const r = plan_[std::min(given, plan_.size() - 1)];
        ++given;
        if (request.starts_with("POST ")) {
            ++posts;
            after_kept += kept > 0;
            kept += r.kept;
        }
        return r;
    }

    static constexpr char const* done =
        R"({"data":{"status":"DONE","documents":[{"ocr_data":[{"name":"a","value":["1"]}]}]}})";
    static constexpr char const* pending =
        R"({"data":{"progress":{"total_doc":1,"ignored":0,"finished":0},"documents":[]}})";

    std::vector<reply> plan_;
    bool last_repeats_;
    int others_ = 0;
    scripted_server server_;
};

#endif
