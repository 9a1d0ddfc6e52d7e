#include <ocrpipe/core/fifo_semaphore.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe;
using ocrpipe::detail::fifo_semaphore;

namespace
{

/// Waiters that note when they have a unit, in turn.
struct waiters {
    explicit waiters(std::size_t units) : semaphore(ioc.get_executor(), units) {}

    void start(int n)
    {
        for (int i = 0; i != n; ++i)
            asio::co_spawn(ioc, wait(), asio::detached);
        run();
    }
    void run()
    {
        ioc.restart();
        ioc.poll();
    }
    task<void> wait()
    {
        bool const got = co_await semaphore.acquire();
        granted += got ? 1 : 0;
    }

    asio::io_context ioc{1};
    fifo_semaphore semaphore;
    int granted = 0;
};

} // namespace

TEST_CASE("fifo_semaphore: fewer units while more are in use -> none is handed out until enough came back")
{
    waiters w(3);
    w.start(5);
    CHECK(w.granted == 3);
    w.semaphore.resize(1);
    for (int back = 1; back <= 2; ++back) {
        w.semaphore.release();
        w.run();
        CHECK(w.granted == 3);
    }
    for (int next = 4; next <= 5; ++next) {
        w.semaphore.release();
        w.run();
        CHECK(w.granted == next);
    }
}

TEST_CASE("fifo_semaphore: more units -> the first waiters get them at once")
{
    waiters w(1);
    w.start(5);
    CHECK(w.granted == 1);
    w.semaphore.resize(3);
    w.run();
    CHECK(w.granted == 3);
    CHECK_FALSE(w.semaphore.available());
    w.semaphore.close();
    w.run();
}
