#ifndef OCRPIPE_CORE_WRITE_ALL_HPP
#define OCRPIPE_CORE_WRITE_ALL_HPP

#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <cerrno>
#include <poll.h>
#include <string_view>
#include <unistd.h>

namespace ocrpipe::detail
{

/// Writes all of `bytes`, waiting for space if another process sharing the descriptor made it non-blocking.
///
/// Errors: a system error.
inline error_code write_all(int descriptor, std::string_view bytes) noexcept
{
    while (!bytes.empty()) {
        auto const n = ::write(descriptor, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) return errno_code();
        ::pollfd p{descriptor, POLLOUT, 0};
        ::poll(&p, 1, -1);
    }
    return {};
}

} // namespace ocrpipe::detail

#endif
