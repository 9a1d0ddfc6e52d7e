#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_JOBS_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_JOBS_IPP

// Jobs waiting for their results: a heap behind one timer, and the coroutines that poll.

#include <ocrpipe/client/impl/client_core.ipp>
#include <ocrpipe/client/impl/client_requests.ipp>

#include <algorithm>
#include <utility>

namespace ocrpipe::detail
{

/// Timers of waiting jobs are rounded up to this, so that thousands of jobs share one timer setting.
inline constexpr clock::duration tick = std::chrono::milliseconds(5);

OCRPIPE_DECL void client_core::read_once(std::string&& request_id, completion<ocr_result>&& handler)
{
    // A wait with an immediate deadline reads exactly once.
    start_job(wait_request(std::move(request_id)), std::chrono::milliseconds(0), std::move(handler));
}

OCRPIPE_DECL void client_core::wait(wait_request&& request, completion<ocr_result>&& handler)
{
    auto deadline = request.deadline.count() > 0 ? request.deadline : options_.job_deadline;
    if (request.finished_before) deadline = std::chrono::milliseconds(0); // reads exactly once
    start_job(std::move(request), std::min<std::chrono::milliseconds>(deadline, longest_time),
              std::move(handler));
}

OCRPIPE_DECL void client_core::start_job(wait_request&& request, std::chrono::milliseconds deadline,
                                         completion<ocr_result>&& handler)
{
    // A job that cannot be cancelled needs no control; this saves memory when a million jobs wait.
    control_ptr control;
    if (asio::get_associated_cancellation_slot(handler).is_connected()) {
        control = std::make_shared<operation_control>();
        connect_cancellation(control, handler);
    }
    shard_.post([self = shared_from_this(), control, deadline, r = std::move(request),
                 h = std::move(handler)]() mutable {
        self->add_job(std::move(r), deadline, std::move(control), false, std::move(h));
    });
}

OCRPIPE_DECL result_context client_core::context_of(waiting_job const& job)
{
    auto const lock = pace_->lock();
    return result_context{context(lane::poll, good_reads_, job.request.patient),
                          *schedule_,
                          job.request.request_id,
                          job.request.doc_type,
                          job.request.document_bytes,
                          result_route_succeeded_,
                          settle_window_.length(options_.profile.settle_time)};
}

OCRPIPE_DECL void client_core::add_job(wait_request&& request, std::chrono::milliseconds deadline,
                                       control_ptr control, bool in_flight, completion<ocr_result>&& handler)
{
    thread_check::scope const alone(one_thread_, one_thread_rule);
    clock::time_point const now = clock::now();
    slot const s = jobs_.emplace(std::move(request), now, now + deadline);
    counters_.waiting_jobs = jobs_.size();
    waiting_job& job = jobs_[s];
    job.handler.swap(handler); // Boost 1.81's move assignment of any_completion_handler recurses infinitely
    job.in_flight = in_flight;
    if (control) {
        control->waiting = s;
        job.control = std::move(control);
    }
    if (closed_ || (job.control && job.control->cancelled)) return stop_job(s);
    if (job.request.finished_before) job.fsm.assume_settled();
    action const first = job.fsm.start(context_of(job));
    // If many documents were accepted and no result was read, one is read now: the reads may all fail.
    bool const is_early = wants_a_read() && workers_.empty();
    if (job.request.just_submitted && !is_early) return schedule(s, first.until);
    // Bypasses the timer, which would round up to its tick.
    jobs_.schedule(s, now);
    serve_due_jobs();
}

OCRPIPE_DECL void client_core::schedule(slot s, clock::time_point due)
{
    jobs_.schedule(s, due);
    arm_timer();
}

OCRPIPE_DECL void client_core::arm_timer()
{
    auto const due = jobs_.next_due();
    if (!due) {
        armed_for_ = clock::time_point::max();
        heap_timer_.cancel();
        return;
    }
    // All workers are busy: each checks the heap when it finishes its job.
    if (workers_.size() >= polls_at_once_.limit()) return;
    auto const since = due->time_since_epoch();
    clock::time_point const rounded(((since + tick - clock::duration(1)) / tick) * tick);
    if (rounded >= armed_for_) return;
    armed_for_ = rounded;
    heap_timer_.expires_at(rounded);
    heap_timer_.async_wait([weak = weak_from_this()](error_code ec) {
        if (ec) return;
        if (auto const self = weak.lock()) {
            self->armed_for_ = clock::time_point::max();
            self->serve_due_jobs();
        }
    });
}

OCRPIPE_DECL void client_core::serve_due_jobs()
{
    clock::time_point const now = clock::now();
    while (!closed_ && workers_.size() < polls_at_once_.limit()) {
        auto const due = jobs_.next_due();
        auto const s = jobs_.pop_due(now);
        if (!s) break;
        auto const worker = workers_.emplace(workers_.end());
        worker->current = *s;
        worker->due = *due;
        counters_.active_polls = workers_.size();
        asio::co_spawn(shard_.inner(), poll(worker),
                       asio::bind_cancellation_slot(
                           worker->stop.slot(), [self = shared_from_this(), worker](std::exception_ptr e) {
                               self->workers_.erase(worker);
                               self->counters_.active_polls = self->workers_.size();
                               if (e) std::rethrow_exception(e);
                               self->arm_timer();
                           }));
    }
    arm_timer();
}

/// Reads a job's result. A paused job waits in the heap: it occupies no worker there, and its deadline still
/// applies.
struct client_core::result_exchange {
    static constexpr lane via = lane::poll;
    static operation what() noexcept { return operation::result; }
    std::string_view id() const noexcept { return job.request.request_id; }
    trace_context const* trace() const noexcept { return job.request.trace.get(); }
    static std::uint64_t body_size() noexcept { return 0; }
    clock::time_point due() const noexcept { return due_at; }

