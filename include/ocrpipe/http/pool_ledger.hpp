#ifndef OCRPIPE_HTTP_POOL_LEDGER_HPP
#define OCRPIPE_HTTP_POOL_LEDGER_HPP

#include <ocrpipe/http/http_options.hpp>
#include <ocrpipe/pace/gcra.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <vector>

namespace ocrpipe
{
namespace detail
{

using connection_id = std::uint32_t;

/// What an operation that wants a connection is told.
enum class pool_verdict {
    pending, ///< no slot is free: enqueue
    reuse,   ///< a slot, and the idle connection `id`: probe it
    open,    ///< a slot: open a connection
    full,    ///< too many wait already
    closed,
};

struct pool_decision {
    pool_verdict what = pool_verdict::pending;
    connection_id id = 0; ///< with reuse
};

/// An operation that waits. Lives in the coroutine that waits; must leave() the ledger before it ends unless
/// it was decided.
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
    friend class pool_ledger;

    /// decision() has been made; what it grants belongs to this waiter from now on, whether it still wants it
    /// or not.
    virtual void on_decided() = 0;

    enum lane lane_;
    pool_decision decision_;
    std::list<pool_waiter*>* queue_ = nullptr;
    std::list<pool_waiter*>::iterator place_;
};

/// Who gets which connection, who waits, and which connection is too old: the decisions of the pool, without
/// a socket or a clock.
///
/// A slot is the right of a lane to use one connection. Slots go to waiters of the same lane first come,
/// first served, and a connection that becomes free goes with the slot, in the same step: nobody is told to
/// look again, so nobody can be overtaken or forgotten. Idle connections belong to all lanes and are reused
/// last in, first out: warm ones stay warm, and those too many grow old and go.
///
/// Thread safety: none.
class pool_ledger
{
public:
    explicit pool_ledger(pool_options const& options);

    /// Asks for a slot and a connection. With `fresh`, never an idle one: after one was found dead its
    /// siblings are suspect.
    pool_decision acquire(enum lane l, clock::time_point now, bool fresh = false);

    /// Waits for a slot, after acquire() said pending.
    void enqueue(pool_waiter& w);

    /// Waits, holding a slot, for leave to open a connection; an idle one that turns up in the meantime ends
    /// the wait.
    void enqueue_opener(pool_waiter& w);

    /// Ends the wait of an undecided waiter.
    void leave(pool_waiter& w);

    /// The connection that acquire() offered was found dead: another one for the same slot. The server's idle
    /// limit is learned from it.
    pool_decision replace(connection_id id, clock::time_point now);

    /// The connection that acquire() offered is alive. Trust that was lost grows back slowly: a restart of
    /// the server closes connections of any age, and must not shorten the limit for good.
    void reused(connection_id id, clock::time_point now);

    /// A connection that was offered is not wanted, and not to be used by anybody.
    void discard(connection_id id) { doom(id); }

    /// When a connection may be opened: the connect rate.
    clock::time_point reserve_open(clock::time_point now) { return connects_.reserve(now); }

    /// A connection was opened in a slot. `jitter` in [0, 1) spreads the ends of lives over ±10 %.
    connection_id opened(clock::time_point now, double jitter);

    /// The slot's connection is fit for another exchange. `hint` is the server's Keep-Alive timeout, zero
    /// when it gave none.
    void release(enum lane l, connection_id id, clock::time_point now, std::chrono::seconds hint);

    /// The slot's connection was closed by the shell.
    void release_closed(enum lane l, connection_id id, clock::time_point now);

    /// The slot is given back without a connection.
    void release_empty(enum lane l, clock::time_point now);

    /// Decides all waiters as closed and dooms all idle connections. Nothing is granted afterwards.
    void close();

    /// Connections that the shell must close now. Look after each call that takes a time, and after close().
    std::vector<connection_id> take_doomed();

    /// How long an idle connection is trusted: the option, or less when the server was seen to close earlier.
    clock::duration idle_limit() const noexcept { return idle_limit_; }

    std::size_t idle() const noexcept { return idle_.size(); }
    std::size_t in_use(enum lane l) const noexcept { return lanes_[index(l)].in_use; }
    std::size_t waiting(enum lane l) const noexcept { return lanes_[index(l)].waiters.size(); }

private:
    struct lane_state {
        std::size_t limit = 0;
        std::size_t in_use = 0;
        std::list<pool_waiter*> waiters;
    };

    struct connection_facts {
        clock::time_point end_of_life;
        clock::time_point idle_since;
        clock::duration idle_limit =
            clock::duration::max(); ///< as hinted by the server; the learned one may be shorter
    };

    static std::size_t index(enum lane l) noexcept { return static_cast<std::size_t>(l); }
    static void decide(pool_waiter& w, pool_verdict what, connection_id id);

    clock::time_point expiry(connection_id id) const;
    pool_decision next_connection(clock::time_point now);
    void doom(connection_id id) { doomed_.push_back(id); }
    void trim(clock::time_point now);

    std::array<lane_state, lane_count> lanes_;
    std::list<pool_waiter*> openers_;
    std::deque<connection_id> idle_; ///< the freshest at the back
    std::vector<connection_facts> connections_;
    std::vector<connection_id> unused_ids_;
    std::vector<connection_id> doomed_;
    std::size_t max_waiting_;
    std::size_t capacity_ = 0;
    std::size_t total_in_use_ = 0;
    clock::duration const idle_option_;
    clock::duration idle_limit_;
    clock::duration const life_limit_;
    gcra connects_;
    bool closed_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/pool_ledger.ipp>
#endif

#endif
