#ifndef OCRPIPE_TESTS_SUPPORT_SCRIPTED_SERVER_HPP
#define OCRPIPE_TESTS_SUPPORT_SCRIPTED_SERVER_HPP

#include <ocrpipe/transport/transport.hpp>

#include "support/test_certificates.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// One accepted connection, as a script sees it: raw bytes, and no errors but "it ended".
class scripted_peer
{
public:
    using executor = boost::asio::any_io_executor;
    using socket_type = boost::asio::basic_stream_socket<boost::asio::ip::tcp, executor>;
    template<class T>
    using task = ocrpipe::task<T>;

    scripted_peer(boost::asio::io_context& ioc, boost::asio::ssl::context& tls, bool under_tls, int index)
        : stream_(socket_type(ioc), tls), under_tls_(under_tls), index_(index)
    {
    }

    /// The completion token of scripts: an error that they do not look at.
    static auto into(boost::system::error_code& ec)
    {
        return boost::asio::redirect_error(boost::asio::use_awaitable_t<executor>(), ec);
    }

    int index() const noexcept { return index_; }  ///< of the connection, from 0
    bool ended() const noexcept { return ended_; } ///< a read or write failed, or the client closed
    bool resumed() { return ::SSL_session_reused(stream_.native_handle()) == 1; }
    socket_type& socket() { return stream_.next_layer(); }

    /// Up to and including the empty line; empty when the connection ended before.
    task<std::string> read_head()
    {
        std::size_t end = 0;
        while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
            co_await read_more();
            if (ended_) co_return std::string();
        }
        std::string head = pending_.substr(0, end + 4);
        pending_.erase(0, end + 4);
        co_return head;
    }

    /// A head and as much body as its Content-Length says.
    task<std::string> read_request()
    {
        std::string request = co_await read_head();
        auto const field = request.find("Content-Length: ");
        if (field == std::string::npos) co_return request;
        std::size_t const length = std::strtoull(request.c_str() + field + 16, nullptr, 10);
        while (pending_.size() < length && !ended_)
            co_await read_more();
        request += pending_.substr(0, length);
        pending_.erase(0, length);
        co_return request;
    }

    /// What has come, at least a byte unless the connection ended.
    task<std::string> read_available()
    {
        if (pending_.empty()) co_await read_more();
        co_return std::exchange(pending_, std::string());
    }

    /// Reads and drops until the client closes.
    task<void> until_closed()
    {
        while (!ended_) {
            co_await read_more();
            pending_.clear();
        }
    }

    /// Reads nothing, and waits until the connection breaks or the server is stopped.
    task<void> hold()
    {
        boost::system::error_code ec;
        co_await socket().async_wait(socket_type::wait_error, into(ec));
    }

    task<void> write(std::string bytes)
    {
        boost::system::error_code ec;
        if (under_tls_)
            co_await boost::asio::async_write(stream_, boost::asio::buffer(bytes), into(ec));
        else
            co_await boost::asio::async_write(socket(), boost::asio::buffer(bytes), into(ec));
        if (ec) ended_ = true;
    }

    task<bool> handshake()
    {
        boost::system::error_code ec;
        if (under_tls_) co_await stream_.async_handshake(boost::asio::ssl::stream_base::server, into(ec));
        co_return !ec;
    }

    /// Goes on under TLS, as a proxy's tunnel does.
    void begin_tls() noexcept { under_tls_ = true; }

    /// Goes on with new keys, and asks the client for new ones; the request goes out with the next write.
    void update_keys() { ::SSL_key_update(stream_.native_handle(), SSL_KEY_UPDATE_REQUESTED); }

    task<void> say_goodbye()
    {
        boost::system::error_code ec;
        co_await stream_.async_shutdown(into(ec));
    }

    void close()
    {
        boost::system::error_code ignored;
        socket().close(ignored);
    }

    /// Closes with a reset instead of an orderly end.
    void reset()
    {
        boost::system::error_code ignored;
        socket().set_option(boost::asio::socket_base::linger(true, 0), ignored);
        socket().close(ignored);
    }

private:
    task<void> read_more()
    {
        boost::system::error_code ec;
        std::size_t n = 0;
        if (under_tls_)
            n = co_await stream_.async_read_some(boost::asio::buffer(piece_), into(ec));
        else
            n = co_await socket().async_read_some(boost::asio::buffer(piece_), into(ec));
        pending_.append(piece_.data(), n);
        if (ec) ended_ = true;
    }

    boost::asio::ssl::stream<socket_type> stream_;
    std::string pending_;
    std::vector<char> piece_ = std::vector<char>(64 * 1024);
    bool under_tls_;
    bool ended_ = false;
    int index_;
};

