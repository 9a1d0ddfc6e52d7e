#include "file_limit.hpp"

#include <fmt/format.h>

#include <sys/resource.h>

namespace ocrpipe::cli
{

std::uint64_t descriptors_needed(pool_options const& pool) noexcept
{
    constexpr std::uint64_t everything_else = 128;
    return 2 * std::uint64_t(pool.submit_connections) + pool.poll_connections + pool.part_connections +
           everything_else;
}

file_limit raise_file_limit(pool_options const& pool) noexcept
{
    file_limit l;
    l.needed = descriptors_needed(pool);
    ::rlimit found{};
    if (::getrlimit(RLIMIT_NOFILE, &found) != 0) {
        l.before = l.now = l.needed;
        return l;
    }
    l.before = l.now = found.rlim_cur;
    if (l.before >= l.needed || found.rlim_max == found.rlim_cur) return l;
    ::rlimit const raised{found.rlim_max, found.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) l.now = raised.rlim_cur;
    return l;
}

std::optional<message> file_limit_message(file_limit const& l)
{
    std::vector<field> facts{{"limit", l.now}, {"limit_before", l.before}, {"needed", l.needed}};
    if (l.now < l.needed)
        return message(level::warn, "file_limit",
                       fmt::format("{} files may be open at once and {} are needed: raise the hard limit "
                                   "(ulimit -Hn), or give fewer "
                                   "--connections",
                                   l.now, l.needed),
                       std::move(facts));
    if (l.now != l.before)
        return message(level::info, "file_limit",
                       fmt::format("raised the limit of open files from {} to {}", l.before, l.now),
                       std::move(facts));
    return std::nullopt;
}

} // namespace ocrpipe::cli
