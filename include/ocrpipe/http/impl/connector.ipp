#ifndef OCRPIPE_HTTP_IMPL_CONNECTOR_IPP
#define OCRPIPE_HTTP_IMPL_CONNECTOR_IPP

#include <ocrpipe/http/connector.hpp>
#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/exchange.hpp>
#include <ocrpipe/http/request_head.hpp>

#include <fmt/format.h>

#include <deque>

namespace ocrpipe
{
namespace detail
{

/// RFC 8305, section 8: recommended "Connection Attempt Delay".
inline constexpr std::chrono::milliseconds connect_stagger{250};

/// Concurrent connection attempts. Shared with their handlers, which may run after the race is over.
struct connect_race {
    explicit connect_race(executor const& ex) : next_attempt(ex) {}

    void close_losers() noexcept
    {
        error_code ignored;
        over = true;
        for (tcp_socket& s : sockets)
            if (&s != winner) s.close(ignored);
    }

    timer next_attempt;
    std::deque<tcp_socket> sockets; ///< a deque: their addresses must not change
    std::size_t running = 0;
    tcp_socket* winner = nullptr;
    error_code last_error;
    bool over = false;
};

/// Ends the race when its coroutine ends for any reason.
class race_end
{
public:
    explicit race_end(connect_race& race) noexcept : race_(race) {}
    race_end(race_end const&) = delete;
    race_end& operator=(race_end const&) = delete;
    ~race_end() { race_.close_losers(); }

private:
    connect_race& race_;
};

inline void start_attempt(std::shared_ptr<connect_race> const& race, executor const& ex,
                          tcp::endpoint const& to)
{
    tcp_socket& s = race->sockets.emplace_back(ex);
    error_code ec;
    s.open(to.protocol(), ec);
    if (ec) {
        race->last_error = ec;
        return;
    }
    ++race->running;
    s.async_connect(to, [race, &s](error_code why) {
        --race->running;
        if (race->over) return;
        if (why)
            race->last_error = why;
        else if (race->winner == nullptr)
            race->winner = &s;
        race->next_attempt.cancel();
    });
}

OCRPIPE_DECL task<std::optional<tcp_socket>> async_connect_any(executor const& ex,
                                                               std::span<tcp::endpoint const> to,
                                                               clock::time_point deadline, error_code& ec)
{
    auto const race = std::make_shared<connect_race>(ex);
    race_end const end(*race);
    std::optional<tcp_socket> connected;
    ec = {};
    while (race->winner == nullptr) {
        if (!to.empty()) {
            start_attempt(race, ex, to.front());
            to = to.subspan(1);
        }
        if (race->running == 0) {
            if (!to.empty()) continue;
            ec = race->last_error;
            co_return connected;
        }
        clock::time_point const next = later(clock::now(), connect_stagger);
        race->next_attempt.expires_at(to.empty() ? deadline : std::min(deadline, next));
        co_await race->next_attempt.async_wait(await_into(ec));
        ec = {};
        if (is_cancelled(co_await asio::this_coro::cancellation_state))
            ec = asio::error::operation_aborted;
        else if (race->winner == nullptr && clock::now() >= deadline)
            ec = asio::error::timed_out;
        if (ec) {
            race->winner = nullptr;
            co_return connected;
        }
    }
    connected.emplace(std::move(*race->winner));
    co_return connected;
}

OCRPIPE_DECL connector::connector(executor const& ex, watchdog& dog, shared_io& shared, origin to,
                                  std::optional<proxy_server> proxy, std::unique_ptr<tls_context> tls,
                                  http_options const& options)
    : executor_(ex)
    , dog_(dog)
    , shared_(shared)
    , to_(std::move(to))
    , proxy_(std::move(proxy))
    , tls_(std::move(tls))
    , timeouts_(options.timeouts)
    , limits_(options.limits)
    , resolver_(ex, options.resolver)
{
}

/// Translates an error while opening a connection; nothing of the request was sent.
inline transport_failure opening_failure(error_code ec, errc timeout, errc otherwise, phase where,
                                         clock::time_point deadline, std::string const& detail)
{
    errc code = otherwise;
    if (ec == asio::error::timed_out)
        code = timeout_code(timeout, clock::now(), deadline);
    else if (ec == asio::error::operation_aborted)
        code = errc::cancelled;
    return transport_failure(code, where, bytes_sent::none, detail, code == otherwise ? ec : error_code());
}

OCRPIPE_DECL task<std::unique_ptr<connection>>
connector::async_open(clock::time_point deadline, connection_event& course, transport_failure& failure)
{
    origin const& hop = proxy_ ? proxy_->at : to_;
    std::string const where = hop.host_and_port();
    std::unique_ptr<connection> c;
    error_code ec;
    error_code cause;

    course.began = clock::now();
    clock::time_point until = std::min(deadline, later(course.began, timeouts_.resolve));
    endpoints const addresses = co_await resolver_.async_resolve(hop.host, hop.port, until, cause, ec);
    if (ec) {
        failure =
            opening_failure(ec, errc::resolve_failed, errc::resolve_failed, phase::resolve, deadline, where);
        failure.cause = ec == asio::error::timed_out ? ec : cause;
        co_return c;
    }

    course.resolved = clock::now();
    until = std::min(deadline, later(course.resolved, timeouts_.connect));
    std::optional<tcp_socket> socket = co_await async_connect_any(executor_, addresses, until, ec);
    if (!socket) {
        failure =
            opening_failure(ec, errc::connect_timeout, errc::connect_failed, phase::connect, deadline, where);
        co_return c;
    }
    course.connected = clock::now();
    // Before the handshake: a resumed handshake would wait 40 ms for a delayed ACK.
    socket->set_option(tcp::no_delay(true), ec);
    socket->non_blocking(true, ec);
    c = std::make_unique<connection>(std::move(*socket), dog_, shared_);

    if (proxy_ && to_.tls) {
        if (co_await async_tunnel(*c, deadline, failure))
            course.tunnelled = clock::now();
        else
            c.reset();
    }
    if (c && to_.tls) {
        if (co_await async_handshake(*c, deadline, failure))
            course.secured = clock::now();
        else
            c.reset();
    }
    co_return c;
}

OCRPIPE_DECL task<bool> connector::async_tunnel(connection& c, clock::time_point deadline,
                                                transport_failure& failure)
{
    timeout_options timeouts = timeouts_;
    timeouts.write_stall = timeouts.first_byte = timeouts.read_stall = timeouts.answer = timeouts_.connect;
    answer_limits limits;
    limits.max_header = limits_.max_header_bytes;
    limits.to_connect = true;
    answer_reader& answer = c.answer();
    pooled_buffer request(shared_);
    request->append(connect_head(to_, proxy_->authorization));
    exchange connect(c, shared_, limits, timeouts, deadline);
    bool const answered = co_await connect.run(request, nullptr, failure);
    std::string const at = "proxy " + proxy_->at.host_and_port();
    failure.where = phase::connect;
    failure.sent = bytes_sent::none; // refers to the request, not to the CONNECT
    if (!answered) {
        bool const slow = failure.code == errc::first_byte_timeout || failure.code == errc::read_timeout ||
                          failure.code == errc::write_timeout;
        if (slow)
            failure.code = errc::connect_timeout;
        else if (is_transport(failure.code))
            failure.code = errc::proxy_refused;
        failure.detail = failure.detail.empty() ? at : at + ": " + failure.detail;
        co_return false;
    }
    int const status = answer.response().status;
    if (status / 100 == 2 && !answer.surplus()) co_return true;
    std::string const what =
        status / 100 == 2 ? "it sent data before TLS began" : fmt::format("it answered {}", status);
    failure = transport_failure(errc::proxy_refused, phase::connect, bytes_sent::none, at + ": " + what);
    failure.status = status;
    co_return false;
}

OCRPIPE_DECL task<bool> connector::async_handshake(connection& c, clock::time_point deadline,
                                                   transport_failure& failure)
{
    tls_session& session = c.start_tls(*tls_, to_.host);
    byte_buffer out;
    error_code ec;
    c.set_deadline(std::min(deadline, later(clock::now(), timeouts_.tls)));
    for (bool done = false; !done;) {
        error_code refused;
        done = session.handshake(out, refused);
        // Session tickets may have arrived with the last handshake bytes; read them now because the receive
        // buffer is shared.
        if (done && session.read(shared_.plain(), out, refused) != 0)
            refused = make_error_code(errc::tls_failed);                  // data before any request
        for (std::string_view wire = out.view(); !wire.empty() && !ec;) { // an alert is sent too
            wire.remove_prefix(c.send(wire, ec));
            if (ec == asio::error::would_block) co_await c.async_wait_writable(ec);
        }
        out.clear();
        if (refused) {
            bool const ours = refused.category() == category();
            failure = transport_failure(ours ? refused : make_error_code(errc::tls_failed), phase::tls,
                                        bytes_sent::none, session.detail(), ours ? error_code() : refused);
            co_return false;
        }
        if (!ec && !done) {
            co_await c.async_wait_readable(ec);
            if (!ec) session.feed(c.receive_raw(ec));
            if (ec == asio::error::would_block) ec = {};
        }
        if (ec) {
            failure = opening_failure(ec, errc::tls_timeout, errc::tls_failed, phase::tls, deadline,
                                      to_.host_and_port());
            co_return false;
        }
    }
    c.clear_deadline();
    co_return true;
}

} // namespace detail
} // namespace ocrpipe

#endif
