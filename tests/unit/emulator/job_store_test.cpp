#include "emulator/job_store.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace ocrpipe;
using namespace ocrpipe::emulator;
using namespace std::chrono_literals;
using time_point = clock::time_point;

TEST_CASE("job_store: the same bytes under two names -> two documents; under one name -> one")
{
    job_store store;
    auto const digest = sha256("bytes");
    auto const a = store.document(digest, "a", 5, "ID");
    CHECK(store.document(digest, "b", 5, "ID") != a);
    CHECK(store.document(digest, "a", 5, "ID") == a);
    CHECK(store.document(sha256("other"), "a", 5, "ID") != a);
}

TEST_CASE("job_store: 100,000 jobs -> each found by its id, and no id leads elsewhere")
{
    job_store store;
    id_codec const ids(response_shape::id_style::text, 99);
    id_codec const others(response_shape::id_style::text, 100);
    auto const d = store.document(sha256("bytes"), "a", 5, "ID");
    bool all = true;
    for (std::uint32_t i = 0; i != 100'000; ++i) {
        auto const job = store.accept(d, time_point());
        all = all && job == i && ids.job_of(ids.request_id(job)) == job;
    }
    CHECK(all);
    CHECK_FALSE(ids.job_of(others.request_id(5)).has_value());
    CHECK_FALSE(ids.job_of("").has_value());
    CHECK_FALSE(ids.job_of("r0000000-9999999999").has_value());
    CHECK(store.snapshot(ids).documents[0].request_ids.size() == 100'000);
}

TEST_CASE("worker_queue: no limit -> everything starts at once")
{
    worker_queue q(0);
    time_point const t(1h);
    CHECK(q.done(t, 2s) == t + 2s);
    CHECK(q.done(t, 2s) == t + 2s);
}

TEST_CASE("worker_queue: one worker -> one after the other, and idle time is not saved up")
{
    worker_queue q(1);
    time_point const t(1h);
    CHECK(q.done(t, 2s) == t + 2s);
    CHECK(q.done(t, 3s) == t + 5s);
    CHECK(q.done(t + 60s, 1s) == t + 61s);
}

TEST_CASE("fixed_window: more than the limit -> refused until the next window")
{
    fixed_window w(2);
    time_point const t(1h);
    CHECK(w.admit(t));
    CHECK(w.admit(t + 900ms));
    CHECK_FALSE(w.admit(t + 999ms));
    CHECK(w.admit(t + 1000ms));
}
