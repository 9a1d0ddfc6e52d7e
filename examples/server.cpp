// An HTTP server that reads its callers' documents.
//
//     server PORT [THREADS [CALLERS [ADDRESS]]]
//     curl --data-binary @invoice.pdf 'http://127.0.0.1:8080/ocr?doc_type=INVOICE'
//
// At most CALLERS documents are in hand, each of at most 20 MiB. One more gets a 503 with Retry-After before
// its body is read. If a caller hangs up, its job is cancelled. SIGTERM ends the server as soon as the
// documents in hand are answered; a second SIGTERM ends it at once.
#include "service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <boost/url.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

namespace
{

using parser_type = http::request_parser<http::string_body>;
using reply_type = http::response<http::string_body>;

constexpr std::size_t most_bytes = 20 * 1024 * 1024; // of a document
constexpr auto patience = 60s;                       // for a header, a body or an answer to pass
constexpr auto longest_job = 5min;                   // from the request to its answer

/// The places for documents in hand. Any thread may call it.
class places
{
public:
    places(std::size_t most, std::function<void()> when_closed_and_empty)
        : most_(most), end_(std::move(when_closed_and_empty))
    {
    }

    bool take()
    {
        std::scoped_lock const lock(mutex_);
        if (closed_ || taken_ == most_) return false;
        ++taken_;
        return true;
    }

    void give_back()
    {
        std::scoped_lock const lock(mutex_);
        if (--taken_ == 0 && closed_) end_();
    }

    void close()
    {
        std::scoped_lock const lock(mutex_);
        closed_ = true;
        if (taken_ == 0) end_();
    }

private:
    std::mutex mutex_;
    std::size_t const most_;
    std::size_t taken_ = 0;
    bool closed_ = false;
    std::function<void()> end_;
};

class taken_place
{
public:
    explicit taken_place(places& p) : places_(p) {}
    ~taken_place() { places_.give_back(); }
    taken_place(taken_place const&) = delete;
    taken_place& operator=(taken_place const&) = delete;

private:
    places& places_;
};

reply_type reply(int status, char const* type, std::string body)
{
    reply_type r(http::int_to_status(unsigned(status)), 11);
    r.set(http::field::content_type, type);
    r.body() = std::move(body);
    return r;
}

reply_type refusal(int status, std::string const& why, std::chrono::seconds retry_after = 0s)
{
    boost::json::object const body{{"error", why}};
    reply_type r = reply(status, "application/json", boost::json::serialize(body) + "\n");
    if (retry_after > 0s) r.set(http::field::retry_after, std::to_string(retry_after.count()));
    return r;
}

reply_type reply_to(ocrpipe::result<ocrpipe::ocr_result> const& answer)
{
    if (answer) {
        boost::json::object const body{{"request_id", answer->request_id()}, {"text", answer->text()}};
        return reply(200, "application/json", boost::json::serialize(body) + "\n");
    }
    ocrpipe::failure const& f = answer.error();
    std::fprintf(stderr, "failed: %s\n", to_string(f).c_str());
    return refusal(advice_on(f).http_status, f.code.message(), f.retry_after);
}

std::string metrics(ocrpipe::client_statistics const& s)
{
    return fmt::format("ocr_submits_total {}\nocr_accepted_total {}\nocr_polls_total {}\n"
                       "ocr_throttled_total {}\nocr_held_documents {}\nocr_held_bytes {}\n"
                       "ocr_waiting_jobs {}\nocr_paused_seconds {}\n",
                       s.submits, s.accepted, s.polls, s.throttled, s.held_documents, s.held_bytes,
                       s.waiting_jobs, double(s.paused_for.count()) / 1000);
}

/// Ends when the caller hangs up. What it sends before that is its next request, and stays in the buffer.
asio::awaitable<void> hang_up(beast::tcp_stream& stream, beast::flat_buffer& buffer)
{
    boost::system::error_code ec;
    std::size_t const n =
        co_await stream.socket().async_read_some(buffer.prepare(4096), redirect_error(use_awaitable, ec));
    buffer.commit(n);
    if (ec) co_return;
    asio::steady_timer never(stream.get_executor(), asio::steady_timer::time_point::max());
    co_await never.async_wait(use_awaitable);
}

/// Submits the document and waits for its result. If it is cancelled, the failure is logged all the same.
asio::awaitable<reply_type> recognize(ocrpipe::client& client, http::request<http::string_body> message)
{
    auto const target = boost::urls::parse_origin_form({message.target().data(), message.target().size()});
    std::string doc_type;
    if (target)
        for (auto const& parameter : target->params())
            if (parameter.key == "doc_type") doc_type = parameter.value;
    ocrpipe::submit_request request(ocrpipe::document::from_bytes(std::move(message.body()), "document"),
                                    doc_type);
    request.deadline = longest_job;
    ocrpipe::submit_hooks hooks; // the job is paid for, whatever happens to the caller or to this process
    hooks.accepted = [](ocrpipe::submitted_job const& job) -> ocrpipe::task<void> {
        std::fprintf(stderr, "accepted: %s\n", job.request_id.c_str());
        co_return;
    };
    auto const answer = co_await client.async_recognize(std::move(request), std::move(hooks), use_awaitable);
    co_return reply_to(answer);
}

asio::awaitable<void> send(beast::tcp_stream& stream, reply_type r, bool keep_alive)
{
    r.keep_alive(keep_alive);
    r.prepare_payload();
    stream.expires_after(patience);
    co_await http::async_write(stream, r, use_awaitable);
}

/// Answers a request whose body was not read. A socket that is closed while data arrive would be reset, and
/// the caller might not see the answer. Therefore, takes a little more before it closes.
asio::awaitable<void> refuse(beast::tcp_stream& stream, reply_type r)
{
    co_await send(stream, std::move(r), false);
    stream.socket().shutdown(tcp::socket::shutdown_send);
    stream.expires_after(2s);
    std::string scrap(65536, '\0');
    while (co_await stream.async_read_some(asio::buffer(scrap), use_awaitable) != 0) {
    }
}

/// One caller's connection.
asio::awaitable<void> serve(tcp::socket socket, ocrpipe::client& client, places& room)
try {
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    for (bool open = true; open;) {
        parser_type parser;
        parser.body_limit(most_bytes);
        boost::system::error_code ec;
        stream.expires_after(patience);
        co_await http::async_read_header(stream, buffer, parser, redirect_error(use_awaitable, ec));
        if (ec == http::error::body_limit) {
            co_await refuse(stream, refusal(413, "the document is too large"));
            co_return;
        }
        if (ec) co_return;
        open = parser.get().keep_alive();
        std::string const path(parser.get().target().substr(0, parser.get().target().find('?')));

        if (path == "/ocr" && parser.get().method() == http::verb::post) {
            auto const wait = std::max(client.statistics().estimated_wait, 1s);
            if (!room.take()) {
                co_await refuse(stream, refusal(503, "too many documents are in hand", wait));
                co_return;
            }
            taken_place const place(room);
            if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
                http::response<http::empty_body> go_on(http::status::continue_, 11);
                co_await http::async_write(stream, go_on, use_awaitable);
            }
            stream.expires_after(patience);
            co_await http::async_read(stream, buffer, parser, use_awaitable);
            stream.expires_never();
            auto outcome = co_await (recognize(client, parser.release()) || hang_up(stream, buffer));
            if (outcome.index() == 1) co_return;
            co_await send(stream, std::move(std::get<0>(outcome)), open);
        } else if (!parser.is_done()) { // its body must not be taken for the next request
            co_await refuse(stream, refusal(404, "only POST /ocr takes a body"));
            co_return;
        } else if (path == "/healthz") {
            co_await send(stream, reply(200, "text/plain", "ok\n"), open);
        } else if (path == "/metrics") {
            co_await send(stream, reply(200, "text/plain; version=0.0.4", metrics(client.statistics())),
                          open);
        } else {
            co_await send(stream, refusal(404, "there are POST /ocr, /healthz and /metrics"), open);
        }
    }
} catch (boost::system::system_error const&) { // the caller is gone or too slow
}

