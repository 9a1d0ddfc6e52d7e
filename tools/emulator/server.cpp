// The only unit of the emulator that knows Beast, TLS and sockets.
#include "emulator/server.hpp"

#include <ocrpipe/core/task.hpp>
#include <ocrpipe/core/words.hpp>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace ocrpipe::emulator
{
namespace
{

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

using executor = asio::io_context::executor_type;
using socket_type = asio::basic_stream_socket<tcp, executor>;
using acceptor_type = asio::basic_socket_acceptor<tcp, executor>;
using tls_stream = asio::ssl::stream<socket_type>;
using parser_type = http::request_parser<http::string_body>;

constexpr std::size_t read_buffer = 32 * 1024;
constexpr std::uint32_t header_limit = 64 * 1024;

std::string_view view(boost::string_view s) { return {s.data(), s.size()}; }

/// One connection: requests one after the other until somebody ends it.
template<class Stream>
class session : public std::enable_shared_from_this<session<Stream>>
{
public:
    session(Stream stream, executor ex, service& s, emulator_options const& options)
        : stream_(std::move(stream)), timer_(ex), service_(s), options_(options)
    {
        buffer_.reserve(read_buffer);
    }

    static task<void> run(std::shared_ptr<session> self)
    {
        boost::system::error_code ec;
        if constexpr (is_tls) {
            co_await self->stream_.async_handshake(tls_stream::server,
                                                   asio::redirect_error(detail::use_task, ec));
            if (ec) co_return;
            if (::SSL_session_reused(self->stream_.native_handle()) == 1)
                self->service_.counters().tls_resumed += 1;
        }
        for (;;) {
            bool const open = co_await self->exchange();
            if (!open) break;
        }
    }

private:
    static constexpr bool is_tls = std::is_same_v<Stream, tls_stream>;

    socket_type& socket()
    {
        if constexpr (is_tls)
            return stream_.next_layer();
        else
            return stream_;
    }

    task<void> write(std::string const& bytes, boost::system::error_code& ec)
    {
        co_await asio::async_write(stream_, asio::buffer(bytes), asio::redirect_error(detail::use_task, ec));
    }

    void watch_idle()
    {
        if (options_.idle_limit.count() == 0) return;
        idle_ = true;
        timer_.expires_after(options_.idle_limit);
        timer_.async_wait([self = this->shared_from_this()](boost::system::error_code const& ec) {
            boost::system::error_code ignored;
            if (!ec && self->idle_) self->socket().shutdown(tcp::socket::shutdown_both, ignored);
        });
    }

    /// One request and its answer. False when the connection has ended.
    task<bool> exchange()
    {
        boost::system::error_code ec;
        parser_type parser;
        parser.header_limit(header_limit);
        parser.body_limit(options_.max_body);
        watch_idle();
        co_await http::async_read_header(stream_, buffer_, parser,
                                         asio::redirect_error(detail::use_task, ec));
        if (idle_) timer_.cancel();
        idle_ = false;
        // Beast compares the announced length with the body limit while it reads the header.
        if (ec == http::error::body_limit) {
            reply refusal = service::too_large();
            co_return co_await carry_out(refusal, false);
        }
        if (ec) co_return false;

        auto const& message = parser.get();
        auto early = service_.on_header(view(message.method_string()), view(message.target()));
        if (early) {
            if (early->how == delivery::reset_upload) co_await read_some_of(parser, early->bytes);
            co_return co_await carry_out(*early, false);
        }
        if (detail::same_letters(view(message[http::field::expect]), "100-continue")) {
            std::string const go_on = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await write(go_on, ec);
            if (ec) co_return false;
        }
        co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(detail::use_task, ec));
        if (ec == http::error::body_limit) {
            reply refusal = service::too_large();
            co_return co_await carry_out(refusal, false);
        }
        if (ec) co_return false;

        reply answer = service_.answer(as_request(message), clock::now());
        bool const keep_alive = message.keep_alive();
        co_return co_await carry_out(answer, keep_alive);
    }

    static request as_request(http::request<http::string_body> const& message)
    {
        request r;
        r.method = view(message.method_string());
        r.target = view(message.target());
        auto const authorization = message.find(http::field::authorization);
        if (authorization != message.end()) r.authorization = view(authorization->value());
        auto const tenant = message.find("portal-user-id");
        if (tenant != message.end()) r.portal_user_id = view(tenant->value());
        r.content_type = view(message[http::field::content_type]);
        r.body = message.body();
        return r;
    }

    task<void> read_some_of(parser_type& parser, std::uint64_t bytes)
    {
        boost::system::error_code ec;
        while (!ec && !parser.is_done() && parser.get().body().size() < bytes)
            co_await http::async_read_some(stream_, buffer_, parser,
                                           asio::redirect_error(detail::use_task, ec));
    }

    /// Carries out an answer's steps. False when the connection has ended.
    ///
    /// A client acts on an answer before the completion of our last write comes round. So the answer is
    /// counted before that write and taken back when it fails, and whoever asks after a client's answer finds
    /// it counted.
    task<bool> carry_out(reply& answer, bool keep_alive)
    {
        auto const steps = wire_plan(answer, keep_alive, std::chrono::system_clock::now());
        std::size_t decisive = 0;
        for (std::size_t i = 0; i != steps.size(); ++i)
            if (steps[i].what == wire_step::kind::write) decisive = i;
        bool open = true;
        boost::system::error_code ec;
        service_.count_fault(answer);
        for (std::size_t i = 0; i != steps.size(); ++i) {
            auto const& step = steps[i];
            if (i == decisive) service_.count_delivery(answer);
            switch (step.what) {
            case wire_step::kind::write:
                co_await write(step.bytes, ec);
                break;
            case wire_step::kind::wait:
                timer_.expires_after(step.ms);
                co_await timer_.async_wait(asio::redirect_error(detail::use_task, ec));
                break;
            case wire_step::kind::reset:
                reset();
                break;
            case wire_step::kind::close:
                co_await close();
                break;
            }
            if (ec) {
                if (i >= decisive) service_.uncount_delivery(answer);
                co_return false;
            }
            open = step.what == wire_step::kind::write || step.what == wire_step::kind::wait;
        }
        service_.log_sent(answer);
        co_return open;
    }

    /// Ends the connection with RST.
    void reset()
    {
        boost::system::error_code ignored;
        socket().set_option(asio::socket_base::linger(true, 0), ignored);
        socket().close(ignored);
    }

    task<void> close()
    {
        boost::system::error_code ignored;
        if constexpr (is_tls) {
            // Waits for the peer's close_notify, but not for a peer that never sends one.
            timer_.expires_after(std::chrono::seconds(1));
            timer_.async_wait([self = this->shared_from_this()](boost::system::error_code const& ec) {
                boost::system::error_code nothing;
                if (!ec) self->socket().close(nothing);
            });
            co_await stream_.async_shutdown(asio::redirect_error(detail::use_task, ignored));
            timer_.cancel();
        } else {
            socket().shutdown(tcp::socket::shutdown_send, ignored);
        }
        socket().close(ignored);
    }

    Stream stream_;
    detail::timer timer_;
    service& service_;
    emulator_options const& options_;
    boost::beast::flat_buffer buffer_;
    bool idle_ = false;
};

std::unique_ptr<asio::ssl::context> make_tls(tls_server_options const& tls)
{
    if (tls.cert.empty()) return nullptr;
    auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
    ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    // Without an id of its own a server that asks for client certificates refuses to resume sessions.
    static constexpr unsigned char id[] = "ocrpipe-emulator";
    ::SSL_CTX_set_session_id_context(context->native_handle(), id, sizeof id - 1);
    auto const check = [](boost::system::error_code const& ec, std::string const& file) {
        if (ec)
            throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                                    file + ": " + ec.message());
    };
    boost::system::error_code ec;
    context->use_certificate_chain_file(tls.cert, ec);
    check(ec, tls.cert);
    context->use_private_key_file(tls.key, asio::ssl::context::pem, ec);
    check(ec, tls.key);
    if (tls.client_ca.empty()) return context;
    context->load_verify_file(tls.client_ca, ec);
    check(ec, tls.client_ca);
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
    return context;
}

} // namespace

