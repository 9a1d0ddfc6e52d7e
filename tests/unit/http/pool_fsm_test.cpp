#include <ocrpipe/http/pool_fsm.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;
using ocrpipe::detail::connection_id;
using ocrpipe::detail::pool_decision;
using ocrpipe::detail::pool_fsm;
using ocrpipe::detail::pool_outcome;
using ocrpipe::detail::pool_waiter;

namespace
{

/// For the connect rate, which waits by the clock of timers.
clock::time_point steady(std::chrono::milliseconds t) { return clock::time_point(1h) + t; }

boot_clock::time_point at(std::chrono::milliseconds t) { return boot_clock::time_point(1h) + t; }

pool_options small_pool()
{
    pool_options o;
    o.submit_connections = 2;
    o.poll_connections = 1;
    o.part_connections = 1;
    o.max_waiting = 2;
    o.idle_limit = 60s;
    o.life_limit = 600s;
    o.max_connects_per_second = 0;
    return o;
}

class test_waiter final : public pool_waiter
{
public:
    using pool_waiter::pool_waiter;
    int woken = 0;

private:
    void on_decided() override { ++woken; }
};

/// Opens a connection in a slot of `l` at `t`, lives being exactly as long as the option says.
connection_id open(pool_fsm& p, enum lane l, boot_clock::time_point t)
{
    REQUIRE(p.acquire(l, t).what == pool_outcome::open);
    return p.opened(t, 0.5);
}

/// Releases `id` at `t`; whether it is reused after being idle for `age`. Keeps the slot.
bool is_reused_after(pool_fsm& p, connection_id id, boot_clock::time_point t, std::chrono::milliseconds age)
{
    p.release(lane::submit, id, t, 0s);
    return p.acquire(lane::submit, t + age).what == pool_outcome::reuse;
}

} // namespace

TEST_CASE("pool_fsm: a connection given back -> reused, the one given back last first")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    connection_id const b = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(1s), 0s);
    p.release(lane::submit, b, at(2s), 0s);
    pool_decision const first = p.acquire(lane::submit, at(3s));
    CHECK(first.what == pool_outcome::reuse);
    CHECK(first.id == b);
    CHECK(p.acquire(lane::submit, at(3s)).id == a);
}

TEST_CASE("pool_fsm: an idle connection of one lane -> reused by another")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(1s), 0s);
    pool_decision const d = p.acquire(lane::poll, at(1s));
    CHECK(d.what == pool_outcome::reuse);
    CHECK(d.id == a);
}

TEST_CASE("pool_fsm: a lane at its limit -> pending, while other lanes still get slots")
{
    pool_fsm p(small_pool());
    open(p, lane::submit, at(0ms));
    open(p, lane::submit, at(0ms));
    CHECK(p.acquire(lane::submit, at(0ms)).what == pool_outcome::pending);
    CHECK(p.acquire(lane::poll, at(0ms)).what == pool_outcome::open);
}

TEST_CASE("pool_fsm: waiters -> served first come, first served, with the connection itself")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    test_waiter first(lane::poll);
    test_waiter second(lane::poll);
    p.enqueue(first);
    p.enqueue(second);
    p.release(lane::poll, a, at(1s), 0s);
    CHECK(first.woken == 1);
    CHECK(first.decision().what == pool_outcome::reuse);
    CHECK(first.decision().id == a);
    CHECK(second.decision().what == pool_outcome::pending);
    CHECK(p.acquire(lane::poll, at(1s)).what == pool_outcome::pending); // no one comes between
    p.release(lane::poll, a, at(2s), 0s);
    CHECK(second.decision().id == a);
}

TEST_CASE("pool_fsm: the connection before a waiter is closed -> the waiter gets the slot and opens one")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    test_waiter w(lane::poll);
    p.enqueue(w);
    p.release_closed(lane::poll, a, at(1s));
    CHECK(w.decision().what == pool_outcome::open);
    CHECK(p.acquire(lane::poll, at(1s)).what == pool_outcome::pending);
}

TEST_CASE("pool_fsm: a waiter that leaves -> the slot goes to the next, and nobody is woken for nothing")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    test_waiter first(lane::poll);
    test_waiter second(lane::poll);
    p.enqueue(first);
    p.enqueue(second);
    p.leave(first);
    p.leave(first);
    p.release(lane::poll, a, at(1s), 0s);
    CHECK(first.decision().what == pool_outcome::pending);
    CHECK(second.decision().id == a);
}

