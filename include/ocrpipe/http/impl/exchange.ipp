#ifndef OCRPIPE_HTTP_IMPL_EXCHANGE_IPP
#define OCRPIPE_HTTP_IMPL_EXCHANGE_IPP

#include <ocrpipe/http/exchange.hpp>

namespace ocrpipe
{
namespace detail
{

inline constexpr std::size_t chunk_size = 64 * 1024;

/// How long to wait for an answer after the connection broke during an upload: it has already arrived, or
/// never will.
inline constexpr std::chrono::milliseconds late_answer_wait{250};

/// At this rate, in bytes a second, a service that has received a document is assumed to store and check it.
inline constexpr std::uint64_t slowest_intake = 100'000;

/// An upload that is slower, in bytes a second, is given up, so that a peer cannot hold it forever.
inline constexpr std::uint64_t slowest_upload = 1'000;

/// What a streamed body yielded.
struct fetched {
    std::size_t count = 0;
    error_code ec;
};

inline task<void> fetch_into(body_source& body, std::span<char> out, fetched& f)
{
    f.count = co_await body.fetch(out, f.ec);
}

OCRPIPE_DECL exchange::exchange(connection& c, shared_io& shared, answer_limits const& limits,
                                timeout_options const& timeouts, clock::time_point deadline)
    : connection_(c), answer_(c.answer()), shared_(shared), timeouts_(timeouts), deadline_(deadline)
{
    answer_.start(limits);
}

OCRPIPE_DECL task<bool> exchange::run(pooled_buffer& request, body_source* body, transport_failure& failure)
{
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state; // stays up to date
    body_left_ = body_size_ = body != nullptr ? body->size() : 0;
    upload sent = upload::done;
    {
        pooled_buffer cipher(shared_);
        if (connection_.tls() == nullptr) cipher.release();
        bool const streamed = body != nullptr && body->is_streamed();
        for (;;) {
            std::string_view rest;
            if (streamed)
                sent = co_await async_prepare_chunk(*request, *body, failure);
            else
                sent = prepare_chunk(*request, body, failure);
            if (sent == upload::done) sent = send_chunk(request->view(), *cipher, rest, failure);
            if (!rest.empty()) sent = co_await async_send_rest(rest, failure);
            if (sent != upload::done || body_left_ == 0) break;
            // A peer that receives fast must not starve the other exchanges on this thread.
            co_await shared_.uploads.async_turn();
            if (is_cancelled(state)) {
                fail_wait(failure, errc::write_timeout, phase::write, asio::error::operation_aborted);
                sent = upload::failed;
                break;
            }
        }
    }
    request.release();
    if (sent == upload::done) sent_ = bytes_sent::all;
    connection_.forget_input();
    if (sent == upload::failed) co_return false;
    clock::time_point const now = clock::now();
    clock::duration const longest =
        body != nullptr ? patience(timeouts_.submit, slowest_intake) : timeouts_.first_byte;
    reception r(now, std::min(deadline_, later(now, longest)));
    while (!answer_.complete()) {
        expect(r);
        error_code ec = connection_.stopped(state);
        if (!ec && answer_.waits()) {
            co_await async_take_turn(r, state, ec);
        } else if (!ec) {
            std::tuple<error_code, std::size_t> const received = co_await connection_.async_receive();
            connection_.process_received(received, state, ec);
        }
        r.now = clock::now();
        // If the peer sends continuously, there is no wait that a timer could end.
        if (!ec && r.now >= r.limit()) ec = asio::error::timed_out;
        if (answer_.complete() || !ec || ec == asio::error::would_block) continue;
        fail_reception(failure, r, ec);
        keep_beginning(failure);
        co_return false;
    }
    http_response& response = answer_.response();
    response.sent = sent_;
    // A server that refuses a connection too many (503), or is not the right one (421), is left.
    bool const wanted = response.status != 503 && response.status != 421;
    reusable_ = sent == upload::done && answer_.keep_alive() && !connection_.ended() && wanted;
    co_return true;
}

/// Fills `request` with the next chunk.
OCRPIPE_DECL exchange::upload exchange::prepare_chunk(byte_buffer& request, body_source* body,
                                                      transport_failure& failure)
{
    upload const begun = begin_chunk(request, failure);
    if (begun != upload::done || fill(request, body, failure)) return begun;
    reusable_ = sent_ == bytes_sent::none; // reading the document failed, not the connection
    return upload::failed;
}

OCRPIPE_DECL exchange::upload exchange::begin_chunk(byte_buffer& request, transport_failure& failure)
{
    if (sent_ == bytes_sent::none) return upload::done;
    request.clear();
    if (!receive_early(failure)) return upload::failed;
    return answer_.has_header() ? upload::answered : upload::done;
}

/// The same for a streamed body: waits until it has bytes.
OCRPIPE_DECL task<exchange::upload> exchange::async_prepare_chunk(byte_buffer& request, body_source& body,
                                                                  transport_failure& failure)
{
    upload const begun = begin_chunk(request, failure);
    if (begun != upload::done || body_left_ == 0) co_return begun;
    executor const ex = co_await asio::this_coro::executor;
    std::size_t const want = room(request);
    fetched f;
    side_task fetching(ex, fetch_into(body, request.prepare(want).first(want), f),
                       [this] { connection_.wake(); });
    upload const waited = co_await async_await_body(fetching, failure);
    if (waited != upload::done) co_return waited;
    if (!f.ec && f.count != 0) {
        request.commit(f.count);
        body_left_ -= f.count;
        co_return upload::done;
    }
    failure = body_failure(body, f.ec, sent_);
    reusable_ = sent_ == bytes_sent::none;
    co_return upload::failed;
}

/// Waits until a streamed body has bytes. Stops that if the peer answers, or the body takes too long.
OCRPIPE_DECL task<exchange::upload> exchange::async_await_body(side_task& fetching,
                                                               transport_failure& failure)
{
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state; // stays up to date
    connection_.set_deadline(std::min(upload_deadline(), later(clock::now(), timeouts_.write_stall)));
    while (!fetching.ended()) {
        error_code ec;
        co_await connection_.async_wait_readable(ec);
        if (fetching.ended()) break;
        upload why = upload::failed;
        if (ec == asio::error::timed_out) {
            // Not a failure of the connection: the service is not to blame.
            failure = transport_failure(errc::unreadable_file, phase::write, sent_,
                                        "its source has yielded nothing for too long", ec);
        } else if (ec) {
            fail_wait(failure, errc::write_timeout, phase::write, ec);
        } else if (receive_early(failure)) {
            if (!answer_.has_header()) continue;
            why = upload::answered;
        }
        co_await fetching.stop();
        co_return why;
    }
    if (!is_cancelled(state)) co_return upload::done;
    fail_wait(failure, errc::write_timeout, phase::write, asio::error::operation_aborted);
    co_return upload::failed;
}

/// Sends as much of the chunk as possible without waiting; `rest` is the remainder.
OCRPIPE_DECL exchange::upload exchange::send_chunk(std::string_view chunk, byte_buffer& cipher,
                                                   std::string_view& rest, transport_failure& failure)
{
    error_code ec;
    rest = connection_.seal(chunk, cipher, ec);
    if (ec) {
        failure = transport_failure(errc::tls_failed, phase::write, sent_, {}, ec);
        return upload::failed;
    }
    // Sending the rest reports the error again.
    rest.remove_prefix(send(rest, ec));
    return upload::done;
}

OCRPIPE_DECL clock::duration exchange::patience(clock::duration at_least,
                                                std::uint64_t bytes_per_second) const
{
    return at_least + std::chrono::seconds(std::min<std::uint64_t>(body_size_ / bytes_per_second, 86'400));
}

/// How much of the body fits in the next chunk.
OCRPIPE_DECL std::size_t exchange::room(byte_buffer const& request) const
{
    std::size_t const room = chunk_size - std::min(request.size(), chunk_size / 2);
    return static_cast<std::size_t>(std::min<std::uint64_t>(room, body_left_));
}

/// Fills the next chunk: the existing content of `request`, and as much of the body as fits.
OCRPIPE_DECL bool exchange::fill(byte_buffer& request, body_source* body, transport_failure& failure)
{
    std::size_t const want = room(request);
    if (want == 0) return true;
    // Ask for one byte more than is left, so that the source can detect that the body has grown.
    std::size_t const ask = want == body_left_ ? want + 1 : want;
    error_code ec;
    std::size_t const n = body->read(request.prepare(ask).first(ask), ec);
    if (!ec && n == want) {
        request.commit(n);
        body_left_ -= n;
        return true;
    }
    failure = body_failure(*body, ec, sent_);
    return false;
}

/// When the upload is given up. It begins to count at the first wait.
OCRPIPE_DECL clock::time_point exchange::upload_deadline()
{
    if (upload_deadline_ == clock::time_point::max())
        upload_deadline_ = later(clock::now(), patience(timeouts_.submit, slowest_upload));
    return std::min(deadline_, upload_deadline_);
}

OCRPIPE_DECL std::size_t exchange::send(std::string_view wire, error_code& ec)
{
    if (sent_ == bytes_sent::none) sent_at_ = clock::now();
    std::size_t const n = connection_.send(wire, ec);
    if (n != 0) sent_ = bytes_sent::some;
    return n;
}

OCRPIPE_DECL task<exchange::upload> exchange::async_send_rest(std::string_view wire,
                                                              transport_failure& failure)
{
    error_code ec;
    while (!wire.empty()) {
        wire.remove_prefix(send(wire, ec));
        if (!ec) continue;
        if (ec != asio::error::would_block) co_return co_await async_after_break(ec, failure);
        connection_.watch_input();
        clock::time_point const now = clock::now();
        connection_.set_deadline(std::min(upload_deadline(), later(now, timeouts_.write_stall)));
        if (now >= upload_deadline())
            ec = asio::error::timed_out;
        else
            co_await connection_.async_wait_writable(ec);
        if (ec) {
            fail_wait(failure, errc::write_timeout, phase::write, ec);
            co_return upload::failed;
        }
        if (!connection_.input_seen()) {
            co_await shared_.uploads.async_turn();
            continue;
        }
        if (!receive_early(failure)) co_return upload::failed;
        if (answer_.has_header()) co_return upload::answered;
    }
    co_return upload::done;
}

/// A server that refuses an upload answers, closes, and resets the connection when we send more. Its answer
/// can still be read.
OCRPIPE_DECL task<exchange::upload> exchange::async_after_break(error_code broken, transport_failure& failure)
{
    connection_.forget_input();
    connection_.set_deadline(std::min(deadline_, later(clock::now(), late_answer_wait)));
    error_code ec;
    while (!ec && !answer_.complete()) {
        bool moved = false;
        connection_.receive(moved, ec);
        if (!ec && answer_.waits()) answer_.release(ec); // there is no time to wait for a turn
        if (ec != asio::error::would_block) continue;
        co_await connection_.async_wait_readable(ec);
    }
    if (answer_.complete()) co_return upload::answered;
    if (ec == asio::error::operation_aborted)
        fail_wait(failure, errc::write_failed, phase::write, ec);
    else if (ec == errc::client_certificate_refused)
        fail_receive(failure, phase::write, ec);
    else
        failure = transport_failure(errc::write_failed, phase::write, sent_, {}, broken);
    co_return upload::failed;
}

/// Handles input that arrives while the request is being sent. Returns false if it ends the exchange.
OCRPIPE_DECL bool exchange::receive_early(transport_failure& failure)
{
    error_code ec;
    bool moved = false;
    connection_.receive(moved, ec);
    if (!ec || ec == asio::error::would_block) return true;
    fail_receive(failure, phase::write, ec);
    return false;
}

/// Sets the deadline of the next wait for the answer.
OCRPIPE_DECL void exchange::expect(reception& r)
{
    if (!answer_.reading()) {
        r.where = phase::first_byte; // again after an interim answer
        connection_.set_deadline(r.first);
        return;
    }
    if (r.where == phase::first_byte) r.last = std::min(deadline_, later(r.now, timeouts_.answer));
    r.where = phase::body;
    connection_.set_deadline(std::min(r.last, later(r.now, timeouts_.read_stall)));
}

/// Waits until no other connection receives a large answer. The time does not count as the peer's.
OCRPIPE_DECL task<void> exchange::async_take_turn(reception& r, asio::cancellation_state const& state,
                                                  error_code& ec)
{
    clock::time_point const from = clock::now();
    connection_.clear_deadline();
    bool const granted = co_await shared_.large_answers.acquire(deadline_);
    if (!granted) {
        ec = is_cancelled(state) ? error_code(asio::error::operation_aborted)
                                 : error_code(asio::error::timed_out);
        co_return;
    }
    turn_ = fifo_semaphore::unit(shared_.large_answers);
    r.last =
        std::min(deadline_, later(r.last, std::chrono::ceil<std::chrono::milliseconds>(clock::now() - from)));
    answer_.release(ec);
}

OCRPIPE_DECL void exchange::fail_reception(transport_failure& failure, reception const& r,
                                           error_code ec) const
{
    bool const begun = r.where == phase::body;
    bool const by_us = ec == asio::error::timed_out && (connection_.timed_out() || r.now >= r.limit());
    if (by_us || ec == asio::error::operation_aborted)
        fail_wait(failure, begun ? errc::read_timeout : errc::first_byte_timeout, r.where, ec);
    else
        fail_receive(failure, r.where, ec);
}

/// Keeps the start of an incomplete answer: it may contain the request_id of a document that is billed.
OCRPIPE_DECL void exchange::keep_beginning(transport_failure& failure)
{
    constexpr std::size_t most = 64 * 1024;
    http_response& begun = answer_.response();
    if (!answer_.has_header()) return;
    failure.status = begun.status;
    if (begun.body.size() <= most) failure.begun_body = std::move(begun.body);
}

OCRPIPE_DECL void exchange::fail_receive(transport_failure& failure, phase where, error_code ec) const
{
    if (ec.category() == category()) {
        // For the server the handshake failed, so it has not looked at the request.
        bool const refused = ec == errc::client_certificate_refused;
        bool const by_tls = refused || (ec == errc::tls_failed && connection_.tls() != nullptr);
        failure = transport_failure(ec, refused ? phase::tls : where, refused ? bytes_sent::none : sent_,
                                    by_tls ? connection_.tls()->detail() : answer_.detail());
        return;
    }
    errc const code = answer_.reading() ? errc::truncated_answer : errc::connection_closed;
    failure = transport_failure(code, where, sent_, {}, ec);
}

OCRPIPE_DECL void exchange::fail_wait(transport_failure& failure, errc timeout, phase where,
                                      error_code ec) const
{
    errc code = errc::connection_closed;
    if (ec == asio::error::timed_out)
        code = timeout_code(timeout, clock::now(), deadline_);
    else if (ec == asio::error::operation_aborted)
        code = errc::cancelled;
    bool const ours = code != errc::connection_closed;
    failure = transport_failure(code, where, sent_, {}, ours ? error_code() : ec);
}

} // namespace detail
} // namespace ocrpipe

#endif
