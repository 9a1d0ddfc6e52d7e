#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_REQUESTS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_REQUESTS_IPP

// How a request gets admitted and sent, and what its answer means for the operations after it.

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/client/detail/client_core.hpp>
#include <ocrpipe/job/part_fsm.hpp>
#include <ocrpipe/job/submit_fsm.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace ocrpipe::detail
{

OCRPIPE_DECL bool client_core::decide(admission& a)
{
    if (closed_) return refuse(a, errc::client_closed);
    if (a.kind == lane::submit && submits_stopped_) return refuse(a, errc::cancelled);
    if (doc_types_.is_stopped(a.doc_type)) return refuse(a, errc::rejected);
    clock::time_point const now = clock::now();
    a.until = origin_gate_.open_at();
    a.waited = &counters_.waited_for_pause;
    if (a.until > now && a.if_paused == in_pause::return_at_once) return refuse(a, errc::throttled);
    if (a.until <= now) {
        switch (auth_gate_.ask(now)) {
        case auth_gate::decision::refused:
            return refuse(a, errc::unauthorized);
        case auth_gate::decision::probe:
            // A probe is sent at once: its outcome decides for all other requests.
            return true;
        case auth_gate::decision::wait:
            // While a probe is in progress, the time of the next one is unknown: check again soon.
            a.until = std::max(auth_gate_.next_probe(), now + std::chrono::milliseconds(50));
            break;
        case auth_gate::decision::open:
            reserve(a, now);
            break;
        }
    }
    if (a.until <= now) return true;
    return a.until > a.deadline && refuse(a, errc::deadline_exceeded);
}

/// Reserves a slot at each rate limit, once. `a` then waits for the latest of them.
OCRPIPE_DECL void client_core::reserve(admission& a, clock::time_point now)
{
    for (rate_permit& p : a.permits) {
        if (!a.reserved) p.start = p.limit.reserve(now, p.cost);
        if (p.start <= a.until) continue;
        a.until = p.start;
        a.waited = &p.waited;
    }
    a.reserved = true;
}

OCRPIPE_DECL bool client_core::refuse(admission& a, errc why_not_sent)
{
    if (a.reserved)
        for (rate_permit const& p : a.permits)
            p.limit.cancel_last(p.start, p.cost);
    a.reserved = false;
    a.refusal = why_not_sent;
    return true;
}

OCRPIPE_DECL task<void> client_core::wait_for(admission& a)
{
    while (!decide(a)) {
        bool const woken = co_await sleep_until(a.kind, a.until, *a.waited);
        if (woken) continue;
        refuse(a, stop_code());
        co_return;
    }
}

OCRPIPE_DECL task<bool> client_core::sleep_until(lane l, clock::time_point when,
                                                 std::chrono::nanoseconds& waited)
{
    auto const from = clock::now();
    timer t(ioc_.get_executor(), when);
    auto place = sleeping_submits_.end();
    if (l == lane::submit) place = sleeping_submits_.insert(place, &t);
    error_code ec;
    co_await t.async_wait(asio::redirect_error(use_task, ec));
    if (l == lane::submit) sleeping_submits_.erase(place);
    waited += clock::now() - from;
    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    co_return !ec && state.cancelled() == asio::cancellation_type::none;
}

template<class Exchange>
task<action> client_core::exchange(Exchange& x, action previous)
{
    if (previous.what == step::wait &&
        !co_await sleep_until(Exchange::via, previous.until, counters_.waited_for_pause))
        co_return stop(x);
    admission a = x.terms();
    fifo_semaphore::unit slot;
    if constexpr (Exchange::via != lane::poll)
        co_await admit(x, a, slot);
    else if (!decide(a))
        co_await wait_for(a);
    action next{step::pause_origin, origin_gate_.open_at()}; // of a poll that does not wait for the pause
    if (a.refusal == errc::ok) {
        http_request request = x.request();
        exchange_result answer = co_await transport_->send(std::move(request));
        mask_secrets(answer);
        next = x.fsm.resume(answer, x.context());
        note(answer, next);
        x.note(answer, next);
    } else if (a.refusal != errc::throttled) {
        next = x.fsm.give_up(a.refusal, why_not_sent(a.refusal));
    }
    if (next.what == step::pause_credentials && !note_refusal())
        next = x.fsm.give_up(errc::unauthorized, refusal_text());
    if (next.what == step::pause_origin || next.what == step::finish) origin_gate_.pause_until(next.until);

    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    bool const stopped = closed_ || state.cancelled() != asio::cancellation_type::none;
    if (stopped && next.what != step::finish) next = stop(x);
    co_return next;
}

OCRPIPE_DECL void client_core::mask_secrets(exchange_result& r) const
{
    if (r) {
        r->secrets = &secrets_; // masking every body would cost too much
        return;
    }
    transport_failure f = std::move(r).error(); // error() returns a copy
    f.detail = secrets_.masked(f.detail);
    r = std::move(f);
}

OCRPIPE_DECL void client_core::note(exchange_result const& r, action const& next)
{
    if (!r) ++counters_.transport_failures;
    if (r && (r->status == 429 || !r->retry_after.empty())) ++counters_.throttled;
    // note_refusal() follows: the state machine has classified the answer as a refusal, whatever its status.
    if (next.what == step::pause_credentials) return;
    if (r && r->status < 300)
        auth_gate_.succeeded();
    else
        auth_gate_.probe_ended();
}

OCRPIPE_DECL bool client_core::note_refusal()
{
    auth_gate_.refused(clock::now(), random());
    return !auth_gate_.is_refused();
}

OCRPIPE_DECL std::string client_core::refusal_text() const
{
    int const n = auth_gate_.refusals();
    return n == 1 ? "the credentials were refused"
                  : fmt::format("the credentials were refused {} times in a row", n);
}

OCRPIPE_DECL std::string client_core::why_not_sent(errc e) const
{
    switch (e) {
    case errc::unauthorized:
        return refusal_text() + "; nothing was sent";
    case errc::cancelled:
        return "cancelled before anything was sent";
    case errc::client_closed:
        return "the client was closed before anything was sent";
    case errc::too_many_waiting:
        return fmt::format("{} operations wait for a connection already; nothing was sent",
                           options_.pool.max_waiting);
    case errc::rejected:
        return fmt::format("{} submits of this doc_type in a row were answered with 500 and none was ever "
                           "accepted; nothing was sent",
                           doc_type_gate::max_failures);
    default:
        return "the deadline passed before anything was sent";
    }
}

struct client_core::submit_exchange {
    static constexpr lane via = lane::submit;

    admission terms() { return {via, permits, deadline, submit.doc_type}; }
    http_request request()
    {
        ++core.counters_.submits;
        body.rewind();
        http_request r(via, http_method::post, target(operation::submit));
        r.content_type = body.content_type();
        r.body = &body;
        // Without a deadline, a submit may wait for its turn indefinitely, but sending it is still bounded.
        r.deadline = allowed < longest_time ? deadline : clock::now() + core.options_.job_deadline;
        return r;
    }
    fsm_context context() { return core.context(); }
    void note(exchange_result const& answer, action const& next)
    {
        if (answer && answer->status == 500)
            core.doc_types_.failed(submit.doc_type);
        else if (answer && next.what == step::finish) // otherwise the answer was not examined
            core.doc_types_.answered(submit.doc_type);
    }

    client_core& core;
    submit_request const& submit;
    submit_hook const& before_sending;
    multipart_body& body;
    bool announced = false; ///< before_sending has run
    std::chrono::milliseconds allowed =
        submit.deadline.count() > 0 ? submit.deadline : core.options_.job_deadline;
    clock::time_point deadline = clock::now() + std::min<std::chrono::milliseconds>(allowed, longest_time);
    submit_fsm fsm{deadline};
    rate_permit permits[2] = {
        {core.submit_rate_, 1, core.counters_.waited_for_submit_rate},
        {core.byte_rate_, static_cast<double>(body.size()), core.counters_.waited_for_bytes}};
};

/// Admits a submit: first one of the connections for submits, then the pauses and rate limits, then the
/// caller's hook. What passes is sent at once.
OCRPIPE_DECL task<void> client_core::admit(submit_exchange& x, admission& a, fifo_semaphore::unit& slot)
{
    if (!submit_slots_.available() && submit_slots_.waiting() >= options_.pool.max_waiting) {
        refuse(a, errc::too_many_waiting);
        co_return;
    }
    if (!co_await submit_slots_.acquire(a.deadline)) {
        refuse(a, clock::now() >= a.deadline ? errc::deadline_exceeded : stop_code());
        co_return;
    }
    slot = fifo_semaphore::unit(submit_slots_);
    if (!decide(a)) co_await wait_for(a);
    if (a.refusal != errc::ok || !x.before_sending || std::exchange(x.announced, true)) co_return;
    error_code const ec = co_await x.before_sending();
    if (!ec && !closed_ && !submits_stopped_) co_return;
    refuse(a, ec ? errc::cancelled : stop_code());
    auth_gate_.probe_ended();
}

OCRPIPE_DECL task<result<submitted_job>> client_core::do_submit(submit_request const& request,
                                                                submit_hook const& before_sending)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    result<multipart_body> body = multipart_body::make(request, options_.profile.extra_fields, rng_());
    if (!body) co_return body.error();
    submit_exchange x{*this, request, before_sending, *body};
    ++counters_.active_submits;
    action next = x.fsm.start(x.context());
    while (next.what != step::finish)
        next = co_await exchange(x, next);
    --counters_.active_submits;
    result<submitted_job> outcome = std::move(x.fsm).outcome();
    if (outcome) {
        doc_types_.accepted(request.doc_type);
        ++counters_.accepted;
        counters_.bytes_uploaded += body->size();
    }
    co_return outcome;
}

