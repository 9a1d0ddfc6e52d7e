#ifndef OCRPIPE_HTTP_CONNECTION_HPP
#define OCRPIPE_HTTP_CONNECTION_HPP

#include <ocrpipe/http/answer_reader.hpp>
#include <ocrpipe/http/byte_buffer.hpp>
#include <ocrpipe/http/send_turns.hpp>
#include <ocrpipe/http/tcp_types.hpp>
#include <ocrpipe/http/tls_session.hpp>
#include <ocrpipe/http/watchdog.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// What all connections of a transport share: their turns, and buffers. What is received without waiting is
/// parsed in the same step, so one pair of large receive buffers serves any number of connections.
class shared_io
{
public:
    explicit shared_io(asio::io_context& ioc) : turns(ioc) {}

    send_turns turns;

    std::span<char> input() noexcept { return std::span<char>(input_.get(), input_size); }
    std::span<char> plain() noexcept { return std::span<char>(plain_.get(), plain_size); }

    byte_buffer take();
    void give_back(byte_buffer b);

private:
    static constexpr std::size_t input_size = 64 * 1024;
    static constexpr std::size_t plain_size = 16 * 1024; ///< a TLS record
    static constexpr std::size_t max_kept = 64;

    std::unique_ptr<char[]> input_ = std::make_unique_for_overwrite<char[]>(input_size);
    std::unique_ptr<char[]> plain_ = std::make_unique_for_overwrite<char[]>(plain_size);
    std::vector<byte_buffer> spare_;
};

/// A send buffer of the shared ones, for as long as a request is being sent.
///
/// Given back as soon as the request is out: while answers are waited for, the next request is written to the
/// same memory, which is still in the processor's cache.
class borrowed_buffer
{
public:
    explicit borrowed_buffer(shared_io& from) : from_(from), buffer_(from.take()) {}
    borrowed_buffer(borrowed_buffer const&) = delete;
    borrowed_buffer& operator=(borrowed_buffer const&) = delete;
    ~borrowed_buffer() { give_back(); }

    void give_back() { from_.give_back(std::exchange(buffer_, byte_buffer())); }

    byte_buffer& operator*() noexcept { return buffer_; }
    byte_buffer* operator->() noexcept { return &buffer_; }

private:
    shared_io& from_;
    byte_buffer buffer_;
};

/// One TCP connection, plain or under TLS.
///
/// While a request is sent, waiting for readiness and moving bytes are kept apart, because one that is
/// answered early needs both directions at once. An answer is awaited together with its first bytes, which
/// saves the system call that arms a wait; the buffer for them is the connection's, since it is lent for so
/// long.
class connection final : private watchdog::entry
{
public:
    connection(tcp_socket socket, watchdog& dog, shared_io& shared);
    ~connection();

    /// Waits end with asio::error::timed_out at `when`; a new deadline forgets that the last one passed.
    void set_deadline(clock::time_point when);
    void clear_deadline() noexcept;

    /// Errors: asio::error::timed_out, or operation_aborted when the coroutine is cancelled.
    task<void> async_wait_readable(error_code& ec) { return async_wait(tcp_socket::wait_read, ec); }
    task<void> async_wait_writable(error_code& ec);

    /// Of the exchange under way or the last one.
    answer_reader& answer() noexcept { return answer_; }

    /// Waits for input and receives it, to be handed to take(); co_await yields the error and the number of
    /// bytes. Not before stopped() has said that there is nothing to stop for.
    auto async_receive()
    {
        return socket_.async_receive(asio::mutable_buffer(first_input_.get(), first_input_size),
                                     asio::as_tuple(asio::deferred));
    }

    /// Whether the deadline has passed.
    bool timed_out() const noexcept { return timed_out_; }

    /// Why not to wait: asio::error::operation_aborted or timed_out. Both may have happened while nothing was
    /// pending that could be cancelled.
    error_code stopped(asio::cancellation_state const& state) const noexcept;

    /// Hands what async_receive() brought to answer(), and where it filled its buffer, what else there is.
    ///
    /// Errors: asio::error::timed_out (the kernel's own unless timed_out() says otherwise), or
    /// operation_aborted when the coroutine was cancelled, and those of receive().
    void take(std::tuple<error_code, std::size_t> const& received, asio::cancellation_state const& state,
              error_code& ec);

    /// From now on async_wait_writable() also ends when there is something to read; see input_seen().
    void watch_input();
    void forget_input() noexcept;
    bool input_seen() const noexcept { return input_watch_ && input_watch_->seen; }

    /// Everything sent and received from now on is encrypted. The handshake is the caller's.
    tls_session& start_tls(tls_context& context, std::string const& host);
    tls_session const* tls() const noexcept { return tls_ ? &*tls_ : nullptr; }

    /// Encrypts `plain` into `wire`, or returns it as it is.
    std::string_view seal(std::string_view plain, byte_buffer& wire, error_code& ec);

    /// Sends what fits now.
    ///
    /// Errors: asio::error::would_block, and those of the socket.
    std::size_t send(std::string_view wire, error_code& ec);

    /// Receives once and hands the decrypted bytes to answer(). Sets `moved` when anything came, be it half a
    /// TLS record.
    ///
    /// Errors: asio::error::would_block when nothing is there, those of the socket and of TLS, and an
    /// ocrpipe::errc of the answer. The end of the stream is no error: it is told to answer(), and `ended` is
    /// set.
    void receive(bool& moved, error_code& ec);

    /// Receives ciphertext once, without decrypting, for the handshake; empty when there is nothing or an
    /// error.
    std::span<char const> receive_raw(error_code& ec);

    bool ended() const noexcept { return ended_; }

    /// Whether an idle connection is still usable: no end of stream, no error, and nothing said unasked.
    bool is_quiet();

    /// Tells the peer, if that is possible without waiting, and closes. Safe to call again.
    void close() noexcept;

private:
    struct input_watch {
        connection* owner = nullptr;
        bool armed = false;
        bool seen = false;
    };

    /// A finished result of a page or two; what is longer goes through the shared buffer.
    static constexpr std::size_t first_input_size = 16 * 1024;
    static constexpr int max_reads_at_once = 16; ///< of 64 KiB each

    void on_deadline() override;
    task<void> async_wait(tcp_socket::wait_type what, error_code& ec);
    error_code why_ended(error_code ec, asio::cancellation_state const& state) const noexcept;
    void put(std::span<char const> bytes, error_code& ec);
    void decrypt(std::span<char const> cipher, error_code& ec);
    void end_of_stream(bool announced, error_code& ec);

    tcp_socket socket_;
    watchdog& dog_;
    shared_io& shared_;
    std::optional<tls_session> tls_;
    answer_reader answer_;
    std::unique_ptr<char[]> first_input_ = std::make_unique_for_overwrite<char[]>(first_input_size);
    std::shared_ptr<input_watch> input_watch_;
    bool timed_out_ = false;
    bool ended_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/connection.ipp>
#endif

#endif