asio::awaitable<void> accept_callers(tcp::acceptor& acceptor, ocrpipe::client& client, places& room)
{
    while (acceptor.is_open()) {
        boost::system::error_code ec;
        asio::any_io_executor const strand = asio::make_strand(acceptor.get_executor());
        tcp::socket socket = co_await acceptor.async_accept(strand, redirect_error(use_awaitable, ec));
        if (!ec) {
            asio::co_spawn(strand, serve(std::move(socket), client, room), asio::detached);
        } else if (acceptor.is_open()) { // there are no more descriptors
            asio::steady_timer pause(acceptor.get_executor(), 100ms);
            co_await pause.async_wait(use_awaitable);
        }
    }
}

} // namespace

int main(int argc, char** argv)
try {
    if (argc < 2 || argc > 5) {
        std::fputs("usage: server PORT [THREADS [CALLERS [ADDRESS]]]\n", stderr);
        return 2;
    }
    auto const port = static_cast<unsigned short>(std::stoul(argv[1])); // 0 means any free one
    int const threads = argc > 2 ? std::max(std::stoi(argv[2]), 1) : 1;
    std::size_t const callers = argc > 3 ? std::stoul(argv[3]) : 100;
    asio::ip::address const address = asio::ip::make_address(argc > 4 ? argv[4] : "127.0.0.1");

    ocrpipe::client_options options = options_from_environment();
    // A longer queue for the submits would only make the callers wait.
    options.saturation.max_documents = 4 * options.pool.submit_connections;
    options.thread_safe = threads > 1;

    asio::io_context ioc(threads);
    places room(callers, [&ioc] { ioc.stop(); });
    ocrpipe::client client(ioc, options);

    asio::any_io_executor const front = asio::make_strand(ioc);
    tcp::acceptor acceptor(front, {address, port});
    asio::signal_set signals(front, SIGTERM, SIGINT);
    signals.async_wait([&](boost::system::error_code const& ec, int) {
        if (ec) return;
        signals.clear();
        acceptor.close();
        room.close();
    });
    asio::co_spawn(front, accept_callers(acceptor, client, room), asio::detached);
    std::printf("listening on http://%s:%d\n", address.to_string().c_str(),
                int(acceptor.local_endpoint().port()));
    std::fflush(stdout);

    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i)
        others.emplace_back([&ioc] { ioc.run(); });
    ioc.run();
    for (std::thread& t : others)
        t.join();
    return 0;
} catch (std::exception const& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 2;
}