struct server::impl {
    impl(asio::io_context& io, emulator_options const& o, service& s)
        : ioc(io)
        , options(o)
        , answers(s)
        , tls(make_tls(o.tls))
        , acceptor(io.get_executor())
        , timer(io.get_executor())
        , endpoint(asio::ip::make_address(o.address), o.port)
    {
    }

    /// Takes the port without listening on it.
    void hold()
    {
        acceptor.open(endpoint.protocol());
        acceptor.set_option(asio::socket_base::reuse_address(true));
        acceptor.bind(endpoint);
        endpoint = acceptor.local_endpoint();
    }

    void listen()
    {
        acceptor.listen(asio::socket_base::max_listen_connections);
        asio::co_spawn(ioc, accept_loop(), asio::detached);
    }

    task<void> accept_loop()
    {
        for (;;) {
            boost::system::error_code ec;
            socket_type socket = co_await acceptor.async_accept(asio::redirect_error(detail::use_task, ec));
            if (ec == asio::error::operation_aborted || ec == asio::error::bad_descriptor) co_return;
            if (ec) {
                // Out of descriptors: the connection stays in the backlog, so wait for one to become free.
                timer.expires_after(std::chrono::milliseconds(20));
                co_await timer.async_wait(asio::redirect_error(detail::use_task, ec));
                continue;
            }
            start(std::move(socket));
        }
    }

