#include <ocrpipe/pace/part_queue.hpp>

#include <doctest/doctest.h>

#include <string>

using ocrpipe::part_queue;

namespace
{

/// Takes every part that may be asked for, as "batch part" each.
std::string all_turns(part_queue<char>& q)
{
    std::string told;
    while (auto const t = q.next())
        (told += t->batch) += std::to_string(t->part) + ' ';
    return told;
}

} // namespace

TEST_CASE("part_queue: more parts than may be under way -> the rest wait in order, and each end lets one go")
{
    part_queue<char> q(3);
    q.add('a', 2);
    q.add('b', 3);
    CHECK(all_turns(q) == "a0 a1 b0 ");
    CHECK(all_turns(q) == "");
    q.ended();
    CHECK(all_turns(q) == "b1 ");
    q.add('c', 1);
    q.ended();
    q.ended();
    CHECK(all_turns(q) == "b2 c0 ");
    q.ended();
    CHECK(all_turns(q) == "");
}

TEST_CASE("part_queue: room -> for as many parts as could be under way without waiting")
{
    part_queue<char> q(3);
    CHECK(q.has_room(3));
    CHECK_FALSE(q.has_room(4));
    q.add('a', 2);
    CHECK(q.has_room(1));
    CHECK_FALSE(q.has_room(2));
    all_turns(q);
    CHECK_FALSE(q.has_room(2));
    q.ended();
    CHECK(q.has_room(2));
    CHECK_FALSE(q.has_room(3));
}

TEST_CASE("part_queue: a batch is dropped -> its waiting parts are not asked for, those of others are")
{
    part_queue<char> q(2);
    q.add('a', 5);
    q.add('b', 1);
    CHECK(all_turns(q) == "a0 a1 ");
    CHECK(q.drop('a') == 3);
    CHECK(q.drop('a') == 0);
    q.ended();
    CHECK(all_turns(q) == "b0 ");
    q.ended();
    q.ended();
    CHECK(q.has_room(2));
}

TEST_CASE("part_queue: a batch without parts -> no turn")
{
    part_queue<char> q(1);
    q.add('a', 0);
    CHECK(all_turns(q) == "");
    CHECK(q.has_room(1));
}