    admission terms()
    {
        return {via,
                permits,
                clock::time_point::max(),
                {},
                fsm.is_suspect(),
                job.request.patient,
                in_pause::return_at_once,
                fsm.is_failing()};
    }
    http_request request()
    {
        ++core.counters_.polls;
        sent_in = core.polls_at_once_.now();
        return http_request(via, http_method::get, target(operation::result, job.request.request_id));
    }
    result_context context() { return core.context_of(job); }
    void note(exchange_result const& answer, action const& next)
    {
        if (answer && next.what == step::wait) ++core.counters_.pending_answers;
        if (answer && answer->status == 503)
            core.polls_at_once_.refused(sent_in);
        else if (answer)
            core.polls_at_once_.succeeded();
        if (next.is_trouble || (fsm.is_failing() && next.what == step::wait)) core.check_service();
        if (!fsm.read_well()) return;
        core.result_route_succeeded_ = true;
        ++core.good_reads_;
        core.health_.note_good_read();
    }

    client_core& core;
    waiting_job& job;
    clock::time_point due_at;
    result_fsm& fsm = job.fsm;
    concurrency_limit::epoch sent_in = 0;
    rate_permit permits[1] = {{core.poll_rate_, 1, core.counters_.waited_for_poll_rate}};
};

OCRPIPE_DECL task<void> client_core::poll(std::list<poll_worker>::iterator self)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    while (self->current) {
        result_exchange x{*this, jobs_[*self->current], self->due};
        action const read{step::send, {}}; // the heap has waited already
        action const next = co_await exchange(x, read);
        apply(*self->current, next);
        self->current.reset();
        // A worker whose signal was emitted cannot be reused: its coroutine stays marked as cancelled.
        bool const spare = workers_.size() > polls_at_once_.limit();
        if (self->stopped || closed_ || spare) continue;
        self->due = jobs_.next_due().value_or(clock::time_point());
        self->current = jobs_.pop_due(clock::now());
    }
}

OCRPIPE_DECL void client_core::apply(slot s, action next)
{
    waiting_job& job = jobs_[s];
    if (next.what != step::finish && next.what != step::wait) next = hold(job, next);
    if (next.what != step::finish) return schedule(s, next.until);

    result<read_outcome> outcome = std::move(job.fsm).outcome();
    if (!outcome) return fail_job(s, std::move(outcome).error());
    note_result(job.request.request_id, *outcome);
    job_times times = job.fsm.times();
    times.ready = outcome->read_at;
    finish_job(s, ocr_result(job.request.request_id, std::move(outcome->raw), outcome->how_complete,
                             outcome->reads, job.request.possible_duplicate, outcome->recognized, times));
}

OCRPIPE_DECL action client_core::hold(waiting_job& job, action next)
{
    auto const lock = pace_->lock();
    result_context const context = context_of(job);
    if (job.request.patient && health_.asks_too_much(context.now))
        return job.fsm.give_up(errc::service_unavailable, health_.unavailable_text(context.now));
    if (!job.fsm.may_wait(context)) return job.fsm.give_up(errc::still_processing, why_not_read());
    return job.fsm.hold(std::max(next.until, next.own), context);
}

