// A machine that was suspended: connections have aged meanwhile.
#include "support/http_fixture.hpp"

#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ocrpipe;
using namespace std::chrono_literals;

namespace
{

/// How long this machine was suspended, as CLOCK_BOOTTIME tells and CLOCK_MONOTONIC does not.
std::chrono::seconds suspended{0};

} // namespace

/// Takes the place of the C library's in this program.
extern "C" int clock_gettime(clockid_t id, std::timespec* t) noexcept
{
    int const rc = static_cast<int>(::syscall(SYS_clock_gettime, id, t));
    if (id == CLOCK_BOOTTIME) t->tv_sec += suspended.count();
    return rc;
}

TEST_CASE(
    "http_transport: suspended longer than the idle limit -> a new connection, though its clock stood still")
{
    for (bool const long_enough : {false, true}) {
        CAPTURE(long_enough);
        suspended = 0s;
        http_fixture f(always(answer()));
        f.run([&]() -> task<void> {
            test_body body("document");
            exchange_result const before = co_await f.post(body);
            REQUIRE(before.has_value());
            suspended = long_enough ? 3h : 30s;
            test_body next("document");
            exchange_result const after = co_await f.post(next);
            REQUIRE(after.has_value());
        });
        suspended = 0s;
        CHECK(f.server.accepted() == (long_enough ? 2 : 1));
    }
}

TEST_CASE("boot_clock: the machine is suspended -> goes on, unlike clock")
{
    boot_clock::time_point const before = boot_clock::now();
    suspended = 3h;
    CHECK(boot_clock::now() - before >= 3h);
    suspended = 0s;
}
