#ifndef OCRPIPE_HTTP_EXCHANGE_HPP
#define OCRPIPE_HTTP_EXCHANGE_HPP

#include <ocrpipe/http/connection.hpp>
#include <ocrpipe/http/failures.hpp>
#include <ocrpipe/http/http_options.hpp>

namespace ocrpipe
{
namespace detail
{

/// One request and its answer on one connection.
///
/// The request goes out in chunks of at most 64 KiB, head first and in the same buffer as the beginning of
/// the body, so that a small one is a single send. An answer that begins before the request is out ends the
/// upload: what the server says counts, not what we had yet to say.
///
/// Lifetime: everything given must outlive async_run().
class exchange
{
public:
    /// Discards the answer read so far and starts reading a new one.
    exchange(connection& c, shared_io& shared, answer_limits const& limits, timeout_options const& timeouts,
             clock::time_point deadline);

    /// `request` holds the head, receives the body's chunks in turn, and is given back when they are out;
    /// `body` may be null. True when the connection's answer is complete.
    task<bool> async_run(borrowed_buffer& request, body_source* body, transport_failure& failure);

    /// Whether the connection is fit for another exchange after this one.
    bool reusable() const noexcept { return reusable_; }

private:
    /// How an upload ended.
    enum class upload { done, answered, failed };

    upload send_chunk(byte_buffer& request, body_source* body, byte_buffer& cipher, std::string_view& rest,
                      transport_failure& failure);
    /// How far the reading of an answer is.
    struct reception {
        reception(clock::time_point t, timeout_options const& timeouts, clock::time_point deadline)
            : now(t), first(std::min(deadline, later(t, timeouts.first_byte))), last(first)
        {
        }

        phase where = phase::first_byte;
        clock::time_point now;
        clock::time_point first; ///< by when the answer must begin
        clock::time_point last;  ///< by when it must be complete

        clock::time_point limit() const noexcept { return where == phase::body ? last : first; }
    };

    task<upload> async_send_rest(std::string_view wire, transport_failure& failure);
    task<upload> async_after_break(error_code broken, transport_failure& failure);

    bool fill(byte_buffer& request, body_source* body, transport_failure& failure);
    bool take_input(transport_failure& failure);
    void expect(reception& r);
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
    std::uint64_t body_left_ = 0;
    bytes_sent sent_ = bytes_sent::none;
    bool reusable_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/exchange.ipp>
#endif

#endif
