#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_REQUESTS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_REQUESTS_IPP

// How a request gets admitted and sent, and what its answer means for the operations after it.

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/client/detail/client_core.hpp>
#include <ocrpipe/client/impl/client_events.ipp>
#include <ocrpipe/job/part_fsm.hpp>
#include <ocrpipe/job/submit_fsm.hpp>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace ocrpipe::detail
{

OCRPIPE_DECL bool client_core::decide(admission& a)
{
    thread_check::scope const alone(one_thread_, one_thread_rule);
    auto lock = pace_->lock();
    bool const is_decided = decide_locked(a);
    lock = pace_state::lock_type();
    start_wanted_read();
    return is_decided;
}

OCRPIPE_DECL bool client_core::decide_locked(admission& a)
{
    if (closed_) return refuse(a, errc::client_closed);
    if (a.kind == lane::submit && submits_stopped_) return refuse(a, errc::cancelled);
    if (doc_types_.is_stopped(a.doc_type)) return refuse(a, errc::rejected);
    clock::time_point const now = clock::now();
    if (!is_known(a.turn)) a.turn = now;
    service_health::request const asking = to_health(a);
    service_health::permission const health = health_.ask(asking, now);
    if (health.what == service_health::decision::refuse) return refuse(a, health.why);
    bool const is_read = health.what == service_health::decision::read;
    bool const is_held = is_read || health.what == service_health::decision::wait;
    if (is_read && origin_gate_.open_at() <= now) want_probe(asking, now);
    clock::time_point open = origin_gate_.open_at();
    // After a pause, jobs are read first. Otherwise, if a submit is throttled again and again, they might
    // never be read.
    if (a.kind != lane::poll && jobs_.size() != 0 && open > now - reads_first) open += reads_first;
    a.until = is_held ? std::max(health.until, open) : open;
    a.waited = &counters_.waited_for_pause;
    if (a.until > now && a.if_paused == in_pause::return_at_once) {
        // Thousands of jobs may wait for the same probe: they ask again at different times.
        if (is_held && health_.is_paused(asking))
            a.until =
                std::max(a.until, now + std::chrono::milliseconds(static_cast<int>(500 + 500 * random())));
        return refuse(a, errc::throttled);
    }
    // A probe during a pause is sent at once: its outcome decides for all other requests.
    bool const is_urgent = health.what == service_health::decision::probe && health_.is_paused(asking);
    if (a.until <= now && !is_urgent) reserve(a, now);
    if (a.until > now) return a.until > a.deadline && refuse(a, errc::deadline_exceeded);
    a.is_probe = health.what == service_health::decision::probe;
    if (a.is_probe) health_.begin_probe(asking, now);
    a.allowed = a.handed = now;
    return true;
}

OCRPIPE_DECL service_health::request client_core::to_health(admission const& a) const
{
    // With a shared pace, the jobs may be those of other clients.
    bool const jobs_wait = options_.shared || jobs_.size() != 0;
    return {a.kind, a.is_suspect, a.is_patient, jobs_wait, a.has_failed};
}

/// Reserves a slot at each rate limit. If a reserved slot passed during a pause, reserves a new one. `a` then
/// waits for the latest of the slots.
OCRPIPE_DECL void client_core::reserve(admission& a, clock::time_point now)
{
    for (rate_permit& p : a.permits) {
        if (!a.reserved || p.limit.has_passed(p.start, now, p.cost)) p.start = p.limit.reserve(now, p.cost);
        if (p.start <= a.until) continue;
        a.until = p.start;
        a.waited = &p.waited;
    }
    a.reserved = true;
}

OCRPIPE_DECL bool client_core::refuse(admission& a, errc why_not_sent)
{
    auto const lock = pace_->lock();
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
                                                 published<std::chrono::nanoseconds>& waited)
{
    if (l == lane::submit && submits_stopped_) co_return false;
    auto const from = clock::now();
    timer t(shard_.inner(), when);
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
    if ((previous.what == step::wait || previous.what == step::refused) &&
        !co_await sleep_until(Exchange::via, previous.until, counters_.waited_for_pause))
        co_return stop(x);
    admission a = x.terms();
    if (!observers_.empty()) a.due = x.due();
    if constexpr (Exchange::via != lane::poll) {
        if (!x.has_turn() || !decide(a)) co_await admit(x, a);
    } else if (!decide(a)) {
        co_await wait_for(a);
    }
    action next{step::pause_origin, a.until}; // of a poll that does not wait for the pause
    if (a.refusal == errc::ok) {
        http_request request = x.request();
        std::optional<trace_context> span;
        if (trace_context const* const parent = x.trace())
            a.trace = request.trace = &span.emplace(parent->child(rng_()));
        exchange_result answer = co_await transport_->send(std::move(request));
        next = learn(x, a, answer);
    } else if (a.refusal != errc::throttled) {
        next = x.fsm.give_up(a.refusal, why_not_sent(a.refusal, Exchange::via));
    }

    asio::cancellation_state const state = co_await asio::this_coro::cancellation_state;
    bool const stopped = closed_ || state.cancelled() != asio::cancellation_type::none;
    if (stopped && next.what != step::finish) next = stop(x);
    co_return next;
}

template<class Exchange>
action client_core::learn(Exchange& x, admission const& a, exchange_result& answer)
{
    thread_check::scope const alone(one_thread_, one_thread_rule);
    complete(answer, a);
    std::uint64_t const received = answer ? answer->body.size() : 0;
    auto const context = x.context();
    action next = x.fsm.resume(answer, context); // without the lock, because it parses the answer
    auto lock = pace_->lock();
    note(a, answer, next, context);
    x.note(answer, next);
    pauses const now_paused = heed(next, context.now);
    if (next.what == step::refused) {
        if (health_.is_refused(Exchange::via))
            next = x.fsm.give_up(next.why, health_.refusal_text(Exchange::via));
        else
            next.until = health_.next_for_suspects(Exchange::via, clock::now());
    }
    lock = pace_state::lock_type();
    start_wanted_read();
    if (!observers_.empty()) tell(x, a, answer, received, next, now_paused, context.now);
    if constexpr (Exchange::via == lane::submit)
        if (next.what != step::finish && !x.body.can_rewind()) next = x.fsm.cannot_repeat(answer);
    return next;
}

OCRPIPE_DECL void client_core::complete(exchange_result& r, admission const& a) const
{
    if (r) {
        r->secrets = secrets_.get(); // masking every body would cost too much
        if (!is_known(r->sent_at)) r->sent_at = a.handed;
        return;
    }
    transport_failure f = std::move(r).error(); // error() returns a copy
    f.detail = secrets_->masked(f.detail);
    if (f.sent != bytes_sent::none && !is_known(f.sent_at)) f.sent_at = a.handed;
    r = std::move(f);
}

OCRPIPE_DECL void client_core::note(admission const& a, exchange_result const& r, action const& next,
                                    fsm_context const& c)
{
    if (!r) ++counters_.transport_failures;
    if (next.what == step::pause_origin || next.is_throttled_alone) {
        ++counters_.throttled;
        ++pace_->throttled;
    }
    health_.note(to_health(a), a.is_probe, r, next, c.now, c.random);
}

OCRPIPE_DECL std::string client_core::why_not_sent(errc e, lane kind) const
{
    auto const lock = pace_->lock();
    switch (e) {
    case errc::unauthorized:
    case errc::wrong_base_url:
    case errc::proxy_refused:
    case errc::certificate_invalid:
        return health_.refusal_text(kind) + "; nothing was sent";
    case errc::service_unavailable:
        return fmt::format("{}; nothing was sent", health_.unavailable_text(clock::now()));
    case errc::cancelled:
        return "cancelled before anything was sent";
    case errc::client_closed:
        return "the client was closed before anything was sent";
    case errc::too_many_waiting:
        return fmt::format("{} operations wait for a connection already (pool.max_waiting); nothing was sent",
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
    static operation what() noexcept { return operation::submit; }
    static std::string_view id() noexcept { return {}; }
    trace_context const* trace() const noexcept { return submit.trace.get(); }
    std::uint64_t body_size() const noexcept { return body.size(); }
    static clock::time_point due() noexcept { return clock::now(); }

    admission terms()
    {
        admission a{via, permits, deadline, submit.doc_type, fsm.is_suspect(), submit.patient};
        a.has_failed = fsm.is_failing() || had_setback;
        return a;
    }
    /// Whether it has one of the connections, without a wait, and the caller's hook has run.
    bool has_turn()
    {
        if (!slot && core.submit_slots_.try_acquire()) slot = fifo_semaphore::unit(core.submit_slots_);
        if (slot && !turn && core.submit_turns_.try_acquire())
            turn = fifo_semaphore::unit(core.submit_turns_);
        return turn && (announcement() || !hooks.before_sending);
    }
    /// Whether the caller was told of the next attempt.
    bool& announcement() noexcept { return fsm.repeats_ambiguous() ? repeat_announced : announced; }
    http_request request()
    {
        ++core.counters_.submits;
        sent_in = core.submits_at_once_.now();
        body.rewind();
        http_request r(via, http_method::post, target(operation::submit));
        r.content_type = body.content_type();
        r.body = &body;
        r.deadline = deadline;
        return r;
    }
    fsm_context context() { return core.context(via, core.counters_.accepted, submit.patient); }
    void note(exchange_result const& answer, action const& next)
    {
        turn = {};
        if (answer && answer->status == 500)
            core.doc_types_.failed(submit.doc_type);
        else if (answer && next.what == step::finish) // otherwise the answer was not examined
            core.doc_types_.answered(submit.doc_type);
        if (next.is_trouble) core.check_service();
        if (next.is_trouble && !std::exchange(had_setback, true)) ++core.setback_submits_;
        if (!answer) return;
        if (fsm.overloaded())
            core.submits_at_once_.refused(sent_in);
        else
            core.submits_at_once_.succeeded();
        core.submit_turns_.resize(core.submits_at_once_.limit());
    }
    /// Frees the connection while a refused submit waits, because others may have to probe. Any other wait
    /// keeps it, so that no more documents are in doubt than there are connections.
    task<void> step_aside()
    {
        if (hooks.set_aside) {
            co_await hooks.set_aside();
            announced = repeat_announced = false;
        }
        slot = {};
    }

    client_core& core;
    submit_request const& submit;
    submit_hooks const& hooks;
    multipart_body& body;
    clock::time_point deadline;
    fifo_semaphore::unit slot{};   ///< one of the connections for submits
    fifo_semaphore::unit turn{};   ///< one of those that the service serves at a time
    bool announced = false;        ///< hooks.before_sending has run
    bool had_setback = false;      ///< its answer showed trouble of the service
    bool repeat_announced = false; ///< and once more, before an ambiguous attempt is repeated
    concurrency_limit::epoch sent_in = 0;
    submit_fsm fsm{deadline, submit.in_doubt};
    rate_permit permits[2] = {
        {core.submit_rate_, 1, core.counters_.waited_for_submit_rate},
        {core.byte_rate_, static_cast<double>(body.size()), core.counters_.waited_for_bytes}};
};

/// Admits a submit: first one of the connections for submits, then the pauses and rate limits, then the
/// caller's hook. What passes is sent at once.
OCRPIPE_DECL task<void> client_core::admit(submit_exchange& x, admission& a)
{
    if (!x.slot && !submit_slots_.available() && submit_slots_.waiting() >= options_.pool.max_waiting) {
        refuse(a, errc::too_many_waiting);
        co_return;
    }
    if (!x.slot && co_await submit_slots_.acquire(a.deadline)) x.slot = fifo_semaphore::unit(submit_slots_);
    if (x.slot && !x.turn && co_await submit_turns_.acquire(a.deadline))
        x.turn = fifo_semaphore::unit(submit_turns_);
    if (!x.turn) {
        refuse(a, clock::now() >= a.deadline ? errc::deadline_exceeded : stop_code());
        co_return;
    }
    if (!decide(a)) co_await wait_for(a);
    if (a.refusal != errc::ok || !x.hooks.before_sending || std::exchange(x.announcement(), true)) co_return;
    error_code const ec = co_await x.hooks.before_sending();
    a.handed = clock::now();
    if (!ec && !closed_ && !submits_stopped_) co_return;
    refuse(a, ec ? errc::cancelled : stop_code());
    auto const lock = pace_->lock();
    if (a.is_probe) health_.probe_ended(to_health(a));
}

OCRPIPE_DECL task<result<submitted_job>> client_core::do_submit(submit_request const& request,
                                                                submit_hooks const& hooks)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const allowed = request.deadline.count() > 0 ? request.deadline : options_.job_deadline;
    auto const deadline = clock::now() + std::min<std::chrono::milliseconds>(allowed, longest_time);
    if (request.doc.is_streamed()) {
        std::optional<failure> begun =
            co_await document_reader::begin(request.doc, format_probe_size, deadline);
        if (begun && begun->is(errc::cancelled)) begun->code = stop_code();
        if (begun) co_return *std::move(begun);
    }
    result<multipart_body> body = multipart_body::make(request, options_.profile.extra_fields, rng_());
    if (!body) co_return body.error();
    submit_exchange x{*this, request, hooks, *body, deadline};
    ++counters_.active_submits;
    action next = x.fsm.start(x.context());
    while (next.what != step::finish) {
        // In trouble, other documents show whether it is this one's.
        bool const is_refused = next.what == step::refused || (next.is_trouble && !x.fsm.repeats_ambiguous());
        if (is_refused && next.what != step::finish) co_await x.step_aside();
        next = co_await exchange(x, next);
    }
    --counters_.active_submits;
    if (x.had_setback) --setback_submits_;
    result<submitted_job> outcome = std::move(x.fsm).outcome();
    if (outcome) {
        note_accepted(request.doc_type);
        ++counters_.accepted;
        counters_.bytes_uploaded += body->size();
        if (hooks.accepted) co_await hooks.accepted(*outcome);
    }
    co_return outcome;
}

OCRPIPE_DECL void client_core::note_accepted(std::string_view doc_type)
{
    auto const lock = pace_->lock();
    doc_types_.accepted(doc_type);
    health_.note_accepted();
}

struct client_core::part_exchange {
    static constexpr lane via = lane::part;
    operation what() const noexcept { return part.kind; }
    std::string_view id() const noexcept { return part.request_id; }
    trace_context const* trace() const noexcept { return part.trace.get(); }
    static std::uint64_t body_size() noexcept { return 0; }
    static clock::time_point due() noexcept { return clock::now(); }

    admission terms()
    {
        admission a{via, permits, clock::time_point::max(), {}, fsm.is_suspect(), part.patient};
        a.has_failed = fsm.is_failing();
        return a;
    }
    bool has_turn()
    {
        if (!slot && core.part_slots_.try_acquire()) slot = fifo_semaphore::unit(core.part_slots_);
        return bool(slot);
    }
    http_request request()
    {
        ++core.counters_.part_reads;
        sent_in = core.parts_at_once_.now();
        return http_request(via, http_method::get, target(part.kind, part.request_id, part.sub_id));
    }
    fsm_context context() { return core.context(via, core.good_parts_, part.patient); }
    void note(exchange_result const& answer, action const& next)
    {
        slot = {};
        if (answer && answer->status == 503)
            core.parts_at_once_.refused(sent_in);
        else if (answer)
            core.parts_at_once_.succeeded();
        core.part_slots_.resize(core.parts_at_once_.limit());
        if (answer && answer->status < 300 && next.what == step::finish) ++core.good_parts_;
    }

    client_core& core;
    part_request const& part;
    fifo_semaphore::unit slot{}; ///< one of the connections for parts
    concurrency_limit::epoch sent_in = 0;
    part_fsm fsm{part.kind, clock::now() + std::min<std::chrono::milliseconds>(core.options_.job_deadline,
                                                                               longest_time)};
    rate_permit permits[1] = {{core.poll_rate_, 1, core.counters_.waited_for_poll_rate}};
};

/// Admits the read of a part: one of the connections for parts, then the pauses and the rate limit. These
/// waits do not count against the part's deadline.
OCRPIPE_DECL task<void> client_core::admit(part_exchange& x, admission& a)
{
    clock::time_point const from = clock::now();
    if (!x.slot && !part_slots_.available() && part_slots_.waiting() >= options_.pool.max_waiting) {
        refuse(a, errc::too_many_waiting);
        co_return;
    }
    if (!x.slot && co_await part_slots_.acquire()) x.slot = fifo_semaphore::unit(part_slots_);
    if (!x.slot) {
        refuse(a, stop_code());
        co_return;
    }
    if (!decide(a)) co_await wait_for(a);
    x.fsm.extend_deadline(clock::now() - from);
}

OCRPIPE_DECL task<result<part_data>> client_core::do_part(part_request part)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    part_exchange x{*this, part};
    action next = x.fsm.start(x.context());
    while (next.what != step::finish)
        next = co_await exchange(x, next);
    result<part_data> outcome = std::move(x.fsm).outcome();
    if (outcome) co_return outcome;
    failure f = std::move(outcome).error();
    f.request_id = std::move(part.request_id);
    co_return f;
}

} // namespace ocrpipe::detail

#endif