    void start(socket_type socket)
    {
        boost::system::error_code ignored;
        if (answers.connected()) {
            // Closed here and not by the destructor, which would take the option back and send FIN.
            socket.set_option(asio::socket_base::linger(true, 0), ignored);
            socket.close(ignored);
            return;
        }
        socket.set_option(tcp::no_delay(true), ignored);
        auto const ex = ioc.get_executor();
        if (tls) {
            using type = session<tls_stream>;
            auto one = std::make_shared<type>(tls_stream(std::move(socket), *tls), ex, answers, options);
            asio::co_spawn(ioc, type::run(std::move(one)), asio::detached);
        } else {
            using type = session<socket_type>;
            auto one = std::make_shared<type>(std::move(socket), ex, answers, options);
            asio::co_spawn(ioc, type::run(std::move(one)), asio::detached);
        }
    }

    asio::io_context& ioc;
    emulator_options const& options;
    service& answers;
    std::unique_ptr<asio::ssl::context> tls;
    acceptor_type acceptor;
    detail::timer timer;
    tcp::endpoint endpoint;
};

server::server(asio::io_context& ioc, emulator_options const& options, service& s)
    : impl_(std::make_unique<impl>(ioc, options, s))
{
    try {
        impl_->hold();
    } catch (boost::system::system_error const& e) {
        throw std::system_error(e.code(),
                                fmt::format("cannot listen on {} port {}", options.address, options.port));
    }
    auto const refused = s.faults().take(fault_stage::listener, route_any, 0);
    if (!refused) {
        impl_->listen();
        return;
    }
    impl_->timer.expires_after(s.faults()[*refused].ms);
    impl_->timer.async_wait([this, &s, rule = *refused](boost::system::error_code const& ec) {
        if (ec) return;
        s.faults().happened(rule);
        impl_->listen();
    });
}

server::~server() = default;

unsigned short server::port() const noexcept { return impl_->endpoint.port(); }

void server::refuse_connections(bool refuse)
{
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->hold();
    if (!refuse) impl_->listen();
}

} // namespace ocrpipe::emulator
