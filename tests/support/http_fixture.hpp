#ifndef OCRPIPE_TESTS_SUPPORT_HTTP_FIXTURE_HPP
#define OCRPIPE_TESTS_SUPPORT_HTTP_FIXTURE_HPP

#include <ocrpipe/http/http_transport.hpp>

#include "support/run_coro.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

/// A body held in memory that counts how it is used, and can change or fail on the way.
class test_body final : public ocrpipe::body_source
{
public:
    explicit test_body(std::string bytes) : bytes_(std::move(bytes)) {}

    std::uint64_t size() const noexcept override { return bytes_.size(); }

    std::size_t read(std::span<char> out, ocrpipe::error_code& ec) override
    {
        ec = {};
        if (at_ >= fail_at) {
            ec = failure;
            return 0;
        }
        std::size_t const n = std::min(out.size(), bytes_.size() - at_);
        bytes_.copy(out.data(), n, at_);
        at_ += n;
        return n;
    }

    void rewind() override
    {
        at_ = 0;
        ++rewinds;
    }

    std::size_t fail_at = static_cast<std::size_t>(-1);
    ocrpipe::error_code failure;
    int rewinds = 0;

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

/// Lets everything that is ready run, until `condition` holds.
template<class Condition>
ocrpipe::task<void> until(Condition condition)
{
    auto const executor = co_await boost::asio::this_coro::executor;
    while (!condition())
        co_await boost::asio::post(executor, ocrpipe::detail::use_task);
}

/// Lets everything that is ready run, `n` times.
inline ocrpipe::task<void> turns(int n)
{
    auto const executor = co_await boost::asio::this_coro::executor;
    for (int i = 0; i < n; ++i)
        co_await boost::asio::post(executor, ocrpipe::detail::use_task);
}

/// A transport and the server it talks to, in one io_context.
class http_fixture
{
public:
    explicit http_fixture(scripted_server::script script) : server(ioc, std::move(script)) { prepare(); }
    http_fixture(scripted_server::script script, test_identity const& id) : server(ioc, std::move(script), id)
    {
        prepare();
    }

    /// Makes the transport of `options`, runs `body`, and stops everything.
    void run(std::function<ocrpipe::task<void>()> const& body)
    {
        auto made = ocrpipe::http_transport::make(ioc.get_executor(), options);
        REQUIRE_MESSAGE(made.has_value(), (made.has_error() ? made.error().reason : std::string()));
        transport = std::move(*made);
        run_coro(ioc, [&]() -> ocrpipe::task<void> {
            std::exception_ptr thrown;
            try {
                co_await body();
            } catch (...) {
                thrown = std::current_exception();
            }
            server.stop();
            transport->close();
            if (also_stop) also_stop();
            if (thrown) std::rethrow_exception(thrown);
        });
        transport.reset();
    }

    ocrpipe::task<ocrpipe::exchange_result> get(std::string target = "ingest/1",
                                                enum ocrpipe::lane l = ocrpipe::lane::poll)
    {
        return transport->send(ocrpipe::http_request(l, ocrpipe::http_method::get, std::move(target)));
    }

    ocrpipe::task<ocrpipe::exchange_result> post(ocrpipe::body_source& body)
    {
        ocrpipe::http_request request(ocrpipe::lane::submit, ocrpipe::http_method::post, "ingest");
        request.content_type = "application/octet-stream";
        request.body = &body;
        return transport->send(std::move(request));
    }

    /// run() with one GET or POST as its body.
    ocrpipe::exchange_result run_get()
    {
        ocrpipe::exchange_result r;
        run([&]() -> ocrpipe::task<void> { r = co_await get(); });
        return r;
    }
    ocrpipe::exchange_result run_post(ocrpipe::body_source& body)
    {
        ocrpipe::exchange_result r;
        run([&]() -> ocrpipe::task<void> { r = co_await post(body); });
        return r;
    }

    /// Waits until the scripts of `n` connections are over: the client has closed them, if the scripts wait
    /// for that.
    ocrpipe::task<void> async_closed(int n)
    {
        auto const closed = [this, n] { return server.closed() == n; };
        co_await until(closed);
    }

    boost::asio::io_context ioc{1};
    scripted_server server;
    ocrpipe::http_options options;
    std::unique_ptr<ocrpipe::http_transport> transport;
    std::function<void()> also_stop; ///< called at the end of run(), whether the test failed or not

private:
    void prepare()
    {
        options.endpoint.base_url = server.url();
        options.endpoint.portal_user_id = "42";
        options.endpoint.api_key = ocrpipe::secret("top-secret");
    }
};

/// An exchange that runs beside its test, and can be cancelled.
class background_exchange
{
public:
    background_exchange(http_fixture& f, ocrpipe::task<ocrpipe::exchange_result> exchange)
    {
        boost::asio::co_spawn(f.ioc, std::move(exchange),
                              boost::asio::bind_cancellation_slot(
                                  signal_.slot(), [this](std::exception_ptr e, ocrpipe::exchange_result r) {
                                      thrown_ = e;
                                      result_ = std::move(r);
                                      if (on_done) on_done();
                                  }));
    }

    void cancel() { signal_.emit(boost::asio::cancellation_type::terminal); }
    bool done() const { return result_.has_value(); }
    ocrpipe::task<void> async_done()
    {
        auto const is_done = [this] { return done(); };
        co_await until(is_done);
    }
    ocrpipe::exchange_result& result()
    {
        if (thrown_) std::rethrow_exception(thrown_);
        return result_.value();
    }

    std::function<void()> on_done;

private:
    boost::asio::cancellation_signal signal_;
    std::optional<ocrpipe::exchange_result> result_;
    std::exception_ptr thrown_;
};

/// The failure of an exchange that must fail.
inline ocrpipe::transport_failure failure_of(ocrpipe::exchange_result const& r)
{
    REQUIRE(r.has_error());
    return r.error();
}

inline std::string answer(std::string const& body = "ok", std::string const& fields = {},
                          std::string const& status = "200 OK")
{
    return "HTTP/1.1 " + status + "\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

/// Answers every request of a connection in the same way.
inline scripted_server::script always(std::string bytes)
{
    return [bytes = std::move(bytes)](scripted_peer& p) -> ocrpipe::task<void> {
        for (;;) {
            std::string const request = co_await p.read_request();
            if (p.ended()) co_return;
            co_await p.write(bytes);
        }
    };
}

/// Reads a request, writes `bytes`, and waits for the client to go.
inline scripted_server::script once(std::string bytes)
{
    return [bytes = std::move(bytes)](scripted_peer& p) -> ocrpipe::task<void> {
        co_await p.read_request();
        co_await p.write(bytes);
        co_await p.until_closed();
    };
}

/// Reads a request, writes `bytes`, and closes.
inline scripted_server::script once_and_close(std::string bytes)
{
    return [bytes = std::move(bytes)](scripted_peer& p) -> ocrpipe::task<void> {
        co_await p.read_request();
        co_await p.write(bytes);
    };
}

#endif
