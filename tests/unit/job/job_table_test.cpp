#include <ocrpipe/job/job_table.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

clock::time_point at(int t) { return clock::time_point(std::chrono::milliseconds(t)); }

struct counted {
    explicit counted(int& alive, int value = 0) : alive(alive), value(value) { ++alive; }
    counted(counted const&) = delete;
    counted& operator=(counted const&) = delete;
    ~counted() { --alive; }
    int& alive;
    int value;
};

struct fails_to_construct {
    fails_to_construct(bool fail)
    {
        if (fail) throw std::runtime_error("no");
    }
};

/// The table's promises, kept the slow way.
struct model_job {
    int id;
    std::optional<int> due;
};

} // namespace

TEST_CASE("job_table: empty -> nothing is due, ever")
{
    job_table<int> table;
    CHECK(table.empty());
    CHECK_FALSE(table.next_due());
    CHECK_FALSE(table.pop_due(clock::time_point::max()));
}

TEST_CASE("job_table: records with due times -> popped in their order, none before its time")
{
    job_table<std::string> table;
    table.schedule(table.emplace("late"), at(30));
    table.schedule(table.emplace("early"), at(10));
    table.schedule(table.emplace("middle"), at(20));
    CHECK(table.next_due() == at(10));
    CHECK_FALSE(table.pop_due(at(9)));
    std::vector<std::string> order;
    while (auto const s = table.pop_due(at(20)))
        order.push_back(table[*s]);
    CHECK(order == std::vector<std::string>{"early", "middle"});
    CHECK(table.next_due() == at(30));
    CHECK(table.size() == 3);
    CHECK(table.scheduled() == 1);
}

TEST_CASE("job_table: a popped record -> stays in its slot and can be scheduled again")
{
    job_table<std::string> table;
    auto const s = table.emplace("job");
    table.schedule(s, at(1));
    REQUIRE(table.pop_due(at(1)) == s);
    CHECK_FALSE(table.next_due());
    CHECK(table[s] == "job");
    table.schedule(s, at(2));
    CHECK(table.pop_due(at(2)) == s);
}

TEST_CASE("job_table: scheduled twice -> the second time holds, earlier or later")
{
    job_table<int> table;
    auto const a = table.emplace(1);
    auto const b = table.emplace(2);
    table.schedule(a, at(10));
    table.schedule(b, at(20));
    table.schedule(b, at(5));
    CHECK(table.next_due() == at(5));
    table.schedule(b, at(50));
    CHECK(table.pop_due(at(100)) == a);
    CHECK(table.pop_due(at(100)) == b);
    CHECK(table.scheduled() == 0);
}

TEST_CASE("job_table: erased while it waits -> never popped, destroyed at once, its slot used again")
{
    int alive = 0;
    job_table<counted> table;
    auto const a = table.emplace(alive, 1);
    auto const b = table.emplace(alive, 2);
    table.schedule(a, at(1));
    table.schedule(b, at(2));
    table.erase(a);
    CHECK(alive == 1);
    CHECK(table.next_due() == at(2));
    CHECK(table.emplace(alive, 3) == a);
    CHECK(table[b].value == 2);
}

