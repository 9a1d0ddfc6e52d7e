#include "client_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using namespace client_tests;

namespace
{

constexpr std::chrono::seconds bound{60}; // of each wait in this file; no test waits that long

client make_on(auto&& where, std::vector<seen_request>& log, t::script script, client_options o = quick())
{
    return client(where, std::move(o), std::make_unique<t>(std::move(script), log));
}

exchange_result usual(seen_request const& r)
{
    return r.method == http_method::post ? t::json(201, accepted) : t::json(200, finished);
}

/// Counts under a lock of its own, as an exporter of metrics does.
class counting_observer final : public client_observer
{
public:
    void on_exchange(exchange_event const&) override
    {
        std::lock_guard const lock(mutex);
        ++exchanges;
    }
    std::mutex mutex;
    std::size_t exchanges = 0;
};

/// Recognizes `n` documents, started on this thread, and returns how many succeeded.
std::size_t recognize(client c, std::size_t n)
{
    std::vector<std::future<result<ocr_result>>> all;
    for (std::size_t i = 0; i != n; ++i)
        all.push_back(c.async_recognize(invoice(), asio::use_future));
    std::size_t good = 0;
    for (auto& f : all)
        if (f.wait_for(bound) == std::future_status::ready && f.get()) ++good;
    return good;
}

} // namespace

TEST_CASE(
    "client: on a pool of four threads, started and watched by three more -> every document has its result")
{
    constexpr std::size_t each = 100;
    asio::thread_pool pool(4);
    std::vector<seen_request> log;
    auto const observer = std::make_shared<counting_observer>();
    client c = make_on(pool, log, usual);
    c.observe(observer);
    CHECK(c.get_executor() == pool.get_executor());
    std::atomic<bool> over = false;
    std::jthread watcher([&, copy = c] {
        std::uint64_t before = 0;
        while (!over) {
            std::lock_guard const lock(observer->mutex);
            client_statistics const s = copy.statistics();
            if (s.accepted < before) return;
            before = s.accepted;
        }
        CHECK(copy.statistics().accepted == 2 * each);
    });
    std::size_t good[2] = {};
    {
        std::jthread const one([&] { good[0] = recognize(c, each); });
        std::jthread const other([&] { good[1] = recognize(c, each); });
    }
    over = true;
    CHECK(good[0] == each);
    CHECK(good[1] == each);
    pool.join();
    CHECK(observer->exchanges >= 4 * each);
}

TEST_CASE("client: on an io_context that two threads run -> every document has its result")
{
    asio::io_context ioc;
    std::vector<seen_request> log;
    std::atomic<std::size_t> good = 0;
    {
        client c = make_on(ioc, log, usual);
        for (int i = 0; i != 200; ++i)
            c.async_recognize(invoice(), [&](result<ocr_result> r) { good += r.has_value() ? 1u : 0u; });
        std::jthread const one([&] { ioc.run(); });
        std::jthread const other([&] { ioc.run(); });
    }
    CHECK(good == 200);
}

TEST_CASE("client: a strand as its executor -> it is used as it is, and the handlers run on it")
{
    asio::thread_pool pool(2);
    auto const strand = asio::make_strand(pool);
    std::vector<seen_request> log;
    client c = make_on(strand, log, usual);
    std::promise<bool> on_strand;
    c.async_submit(invoice(),
                   [&](result<submitted_job>) { on_strand.set_value(strand.running_in_this_thread()); });
    auto answer = on_strand.get_future();
    REQUIRE(answer.wait_for(bound) == std::future_status::ready);
    CHECK(answer.get());
    pool.join();
}

TEST_CASE("client: handlers on a pool -> a handler that blocks holds up no other operation")
{
    asio::thread_pool pool(2);
    std::vector<seen_request> log;
    client c = make_on(pool, log, usual);
    std::promise<void> second_came;
    std::promise<bool> first_saw_it;
    c.async_submit(invoice(), [&](result<submitted_job>) {
        c.async_submit(invoice(), [&](result<submitted_job>) { second_came.set_value(); });
        first_saw_it.set_value(second_came.get_future().wait_for(bound) == std::future_status::ready);
    });
    CHECK(first_saw_it.get_future().get());
    pool.join();
}

TEST_CASE("client: copies -> one client, closed when the last of them is gone")
{
    asio::io_context ioc;
    std::vector<seen_request> log;
    std::optional<client> first(make_on(ioc, log, [](seen_request const&) { return t::hold(); }));
    std::optional<client> second(*first);
    std::optional<failure> f;
    first->async_wait("r-1", [&](result<ocr_result> r) { f = r.error(); });
    first.reset();
    for (int i = 0; i != 50; ++i)
        ioc.poll_one();
    CHECK_FALSE(f.has_value());
    CHECK(second->statistics().polls > 0);
    second.reset();
    ioc.run();
    REQUIRE(f.has_value());
    CHECK((f->is(errc::client_closed) || f->is(errc::cancelled)));
}