struct client_core::part_exchange {
    static constexpr lane via = lane::part;

    admission terms() { return {via, permits, clock::time_point::max()}; }
    http_request request()
    {
        ++core.counters_.part_reads;
        return http_request(via, http_method::get, target(kind, request_id, sub_id));
    }
    fsm_context context() { return core.context(); }
    void note(exchange_result const&, action const&) {}

    client_core& core;
    operation kind;
    std::string const& request_id;
    std::string const& sub_id;
    part_fsm fsm{kind, clock::now() + std::min<std::chrono::milliseconds>(core.options_.job_deadline,
                                                                          longest_time)};
    rate_permit permits[1] = {{core.poll_rate_, 1, core.counters_.waited_for_poll_rate}};
};

/// Admits the read of a part: one of the connections for parts, then the pauses and the rate limit. These
/// waits do not count against the part's deadline.
OCRPIPE_DECL task<void> client_core::admit(part_exchange& x, admission& a, fifo_semaphore::unit& slot)
{
    clock::time_point const from = clock::now();
    if (!part_slots_.available() && part_slots_.waiting() >= options_.pool.max_waiting) {
        refuse(a, errc::too_many_waiting);
        co_return;
    }
    if (!co_await part_slots_.acquire()) {
        refuse(a, stop_code());
        co_return;
    }
    slot = fifo_semaphore::unit(part_slots_);
    if (!decide(a)) co_await wait_for(a);
    x.fsm.extend_deadline(clock::now() - from);
}

OCRPIPE_DECL task<result<part_data>> client_core::do_part(operation kind, std::string request_id,
                                                          std::string sub_id)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    part_exchange x{*this, kind, request_id, sub_id};
    action next = x.fsm.start(x.context());
    while (next.what != step::finish)
        next = co_await exchange(x, next);
    result<part_data> outcome = std::move(x.fsm).outcome();
    if (outcome) co_return outcome;
    failure f = std::move(outcome).error();
    f.request_id = std::move(request_id);
    co_return f;
}

} // namespace ocrpipe::detail

#endif
