#ifndef OCRPIPE_BULK_IMPL_INPUT_WINDOW_IPP
#define OCRPIPE_BULK_IMPL_INPUT_WINDOW_IPP

#include <ocrpipe/bulk/detail/input_window.hpp>

#include <algorithm>
#include <poll.h>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL bool input_window::grow()
{
    constexpr std::size_t block = 64 * 1024;
    if (at_end_) return false;
    buffer_.erase(0, begin_);
    begin_ = 0;
    std::size_t const held = buffer_.size();
    buffer_.resize(held + block);
    ::ssize_t n = -1;
    while ((n = ::read(fd_.get(), buffer_.data() + held, block)) < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN) break;
        // Standard input may have been made non-blocking by whoever shares it with us.
        ::pollfd readable{fd_.get(), POLLIN, 0};
        ::poll(&readable, 1, -1);
    }
    if (n < 0) error_ = errno_code();
    buffer_.resize(held + static_cast<std::size_t>(std::max<::ssize_t>(n, 0)));
    at_end_ = n <= 0;
    return !at_end_;
}

OCRPIPE_DECL record_reader::outcome record_reader::next(std::string_view& record)
{
    if (ended_) return outcome::end;
    ++number_;
    bool too_long = false;
    std::size_t scanned = 0;
    for (;;) {
        std::string_view const text = window_.text();
        std::size_t const found = text.find(delimiter_, scanned);
        if (found != std::string_view::npos) {
            record = text.substr(0, found);
            window_.consume(found + 1);
            return too_long || found > max_record ? outcome::too_long : outcome::record;
        }
        scanned = text.size();
        if (scanned > max_record) {
            too_long = true;
            window_.consume(scanned);
            scanned = 0;
        }
        if (window_.grow()) continue;
        ended_ = true;
        if (window_.error()) return outcome::failed;
        record = window_.text();
        if (too_long) return outcome::too_long;
        return record.empty() ? outcome::end : outcome::record;
    }
}

} // namespace detail
} // namespace ocrpipe

#endif
