#ifndef OCRPIPE_HTTP_IMPL_CONNECTION_IPP
#define OCRPIPE_HTTP_IMPL_CONNECTION_IPP

#include <ocrpipe/http/connection.hpp>

#include <array>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL byte_buffer shared_io::acquire_buffer()
{
    if (spare_.empty()) return byte_buffer();
    byte_buffer b = std::move(spare_.back());
    spare_.pop_back();
    return b;
}

OCRPIPE_DECL void shared_io::release_buffer(byte_buffer b)
{
    b.clear();
    if (b.capacity() != 0 && spare_.size() < max_kept) spare_.push_back(std::move(b));
}

OCRPIPE_DECL connection::connection(tcp_socket socket, watchdog& dog, shared_io& shared)
    : socket_(std::move(socket)), dog_(dog), shared_(shared)
{
}

OCRPIPE_DECL connection::~connection() { close(); }

OCRPIPE_DECL void connection::set_deadline(clock::time_point when)
{
    timed_out_ = false;
    dog_.watch(*this, when);
}

OCRPIPE_DECL void connection::clear_deadline() noexcept
{
    timed_out_ = false;
    dog_.forget(*this);
}

OCRPIPE_DECL void connection::on_deadline()
{
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

OCRPIPE_DECL task<void> connection::async_wait(tcp_socket::wait_type what, error_code& ec)
{
    // Named, because g++ 12 gives this coroutine a broken frame when two if conditions await it (the frame's
    // first field is then not the resume function). It stays up to date.
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    ec = stopped(state);
    if (ec) co_return;
    // Not await_into(): deferred needs no coroutine frame of its own.
    std::tuple<error_code> const done = co_await socket_.async_wait(what, asio::as_tuple(asio::deferred));
    ec = why_ended(std::get<0>(done), state);
    if (ec == asio::error::operation_aborted && !is_cancelled(state) && input_seen()) ec = {};
}

OCRPIPE_DECL error_code connection::stopped(asio::cancellation_state const& state) const noexcept
{
    if (is_cancelled(state)) return asio::error::operation_aborted;
    if (timed_out_) return asio::error::timed_out;
    return {};
}

/// An operation that the watchdog cancelled has timed out.
OCRPIPE_DECL error_code connection::why_ended(error_code ec,
                                              asio::cancellation_state const& state) const noexcept
{
    bool const expired = ec == asio::error::operation_aborted && !is_cancelled(state) && timed_out_;
    return expired ? error_code(asio::error::timed_out) : ec;
}

OCRPIPE_DECL void connection::process_received(std::tuple<error_code, std::size_t> const& received,
                                               asio::cancellation_state const& state, error_code& ec)
{
    ec = why_ended(std::get<0>(received), state);
    if (ec == asio::error::eof) return end_of_stream(!tls_, ec);
    if (ec) return;
    std::size_t const n = std::get<1>(received);
    put(std::span<char const>(first_input_.get(), n), ec);
    bool moved = true;
    if (n == first_input_size && !ec && !ended_ && !answer_.complete()) receive(moved, ec);
}

OCRPIPE_DECL task<void> connection::async_wait_writable(error_code& ec)
{
    if (input_watch_ && !input_watch_->armed) {
        input_watch_->armed = true;
        input_watch_->seen = false;
        socket_.async_wait(tcp_socket::wait_read, [watch = input_watch_](error_code why) {
            watch->armed = false;
            if (why || watch->owner == nullptr) return;
            watch->seen = true;
            error_code ignored;
            watch->owner->socket_.cancel(ignored); // ends a pending wait for writability
        });
    }
    if (input_seen())
        ec = {};
    else
        co_await async_wait(tcp_socket::wait_write, ec);
}

OCRPIPE_DECL void connection::watch_input()
{
    if (input_watch_) return;
    input_watch_ = std::make_shared<input_watch>();
    input_watch_->owner = this;
}

OCRPIPE_DECL void connection::forget_input() noexcept
{
    if (!input_watch_) return;
    input_watch_->owner = nullptr;
    input_watch_.reset();
}

OCRPIPE_DECL tls_session& connection::start_tls(tls_context& context, std::string const& host)
{
    return tls_.emplace(context, host);
}

OCRPIPE_DECL std::string_view connection::seal(std::string_view plain, byte_buffer& wire, error_code& ec)
{
    ec = {};
    if (!tls_) return plain;
    wire.clear();
    wire.append(replies_.view());
    replies_.clear();
    tls_->write(plain, wire, ec);
    return wire.view();
}

OCRPIPE_DECL std::size_t connection::send(std::string_view wire, error_code& ec)
{
    std::size_t const n = socket_.send(asio::const_buffer(wire.data(), wire.size()), 0, ec);
    mid_wire_ = n < wire.size();
    return n;
}

/// Sends the replies, unless this would tear a record apart. What is not sent comes before the next record.
OCRPIPE_DECL void connection::send_replies(error_code& ec)
{
    // A peer that asks for replies without reading them must not make us store them.
    constexpr std::size_t most = 16 * 1024;
    if (replies_.empty() || mid_wire_) {
        if (replies_.size() > most && !ec) ec = asio::error::no_buffer_space;
        return;
    }
    error_code refused;
    std::size_t const n =
        socket_.send(asio::const_buffer(replies_.view().data(), replies_.size()), 0, refused);
    std::string const rest(replies_.view().substr(n));
    replies_.clear();
    replies_.append(rest);
    if (replies_.size() > most && !ec) ec = asio::error::no_buffer_space;
}

OCRPIPE_DECL std::span<char const> connection::receive_raw(error_code& ec)
{
    std::span<char> const to = shared_.input();
    std::size_t const n = socket_.receive(asio::mutable_buffer(to.data(), to.size()), 0, ec);
    return to.first(n);
}

OCRPIPE_DECL void connection::receive(bool& moved, error_code& ec)
{
    if (input_watch_) input_watch_->seen = false;
    // Receive again only if the last receive filled the buffer. The number is limited, so that a fast peer
    // cannot starve the other exchanges.
    int left = max_reads_at_once;
    do {
        std::span<char const> const bytes = receive_raw(ec);
        if (ec == asio::error::eof) return end_of_stream(!tls_, ec);
        if (ec == asio::error::would_block && moved) ec = {};
        if (ec || bytes.empty()) return;
        moved = true;
        put(bytes, ec);
        if (bytes.size() < shared_.input().size()) return;
    } while (--left != 0 && !ec && !ended_ && !answer_.complete() && !answer_.waits());
}

OCRPIPE_DECL void connection::put(std::span<char const> bytes, error_code& ec)
{
    if (tls_)
        decrypt(bytes, ec);
    else
        answer_.put(std::string_view(bytes.data(), bytes.size()), ec);
}

OCRPIPE_DECL void connection::decrypt(std::span<char const> cipher, error_code& ec)
{
    tls_->feed(cipher);
    for (;;) {
        std::size_t const n = tls_->read(shared_.plain(), replies_, ec);
        if (n == 0) break;
        answer_.put(std::string_view(shared_.plain().data(), n), ec);
        if (ec) return;
    }
    if (ec == asio::error::eof) end_of_stream(true, ec);
    if (!replies_.empty()) send_replies(ec);
}

OCRPIPE_DECL void connection::end_of_stream(bool announced, error_code& ec)
{
    ended_ = true;
    // With TLS, an end of stream without close_notify may be forged, so it must not complete a body delimited
    // by the end of the stream.
    if (tls_ && !announced && answer_.started() && !answer_.complete())
        ec = make_error_code(errc::truncated_answer);
    else
        answer_.put_eof(ec);
}

OCRPIPE_DECL connection::idle_input connection::peek()
{
    // Unsolicited HTTP is a refusal before a close, such as a 408. Under TLS, data may be a session ticket; a
    // close_notify is an alert, in TLS 1.3 a record of 19 bytes (RFC 8446, 5.2).
    constexpr unsigned char alert = 21;
    constexpr unsigned close_notify_size = 19;
    std::array<unsigned char, 5> header{};
    error_code ec;
    std::size_t const n =
        socket_.receive(asio::mutable_buffer(header.data(), header.size()), tcp_socket::message_peek, ec);
    if (ec == asio::error::would_block) return idle_input::none;
    bool const record = tls_ && !ec && n == header.size();
    if (record && header[0] != alert && header[3] * 256u + header[4] != close_notify_size)
        return idle_input::data;
    return idle_input::closed;
}

OCRPIPE_DECL void connection::close() noexcept
{
    clear_deadline();
    forget_input();
    if (!socket_.is_open()) return;
    error_code ignored;
    if (tls_ && !mid_wire_) {
        byte_buffer close_notify;
        tls_->close(close_notify);
        if (!close_notify.empty()) send(close_notify.view(), ignored);
    }
    socket_.close(ignored);
}

} // namespace detail
} // namespace ocrpipe

#endif