TEST_CASE("job_table: destroyed -> so is every record, scheduled or not")
{
    int alive = 0;
    {
        job_table<counted> table;
        for (int i = 0; i != 3'000; ++i) {
            auto const s = table.emplace(alive, i);
            if (i % 2 == 0) table.schedule(s, at(i));
            if (i % 5 == 0) table.erase(s);
        }
        CHECK(alive == 2'400);
    }
    CHECK(alive == 0);
}

TEST_CASE("job_table: growing by thousands -> no record moves")
{
    job_table<int> table;
    auto const first = table.emplace(7);
    int const* const address = &table[first];
    for (int i = 0; i != 10'000; ++i)
        table.emplace(i);
    CHECK(&table[first] == address);
    CHECK(*address == 7);
}

TEST_CASE("job_table: a record that cannot be constructed -> the table is as before")
{
    job_table<fails_to_construct> table;
    auto const kept = table.emplace(false);
    auto const freed = table.emplace(false);
    table.erase(freed);
    CHECK_THROWS_AS(table.emplace(true), std::runtime_error);
    CHECK(table.size() == 1);
    CHECK(table.emplace(false) == freed);
    CHECK_THROWS_AS(table.emplace(true), std::runtime_error);
    CHECK(table.emplace(false) == freed + 1);
    table.schedule(kept, at(1));
    CHECK(table.pop_due(at(1)) == kept);
}

TEST_CASE("job_table: for_each -> every record once, and each may be erased on the way")
{
    job_table<int> table;
    for (int i = 0; i != 2'000; ++i)
        table.schedule(table.emplace(i), at(i % 7));
    table.erase(17);
    std::set<int> seen;
    table.for_each([&](auto slot, int& value) {
        CHECK(seen.insert(value).second);
        table.erase(slot);
    });
    CHECK(seen.size() == 1'999);
    CHECK_FALSE(seen.contains(17));
    CHECK(table.empty());
    CHECK_FALSE(table.next_due());
}

TEST_CASE("job_table: move-only and over-aligned records -> kept as they are")
{
    struct alignas(64) wide {
        std::unique_ptr<int> value;
    };
    job_table<wide> table;
    for (int i = 0; i != 1'500; ++i) {
        auto const s = table.emplace(wide{std::make_unique<int>(i)});
        CHECK(reinterpret_cast<std::uintptr_t>(&table[s]) % 64 == 0);
        CHECK(*table[s].value == i);
    }
}

TEST_CASE("job_table: 100,000 random operations -> the same as a naive model")
{
    for (unsigned const seed : {1u, 2u, 3u}) {
        CAPTURE(seed);
        std::mt19937 rng(seed);
        auto const below = [&rng](std::size_t n) { return static_cast<int>(rng() % n); };
        job_table<int> table;
        std::map<job_table<int>::slot, model_job> model;
        auto const any = [&] { return std::next(model.begin(), below(model.size())); };
        int next_id = 0;
        int now = 0;
        std::size_t popped = 0;
        for (int step = 0; step != 100'000; ++step) {
            int const what = below(100);
            if (model.empty() || (what < 30 && model.size() < 300)) {
                auto const s = table.emplace(next_id);
                REQUIRE(model.emplace(s, model_job{next_id, std::nullopt}).second);
                ++next_id;
            } else if (what < 65) {
                auto const j = any();
                j->second.due = now + below(50);
                table.schedule(j->first, at(*j->second.due));
            } else if (what < 80) {
                auto const j = any();
                table.erase(j->first);
                model.erase(j);
            } else {
                now += below(5);
                auto const s = table.pop_due(at(now));
                std::optional<int> earliest;
                for (auto const& [slot, job] : model)
                    if (job.due && (!earliest || *job.due < *earliest)) earliest = job.due;
                REQUIRE(s.has_value() == (earliest && *earliest <= now));
                if (s) {
                    REQUIRE(model.at(*s).due == earliest);
                    REQUIRE(table[*s] == model.at(*s).id);
                    model.at(*s).due.reset();
                    ++popped;
                }
            }
            REQUIRE(table.size() == model.size());
            auto const waiting = std::count_if(model.begin(), model.end(),
                                               [](auto const& j) { return j.second.due.has_value(); });
            REQUIRE(table.scheduled() == static_cast<std::size_t>(waiting));
        }
        CHECK(popped > 1'000);
        for (auto const& [slot, job] : model)
            CHECK(table[slot] == job.id);
    }
}

TEST_CASE("job_table: a million records in the order of a heap sort -> sorted")
{
    std::mt19937 rng(11);
    job_table<std::uint32_t> table;
    for (int i = 0; i != 1'000'000; ++i)
        table.schedule(table.emplace(rng()), at(static_cast<int>(rng() % 1'000'000)));
    clock::time_point last{};
    std::size_t out_of_order = 0;
    std::size_t n = 0;
    while (auto const due = table.next_due()) {
        if (*due < last) ++out_of_order;
        last = *due;
        table.erase(*table.pop_due(*due));
        ++n;
    }
    CHECK(n == 1'000'000);
    CHECK(out_of_order == 0);
    CHECK(table.empty());
}
