#include <ocrpipe/pace/settle_window.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

TEST_CASE("settle_window: nothing seen -> the usual window")
{
    settle_window const w;
    CHECK(w.length(10s) == 10s);
    CHECK(w.length(0s) == 0s);
    CHECK(w.longest_delay() == 0s);
}

TEST_CASE("settle_window: content came late -> the window covers it, with a quarter more, and stays that long")
{
    settle_window w;
    w.content_came_after(2s);
    CHECK(w.length(10s) == 10s);
    w.content_came_after(30s);
    CHECK(w.length(10s) == 37'500ms);
    w.content_came_after(12s);
    CHECK(w.length(10s) == 37'500ms);
    CHECK(w.longest_delay() == 30s);
}

TEST_CASE("settle_window: content came after hours, or years -> the window stays within its bound")
{
    settle_window w;
    w.content_came_after(5h);
    CHECK(w.length(10s) == 60s);
    w.content_came_after(std::chrono::milliseconds::max());
    CHECK(w.length(10s) == 60s);
    CHECK(w.length(0s) == 0s);
}
