#include "report_server.hpp"

#include <ocrpipe/core/task.hpp>

#include "metrics_text.hpp"
#include "report_page.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <boost/none.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

namespace http = boost::beast::http;
using asio::ip::tcp;

using executor = asio::io_context::executor_type;
using socket_type = asio::basic_stream_socket<tcp, executor>;
using request_type = http::request<http::empty_body>;
using reply_type = http::response<http::string_body>;

constexpr std::size_t most_connections = 16;
constexpr std::uint32_t header_limit = 16 * 1024;
constexpr std::size_t most_taken = 1024 * 1024; ///< of a body that is refused
constexpr std::chrono::seconds patience{10};
constexpr std::chrono::milliseconds descriptor_pause{100};

std::string_view view(boost::string_view s) { return {s.data(), s.size()}; }

/// Whether a Host header names this machine: "localhost", or a loopback address, each with or without a port.
bool is_loopback_host(std::string_view host)
{
    if (host.starts_with('[')) {
        host = host.substr(1, host.find(']') - 1);
    } else {
        host = host.substr(0, host.find(':'));
    }
    error_code ec;
    auto const address = asio::ip::make_address(std::string(host), ec);
    return ec ? boost::beast::iequals({host.data(), host.size()}, "localhost") : address.is_loopback();
}

reply_type text_reply(http::status status, std::string_view type, std::string body)
{
    reply_type r(status, 11);
    r.set(http::field::content_type, std::string(type));
    r.body() = std::move(body);
    return r;
}

constexpr std::string_view plain = "text/plain; charset=utf-8";

reply_type page_reply(std::string_view target, std::function<std::string()> const& report_json)
{
    std::string_view const path = target.substr(0, target.find('?'));
    if (path == "/")
        return text_reply(http::status::ok, "text/html; charset=utf-8", report_page(report_json()));
    if (path == "/report.json") return text_reply(http::status::ok, "application/json", report_json());
    if (path == "/metrics")
        return text_reply(http::status::ok, "text/plain; version=0.0.4; charset=utf-8",
                          metrics_text(report_json()));
    if (path == "/healthz") return text_reply(http::status::ok, plain, "ok\n");
    return text_reply(http::status::not_found, plain, "there are /, /report.json, /metrics and /healthz\n");
}

} // namespace

class report_server::impl : public std::enable_shared_from_this<report_server::impl>
{
public:
    impl(asio::io_context& ioc, tcp::endpoint const& where, std::function<std::string()> report_json)
        : ioc_(ioc)
        , acceptor_(ioc.get_executor())
        , pause_(ioc.get_executor())
        , report_json_(std::move(report_json))
    {
        acceptor_.open(where.protocol());
        acceptor_.set_option(asio::socket_base::reuse_address(true));
        acceptor_.bind(where);
        acceptor_.listen();
        where_ = acceptor_.local_endpoint();
    }

    void start() { asio::co_spawn(ioc_, accept_loop(shared_from_this()), asio::detached); }

    void stop()
    {
        error_code ignored;
        stopped_ = true;
        acceptor_.close(ignored);
        pause_.cancel();
    }

    tcp::endpoint const& where() const noexcept { return where_; }

private:
    static task<void> accept_loop(std::shared_ptr<impl> self)
    {
        while (!self->stopped_) {
            error_code ec;
            socket_type peer =
                co_await self->acceptor_.async_accept(asio::redirect_error(detail::use_task, ec));
            if (self->stopped_) co_return;
            if (ec) {
                // Out of descriptors: the connection stays in the backlog, so wait for one to become free.
                self->pause_.expires_after(descriptor_pause);
                co_await self->pause_.async_wait(asio::redirect_error(detail::use_task, ec));
                continue;
            }
            auto socket = std::make_shared<socket_type>(std::move(peer));
            self->make_room();
            self->open_.push_back(socket);
            asio::co_spawn(self->ioc_, serve(self, std::move(socket)), asio::detached);
        }
    }

    static task<void> serve(std::shared_ptr<impl> self, std::shared_ptr<socket_type> socket)
    {
        detail::timer limit(self->ioc_.get_executor());
        limit.expires_after(patience);
        limit.async_wait([socket](error_code const& expired) {
            error_code ignored;
            if (!expired) socket->close(ignored);
        });
        error_code ec;
        boost::beast::flat_buffer buffer;
        http::request_parser<http::empty_body> parser;
        parser.header_limit(header_limit);
        parser.body_limit(boost::none);
        // Only the header: a request with a body is refused.
        co_await http::async_read_header(*socket, buffer, parser, asio::redirect_error(detail::use_task, ec));
        if (!ec && !self->stopped_) {
            reply_type answer = self->reply(parser.get());
            http::response_serializer<http::string_body> serializer(answer);
            if (parser.get().method() == http::verb::head)
                co_await http::async_write_header(*socket, serializer,
                                                  asio::redirect_error(detail::use_task, ec));
            else
                co_await http::async_write(*socket, serializer, asio::redirect_error(detail::use_task, ec));
            socket->shutdown(tcp::socket::shutdown_send, ec);
            if (!parser.is_done()) co_await take_rest(socket, buffer);
        }
        std::erase(self->open_, socket);
    }

    /// A connection that is closed with unread bytes is reset, and the peer may then lose the answer.
    static task<void> take_rest(std::shared_ptr<socket_type> socket, boost::beast::flat_buffer& buffer)
    {
        error_code ec;
        for (std::size_t taken = 0; !ec && taken < most_taken;) {
            buffer.clear();
            taken += co_await socket->async_read_some(buffer.prepare(16 * 1024),
                                                      asio::redirect_error(detail::use_task, ec));
        }
    }

    /// The oldest connection gives way to a new one: it may be idle.
    void make_room()
    {
        if (open_.size() < most_connections) return;
        error_code ignored;
        open_.front()->close(ignored);
        open_.erase(open_.begin());
    }

    reply_type reply(request_type const& request) const
    {
        reply_type r;
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            r = text_reply(http::status::method_not_allowed, plain, "only GET and HEAD\n");
            r.set(http::field::allow, "GET, HEAD");
        } else if (where_.address().is_loopback() && !is_loopback_host(view(request[http::field::host]))) {
            r = text_reply(http::status::misdirected_request, plain,
                           "this address answers only for localhost and loopback addresses\n");
        } else {
            r = page_reply(view(request.target()), report_json_);
        }
        r.set(http::field::cache_control, "no-store");
        r.set("X-Content-Type-Options", "nosniff");
        r.keep_alive(false);
        r.prepare_payload();
        return r;
    }

    asio::io_context& ioc_;
    asio::basic_socket_acceptor<tcp, executor> acceptor_;
    detail::timer pause_;
    std::function<std::string()> report_json_;
    tcp::endpoint where_;
    std::vector<std::shared_ptr<socket_type>> open_; ///< oldest first
    bool stopped_ = false;
};

report_server::report_server(asio::io_context& ioc, tcp::endpoint const& where,
                             std::function<std::string()> report_json)
    : impl_(std::make_shared<impl>(ioc, where, std::move(report_json)))
{
    impl_->start();
}

report_server::~report_server() { impl_->stop(); }

std::string report_server::url() const
{
    auto const& address = impl_->where().address();
    std::string const host = address.is_v6() ? fmt::format("[{}]", address.to_string()) : address.to_string();
    return fmt::format("http://{}:{}/", host, impl_->where().port());
}

} // namespace ocrpipe::cli
