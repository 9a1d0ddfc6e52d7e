#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_EVENTS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_EVENTS_IPP

// What the observers of a client are told.

#include <ocrpipe/client/detail/client_core.hpp>

#include <algorithm>
#include <utility>

namespace ocrpipe::detail
{

OCRPIPE_DECL void client_core::add_observer(std::shared_ptr<client_observer> observer)
{
    observers_.push_back(std::move(observer));
    if (observers_.size() != 1) return;
    transport_->observe_connections([this](connection_event const& e) {
        for (auto const& o : observers_)
            o->on_connection(e);
    });
}

template<class Exchange>
void client_core::tell(Exchange const& x, admission const& a, exchange_result const& r,
                       std::uint64_t received, action const& next, pauses const& now_paused,
                       clock::time_point now)
{
    exchange_event e;
    e.what = x.what();
    e.request_id = x.id();
    e.attempt = x.fsm.attempts();
    bytes_sent sent = bytes_sent::all;
    if (r) {
        e.status = r->status;
        sent = r->sent;
        e.sent = r->sent_at;
    } else {
        transport_failure const& f = r.error();
        e.error = f.code;
        sent = f.sent;
        e.sent = f.sent_at;
    }
    e.not_yet = Exchange::via == lane::poll && r && r->status < 300 && next.what == step::wait &&
                !next.is_throttled_alone;
    e.due = a.due;
    e.turn = a.turn;
    e.allowed = a.allowed;
    e.handed = a.handed;
    e.answered = now;
    if (sent == bytes_sent::all) e.bytes_up = x.body_size();
    e.bytes_down = received;
    if (next.what != step::finish) e.again_at = std::max({now, next.until, next.own});
    e.trace = a.trace;
    for (auto const& o : observers_)
        o->on_exchange(e);
    tell_pauses(now_paused, now);
}

OCRPIPE_DECL client_core::pauses client_core::heed(action const& next, clock::time_point now)
{
    bool const asked = next.what == step::pause_origin || next.what == step::finish;
    pauses p;
    if (!observers_.empty()) {
        if (asked && next.until > now && next.until > origin_gate_.open_at()) p.throttled_until = next.until;
        p.is_out = health_.is_out();
        p.is_refusing = health_.is_refusing();
    }
    if (asked) origin_gate_.pause_until(next.until);
    return p;
}

OCRPIPE_DECL void client_core::tell_pauses(pauses const& now_paused, clock::time_point now)
{
    auto const to_all = [this](pause_event const& e) {
        for (auto const& o : observers_)
            o->on_pause(e);
    };
    if (now_paused.throttled_until > now)
        to_all({pause_kind::throttled, true, now, now_paused.throttled_until});
    if (now_paused.is_out != outage_told_) {
        outage_told_ = !outage_told_;
        to_all({pause_kind::outage, outage_told_, now, {}});
    }
    if (now_paused.is_refusing != refusing_told_) {
        refusing_told_ = !refusing_told_;
        to_all({pause_kind::credentials, refusing_told_, now, {}});
    }
}

} // namespace ocrpipe::detail

#endif
