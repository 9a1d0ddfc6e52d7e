#ifndef OCRPIPE_TESTS_SUPPORT_SCRIPTED_TRANSPORT_HPP
#define OCRPIPE_TESTS_SUPPORT_SCRIPTED_TRANSPORT_HPP

#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

/// An exchange as the script sees it.
struct seen_request {
    ocrpipe::http_method method;
    enum ocrpipe::lane lane;
    std::string target;
    std::string body;
};

/// Answers each request from a function; what it was asked is kept. An answer of `hold()` never comes: it
/// ends by cancellation, with all bytes sent.
class scripted_transport final : public ocrpipe::transport
{
public:
    using script = std::function<ocrpipe::exchange_result(seen_request const&)>;

    scripted_transport(script s, std::vector<seen_request>& log) : script_(std::move(s)), log_(log) {}

    static ocrpipe::exchange_result json(int status, std::string body)
    {
        ocrpipe::http_response r;
        r.status = status;
        r.content_type = "application/json";
        r.body = std::move(body);
        return r;
    }

    static ocrpipe::exchange_result fails(ocrpipe::errc code, ocrpipe::bytes_sent sent)
    {
        ocrpipe::transport_failure f;
        f.code = code;
        f.sent = sent;
        f.where = sent == ocrpipe::bytes_sent::all ? ocrpipe::phase::first_byte : ocrpipe::phase::connect;
        return f;
    }

    static ocrpipe::exchange_result hold() { return fails(ocrpipe::errc::ok, ocrpipe::bytes_sent::all); }

    ocrpipe::task<ocrpipe::exchange_result> send(ocrpipe::http_request request) override
    {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        seen_request seen{request.method(), request.lane(), request.target, {}};
        if (request.body) {
            seen.body.resize(request.body->size());
            ocrpipe::error_code ec;
            std::size_t read = 0;
            while (std::size_t const n = request.body->read(std::span(seen.body).subspan(read), ec))
                read += n;
            seen.body.resize(read);
            if (ec) co_return fails(ocrpipe::errc::file_changed, ocrpipe::bytes_sent::some);
        }
        log_.push_back(seen);
        ocrpipe::exchange_result answer = script_(seen);
        if (answer || answer.error().code) co_return answer;
        auto const executor = co_await boost::asio::this_coro::executor;
        boost::asio::steady_timer never(executor, ocrpipe::clock::time_point::max());
        ocrpipe::error_code ec;
        co_await never.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
        co_return fails(ocrpipe::errc::cancelled, ocrpipe::bytes_sent::all);
    }

    void close() override { closed = true; }

    bool closed = false;

private:
    script script_;
    std::vector<seen_request>& log_;
};

#endif
