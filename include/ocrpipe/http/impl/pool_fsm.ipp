#ifndef OCRPIPE_HTTP_IMPL_POOL_FSM_IPP
#define OCRPIPE_HTTP_IMPL_POOL_FSM_IPP

#include <ocrpipe/http/deadline.hpp>
#include <ocrpipe/http/pool_fsm.hpp>

#include <algorithm>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// A connection closed sooner than this was closed for a reason other than idleness, such as a request limit.
inline constexpr std::chrono::milliseconds shortest_learned_idle{1'000};

/// Fraction of the server's idle limit that is used, so that a request does not race with the server's close.
inline constexpr double idle_margin = 0.8;

inline clock::duration scaled(clock::duration d, double factor)
{
    return clock::duration(static_cast<clock::rep>(static_cast<double>(d.count()) * factor));
}

OCRPIPE_DECL pool_fsm::pool_fsm(pool_options const& options)
    : max_waiting_(options.max_waiting)
    , idle_option_(options.idle_limit)
    , idle_limit_(options.idle_limit)
    , life_limit_(options.life_limit)
    , connects_(options.max_connects_per_second, std::max(1.0, options.max_connects_per_second / 4))
{
    lanes_[index(lane::submit)].limit = options.submit_connections;
    lanes_[index(lane::poll)].limit = options.poll_connections;
    lanes_[index(lane::part)].limit = options.part_connections;
    for (lane_state const& l : lanes_)
        capacity_ += l.limit;
}

OCRPIPE_DECL pool_decision pool_fsm::acquire(enum lane l, clock::time_point now, bool fresh)
{
    trim(now);
    lane_state& state = lanes_[index(l)];
    pool_decision d;
    if (closed_) {
        d.what = pool_outcome::closed;
    } else if (state.in_use < state.limit) {
        ++state.in_use;
        ++total_in_use_;
        if (!fresh) return next_connection(now);
        d.what = pool_outcome::open;
        if (total_in_use_ + idle_.size() >
            capacity_) { // the connection to be opened takes the place of the oldest idle one
            retire(idle_.front());
            idle_.pop_front();
        }
    } else if (state.waiters.size() >= max_waiting_) {
        d.what = pool_outcome::full;
    }
    return d;
}

OCRPIPE_DECL void pool_fsm::enqueue(pool_waiter& w)
{
    w.queue_ = &lanes_[index(w.lane())].waiters;
    w.place_ = w.queue_->insert(w.queue_->end(), &w);
}

OCRPIPE_DECL void pool_fsm::enqueue_opener(pool_waiter& w)
{
    w.queue_ = &openers_;
    w.place_ = openers_.insert(openers_.end(), &w);
}

OCRPIPE_DECL void pool_fsm::leave(pool_waiter& w)
{
    if (w.queue_ == nullptr) return;
    w.queue_->erase(w.place_);
    w.queue_ = nullptr;
}

OCRPIPE_DECL void pool_fsm::decide(pool_waiter& w, pool_outcome what, connection_id id)
{
    w.queue_->erase(w.place_);
    w.queue_ = nullptr;
    w.decision_.what = what;
    w.decision_.id = id;
    w.on_decided();
}

OCRPIPE_DECL pool_decision pool_fsm::next_connection(clock::time_point now)
{
    pool_decision d;
    d.what = pool_outcome::open;
    while (!idle_.empty()) {
        connection_id const id = idle_.back();
        idle_.pop_back();
        if (expiry(id) <= now) {
            retire(id);
            continue;
        }
        d.what = pool_outcome::reuse;
        d.id = id;
        break;
    }
    return d;
}

OCRPIPE_DECL pool_decision pool_fsm::replace(connection_id id, clock::time_point now)
{
    clock::duration const age = now - connections_[id].idle_since;
    if (age >= shortest_learned_idle)
        idle_limit_ =
            std::min(idle_limit_, std::max<clock::duration>(scaled(age, idle_margin), shortest_learned_idle));
    retire(id);
    trim(now);
    return next_connection(now);
}

OCRPIPE_DECL void pool_fsm::reused(connection_id id, clock::time_point now)
{
    if (now - connections_[id].idle_since >= idle_limit_ / 2)
        idle_limit_ = std::min(idle_option_, scaled(idle_limit_, 1.05));
}

OCRPIPE_DECL connection_id pool_fsm::opened(clock::time_point now, double jitter)
{
    connection_id id = static_cast<connection_id>(connections_.size());
    if (unused_ids_.empty()) {
        connections_.emplace_back();
    } else {
        id = unused_ids_.back();
        unused_ids_.pop_back();
        connections_[id] = connection_facts();
    }
    connections_[id].end_of_life = later(now, scaled(life_limit_, 0.9 + 0.2 * jitter));
    return id;
}

OCRPIPE_DECL void pool_fsm::release(enum lane l, connection_id id, clock::time_point now,
                                    std::chrono::seconds hint)
{
    connection_facts& facts = connections_[id];
    if (closed_ || facts.end_of_life <= now) {
        retire(id);
        release_empty(l, now);
        return;
    }
    facts.idle_since = now;
    if (hint.count() > 0) facts.idle_limit = scaled(hint, idle_margin);
    lane_state& state = lanes_[index(l)];
    if (!state.waiters.empty()) {
        decide(*state.waiters.front(), pool_outcome::reuse, id);
    } else {
        --state.in_use;
        --total_in_use_;
        if (!openers_.empty())
            decide(*openers_.front(), pool_outcome::reuse, id);
        else
            idle_.push_back(id);
    }
    trim(now);
}

OCRPIPE_DECL void pool_fsm::release_closed(enum lane l, connection_id id, clock::time_point now)
{
    unused_ids_.push_back(id);
    release_empty(l, now);
}

OCRPIPE_DECL void pool_fsm::release_empty(enum lane l, clock::time_point now)
{
    trim(now);
    lane_state& state = lanes_[index(l)];
    if (!state.waiters.empty()) {
        pool_decision const d = next_connection(now);
        decide(*state.waiters.front(), d.what, d.id);
    } else {
        --state.in_use;
        --total_in_use_;
    }
}

OCRPIPE_DECL void pool_fsm::close()
{
    closed_ = true;
    for (lane_state& l : lanes_)
        while (!l.waiters.empty())
            decide(*l.waiters.front(), pool_outcome::closed, 0);
    while (!openers_.empty())
        decide(*openers_.front(), pool_outcome::closed, 0);
    retired_.insert(retired_.end(), idle_.begin(), idle_.end());
    idle_.clear();
}

OCRPIPE_DECL std::vector<connection_id> pool_fsm::pop_retired()
{
    unused_ids_.insert(unused_ids_.end(), retired_.begin(), retired_.end());
    return std::exchange(retired_, {});
}

OCRPIPE_DECL clock::time_point pool_fsm::expiry(connection_id id) const
{
    connection_facts const& facts = connections_[id];
    return std::min(facts.end_of_life, later(facts.idle_since, std::min(idle_limit_, facts.idle_limit)));
}

/// The oldest idle connection is at the front, so only expired ones are visited and the cost does not depend
/// on their number.
OCRPIPE_DECL void pool_fsm::trim(clock::time_point now)
{
    while (!idle_.empty() && expiry(idle_.front()) <= now) {
        retire(idle_.front());
        idle_.pop_front();
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
