#ifndef OCRPIPE_HTTP_EXCHANGE_HPP
#define OCRPIPE_HTTP_EXCHANGE_HPP

#include <ocrpipe/core/side_task.hpp>
#include <ocrpipe/http/connection.hpp>
#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/http_options.hpp>

#include <cstdint>

namespace ocrpipe
{
namespace detail
{

/// One request and its answer on one connection.
///
/// The request is sent in chunks of at most 64 KiB. The head shares a buffer with the start of the body, so
/// that a small request is a single send. If an answer begins before the request is fully sent, the upload
/// stops and the answer is used. The same holds if it begins while a streamed body has no bytes to send.
///
/// Lifetime: all arguments must outlive run().
class exchange
{
public:
    /// Discards the answer read so far and starts reading a new one.
    exchange(connection& c, shared_io& shared, answer_limits const& limits, timeout_options const& timeouts,
             clock::time_point deadline);

    /// `request` holds the head, is reused for the chunks of the body, and is released when all are sent;
    /// `body` may be null. Returns true if the connection's answer is complete.
    task<bool> run(pooled_buffer& request, body_source* body, transport_failure& failure);

    /// Whether the connection can be reused after this exchange.
    bool reusable() const noexcept { return reusable_; }

    /// When the first byte of the request was sent; time_point() if none was.
    clock::time_point sent_at() const noexcept
    {
        return sent_ == bytes_sent::none ? clock::time_point() : sent_at_;
    }

private:
    /// How an upload ended.
    enum class upload { done, answered, failed };

    upload prepare_chunk(byte_buffer& request, body_source* body, transport_failure& failure);
    upload begin_chunk(byte_buffer& request, transport_failure& failure);
    task<upload> async_prepare_chunk(byte_buffer& request, body_source& body, transport_failure& failure);
    task<upload> async_await_body(side_task& fetching, transport_failure& failure);
    upload send_chunk(std::string_view chunk, byte_buffer& cipher, std::string_view& rest,
                      transport_failure& failure);
    /// Progress of receiving an answer.
    struct reception {
        reception(clock::time_point t, clock::time_point until) : now(t), first(until), last(until) {}

        phase where = phase::first_byte;
        clock::time_point now;
        clock::time_point first; ///< deadline of the answer's first byte
        clock::time_point last;  ///< deadline of the complete answer

        clock::time_point limit() const noexcept { return where == phase::body ? last : first; }
    };

    task<upload> async_send_rest(std::string_view wire, transport_failure& failure);
    task<upload> async_after_break(error_code broken, transport_failure& failure);

    clock::duration patience(clock::duration at_least, std::uint64_t bytes_per_second) const;
    std::size_t room(byte_buffer const& request) const;
    clock::time_point upload_deadline();
    bool fill(byte_buffer& request, body_source* body, transport_failure& failure);
    bool receive_early(transport_failure& failure);
    void expect(reception& r);
    task<void> async_take_turn(reception& r, asio::cancellation_state const& state, error_code& ec);
    std::size_t send(std::string_view wire, error_code& ec);
    void keep_beginning(transport_failure& failure);
    void fail_receive(transport_failure& failure, phase where, error_code ec) const;
    void fail_reception(transport_failure& failure, reception const& r, error_code ec) const;
    void fail_wait(transport_failure& failure, errc timeout, phase where, error_code ec) const;

    connection& connection_;
    answer_reader& answer_;
    shared_io& shared_;
    timeout_options const& timeouts_;
    clock::time_point const deadline_;
    clock::time_point upload_deadline_ = clock::time_point::max(); ///< set when the upload first waits
    std::uint64_t body_size_ = 0;
    std::uint64_t body_left_ = 0;
    bytes_sent sent_ = bytes_sent::none;
    clock::time_point sent_at_{};
    bool reusable_ = false;
    fifo_semaphore::unit turn_; ///< of shared_io::large_answers
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/exchange.ipp>
#endif

#endif