TEST_CASE("pool_fsm: a decided waiter that no longer wants it -> gives it back and nothing is lost")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    test_waiter w(lane::poll);
    p.enqueue(w);
    p.release(lane::poll, a, at(1s), 0s);
    REQUIRE(w.decision().what != pool_outcome::pending);
    p.leave(w);
    p.release(lane::poll, w.decision().id, at(1s), 0s);
    CHECK(p.acquire(lane::poll, at(1s)).id == a);
}

TEST_CASE("pool_fsm: more waiters than allowed -> full, at once")
{
    pool_fsm p(small_pool());
    open(p, lane::poll, at(0ms));
    test_waiter first(lane::poll);
    test_waiter second(lane::poll);
    p.enqueue(first);
    CHECK(p.acquire(lane::poll, at(0ms)).what == pool_outcome::pending);
    p.enqueue(second);
    CHECK(p.acquire(lane::poll, at(0ms)).what == pool_outcome::full);
    p.leave(first);
    p.leave(second);
}

TEST_CASE("pool_fsm: no waiting allowed -> full instead of pending")
{
    pool_options o = small_pool();
    o.max_waiting = 0;
    pool_fsm p(o);
    open(p, lane::poll, at(0ms));
    CHECK(p.acquire(lane::poll, at(0ms)).what == pool_outcome::full);
}

TEST_CASE("pool_fsm: idle for the limit -> closed instead of reused")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(1s), 0s);
    CHECK(p.acquire(lane::submit, at(61s)).what == pool_outcome::open);
    CHECK(p.pop_retired() == std::vector<connection_id>{a});
    CHECK(p.why_retired(a) == close_reason::idle);
    CHECK(p.uses(a) == 1);
}

TEST_CASE("pool_fsm: just within the idle limit -> reused")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(1s), 0s);
    CHECK(p.acquire(lane::submit, at(60'999ms)).what == pool_outcome::reuse);
    CHECK(p.pop_retired().empty());
}

TEST_CASE("pool_fsm: old idle connections -> closed when another one comes back, without being asked for")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    connection_id const b = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(0ms), 0s);
    p.release(lane::submit, b, at(61s), 0s);
    CHECK(p.pop_retired() == std::vector<connection_id>{a});
    CHECK(p.acquire(lane::submit, at(61s)).id == b);
}

