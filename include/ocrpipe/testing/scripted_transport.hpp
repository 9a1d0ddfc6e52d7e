#ifndef OCRPIPE_TESTING_SCRIPTED_TRANSPORT_HPP
#define OCRPIPE_TESTING_SCRIPTED_TRANSPORT_HPP

#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe::testing
{

/// A request as a script sees it.
struct seen_request {
    http_method method;
    enum lane lane;     ///< what kind of request it is
    std::string target; ///< the path
    std::string body;
    std::string traceparent = {}; ///< the header; empty if it is not sent
};

/// A transport that sends nothing. A function gives the answer to each request, and each request is appended
/// to a log.
///
/// Thread safety: the function and the log are used only where the client keeps its state; see client.
class scripted_transport final : public transport
{
public:
    /// Returns the answer to a request: json(), fails() or hold().
    using script = std::function<exchange_result(seen_request const&)>;

    /// `log` must outlive the transport.
    scripted_transport(script s, std::vector<seen_request>& log) : script_(std::move(s)), log_(log) {}

    /// An answer of the service.
    static exchange_result json(int status, std::string body)
    {
        http_response r;
        r.status = status;
        r.content_type = "application/json";
        r.body = std::move(body);
        return r;
    }

    /// No answer: the connection failed. `sent`: how much of the request had been sent by then.
    static exchange_result fails(errc code, bytes_sent sent)
    {
        transport_failure f;
        f.code = code;
        f.sent = sent;
        f.where = sent == bytes_sent::all ? phase::first_byte : phase::connect;
        return f;
    }

    /// There is never an answer: all bytes are sent, and the request ends only when it is cancelled.
    static exchange_result hold() { return fails(errc::ok, bytes_sent::all); }

    task<exchange_result> send(http_request request) override
    {
        co_await asio::this_coro::throw_if_cancelled(false);
        seen_request seen{request.method(), request.lane(), request.target, {}};
        if (request.trace) seen.traceparent = request.trace->traceparent();
        asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
        if (request.body) {
            seen.body.resize(request.body->size());
            error_code ec;
            std::size_t read = 0;
            while (read != seen.body.size() && !ec) {
                std::size_t const n = co_await request.body->fetch(std::span(seen.body).subspan(read), ec);
                if (n == 0) break;
                read += n;
            }
            bool const whole = read == seen.body.size() && !ec;
            if (!whole && state.cancelled() != asio::cancellation_type::none)
                co_return fails(errc::cancelled, bytes_sent::some);
            if (!whole) co_return body_failure(*request.body, ec, bytes_sent::some);
        }
        log_.push_back(seen);
        exchange_result answer = script_(seen);
        if (answer || answer.error().code) co_return answer;
        auto const executor = co_await asio::this_coro::executor;
        detail::timer never(executor, clock::time_point::max());
        error_code ec;
        co_await never.async_wait(asio::redirect_error(detail::use_task, ec));
        co_return fails(errc::cancelled, bytes_sent::all);
    }

    void close() override { closed = true; }

    bool closed = false;

private:
    script script_;
    std::vector<seen_request>& log_;
};

} // namespace ocrpipe::testing

#endif
