#include <ocrpipe/core/thread_check.hpp>

#include <doctest/doctest.h>

#include <csignal>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using ocrpipe::detail::thread_check;

TEST_CASE("thread_check: one thread after another, and scopes within scopes -> nothing happens")
{
    thread_check check;
    for (int i = 0; i != 2; ++i)
        std::thread([&] {
            thread_check::scope const outer(check, "rule");
            thread_check::scope const inner(check, "rule");
        }).join();
    thread_check::scope const here(check, "rule");
}

#if !defined(NDEBUG) && !defined(__SANITIZE_THREAD__)

TEST_CASE("thread_check: two threads at the same time -> the program ends with the rule as its message")
{
    int out[2];
    REQUIRE(::pipe(out) == 0);
    pid_t const child = ::fork();
    if (child == 0) {
        ::dup2(out[1], STDERR_FILENO);
        ::signal(SIGABRT, SIG_DFL);
        thread_check check;
        thread_check::scope const here(check, "rule");
        std::thread([&] { thread_check::scope const there(check, "one thread only"); }).join();
        ::_exit(0);
    }
    ::close(out[1]);
    char text[100] = {};
    ssize_t const n = ::read(out[0], text, sizeof text - 1);
    ::close(out[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    CHECK(std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0) == "ocrpipe: one thread only\n");
}

#endif