TEST_CASE("client: slots emitted on other strands while requests are in progress -> each operation ends once")
{
    asio::thread_pool pool(3);
    std::vector<seen_request> log;
    client c = make_on(pool, log, [](seen_request const&) { return t::hold(); });
    constexpr int n = 60;
    std::vector<asio::cancellation_signal> stop(n);
    std::atomic<int> ended = 0;
    for (int i = 0; i != n; ++i) {
        auto& signal = stop[static_cast<std::size_t>(i)];
        auto const strand = asio::make_strand(pool);
        auto const handler = [&](auto const& r) { ended += r.error().is(errc::client_closed) ? 100 : 1; };
        asio::post(strand, [&c, &signal, strand, handler, i] {
            auto bound_handler =
                asio::bind_cancellation_slot(signal.slot(), asio::bind_executor(strand, handler));
            if (i % 3 == 0) c.async_submit(invoice(), std::move(bound_handler));
            if (i % 3 == 1) c.async_wait("r-1", std::move(bound_handler));
            if (i % 3 == 2) c.async_table("r-1", "d-1", std::move(bound_handler));
        });
        asio::post(strand, [&signal] { signal.emit(asio::cancellation_type::total); });
    }
    pool.join();
    CHECK(ended == n);
}

TEST_CASE("client: stop_submits and close from another thread -> waiting operations end")
{
    asio::thread_pool pool(2);
    std::vector<seen_request> log;
    client c = make_on(pool, log, [](seen_request const&) { return t::hold(); });
    std::vector<std::future<result<submitted_job>>> all;
    for (int i = 0; i != 40; ++i)
        all.push_back(c.async_submit(invoice(), asio::use_future));
    c.stop_submits();
    c.close();
    for (auto& f : all) {
        REQUIRE(f.wait_for(bound) == std::future_status::ready);
        CHECK_FALSE(f.get().has_value());
    }
    pool.join();
}

TEST_CASE("shared_pace: one client is asked to wait -> the others of the service wait too")
{
    asio::io_context ioc;
    std::vector<seen_request> log;
    client_options o = quick();
    o.shared = std::make_shared<shared_pace>(o);
    client busy = make_on(
        ioc, log,
        [](seen_request const&) {
            exchange_result r = t::json(429, "");
            r->retry_after = "1000";
            return r;
        },
        o);
    client other = make_on(ioc, log, usual, o);
    client_options of_tenant = quick();
    of_tenant.shared = o.shared->for_tenant(of_tenant);
    client tenant = make_on(ioc, log, usual, of_tenant);
    client alone = make_on(ioc, log, usual);
    busy.async_submit(invoice(), [](result<submitted_job>) {});
    while (other.statistics().paused_for.count() == 0 && ioc.run_one() != 0) {
    }
    CHECK(other.statistics().paused_for > std::chrono::seconds(100));
    CHECK(tenant.statistics().paused_for > std::chrono::seconds(100));
    CHECK(alone.statistics().paused_for.count() == 0);
}

TEST_CASE(
    "shared_pace: a doc_type that failed three times at two clients -> no further one is sent by either")
{
    asio::io_context ioc;
    std::vector<seen_request> log;
    client_options o = quick();
    o.shared = std::make_shared<shared_pace>(o);
    auto const fails = [](seen_request const&) { return t::json(500, ""); };
    client one = make_on(ioc, log, fails, o);
    client other = make_on(ioc, log, fails, o);
    std::optional<failure> last;
    for (client* c : {&one, &other, &one, &other}) {
        c->async_submit(invoice(), [&](result<submitted_job> r) { last = r.error(); });
        ioc.restart();
        ioc.run();
    }
    CHECK(log.size() == 3);
    REQUIRE(last.has_value());
    CHECK(last->is(errc::rejected));
}

TEST_CASE("shared_pace: results are unread at one client -> a submit of another waits, and is not refused")
{
    asio::io_context ioc;
    std::vector<seen_request> log;
    client_options o = quick();
    o.shared = std::make_shared<shared_pace>(o);
    auto const unread = [](seen_request const& r) {
        return r.method == http_method::post ? t::json(201, accepted) : t::hold();
    };
    client one = make_on(ioc, log, unread, o);
    client other = make_on(ioc, log, usual, o);
    std::size_t taken = 0;
    for (int i = 0; i != 100; ++i)
        one.async_submit(invoice(), [&](result<submitted_job> r) { taken += r ? 1u : 0u; });
    while (taken != 100 && ioc.run_one() != 0) {
    }
    std::optional<failure> f;
    submit_request patient = invoice();
    patient.patient = true;
    patient.deadline = std::chrono::milliseconds(30);
    ioc.restart();
    other.async_submit(std::move(patient), [&](result<submitted_job> r) { f = r.error(); });
    while (!f && ioc.run_one() != 0) {
    }
    REQUIRE(f.has_value());
    CHECK(f->is(errc::deadline_exceeded));
}

TEST_CASE("shared_pace: clients on four threads -> every document has its result")
{
    client_options o = quick();
    o.thread_safe = false;
    o.shared = std::make_shared<shared_pace>(o);
    std::atomic<std::size_t> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i != 4; ++i)
            threads.emplace_back([&] {
                asio::io_context ioc(1);
                std::vector<seen_request> log;
                client c = make_on(ioc, log, usual, o);
                for (int d = 0; d != 50; ++d)
                    c.async_recognize(invoice(),
                                      [&](result<ocr_result> r) { good += r.has_value() ? 1u : 0u; });
                ioc.run();
            });
    }
    CHECK(good == 200);
}
