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

/// A connection closed sooner than this was closed for a reason other than idleness, such as a limit on the
/// number of requests.
inline constexpr std::chrono::milliseconds shortest_learned_idle{1'000};

/// Fraction of the server's idle limit that is used, so that a request does not race with the server's close.
inline constexpr double idle_margin = 0.8;

/// A server that closes after an answer does so within this time, unless the connection carries more.
inline constexpr std::chrono::milliseconds rest_before_post{20};

/// A limit on requests that is not announced is expected to be below this, so that careful reuse has an end.
inline constexpr std::uint32_t largest_unproven = 64;

/// So many GETs beyond the learned number of exchanges, without a close, show that it does not hold.
inline constexpr int uses_that_disprove = 32;

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

OCRPIPE_DECL pool_decision pool_fsm::acquire(enum lane l, boot_clock::time_point now, bool fresh)
{
    trim(now);
    lane_state& state = lanes_[index(l)];
    pool_decision d;
    if (closed_) {
        d.what = pool_outcome::closed;
    } else if (state.in_use < state.limit) {
        ++state.in_use;
        ++total_in_use_;
        if (!fresh) return next_connection(l, now);
        d.what = pool_outcome::open;
        if (total_in_use_ + idle_.size() >
            capacity_) { // the connection to be opened takes the place of the oldest idle one
            retire(idle_.front(), close_reason::suspect);
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

OCRPIPE_DECL pool_decision pool_fsm::next_connection(enum lane l, boot_clock::time_point now)
{
    pool_decision d;
    d.what = pool_outcome::open;
    while (!idle_.empty()) {
        connection_id const id = idle_.back();
        idle_.pop_back();
        bool const is_expired = expiry(id) <= now;
        if (is_expired || is_worn(l, id)) {
            retire(id, is_expired ? why_expired(id, now) : close_reason::exchanges);
            continue;
        }
        d.what = pool_outcome::reuse;
        d.id = id;
        break;
    }
    return d;
}

OCRPIPE_DECL clock::duration pool_fsm::rest(enum lane l, connection_id id, boot_clock::time_point now) const
{
    connection_facts const& facts = connections_[id];
    bool const trusted = facts.uses < proven_uses_ || facts.uses >= largest_unproven;
    if (l != lane::submit || (trusted && use_limit_ == no_limit)) return {};
    return std::max<clock::duration>(later(facts.idle_since, rest_before_post) - now, {});
}

OCRPIPE_DECL pool_decision pool_fsm::replace(enum lane l, connection_id id, boot_clock::time_point now,
                                             bool closed)
{
    if (closed) learn_close(id, now - connections_[id].idle_since);
    retire(id, closed ? close_reason::by_peer : close_reason::suspect);
    trim(now);
    return next_connection(l, now);
}

OCRPIPE_DECL void pool_fsm::reused(connection_id id, boot_clock::time_point now)
{
    clock::duration const age = now - connections_[id].idle_since;
    connections_[id].age_at_use = age;
    if (age >= idle_limit_ / 2) idle_limit_ = std::min(idle_option_, scaled(idle_limit_, 1.05));
}

OCRPIPE_DECL void pool_fsm::died(connection_id id) { learn_close(id, connections_[id].age_at_use); }

OCRPIPE_DECL void pool_fsm::learn_close(connection_id id, clock::duration age)
{
    if (age >= shortest_learned_idle) {
        clock::duration const learned = scaled(age, idle_margin);
        idle_limit_ = std::min(idle_limit_, std::max<clock::duration>(learned, shortest_learned_idle));
        return;
    }
    std::uint32_t const uses = std::max<std::uint32_t>(connections_[id].uses, 1);
    use_limit_ = std::min(use_limit_, uses);
    proven_uses_ = std::min(proven_uses_, uses);
    uses_beyond_limit_ = 0;
}

OCRPIPE_DECL void pool_fsm::learn_use(enum lane l, connection_facts& facts, std::optional<std::uint32_t> max)
{
    std::uint32_t const uses = ++facts.uses;
    proven_uses_ = std::max(proven_uses_, uses);
    if (max) {
        // The first `max` may be the number of all requests; a later one lets as many follow at most.
        std::uint32_t const following = uses + std::min(*max, no_limit / 2);
        facts.use_limit =
            facts.use_limit == no_limit ? std::max(uses, *max) : std::min(facts.use_limit, following);
    }
    if (l == lane::submit || uses <= use_limit_ || ++uses_beyond_limit_ < uses_that_disprove) return;
    use_limit_ = no_limit;
    uses_beyond_limit_ = 0;
}

OCRPIPE_DECL connection_id pool_fsm::opened(boot_clock::time_point now, double jitter)
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

OCRPIPE_DECL void pool_fsm::release(enum lane l, connection_id id, boot_clock::time_point now,
                                    std::chrono::seconds hint, std::optional<std::uint32_t> max)
{
    connection_facts& facts = connections_[id];
    learn_use(l, facts, max);
    if (closed_ || facts.end_of_life <= now || facts.uses >= facts.use_limit) {
        retire(id, closed_                    ? close_reason::shutdown
                   : facts.end_of_life <= now ? close_reason::age
                                              : close_reason::exchanges);
        release_empty(l, now);
        return;
    }
    facts.idle_since = now;
    if (hint.count() > 0) facts.idle_limit = scaled(hint, idle_margin);
    lane_state& state = lanes_[index(l)];
    if (!state.waiters.empty()) {
        if (!is_worn(l, id)) {
            decide(*state.waiters.front(), pool_outcome::reuse, id);
        } else {
            retire(id, close_reason::exchanges);
            release_empty(l, now);
        }
    } else {
        --state.in_use;
        --total_in_use_;
        auto const opener = std::find_if(openers_.begin(), openers_.end(),
                                         [&](pool_waiter const* w) { return !is_worn(w->lane(), id); });
        if (opener != openers_.end())
            decide(**opener, pool_outcome::reuse, id);
        else
            idle_.push_back(id);
    }
    trim(now);
}

OCRPIPE_DECL void pool_fsm::release_closed(enum lane l, connection_id id, boot_clock::time_point now)
{
    unused_ids_.push_back(id);
    release_empty(l, now);
}

OCRPIPE_DECL void pool_fsm::release_empty(enum lane l, boot_clock::time_point now)
{
    trim(now);
    lane_state& state = lanes_[index(l)];
    if (!state.waiters.empty()) {
        pool_decision const d = next_connection(l, now);
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
    for (connection_id const id : idle_)
        retire(id, close_reason::shutdown);
    idle_.clear();
}

OCRPIPE_DECL std::vector<connection_id> pool_fsm::pop_retired()
{
    unused_ids_.insert(unused_ids_.end(), retired_.begin(), retired_.end());
    return std::exchange(retired_, {});
}

/// Whether the connection has carried as many exchanges as a POST may rely on.
OCRPIPE_DECL bool pool_fsm::is_worn(enum lane l, connection_id id) const
{
    return l == lane::submit && connections_[id].uses >= use_limit_;
}

OCRPIPE_DECL boot_clock::time_point pool_fsm::expiry(connection_id id) const
{
    connection_facts const& facts = connections_[id];
    return std::min(facts.end_of_life, later(facts.idle_since, std::min(idle_limit_, facts.idle_limit)));
}

OCRPIPE_DECL close_reason pool_fsm::why_expired(connection_id id, boot_clock::time_point now) const
{
    return connections_[id].end_of_life <= now ? close_reason::age : close_reason::idle;
}

/// The oldest idle connection is at the front, so only expired ones are visited and the cost does not depend
/// on their number.
OCRPIPE_DECL void pool_fsm::trim(boot_clock::time_point now)
{
    while (!idle_.empty() && expiry(idle_.front()) <= now) {
        retire(idle_.front(), why_expired(idle_.front(), now));
        idle_.pop_front();
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
