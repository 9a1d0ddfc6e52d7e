#include "commands.hpp"

#include <string>
#include <vector>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace
{

/// Returns the memory of large answers to the system. glibc would raise its thresholds to 32 MiB and 64 MiB once
/// it has freed such blocks, and a large answer would then cost twice the memory.
void return_large_blocks()
{
#ifdef __GLIBC__
    ::mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
    ::mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

} // namespace

int main(int argc, char** argv)
{
    return_large_blocks();
    return ocrpipe::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
