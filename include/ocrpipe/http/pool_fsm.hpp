#ifndef OCRPIPE_HTTP_POOL_FSM_HPP
#define OCRPIPE_HTTP_POOL_FSM_HPP

#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/pace/gcra.hpp>
#include <ocrpipe/transport/connection_event.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <vector>

namespace ocrpipe
{
namespace detail
{

using connection_id = std::uint32_t;

/// The outcome of a request for a connection.
enum class pool_outcome {
    pending, ///< no slot is free: call enqueue()
    reuse,   ///< a slot, and the idle connection `id`: probe it
    open,    ///< a slot: open a connection
    full,    ///< too many operations are waiting
    closed,
};

struct pool_decision {
    pool_outcome what = pool_outcome::pending;
    connection_id id = 0; ///< with reuse
};

/// A waiting operation. Lives in its coroutine, which must call leave() before it ends unless decision() was
/// made.
class pool_waiter
{
public:
    explicit pool_waiter(enum lane l) noexcept : lane_(l) {}
    pool_waiter(pool_waiter const&) = delete;
    pool_waiter& operator=(pool_waiter const&) = delete;

    enum lane lane() const noexcept { return lane_; }
    pool_decision decision() const noexcept { return decision_; }

    virtual ~pool_waiter() = default;

private:
    friend class pool_fsm;

    /// Called when decision() has been made. This waiter now owns what it grants, even if it no longer needs
    /// it.
    virtual void on_decided() = 0;

    enum lane lane_;
    pool_decision decision_;
    std::list<pool_waiter*>* queue_ = nullptr;
    std::list<pool_waiter*>::iterator place_;
};

/// The connection pool's decisions, without sockets or clocks: who gets which connection, who waits, and
/// which connections are too old.
///
/// A slot is the right of a lane to use one connection. Slots go to waiters of the same lane first come,
/// first served, and a connection that becomes free is handed over with the slot in the same step, so no
/// waiter can be overtaken or miss a wake-up. Idle connections are shared by all lanes and reused last in,
/// first out: busy ones stay warm, and surplus ones expire.
///
/// A POST on a connection that the server is about to close is ambiguous, so closes are avoided. What the
/// server announces in Keep-Alive is believed. What it does not announce is learned from the connections that
/// it closes: after which time, and after how many exchanges. GETs may be repeated, so they go beyond the
/// learned number and find out whether it still holds. A POST that would be the first one beyond the number
/// of exchanges that a connection was seen to carry waits for a moment, in which a close would be seen.
///
/// Ages count the time for which the machine was suspended, because the server closes meanwhile.
///
/// Thread safety: none.
class pool_fsm
{
public:
    explicit pool_fsm(pool_options const& options);

    /// Requests a slot and a connection. With `fresh`, never returns an idle connection: once one was found
    /// dead, the others are suspect.
    pool_decision acquire(enum lane l, boot_clock::time_point now, bool fresh = false);

    /// Waits for a slot, after acquire() said pending.
    void enqueue(pool_waiter& w);

    /// While holding a slot, waits until it may open a connection; an idle one that becomes available ends
    /// the wait.
    void enqueue_opener(pool_waiter& w);

    /// Ends the wait of an undecided waiter.
    void leave(pool_waiter& w);

    /// How long the connection that acquire() offered must stay quiet before it is used: zero, or less than
    /// 20 ms. Call it before reused().
    clock::duration rest(enum lane l, connection_id id, boot_clock::time_point now) const;

    /// The connection that acquire() offered is not usable; returns another decision for the same slot. If
    /// the server has closed it, when the server closes is learned from it.
    pool_decision replace(enum lane l, connection_id id, boot_clock::time_point now, bool closed = true);

    /// The connection that acquire() offered is alive. A reduced idle limit slowly grows back, because a
    /// server restart closes connections of any age and must not reduce the limit permanently.
    void reused(connection_id id, boot_clock::time_point now);

