#include <ocrpipe/http/watchdog.hpp>

#include <doctest/doctest.h>

#include <memory>

using namespace ocrpipe;
using namespace std::chrono_literals;
using ocrpipe::detail::watchdog;

namespace
{

class test_entry final : public watchdog::entry
{
public:
    int fired = 0;

private:
    void on_deadline() override { ++fired; }
};

} // namespace

TEST_CASE("watchdog: deadlines that pass -> each fires once, and nothing keeps the io_context running")
{
    asio::io_context ioc(1);
    watchdog dog(ioc.get_executor());
    test_entry late;
    test_entry soon;
    test_entry past;
    dog.watch(late, clock::now() + 20ms);
    dog.watch(soon, clock::now() + 5ms);
    dog.watch(past, clock::now() - 1ms);
    ioc.run();
    CHECK(late.fired == 1);
    CHECK(soon.fired == 1);
    CHECK(past.fired == 1);
}

TEST_CASE("watchdog: forgotten, by all -> none fires and run() returns at once")
{
    asio::io_context ioc(1);
    watchdog dog(ioc.get_executor());
    test_entry a;
    test_entry b;
    dog.watch(a, clock::now() + 24h);
    dog.watch(b, clock::now() + 24h);
    dog.forget(a);
    dog.forget(a);
    dog.forget(b);
    ioc.run();
    CHECK(a.fired + b.fired == 0);
}

TEST_CASE("watchdog: a deadline moved away while the timer waits for it -> fires at the new one only")
{
    asio::io_context ioc(1);
    watchdog dog(ioc.get_executor());
    test_entry e;
    clock::time_point const first = clock::now() + 5ms;
    clock::time_point const moved = first + 15ms;
    dog.watch(e, first);
    dog.watch(e, moved);
    while (e.fired == 0)
        ioc.run_one();
    CHECK(clock::now() >= moved);
}

TEST_CASE("watchdog: destroyed with a wait that has completed -> nothing is called")
{
    asio::io_context ioc(1);
    test_entry e;
    auto dog = std::make_unique<watchdog>(ioc.get_executor());
    dog->watch(e, clock::now() - 1ms);
    dog.reset();
    ioc.run();
    CHECK(e.fired == 0);
}