/// A server on a free port of 127.0.0.1 that runs a script for each connection. Independent of the code under
/// test: Asio's own sockets and Asio's own TLS.
class scripted_server
{
public:
    using script = std::function<ocrpipe::task<void>(scripted_peer&)>;

    scripted_server(boost::asio::io_context& ioc, script s) : scripted_server(ioc, std::move(s), nullptr) {}
    scripted_server(boost::asio::io_context& ioc, script s, test_identity const& id)
        : scripted_server(ioc, std::move(s), &id)
    {
    }
    scripted_server(scripted_server const&) = delete;
    scripted_server& operator=(scripted_server const&) = delete;
    ~scripted_server() { stop(); }

    std::string port() const { return std::to_string(state_->port); }
    std::string url() const
    {
        return (state_->under_tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + port();
    }
    boost::asio::ip::tcp::endpoint endpoint() const
    {
        return boost::asio::ip::tcp::endpoint(boost::asio::ip::address_v4::loopback(), state_->port);
    }
    int accepted() const noexcept { return state_->accepted; } ///< connections so far
    int closed() const noexcept { return state_->closed; }     ///< of them, those whose script is over
    boost::asio::ssl::context& tls() noexcept { return state_->tls; }

    /// Stops listening and closes every connection.
    void stop()
    {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
        for (auto const& weak : state_->peers)
            if (auto const peer = weak.lock()) peer->close();
        state_->peers.clear();
    }

    void identify(test_identity const& id)
    {
        ::SSL_CTX* const ctx = state_->tls.native_handle();
        ::SSL_CTX_use_certificate(ctx, id.certificate.get());
        ::SSL_CTX_use_PrivateKey(ctx, id.key.get());
        static constexpr unsigned char context_id[] = "scripted";
        ::SSL_CTX_set_session_id_context(ctx, context_id, sizeof context_id);
    }

    /// Stops listening; connections go on.
    void stop_listening()
    {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
    }

private:
    using executor = scripted_peer::executor;

    struct state {
        state(boost::asio::io_context& context, script s, bool tls_on)
            : ioc(context)
            , acceptor(context, {boost::asio::ip::address_v4::loopback(), 0})
            , tls(boost::asio::ssl::context::tls_server)
            , play(std::move(s))
            , under_tls(tls_on)
            , port(acceptor.local_endpoint().port())
        {
        }

        boost::asio::io_context& ioc;
        boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, executor> acceptor;
        boost::asio::ssl::context tls;
        script play;
        bool under_tls;
        std::uint16_t port;
        int accepted = 0;
        int closed = 0;
        std::vector<std::weak_ptr<scripted_peer>> peers;
    };

    scripted_server(boost::asio::io_context& ioc, script s, test_identity const* id)
        : state_(std::make_shared<state>(ioc, std::move(s), id != nullptr))
    {
        if (id != nullptr) identify(*id);
        boost::asio::co_spawn(ioc, accept(state_), boost::asio::detached);
    }

    static ocrpipe::task<void> accept(std::shared_ptr<state> s)
    {
        for (;;) {
            auto peer = std::make_shared<scripted_peer>(s->ioc, s->tls, s->under_tls, s->accepted);
            boost::system::error_code ec;
            co_await s->acceptor.async_accept(
                peer->socket(), boost::asio::redirect_error(boost::asio::use_awaitable_t<executor>(), ec));
            if (ec) co_return;
            ++s->accepted;
            // Else an answer may wait for an acknowledgement of what was sent before, and be dropped when the
            // script resets the connection.
            peer->socket().set_option(boost::asio::ip::tcp::no_delay(true), ec);
            s->peers.push_back(peer);
            boost::asio::co_spawn(s->ioc, serve(s, peer), boost::asio::detached);
        }
    }

    static ocrpipe::task<void> serve(std::shared_ptr<state> s, std::shared_ptr<scripted_peer> peer)
    {
        bool const ready = co_await peer->handshake();
        if (ready) co_await s->play(*peer);
        peer->close();
        ++s->closed;
    }

    std::shared_ptr<state> state_;
};

#endif