    /// After reused(), the connection broke before the first byte of an answer. When the server closes is
    /// learned from it.
    void died(connection_id id);

    /// Rejects an offered connection; it will not be used again.
    void retire(connection_id id, close_reason why)
    {
        connections_[id].retired = why;
        retired_.push_back(id);
    }

    /// When a connection may be opened, by the connect rate.
    clock::time_point reserve_open(clock::time_point now) { return connects_.reserve(now); }

    /// A connection was opened in a slot. `jitter` in [0, 1) spreads the connection lifetimes over ±10 %.
    connection_id opened(boot_clock::time_point now, double jitter);

    /// Releases the slot after an exchange; its connection can be reused. `hint` is the server's Keep-Alive
    /// timeout, zero if it sent none; `max` as in answer_head.
    void release(enum lane l, connection_id id, boot_clock::time_point now, std::chrono::seconds hint,
                 std::optional<std::uint32_t> max = {});

    /// Releases the slot; the shell has closed its connection.
    void release_closed(enum lane l, connection_id id, boot_clock::time_point now);

    /// Releases a slot without a connection.
    void release_empty(enum lane l, boot_clock::time_point now);

    /// Decides all waiters as closed and marks all idle connections to be closed. Grants nothing afterwards.
    void close();

    /// Connections that the shell must close now. Call it after every call that takes a time, and after
    /// close().
    std::vector<connection_id> pop_retired();

    // Until another connection gets the id.

    close_reason why_retired(connection_id id) const noexcept { return connections_[id].retired; }
    std::uint32_t uses(connection_id id) const noexcept { return connections_[id].uses; } ///< exchanges

private:
    struct lane_state {
        std::size_t limit = 0;
        std::size_t in_use = 0;
        std::list<pool_waiter*> waiters;
    };

    struct connection_facts {
        boot_clock::time_point end_of_life;
        boot_clock::time_point idle_since;
        /// From the server's hint; the learned limit may be shorter.
        clock::duration idle_limit = clock::duration::max();
        clock::duration age_at_use{};       ///< time without an exchange before the current one
        std::uint32_t uses = 0;             ///< exchanges carried
        std::uint32_t use_limit = no_limit; ///< from the server's hint
        close_reason retired = close_reason::none;
    };
    static constexpr std::uint32_t no_limit = static_cast<std::uint32_t>(-1);

    static std::size_t index(enum lane l) noexcept { return static_cast<std::size_t>(l); }
    static void decide(pool_waiter& w, pool_outcome what, connection_id id);

    boot_clock::time_point expiry(connection_id id) const;
    bool is_worn(enum lane l, connection_id id) const;
    close_reason why_expired(connection_id id, boot_clock::time_point now) const;
    void learn_close(connection_id id, clock::duration age);
    void learn_use(enum lane l, connection_facts& facts, std::optional<std::uint32_t> max);
    pool_decision next_connection(enum lane l, boot_clock::time_point now);
    void trim(boot_clock::time_point now);

    std::array<lane_state, lane_count> lanes_;
    std::list<pool_waiter*> openers_;
    std::deque<connection_id> idle_; ///< most recently used at the back
    std::vector<connection_facts> connections_;
    std::vector<connection_id> unused_ids_;
    std::vector<connection_id> retired_;
    std::size_t max_waiting_;
    std::size_t capacity_ = 0;
    std::size_t total_in_use_ = 0;
    clock::duration const idle_option_;
    clock::duration idle_limit_; ///< the option, or less if the server was seen to close earlier
    clock::duration const life_limit_;
    std::uint32_t use_limit_ = no_limit; ///< for POSTs; less if the server was seen to close earlier
    std::uint32_t proven_uses_ = 0;      ///< exchanges that a connection was seen to carry
    int uses_beyond_limit_ = 0;          ///< since the last close
    gcra connects_;
    bool closed_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/pool_fsm.ipp>
#endif

#endif
