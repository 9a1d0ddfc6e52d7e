#ifndef OCRPIPE_HTTP_CONNECTION_HPP
#define OCRPIPE_HTTP_CONNECTION_HPP

#include <ocrpipe/core/fifo_semaphore.hpp>
#include <ocrpipe/http/answer_reader.hpp>
#include <ocrpipe/http/byte_buffer.hpp>
#include <ocrpipe/http/fair_send_queue.hpp>
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

/// State shared by all connections of a transport: the send queue and buffers. Data received without waiting
/// is parsed in the same step, so one pair of large receive buffers serves any number of connections.
class shared_io
{
public:
    explicit shared_io(executor const& ex) : uploads(ex), large_answers(ex, 1) {}

    fair_send_queue uploads;
    fifo_semaphore large_answers; ///< one answer at a time may be longer than answer_limits::share

    std::span<char> input() noexcept { return std::span<char>(input_.get(), input_size); }
    std::span<char> plain() noexcept { return std::span<char>(plain_.get(), plain_size); }

    byte_buffer acquire_buffer();
    void release_buffer(byte_buffer b);

private:
    static constexpr std::size_t input_size = 64 * 1024;
    static constexpr std::size_t plain_size = 16 * 1024; ///< a TLS record
    static constexpr std::size_t max_kept = 64;

    std::unique_ptr<char[]> input_ = std::make_unique_for_overwrite<char[]>(input_size);
    std::unique_ptr<char[]> plain_ = std::make_unique_for_overwrite<char[]>(plain_size);
    std::vector<byte_buffer> spare_;
};

/// A send buffer from the pool of shared_io.
///
/// Released as soon as the request is sent, so that the next request uses the same memory, which is still in
/// the CPU cache.
class pooled_buffer
{
public:
    explicit pooled_buffer(shared_io& pool) : pool_(pool), buffer_(pool.acquire_buffer()) {}
    pooled_buffer(pooled_buffer const&) = delete;
    pooled_buffer& operator=(pooled_buffer const&) = delete;
    ~pooled_buffer() { release(); }

    void release() { pool_.release_buffer(std::exchange(buffer_, byte_buffer())); }

    byte_buffer& operator*() noexcept { return buffer_; }
    byte_buffer* operator->() noexcept { return &buffer_; }

private:
    shared_io& pool_;
    byte_buffer buffer_;
};

/// One TCP connection, with or without TLS.
///
/// While a request is sent, waiting for readiness is separate from transferring bytes, because a request that
/// is answered early needs both directions at once. Waiting for an answer and receiving its first bytes is
/// one operation, which saves the system call that arms a wait. Each connection has its own buffer for these
/// bytes, since the operation uses it for a long time.
class connection final : private watchdog::entry
{
public:
    connection(tcp_socket socket, watchdog& dog, shared_io& shared);
    ~connection();

    /// Waits end with asio::error::timed_out at `when`. Setting a new deadline resets timed_out().
    void set_deadline(clock::time_point when);
    void clear_deadline() noexcept;

    /// Errors: asio::error::timed_out, or operation_aborted when the coroutine is cancelled.
    task<void> async_wait_readable(error_code& ec) { return async_wait(tcp_socket::wait_read, ec); }
    task<void> async_wait_writable(error_code& ec);

    /// Ends a wait in progress with operation_aborted.
    void wake()
    {
        error_code ignored;
        socket_.cancel(ignored);
    }

    /// The answer of the current exchange, or of the last one.
    answer_reader& answer() noexcept { return answer_; }

    /// Waits for input and receives it; co_await yields the error and the number of bytes, which you pass to
    /// process_received(). Call stopped() first, and do not call this if it returns an error.
    auto async_receive()
    {
        return socket_.async_receive(asio::mutable_buffer(first_input_.get(), first_input_size),
                                     asio::as_tuple(asio::deferred));
    }

    /// Whether the deadline has passed.
    bool timed_out() const noexcept { return timed_out_; }

    /// Whether a wait must not start: asio::error::operation_aborted or timed_out. Either may have happened
    /// while no operation was pending that could be cancelled.
    error_code stopped(asio::cancellation_state const& state) const noexcept;

    /// Passes the bytes from async_receive() to answer(). If they filled the buffer, also receives what else
    /// is available.
    ///
    /// Errors: asio::error::timed_out (the kernel's own unless timed_out() says otherwise), or
    /// operation_aborted when the coroutine was cancelled, and those of receive().
    void process_received(std::tuple<error_code, std::size_t> const& received,
                          asio::cancellation_state const& state, error_code& ec);

    /// From now on async_wait_writable() also ends when there is something to read; see input_seen().
    void watch_input();
    void forget_input() noexcept;
    bool input_seen() const noexcept { return input_watch_ && input_watch_->seen; }

    /// Encrypts everything sent and received from now on. The caller performs the handshake.
    tls_session& start_tls(tls_context& context, std::string const& host);
    tls_session const* tls() const noexcept { return tls_ ? &*tls_ : nullptr; }

    /// Encrypts `plain` into `wire` and returns that; without TLS, returns `plain`.
    std::string_view seal(std::string_view plain, byte_buffer& wire, error_code& ec);

    /// Sends as much as possible without waiting. Until all of `wire` was sent, the caller sends nothing
    /// else: it may end within a TLS record.
    ///
    /// Errors: asio::error::would_block, and those of the socket.
    std::size_t send(std::string_view wire, error_code& ec);

    /// Receives once and passes the decrypted bytes to answer(). Sets `moved` if any bytes were received,
    /// even a partial TLS record.
    ///
    /// Errors: asio::error::would_block if nothing is available, those of the socket and of TLS, and an
    /// ocrpipe::errc of the answer. The end of the stream is not an error: it is reported to answer(), and
    /// `ended` is set.
    void receive(bool& moved, error_code& ec);

    /// Receives ciphertext once, without decrypting, for the handshake; empty if nothing is available or on
    /// error.
    std::span<char const> receive_raw(error_code& ec);

    bool ended() const noexcept { return ended_; }

    /// What an idle connection has received. Only a quiet one is still usable.
    enum class idle_input { none, closed, data };
    idle_input peek();

    /// Notifies the peer if that is possible without waiting, and closes. Idempotent.
    void close() noexcept;

private:
    struct input_watch {
        connection* owner = nullptr;
        bool armed = false;
        bool seen = false;
    };

    /// Fits a finished result of a page or two; longer ones use the shared buffer.
    static constexpr std::size_t first_input_size = 16 * 1024;
    static constexpr int max_reads_at_once = 16; ///< of 64 KiB each

    void on_deadline() override;
    task<void> async_wait(tcp_socket::wait_type what, error_code& ec);
    error_code why_ended(error_code ec, asio::cancellation_state const& state) const noexcept;
    void put(std::span<char const> bytes, error_code& ec);
    void decrypt(std::span<char const> cipher, error_code& ec);
    void end_of_stream(bool announced, error_code& ec);
    void send_replies(error_code& ec);

    tcp_socket socket_;
    watchdog& dog_;
    shared_io& shared_;
    std::optional<tls_session> tls_;
    byte_buffer replies_;   ///< of TLS itself, such as to a key update; sent between two records
    bool mid_wire_ = false; ///< the rest of what send() was given is still to be sent
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
