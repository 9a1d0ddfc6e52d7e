// Runs a command and writes what it used as JSON: measure REPORT COMMAND [ARGUMENT...]
//
// A program of its own, because the peak memory that wait4() reports of a child begins with what its parent
// held when it forked, and an interpreter holds more than some of the clients that are measured.

#include <chrono>
#include <cstdio>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char** argv)
{
    if (argc < 3) {
        std::fputs("usage: measure REPORT COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    auto const start = std::chrono::steady_clock::now();
    pid_t const child = ::fork();
    if (child == 0) {
        ::execvp(argv[2], argv + 2);
        std::perror(argv[2]);
        ::_exit(127);
    }
    int status = 0;
    ::rusage used{};
    if (child < 0 || ::wait4(child, &status, 0, &used) != child) {
        std::perror("measure");
        return 2;
    }
    double const wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    auto const seconds = [](timeval const& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    std::FILE* const report = std::fopen(argv[1], "w");
    if (report == nullptr) {
        std::perror(argv[1]);
        return 2;
    }
    std::fprintf(report, "{\"wall\":%.6f,\"user\":%.6f,\"system\":%.6f,\"peak_rss_kib\":%ld,", wall,
                 seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss);
    std::fprintf(report, "\"voluntary_switches\":%ld,\"involuntary_switches\":%ld}\n", used.ru_nvcsw,
                 used.ru_nivcsw);
    std::fclose(report);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
