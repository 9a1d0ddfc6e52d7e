#ifndef OCRPIPE_HTTP_IMPL_CONNECTION_POOL_IPP
#define OCRPIPE_HTTP_IMPL_CONNECTION_POOL_IPP

#include <ocrpipe/http/connection_pool.hpp>
#include <ocrpipe/http/deadline.hpp>

#include <algorithm>
#include <utility>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL connection_pool::connection_pool(executor const& ex, http_options const& options,
                                              shared_io& shared, origin to, std::optional<proxy_server> proxy,
                                              std::unique_ptr<tls_context> tls)
    : executor_(ex)
    , acquire_timeout_(options.timeouts.acquire)
    , watchdog_(ex)
    , connector_(ex, watchdog_, shared, std::move(to), std::move(proxy), std::move(tls), options)
    , fsm_(options.pool)
    , random_(options.seed != 0 ? static_cast<unsigned>(options.seed) : std::random_device()())
{
}

OCRPIPE_DECL void connection_pool::close()
{
    fsm_.close();
    close_retired();
}

OCRPIPE_DECL void connection_pool::close_retired()
{
    for (connection_id const id : fsm_.pop_retired())
        close_connection(id, fsm_.why_retired(id));
}

OCRPIPE_DECL void connection_pool::close_connection(connection_id id, close_reason why)
{
    connections_[id].reset();
    if (!observer_) return;
    connection_event e;
    e.what = connection_step::closed;
    e.id = id;
    e.exchanges = fsm_.uses(id);
    e.why = why;
    tell(e);
}

OCRPIPE_DECL void connection_pool::tell(connection_event e) const
{
    e.at = clock::now();
    observer_(e);
}

/// A lease that waits, woken through its own timer. The timer's wait belongs to the execution context,
/// expires at the waiter's deadline, and supports cancellation.
class connection_lease::waiter final : public pool_waiter
{
public:
    waiter(connection_lease const& l, clock::time_point until)
        : pool_waiter(l.lane_), expiry(l.pool_.executor_, until), fsm_(l.pool_.fsm_)
    {
    }
    ~waiter() { fsm_.leave(*this); }

    timer expiry;

private:
    void on_decided() override { expiry.cancel(); }

    pool_fsm& fsm_;
};

OCRPIPE_DECL connection_lease::~connection_lease()
{
    if (!has_slot_) return;
    boot_clock::time_point const now = boot_clock::now();
    if (connection_ == nullptr) {
        pool_.fsm_.release_empty(lane_, now);
    } else if (reusable_) {
        connection_->clear_deadline();
        pool_.fsm_.release(lane_, id_, now, hint_, max_);
    } else {
        pool_.close_connection(id_, close_reason::exchange);
        pool_.fsm_.release_closed(lane_, id_, now);
    }
    pool_.close_retired();
}

OCRPIPE_DECL void connection_lease::accept(pool_decision d) noexcept
{
    outcome_ = d.what;
    if (d.what == pool_outcome::reuse || d.what == pool_outcome::open) has_slot_ = true;
    reused_ = d.what == pool_outcome::reuse;
    id_ = d.id;
    connection_ = reused_ ? pool_.connections_[id_].get() : nullptr;
}

/// How long the connection must stay quiet before it is used.
OCRPIPE_DECL clock::duration connection_lease::rest(boot_clock::time_point now) const
{
    if (connection_ == nullptr || fresh_) return {};
    return pool_.fsm_.rest(lane_, id_, now);
}

/// Probes the connection, and its replacements as long as they are dead. Returns whether one is usable. With
/// `may_wait`, it also returns false at a connection for which rest() is not zero.
OCRPIPE_DECL bool connection_lease::probe(bool may_wait, boot_clock::time_point now)
{
    while (connection_ != nullptr) {
        if (may_wait && rest(now) != clock::duration::zero()) return false;
        pool_decision next;
        next.what = pool_outcome::open;
        using enum detail::connection::idle_input;
        auto const seen = fresh_ ? data : connection_->peek();
        if (seen == none) {
            pool_.fsm_.reused(id_, now);
            if (pool_.observer_) tell_reused();
            return true;
        }
        if (fresh_)
            pool_.fsm_.retire(id_, close_reason::suspect);
        else
            next = pool_.fsm_.replace(lane_, id_, now, seen == closed);
        accept(next);
        pool_.close_retired();
    }
    return false;
}

