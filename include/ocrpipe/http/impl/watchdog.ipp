#ifndef OCRPIPE_HTTP_IMPL_WATCHDOG_IPP
#define OCRPIPE_HTTP_IMPL_WATCHDOG_IPP

#include <ocrpipe/http/watchdog.hpp>

namespace ocrpipe
{
namespace detail
{

OCRPIPE_DECL void watchdog::watch(entry& e, clock::time_point when)
{
    if (e.index_ == unwatched) {
        entries_.push_back(&e);
        e.index_ = entries_.size() - 1;
    }
    e.when_ = when;
    if (when < armed_) arm(when);
}

OCRPIPE_DECL void watchdog::forget(entry& e) noexcept
{
    if (e.index_ == unwatched) return;
    unlink(e);
    if (!entries_.empty() || armed_ == clock::time_point::max()) return;
    armed_ = clock::time_point::max();
    timer_.cancel();
}

OCRPIPE_DECL void watchdog::arm(clock::time_point when)
{
    armed_ = when;
    timer_.expires_at(when);
    timer_.async_wait([this, alive = std::weak_ptr<void>(alive_)](error_code ec) {
        if (!ec && !alive.expired()) on_timer();
    });
}

OCRPIPE_DECL void watchdog::on_timer()
{
    clock::time_point const now = clock::now();
    // A wait that had completed when arm() replaced it still arrives here; the one that replaced it follows.
    if (armed_ > now) return;
    armed_ = clock::time_point::max();
    clock::time_point next = armed_;
    for (std::size_t i = entries_.size(); i-- != 0;) {
        entry& e = *entries_[i];
        if (e.when_ <= now) {
            unlink(e);
            e.on_deadline();
        } else {
            next = std::min(next, e.when_);
        }
    }
    if (next != clock::time_point::max()) arm(next);
}

OCRPIPE_DECL void watchdog::unlink(entry& e) noexcept
{
    entries_.back()->index_ = e.index_;
    entries_[e.index_] = entries_.back();
    entries_.pop_back();
    e.index_ = unwatched;
}

} // namespace detail
} // namespace ocrpipe

#endif