TEST_CASE("pool_fsm: a Keep-Alive hint -> that connection is trusted for four fifths of it")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    connection_id const b = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(0ms), 10s);
    CHECK(p.acquire(lane::submit, at(7'999ms)).what == pool_outcome::reuse);
    // The hint outlives an answer without one.
    CHECK_FALSE(is_reused_after(p, a, at(8s), 8s));
    CHECK(is_reused_after(p, b, at(16s), 59s));
}

TEST_CASE(
    "pool_fsm: found dead at an idle age -> four fifths of it become the limit of all, and smaller ages "
    "count more")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    REQUIRE(is_reused_after(p, a, at(0ms), 10s));
    CHECK(p.replace(lane::submit, a, at(10s)).what == pool_outcome::open);
    connection_id b = p.opened(at(10s), 0.5);
    CHECK(is_reused_after(p, b, at(10s), 7'999ms));
    CHECK_FALSE(is_reused_after(p, b, at(20s), 8s));
    b = p.opened(at(30s), 0.5);
    REQUIRE(is_reused_after(p, b, at(30s), 5s));
    p.replace(lane::submit, b, at(35s));
    b = p.opened(at(35s), 0.5);
    CHECK(is_reused_after(p, b, at(35s), 3'999ms));
    CHECK_FALSE(is_reused_after(p, b, at(40s), 4s));
}

TEST_CASE("pool_fsm: found dead at once -> says nothing about the idle limit")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    p.release(lane::poll, a, at(0ms), 0s);
    REQUIRE(p.acquire(lane::poll, at(10ms)).id == a);
    p.replace(lane::poll, a, at(10ms));
    connection_id const b = p.opened(at(10ms), 0.5);
    p.release(lane::poll, b, at(10ms), 0s);
    CHECK(p.acquire(lane::poll, at(60'009ms)).what == pool_outcome::reuse);
}

namespace
{

/// Opens a connection and lets it carry `n` polls, the last of which ends at `t`. It is idle then.
connection_id used(pool_fsm& p, int n, boot_clock::time_point t)
{
    connection_id const id = open(p, lane::poll, t);
    p.release(lane::poll, id, t, 0s);
    for (int i = 1; i < n; ++i) {
        REQUIRE(p.acquire(lane::poll, t).id == id);
        p.release(lane::poll, id, t, 0s);
    }
    return id;
}

} // namespace

TEST_CASE(
    "pool_fsm: closed after so many exchanges, unannounced -> no submit is sent on one that carried as many")
{
    for (bool const found_idle : {true, false}) {
        CAPTURE(found_idle);
        pool_fsm p(small_pool());
        connection_id const a = used(p, 3, at(0ms));
        REQUIRE(p.acquire(lane::poll, at(5ms)).id == a);
        if (found_idle) {
            p.replace(lane::poll, a, at(5ms));
            p.release_empty(lane::poll, at(5ms));
        } else {
            p.reused(a, at(5ms));
            p.died(a);
            p.release_closed(lane::poll, a, at(5ms));
        }
        connection_id const two = used(p, 2, at(10ms));
        CHECK(p.acquire(lane::submit, at(1s)).id == two);
        p.release(lane::submit, two, at(1s), 0s);
        CHECK(p.acquire(lane::submit, at(2s)).what == pool_outcome::open); // it has carried three
        CHECK(p.acquire(lane::poll, at(2s)).what == pool_outcome::open);
    }
}

TEST_CASE("pool_fsm: closed after so many exchanges -> polls go beyond, and many without a close disprove it")
{
    pool_fsm p(small_pool());
    connection_id const a = used(p, 2, at(0ms));
    REQUIRE(p.acquire(lane::poll, at(5ms)).id == a);
    p.replace(lane::poll, a, at(5ms));
    p.release_empty(lane::poll, at(5ms));
    connection_id const b = used(p, 2 + 31, at(10ms));
    CHECK(p.acquire(lane::submit, at(1s)).what == pool_outcome::open);
    p.release_empty(lane::submit, at(1s));
    CHECK(p.pop_retired() == std::vector<connection_id>({a, b}));
    connection_id const c = used(p, 3, at(2s));
    CHECK(p.acquire(lane::submit, at(3s)).id == c);
}

TEST_CASE("pool_fsm: a close after a long time -> says nothing about the number of exchanges")
{
    pool_fsm p(small_pool());
    connection_id const a = used(p, 1, at(0ms));
    REQUIRE(p.acquire(lane::poll, at(30s)).id == a);
    p.replace(lane::poll, a, at(30s));
    p.release_empty(lane::poll, at(30s));
    connection_id const b = used(p, 5, at(31s));
    CHECK(p.acquire(lane::submit, at(32s)).id == b);
}

TEST_CASE("pool_fsm: data that is no close -> replaced, and nothing is learned")
{
    pool_fsm p(small_pool());
    connection_id const a = used(p, 1, at(0ms));
    REQUIRE(p.acquire(lane::poll, at(5ms)).id == a);
    CHECK(p.replace(lane::poll, a, at(5ms), false).what == pool_outcome::open);
    p.release_empty(lane::poll, at(5ms));
    connection_id const b = used(p, 4, at(10ms));
    CHECK(p.acquire(lane::submit, at(1s)).id == b);
}

TEST_CASE(
    "pool_fsm: a submit beyond what a connection was seen to carry -> waits until a close would be seen")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(0ms), 0s);
    REQUIRE(p.acquire(lane::submit, at(5ms)).id == a);
    CHECK(p.rest(lane::submit, a, at(5ms)) == 15ms);
    CHECK(p.rest(lane::submit, a, at(20ms)) == 0ms);
    CHECK(p.rest(lane::poll, a, at(5ms)) == 0ms); // it may be repeated
    p.release(lane::submit, a, at(20ms), 0s);
    REQUIRE(p.acquire(lane::submit, at(20ms)).id == a);

    connection_id const b = used(p, 1, at(25ms));
    CHECK(p.rest(lane::submit, b, at(25ms)) == 0ms); // `a` has carried two
    REQUIRE(p.acquire(lane::poll, at(26ms)).id == b);
    p.replace(lane::poll, b, at(26ms));
    CHECK(p.rest(lane::submit, a, at(26ms)) > 0ms); // the server closes unannounced
}

TEST_CASE("pool_fsm: a submit on a connection that carried many -> does not wait")
{
    pool_fsm p(small_pool());
    connection_id const a = used(p, 64, at(0ms));
    CHECK(p.rest(lane::submit, a, at(0ms)) == 0ms);
}

TEST_CASE("pool_fsm: Keep-Alive max -> the connection is used so often and no more, by all lanes")
{
    struct {
        std::vector<std::optional<std::uint32_t>> hints; ///< of the answers, in turn
        int uses;                                        ///< until it is retired
    } const cases[] = {
        {{4, 3, 2, 1, 0}, 4}, // the number that follows
        {{4, 4, 4, 4}, 4},    // the number of all
        {{0}, 1},
        {{1}, 1},
        {{{}, {}, 2, 1, 0}, 3},
        {{{}, {}, {}, 1, 0}, 4},
        {{100, 99, 1, 0}, 4},
    };
    for (auto const& c : cases) {
        pool_fsm p(small_pool());
        connection_id const a = open(p, lane::poll, at(0ms));
        int uses = 0;
        do {
            auto const hint = uses < static_cast<int>(c.hints.size()) ? c.hints[uses] : std::nullopt;
            p.release(lane::poll, a, at(0ms), 0s, hint);
        } while (++uses != 10 && p.acquire(lane::poll, at(0ms)).what == pool_outcome::reuse);
        CHECK(uses == c.uses);
    }
}

TEST_CASE("pool_fsm: alive near the limit -> lost trust grows back, never beyond the option")
{
    pool_options o = small_pool();
    o.life_limit = 3600s;
    pool_fsm p(o);
    connection_id a = open(p, lane::submit, at(0ms));
    REQUIRE(is_reused_after(p, a, at(0ms), 10s));
    p.replace(lane::submit, a, at(10s));
    a = p.opened(at(10s), 0.5);
    boot_clock::time_point now = at(10s);
    for (double limit = 8; limit < 80; limit *= 1.05) {
        std::chrono::milliseconds const age(static_cast<int>(std::min(limit, 60.0) * 510));
        REQUIRE(is_reused_after(p, a, now, age));
        now += age;
        p.reused(a, now);
    }
    CHECK(is_reused_after(p, a, now, 59'999ms));
    CHECK_FALSE(is_reused_after(p, a, now + 60s, 60s));
}

TEST_CASE("pool_fsm: found dead after a while -> those idle for as long go too, and the slot opens a new one")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    connection_id const b = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(0ms), 0s);
    p.release(lane::submit, b, at(0ms), 0s);
    REQUIRE(p.acquire(lane::submit, at(5s)).id == b);
    pool_decision const d = p.replace(lane::submit, b, at(5s));
    CHECK(d.what == pool_outcome::open);
    CHECK(p.pop_retired() == std::vector<connection_id>({b, a})); // a is idle beyond what was just learned
    CHECK(p.why_retired(b) == close_reason::by_peer);
    CHECK(p.why_retired(a) == close_reason::idle);
}

TEST_CASE("pool_fsm: found dead at once -> the next idle one for the same slot")
{
    pool_options o = small_pool();
    o.poll_connections = 2;
    pool_fsm p(o);
    connection_id const a = open(p, lane::poll, at(0ms));
    connection_id const b = open(p, lane::poll, at(0ms));
    p.release(lane::poll, a, at(0ms), 0s);
    p.release(lane::poll, b, at(0ms), 0s);
    REQUIRE(p.acquire(lane::poll, at(5ms)).id == b);
    pool_decision const d = p.replace(lane::poll, b, at(5ms));
    CHECK(d.what == pool_outcome::reuse);
    CHECK(d.id == a);
    CHECK(p.pop_retired() == std::vector<connection_id>{b});
    CHECK(p.acquire(lane::poll, at(5ms)).what == pool_outcome::open);
    CHECK(p.acquire(lane::poll, at(5ms)).what == pool_outcome::pending);
}

TEST_CASE("pool_fsm: older than its life -> not kept, and a waiter opens a new one")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    test_waiter w(lane::poll);
    p.enqueue(w);
    p.release(lane::poll, a, at(600s), 0s);
    CHECK(p.pop_retired() == std::vector<connection_id>{a});
    CHECK(p.why_retired(a) == close_reason::age);
    CHECK(w.decision().what == pool_outcome::open);
}

TEST_CASE("pool_fsm: jitter -> lives end between 90 and 110 % of the limit")
{
    for (auto const& [jitter, end] : {std::pair(0.0, 540s), std::pair(0.999999, 660s)}) {
        CAPTURE(jitter);
        pool_fsm p(small_pool());
        REQUIRE(p.acquire(lane::poll, at(0ms)).what == pool_outcome::open);
        connection_id const a = p.opened(at(0ms), jitter);
        p.release(lane::poll, a, at(end - 1s), 0s);
        REQUIRE(p.acquire(lane::poll, at(end - 500ms)).what == pool_outcome::reuse);
        CHECK(p.pop_retired().empty());
        p.release(lane::poll, a, at(end + 1ms), 0s);
        CHECK(p.pop_retired() == std::vector<connection_id>{a});
    }
}

TEST_CASE("pool_fsm: a fresh connection wanted -> no idle one, and the whole stays within its limit")
{
    pool_options o = small_pool();
    o.submit_connections = 1;
    pool_fsm p(o); // three connections in all
    std::vector<connection_id> ids;
    for (enum lane l : {lane::submit, lane::poll, lane::part})
        ids.push_back(open(p, l, at(0ms)));
    p.release(lane::submit, ids[0], at(0ms), 0s);
    p.release(lane::poll, ids[1], at(1ms), 0s);
    p.release(lane::part, ids[2], at(2ms), 0s);
    CHECK(p.acquire(lane::poll, at(3ms), true).what == pool_outcome::open);
    CHECK(p.pop_retired() == std::vector<connection_id>{ids[0]});
    CHECK(p.why_retired(ids[0]) == close_reason::suspect);
    CHECK(p.acquire(lane::submit, at(3ms)).id == ids[2]);
    CHECK(p.acquire(lane::part, at(3ms)).id == ids[1]);
}

TEST_CASE("pool_fsm: an opener waits for the connect rate -> an idle connection that turns up is its own")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    REQUIRE(p.acquire(lane::submit, at(0ms)).what == pool_outcome::open);
    test_waiter opener(lane::submit);
    p.enqueue_opener(opener);
    p.release(lane::poll, a, at(1s), 0s);
    CHECK(opener.decision().what == pool_outcome::reuse);
    CHECK(opener.decision().id == a);
    CHECK(p.acquire(lane::poll, at(1s)).what == pool_outcome::open);
}

TEST_CASE("pool_fsm: more connects than the rate -> told when, and no limit -> at once")
{
    pool_options o = small_pool();
    o.max_connects_per_second = 2;
    pool_fsm limited(o);
    CHECK(limited.reserve_open(steady(0ms)) == steady(0ms));
    CHECK(limited.reserve_open(steady(0ms)) == steady(500ms));
    CHECK(limited.reserve_open(steady(0ms)) == steady(1000ms));
    pool_fsm unlimited(small_pool());
    for (int i = 0; i < 100; ++i)
        CHECK(unlimited.reserve_open(steady(0ms)) == steady(0ms));
}

TEST_CASE("pool_fsm: close -> waiters and later callers are told, idle ones and those given back are closed")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::poll, at(0ms));
    connection_id const b = open(p, lane::submit, at(0ms));
    p.release(lane::submit, b, at(0ms), 0s);
    test_waiter waiter(lane::poll);
    test_waiter opener(lane::submit);
    p.enqueue(waiter);
    p.enqueue_opener(opener);
    p.close();
    CHECK(waiter.decision().what == pool_outcome::closed);
    CHECK(opener.decision().what == pool_outcome::closed);
    CHECK(p.pop_retired() == std::vector<connection_id>{b});
    CHECK(p.acquire(lane::part, at(0ms)).what == pool_outcome::closed);
    p.release(lane::poll, a, at(1s), 0s);
    CHECK(p.pop_retired() == std::vector<connection_id>{a});
}

TEST_CASE("pool_fsm: an id whose connection was not closed yet -> not given to a new one")
{
    pool_fsm p(small_pool());
    connection_id const a = open(p, lane::submit, at(0ms));
    p.release(lane::submit, a, at(0ms), 0s);
    REQUIRE(p.acquire(lane::submit, at(61s)).what == pool_outcome::open); // retires a
    CHECK(p.opened(at(61s), 0.5) != a);
    p.pop_retired();
    REQUIRE(p.acquire(lane::submit, at(61s)).what == pool_outcome::open);
    CHECK(p.opened(at(61s), 0.5) == a);
}