OCRPIPE_DECL void connection_lease::tell_reused() const
{
    connection_event e;
    e.what = connection_step::reused;
    e.id = id_;
    e.lane = lane_;
    e.exchanges = pool_.fsm_.uses(id_);
    pool_.tell(e);
}

OCRPIPE_DECL bool connection_lease::acquire_idle(asio::cancellation_state const& state)
{
    boot_clock::time_point const now = boot_clock::now();
    accept(pool_.fsm_.acquire(lane_, now, fresh_));
    pool_.close_retired();
    return !is_cancelled(state) && clock::now() < deadline_ && probe(true, now);
}

/// Why the lease must not continue; errc::ok if it may.
OCRPIPE_DECL errc connection_lease::refusal(asio::cancellation_state const& state,
                                            clock::time_point give_up) const noexcept
{
    clock::time_point const now = clock::now();
    if (is_cancelled(state)) return errc::cancelled;
    if (outcome_ == pool_outcome::full) return errc::too_many_waiting;
    if (outcome_ == pool_outcome::closed) return errc::client_closed;
    if (now >= deadline_) return errc::deadline_exceeded;
    return outcome_ == pool_outcome::pending && now >= give_up ? errc::acquire_timeout : errc::ok;
}

OCRPIPE_DECL task<bool> connection_lease::async_acquire(transport_failure& failure)
{
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state; // stays up to date
    clock::time_point const give_up = std::min(deadline_, later(clock::now(), pool_.acquire_timeout_));
    if (outcome_ == pool_outcome::pending && !is_cancelled(state)) {
        waiter w(*this, give_up);
        pool_.fsm_.enqueue(w);
        error_code ec;
        co_await w.expiry.async_wait(await_into(ec));
        accept(w.decision());
    }
    errc refused = refusal(state, give_up);
    while (refused == errc::ok && connection_ != nullptr) {
        if (probe(true, boot_clock::now())) co_return true;
        if (connection_ == nullptr) break;
        co_await async_rest();
        refused = refusal(state, give_up);
    }
    if (refused == errc::ok) refused = co_await async_wait_to_open(give_up);
    if (refused != errc::ok) {
        failure = transport_failure(refused, phase::acquire, bytes_sent::none);
        co_return false;
    }
    if (connection_ != nullptr) co_return true;
    co_return co_await async_open(failure);
}

/// Waits until the connect rate permits another connection. An idle connection that becomes available ends
/// the wait.
OCRPIPE_DECL task<errc> connection_lease::async_wait_to_open(clock::time_point give_up)
{
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    clock::time_point const start = pool_.fsm_.reserve_open(clock::now());
    errc refused = errc::ok;
    while (refused == errc::ok && !probe(false, boot_clock::now()) && clock::now() < start) {
        waiter w(*this, std::min(start, give_up));
        if (!fresh_) pool_.fsm_.enqueue_opener(w);
        error_code ec;
        co_await w.expiry.async_wait(await_into(ec));
        accept(w.decision());
        co_await async_rest();
        refused = refusal(state, give_up);
    }
    co_return refused;
}

/// Waits until the connection may be used. A close during this time is found by probe().
OCRPIPE_DECL task<void> connection_lease::async_rest()
{
    clock::duration const left = rest(boot_clock::now());
    if (left == clock::duration::zero()) co_return;
    timer quiet(pool_.executor_, clock::now() + left);
    error_code ec;
    co_await quiet.async_wait(await_into(ec));
}

OCRPIPE_DECL task<bool> connection_lease::async_open(transport_failure& failure)
{
    connection_event course;
    course.lane = lane_;
    std::unique_ptr<detail::connection> opened =
        co_await pool_.connector_.async_open(deadline_, course, failure);
    if (!opened) {
        course.what = connection_step::failed;
        course.error = failure.code;
        if (pool_.observer_) pool_.tell(course);
        co_return false;
    }
    double const jitter = std::uniform_real_distribution<>(0, 1)(pool_.random_);
    id_ = pool_.fsm_.opened(boot_clock::now(), jitter);
    connection_ = opened.get();
    if (id_ >= pool_.connections_.size()) pool_.connections_.resize(id_ + 1);
    pool_.connections_[id_] = std::move(opened);
    course.id = id_;
    if (pool_.observer_) pool_.tell(course);
    co_return true;
}

} // namespace detail
} // namespace ocrpipe

#endif