OCRPIPE_DECL void client_core::note_result(std::string const& request_id, read_outcome const& outcome)
{
    auto const lock = pace_->lock();
    settle_window_.content_came_after(outcome.content_delay);
    health_.note_result(request_id, outcome.raw.size());
}

OCRPIPE_DECL bool client_core::wants_a_read() const
{
    auto const lock = pace_->lock();
    return health_.wants_a_read();
}

OCRPIPE_DECL void client_core::want_probe(service_health::request r, clock::time_point now)
{
    r.is_suspect = false; // the job of the probe was never refused
    health_.begin_read(r, now);
    wanted_read_ = known_read{r, health_.known_good()};
}

/// A read has failed. If no other read has succeeded since the failure before it, a known result is read, to
/// show whether the service fails or only the job.
OCRPIPE_DECL void client_core::check_service()
{
    clock::time_point const now = clock::now();
    bool const others_succeed = std::exchange(good_reads_then_, good_reads_) != good_reads_;
    service_health::request const r{lane::poll, false, true};
    if (others_succeed || now < next_check_ || health_.known_good().empty() || health_.is_paused(r)) return;
    next_check_ = now + options_.retry.base;
    wanted_read_ = known_read{r, health_.known_good()};
}

OCRPIPE_DECL void client_core::start_wanted_read()
{
    if (!wanted_read_) return;
    known_read const wanted = *std::exchange(wanted_read_, std::nullopt);
    run(read_known_good(wanted.on_behalf_of, wanted.request_id), std::make_shared<operation_control>(),
        [](result<bool>&&) {});
}

OCRPIPE_DECL task<result<bool>> client_core::read_known_good(service_health::request r,
                                                             std::string request_id)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    wait_request wanted(std::move(request_id));
    wanted.patient = r.is_patient;
    clock::time_point const now = clock::now();
    waiting_job job(std::move(wanted), now, now); // reads exactly once
    result_exchange x{*this, job, now};
    admission a = x.terms();
    a.due = a.turn = a.allowed = a.handed = now;
    http_request request = x.request();
    exchange_result answer = co_await transport_->send(std::move(request));
    complete(answer, a);
    std::uint64_t const received = answer ? answer->body.size() : 0;
    if (!answer) ++counters_.transport_failures;
    auto lock = pace_->lock();
    result_context c = x.context();
    // If a gateway answered the request with 404, another 404 from a gateway says the same of all requests.
    if (health_.last_refusal(r.kind) == errc::wrong_base_url) c.route_succeeded = false;
    lock = pace_state::lock_type();
    action const next = job.fsm.resume(answer, c);
    lock = pace_->lock();
    health_.note_read(r, answer, next, job.fsm.read_well(), c.now, c.random);
    pauses const now_paused = heed(next, c.now);
    lock = pace_state::lock_type();
    if (!observers_.empty()) tell(x, a, answer, received, next, now_paused, c.now);
    if (job.fsm.read_well()) ++good_reads_;
    co_return job.fsm.read_well();
}

OCRPIPE_DECL std::string client_core::why_not_read() const
{
    auto const lock = pace_->lock();
    if (origin_gate_.open_at() > clock::now()) return "the service asked to wait beyond the deadline";
    std::string const outage = health_.outage_text();
    return (outage.empty() ? health_.refusal_text(lane::poll) : outage) + ", and the deadline has passed";
}

OCRPIPE_DECL void client_core::finish_job(slot s, result<ocr_result> outcome)
{
    waiting_job& job = jobs_[s];
    completion<ocr_result> handler = std::move(job.handler);
    if (job.control) job.control->waiting.reset();
    if (job.in_flight) in_flight_.release();
    jobs_.erase(s);
    counters_.waiting_jobs = jobs_.size();
    complete(std::move(handler), std::move(outcome));
}

OCRPIPE_DECL void client_core::fail_job(slot s, failure f)
{
    f.request_id = jobs_[s].request.request_id;
    f.times = jobs_[s].fsm.times();
    finish_job(s, std::move(f));
}

OCRPIPE_DECL void client_core::stop_job(slot s)
{
    auto const worker =
        std::find_if(workers_.begin(), workers_.end(), [s](poll_worker const& w) { return w.current == s; });
    if (worker != workers_.end()) {
        worker->stopped = true;
        worker->stop.emit(asio::cancellation_type::terminal);
        return;
    }
    fail_job(s, failure(stop_code(), phase::wait,
                        closed_ ? "the client was closed; the job continues"
                                : "cancelled by the caller; the job continues"));
    arm_timer();
}

} // namespace ocrpipe::detail

#endif
