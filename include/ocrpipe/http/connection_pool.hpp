#ifndef OCRPIPE_HTTP_CONNECTION_POOL_HPP
#define OCRPIPE_HTTP_CONNECTION_POOL_HPP

#include <ocrpipe/http/connector.hpp>
#include <ocrpipe/http/pool_fsm.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// The pooled connections to one origin: the I/O around pool_fsm.
///
/// Thread safety: none.
/// Lifetime: must outlive its leases, and `shared` must outlive it.
class connection_pool
{
public:
    connection_pool(executor const& ex, http_options const& options, shared_io& shared, origin to,
                    std::optional<proxy_server> proxy, std::unique_ptr<tls_context> tls);

    /// Closes idle connections and refuses waiting and later leases. Connections in use are closed when their
    /// lease ends.
    void close();

    /// As transport::observe_connections().
    void observe(connection_observer observer) { observer_ = std::move(observer); }

private:
    friend class connection_lease;

    void close_retired();
    void close_connection(connection_id id, close_reason why);
    /// Completes the event and passes it on. Call it only if there is an observer.
    void tell(connection_event e) const;

    executor executor_;
    std::chrono::milliseconds acquire_timeout_;
    watchdog watchdog_;
    connector connector_;
    pool_fsm fsm_;
    std::vector<std::unique_ptr<connection>> connections_; ///< by connection_id
    std::minstd_rand random_;
    connection_observer observer_; ///< often empty
};

/// Acquires a lane's slot and a connection, and returns both to the pool when destroyed.
class connection_lease
{
public:
    /// With `fresh`, the connection is a new one: idle ones are suspect because one was found dead.
    connection_lease(connection_pool& pool, enum lane l, clock::time_point deadline, bool fresh) noexcept
        : pool_(pool), deadline_(deadline), lane_(l), fresh_(fresh)
    {
    }
    connection_lease(connection_lease const&) = delete;
    connection_lease& operator=(connection_lease const&) = delete;
    ~connection_lease();

    /// The usual case: acquires an idle connection without waiting. Call it once. If it returns false, call
    /// async_acquire().
    bool acquire_idle(asio::cancellation_state const& state);

    /// Waits for a slot, and then for an idle connection or for permission to open one. Returns false with
    /// `failure` set.
    task<bool> async_acquire(transport_failure& failure);

    detail::connection& connection() noexcept { return *connection_; }

    /// Whether the connection has served an exchange before.
    bool reused() const noexcept { return reused_; }

    /// From now on the connection is closed at the end, unless end_exchange() finds it reusable.
    void begin_exchange() noexcept { reusable_ = false; }

    /// `answer` is what was received of the answer.
    void end_exchange(bool reusable, answer_reader const& answer) noexcept
    {
        reusable_ = reusable;
        hint_ = answer.keep_alive_hint();
        max_ = answer.keep_alive_max();
    }

    /// The connection, which had served an exchange before, broke before the first byte of the answer.
    void died() { pool_.fsm_.died(id_); }

private:
    class waiter;

    void accept(pool_decision d) noexcept;
    void tell_reused() const;
    bool probe(bool may_wait, boot_clock::time_point now);
    clock::duration rest(boot_clock::time_point now) const;
    task<void> async_rest();
    errc refusal(asio::cancellation_state const& state, clock::time_point give_up) const noexcept;
    task<errc> async_wait_to_open(clock::time_point give_up);
    task<bool> async_open(transport_failure& failure);

    connection_pool& pool_;
    detail::connection* connection_ = nullptr;
    clock::time_point deadline_;
    std::chrono::seconds hint_{0};
    std::optional<std::uint32_t> max_;
    connection_id id_ = 0;
    pool_outcome outcome_ = pool_outcome::pending; ///< of the last decision
    enum lane lane_;
    bool fresh_;
    bool has_slot_ = false;
    bool reused_ = false;
    bool reusable_ = true;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/connection_pool.ipp>
#endif

#endif
