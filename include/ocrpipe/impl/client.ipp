#ifndef OCRPIPE_IMPL_CLIENT_IPP
#define OCRPIPE_IMPL_CLIENT_IPP

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/client.hpp>
#include <ocrpipe/detail/client_core.hpp>
#include <ocrpipe/http/http_transport.hpp>
#include <ocrpipe/job/part_fsm.hpp>
#include <ocrpipe/job/submit_fsm.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace ocrpipe
{
namespace detail
{

/// Timers of waiting jobs are rounded up to this, so that thousands of jobs share one timer setting.
inline constexpr clock::duration tick = std::chrono::milliseconds(5);

inline failure stopped(errc why, std::string request_id, std::string reason)
{
    failure f;
    f.code = why;
    f.where = phase::wait;
    f.request_id = std::move(request_id);
    f.reason = std::move(reason);
    return f;
}

OCRPIPE_DECL client_core::client_core(asio::io_context& ioc, client_options options,
                                      std::unique_ptr<transport> t)
    : ioc_(ioc)
    , options_(std::move(options))
    , schedule_(options_.schedule ? options_.schedule : std::make_shared<fixed_poll_schedule>())
    , transport_(std::move(t))
    , rng_(options_.seed != 0 ? options_.seed : std::random_device()())
    , submit_rate_(options_.rates.submits_per_second)
    , poll_rate_(options_.rates.polls_per_second)
    , byte_rate_(options_.rates.bytes_per_second, options_.rates.bytes_per_second)
    , auth_gate_(options_.max_auth_refusals)
    , in_flight_(ioc, options_.rates.max_in_flight)
    , heap_timer_(ioc.get_executor())
{
}

template<class T>
void client_core::complete(completion<T>&& handler, result<T>&& outcome)
{
    asio::any_completion_executor const own(ioc_.get_executor());
    auto const executor = asio::get_associated_executor(handler, own);
    // What dispatch would do after a detour.
    if (executor == own) return std::move(handler)(std::move(outcome));
    asio::dispatch(
        executor, [h = std::move(handler), r = std::move(outcome)]() mutable { std::move(h)(std::move(r)); });
}

OCRPIPE_DECL void client_core::cancel(operation_control& control)
{
    control.cancelled = true;
    if (control.waiting) return cancel_job(*control.waiting);
    control.stop.emit(asio::cancellation_type::terminal);
}

template<class T>
void client_core::connect_cancellation(control_ptr const& control, completion<T> const& handler)
{
    auto slot_of_caller = asio::get_associated_cancellation_slot(handler);
    if (slot_of_caller.is_connected())
        slot_of_caller.assign(
            [weak = std::weak_ptr(control), self = weak_from_this()](asio::cancellation_type) {
                // The slot may be emitted from the thread of the caller's executor: hop over.
                if (auto const core = self.lock())
                    asio::post(core->ioc_, [weak, core] {
                        if (auto const c = weak.lock()) core->cancel(*c);
                    });
            });
}

template<class T>
void client_core::run(task<result<T>> work, control_ptr control, completion<T>&& handler)
{
    auto const position = active_.insert(active_.end(), control);
    asio::co_spawn(
        ioc_, std::move(work),
        asio::bind_cancellation_slot(control->stop.slot(),
                                     [self = shared_from_this(), control, position, h = std::move(handler)](
                                         std::exception_ptr thrown, result<T> outcome) mutable {
                                         self->active_.erase(position);
                                         if (thrown) std::rethrow_exception(thrown);
                                         self->complete(std::move(h), std::move(outcome));
                                     }));
    // Cancelled between the caller's start and ours.
    if (control->cancelled) control->stop.emit(asio::cancellation_type::terminal);
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

OCRPIPE_DECL bool client_core::refuse(passage& p, errc why_not_sent)
{
    if (p.reserved)
        for (toll const& t : p.tolls)
            t.limiter.cancel_last(t.start, t.cost);
    p.reserved = false;
    p.verdict = why_not_sent;
    return true;
}

OCRPIPE_DECL bool client_core::decide(passage& p)
{
    if (closed_) return refuse(p, errc::client_closed);
    if (p.way == lane::submit && submits_stopped_) return refuse(p, errc::cancelled);
    if (doc_types_.is_stopped(p.doc_type)) return refuse(p, errc::rejected);
    clock::time_point const now = clock::now();
    p.until = origin_gate_.open_at();
    if (p.until > now && p.what == in_pause::return_at_once) return refuse(p, errc::throttled);
    p.waited = &counters_.waited_for_pause;
    if (p.until <= now) {
        auth_gate::passage const passage = auth_gate_.ask(now);
        if (passage == auth_gate::passage::refused) return refuse(p, errc::unauthorized);
        // The one probe of a paused lane goes at once: its outcome decides for all the others.
        if (passage == auth_gate::passage::probe) return true;
        // While a probe is under way there is no next one yet: look again soon.
        if (passage == auth_gate::passage::wait)
            p.until = std::max(auth_gate_.next_probe(), now + std::chrono::milliseconds(50));
    }
    if (p.until <= now) {
        for (toll& t : p.tolls) {
            if (p.reserved) break;
            t.start = t.limiter.reserve(now, t.cost);
            if (t.start <= p.token) continue;
            p.token = t.start;
            p.held_by = &t.waited;
        }
        p.reserved = true;
        if (p.token <= now) return true;
        p.until = p.token;
        p.waited = p.held_by;
    }
    return p.until > p.deadline && refuse(p, errc::deadline_exceeded);
}

OCRPIPE_DECL task<void> client_core::pass(passage& p)
{
    while (!decide(p)) {
        bool const woken = co_await sleep_until(p.way, p.until, *p.waited);
        if (woken) continue;
        refuse(p, closed_ ? errc::client_closed : errc::cancelled);
        co_return;
    }
}

OCRPIPE_DECL void client_core::note(exchange_result const& r)
{
    if (!r) {
        ++counters_.transport_failures;
        return auth_gate_.probe_ended();
    }
    int const status = r->status;
    if (status == 429 || !r->retry_after.empty()) ++counters_.throttled;
    // A refusal is noted by note_refusal(), when the state machine has said that it is one.
    if (status == 401 || status == 402 || status == 403) return;
    if (status < 300) return auth_gate_.succeeded();
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
    case errc::rejected:
        return fmt::format("{} submits of this doc_type in a row were answered with 500 and none was ever "
                           "accepted; nothing was sent",
                           doc_type_gate::max_failures);
    default:
        return "the deadline passed before anything was sent";
    }
}

OCRPIPE_DECL task<result<submitted_job>> client_core::do_submit(submit_request const& request)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    auto const wanted = request.deadline.count() > 0 ? request.deadline : options_.job_deadline;
    clock::time_point const deadline = clock::now() + wanted;

    result<multipart_body> body = multipart_body::make(request, options_.profile.extra_fields, rng_());
    if (!body) co_return body.error();

    ++counters_.active_submits;
    submit_fsm fsm(options_.retry, deadline);
    action next = fsm.start(clock::now());
    while (next.what != step::finish) {
        if (next.what == step::pause_origin) origin_gate_.pause_until(next.until);
        if (next.what == step::pause_lane && !note_refusal())
            next = fsm.give_up(errc::unauthorized, refusal_text());
        else if (next.what == step::wait &&
                 !co_await sleep_until(lane::submit, next.until, counters_.waited_for_pause))
            next = fsm.give_up(closed_ ? errc::client_closed : errc::cancelled, "stopped while backing off");
        if (next.what == step::finish) break;

        toll tolls[] = {{submit_rate_, 1, counters_.waited_for_submit_rate},
                        {byte_rate_, static_cast<double>(body->size()), counters_.waited_for_bytes}};
        passage way{lane::submit, tolls, deadline, request.doc_type};
        if (!decide(way)) co_await pass(way);
        if (way.verdict != errc::ok) {
            next = fsm.give_up(way.verdict, why_not_sent(way.verdict));
            continue;
        }
        body->rewind();
        http_request exchange(lane::submit, http_method::post, target(operation::submit));
        exchange.content_type = body->content_type();
        exchange.body = &*body;
        exchange.deadline = deadline;
        ++counters_.submits;
        exchange_result const answer = co_await transport_->async_exchange(std::move(exchange));
        note(answer);
        next = fsm.resume(answer, options_.profile, clock::now(), random());
        if (answer && answer->status == 500)
            doc_types_.failed(request.doc_type);
        else if (answer)
            doc_types_.answered(request.doc_type);
    }
    --counters_.active_submits;
    origin_gate_.pause_until(next.until);
    result<submitted_job> outcome = std::move(fsm).outcome();
    if (outcome) {
        doc_types_.accepted(request.doc_type);
        ++counters_.accepted;
        counters_.bytes_uploaded += body->size();
    }
    co_return outcome;
}

OCRPIPE_DECL task<result<submitted_job>> client_core::do_admitted_submit(submit_request const& request)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    if (in_flight_.waiting() >= options_.pool.max_waiting)
        co_return stopped(errc::too_many_waiting, {},
                          fmt::format("{} operations wait already", in_flight_.waiting()));
    if (!co_await in_flight_.acquire()) {
        errc const why = closed_ ? errc::client_closed : errc::cancelled;
        co_return stopped(why, {}, why_not_sent(why));
    }
    result<submitted_job> outcome = co_await do_submit(request);
    if (!outcome) in_flight_.release();
    co_return outcome;
}

OCRPIPE_DECL result_context client_core::context_of(waiting_job const& job) const
{
    return result_context{
        options_.profile,           options_.retry,          *schedule_, job.request.doc_type,
        job.request.document_bytes, result_route_succeeded_, good_reads_};
}

OCRPIPE_DECL void client_core::add_job(wait_request&& request, std::chrono::milliseconds deadline,
                                       control_ptr control, bool holds_place,
                                       completion<ocr_result>&& handler)
{
    clock::time_point const now = clock::now();
    slot const s = jobs_.emplace(std::move(request), now, now + deadline);
    waiting_job& job = jobs_[s];
    job.handler.swap(
        handler); // Boost 1.81's move assignment of any_completion_handler calls itself without end
    job.holds_place = holds_place;
    if (control) {
        control->waiting = s;
        job.control = std::move(control);
    }
    if (closed_)
        return finish_job(s, stopped(errc::client_closed, job.request.request_id, "the client was closed"));
    if (job.control && job.control->cancelled) return cancel_job(s);
    action const first = job.fsm.start(context_of(job), now, random());
    if (job.request.just_submitted) return schedule(s, first.until);
    // Not through the timer, which would round up to its tick.
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
    // All workers busy: each looks into the heap itself when it is done with its job.
    if (workers_.size() >= options_.pool.poll_connections) return;
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
    while (!closed_ && workers_.size() < options_.pool.poll_connections) {
        auto const s = jobs_.pop_due(now);
        if (!s) break;
        auto const worker = workers_.emplace(workers_.end());
        worker->current = *s;
        asio::co_spawn(ioc_, poll(worker),
                       asio::bind_cancellation_slot(
                           worker->stop.slot(), [self = shared_from_this(), worker](std::exception_ptr e) {
                               self->workers_.erase(worker);
                               if (e) std::rethrow_exception(e);
                               self->arm_timer();
                           }));
    }
    arm_timer();
}

OCRPIPE_DECL task<void> client_core::poll(std::list<poll_worker>::iterator self)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    while (self->current) {
        slot const s = *self->current;
        co_await poll_once(s);
        self->current.reset();
        // A worker whose signal was used is spent: its coroutine stays marked as cancelled.
        if (!self->stopped && !closed_) self->current = jobs_.pop_due(clock::now());
    }
}

OCRPIPE_DECL task<void> client_core::poll_once(slot s)
{
    waiting_job& job = jobs_[s];
    toll tolls[] = {{poll_rate_, 1, counters_.waited_for_poll_rate}};
    // A pause is waited for in the heap: there it holds no worker, and a job's deadline comes all the same.
    passage way{lane::poll, tolls, clock::time_point::max(), {}, in_pause::return_at_once};
    if (!decide(way)) co_await pass(way);
    action next{step::finish, {}};
    if (way.verdict == errc::ok) {
        http_request exchange(lane::poll, http_method::get,
                              target(operation::result, job.request.request_id));
        ++counters_.polls;
        exchange_result answer = co_await transport_->async_exchange(std::move(exchange));
        note(answer);
        next = job.fsm.resume(answer, context_of(job), clock::now(), random());
        if (answer && next.what == step::wait) ++counters_.pending_answers;
        if (job.fsm.read_well()) {
            result_route_succeeded_ = true;
            ++good_reads_;
        }
    } else if (way.verdict == errc::throttled && clock::now() < job.fsm.latest()) {
        next = action{step::wait, origin_gate_.open_at()};
    } else if (way.verdict == errc::throttled) {
        next = job.fsm.give_up(errc::still_processing, "the service asked to wait beyond the deadline");
    } else {
        next = job.fsm.give_up(way.verdict, why_not_sent(way.verdict));
    }
    if (next.what == step::pause_lane && !note_refusal())
        next = job.fsm.give_up(errc::unauthorized, refusal_text());
    if (next.what != step::finish && closed_)
        next = job.fsm.give_up(errc::client_closed, "the client was closed");
    if (next.what != step::finish && job.control && job.control->cancelled)
        next = job.fsm.give_up(errc::cancelled, "cancelled by the caller; the job goes on");

    switch (next.what) {
    case step::finish: {
        origin_gate_.pause_until(next.until);
        result<read_outcome> outcome = std::move(job.fsm).outcome();
        if (outcome) {
            finish_job(s, ocr_result(job.request.request_id, std::move(outcome->raw), outcome->how_complete,
                                     outcome->reads));
        } else {
            failure f = std::move(outcome).error();
            f.request_id = job.request.request_id;
            finish_job(s, std::move(f));
        }
        break;
    }
    case step::pause_origin:
        origin_gate_.pause_until(next.until);
        [[fallthrough]];
    case step::wait:
        schedule(s, std::min(next.until, job.fsm.latest()));
        break;
    case step::pause_lane:
        schedule(s, auth_gate_.next_probe());
        break;
    case step::send:
        schedule(s, clock::now());
        break;
    }
}

OCRPIPE_DECL void client_core::finish_job(slot s, result<ocr_result> outcome)
{
    waiting_job& job = jobs_[s];
    completion<ocr_result> handler = std::move(job.handler);
    if (job.control) job.control->waiting.reset();
    if (job.holds_place) in_flight_.release();
    jobs_.erase(s);
    complete(std::move(handler), std::move(outcome));
}

OCRPIPE_DECL void client_core::cancel_job(slot s)
{
    auto const worker =
        std::find_if(workers_.begin(), workers_.end(), [s](poll_worker const& w) { return w.current == s; });
    if (worker != workers_.end()) {
        worker->stopped = true;
        worker->stop.emit(asio::cancellation_type::terminal);
        return;
    }
    finish_job(
        s, stopped(errc::cancelled, jobs_[s].request.request_id, "cancelled by the caller; the job goes on"));
    arm_timer();
}

OCRPIPE_DECL void client_core::submit(submit_request&& request, completion<submitted_job>&& handler)
{
    auto op = std::make_shared<submit_operation<submitted_job>>(std::move(request), std::move(handler));
    connect_cancellation(op, op->handler);
    asio::post(ioc_, [self = shared_from_this(), op = std::move(op)] {
        self->run(self->do_submit(op->request), op, std::move(op->handler));
    });
}

OCRPIPE_DECL void client_core::ask(std::string&& request_id, completion<ocr_result>&& handler)
{
    // A wait whose deadline is now: it reads once.
    start_job(wait_request(std::move(request_id)), std::chrono::milliseconds(0), std::move(handler));
}

OCRPIPE_DECL void client_core::wait(wait_request&& request, completion<ocr_result>&& handler)
{
    auto const deadline = request.deadline.count() > 0 ? request.deadline : options_.job_deadline;
    start_job(std::move(request), deadline, std::move(handler));
}

OCRPIPE_DECL void client_core::start_job(wait_request&& request, std::chrono::milliseconds deadline,
                                         completion<ocr_result>&& handler)
{
    // A job that nobody can cancel waits without a control: a million of them do.
    control_ptr control;
    if (asio::get_associated_cancellation_slot(handler).is_connected()) {
        control = std::make_shared<operation_control>();
        connect_cancellation(control, handler);
    }
    asio::post(ioc_, [self = shared_from_this(), control, deadline, r = std::move(request),
                      h = std::move(handler)]() mutable {
        self->add_job(std::move(r), deadline, std::move(control), false, std::move(h));
    });
}

OCRPIPE_DECL void client_core::recognize(submit_request&& request, completion<ocr_result>&& handler)
{
    auto op = std::make_shared<submit_operation<ocr_result>>(std::move(request), std::move(handler));
    connect_cancellation(op, op->handler);
    asio::post(ioc_, [self = shared_from_this(), op = std::move(op)] {
        completion<submitted_job> submitted([self, op](result<submitted_job> job) {
            if (!job)
                return self->complete(std::move(op->handler), result<ocr_result>(std::move(job).error()));
            wait_request then(std::move(job->request_id));
            then.doc_type = std::move(op->request.doc_type);
            then.just_submitted = true;
            self->add_job(std::move(then), self->options_.job_deadline, op, true, std::move(op->handler));
        });
        self->run(self->do_admitted_submit(op->request), op, std::move(submitted));
    });
}

OCRPIPE_DECL task<result<part_data>> client_core::do_part(operation kind, std::string request_id,
                                                          std::string sub_id)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    clock::time_point const deadline = clock::now() + options_.job_deadline;
    part_fsm fsm(kind, deadline);
    action next = fsm.start(clock::now());
    while (next.what != step::finish) {
        if (next.what == step::pause_origin) origin_gate_.pause_until(next.until);
        if (next.what == step::pause_lane && !note_refusal())
            next = fsm.give_up(errc::unauthorized, refusal_text());
        else if (next.what == step::wait &&
                 !co_await sleep_until(lane::part, next.until, counters_.waited_for_pause))
            next = fsm.give_up(closed_ ? errc::client_closed : errc::cancelled, "stopped while waiting");
        if (next.what == step::finish) break;

        toll tolls[] = {{poll_rate_, 1, counters_.waited_for_poll_rate}};
        passage way{lane::part, tolls, deadline};
        if (!decide(way)) co_await pass(way);
        if (way.verdict != errc::ok) {
            next = fsm.give_up(way.verdict, why_not_sent(way.verdict));
            continue;
        }
        http_request exchange(lane::part, http_method::get, target(kind, request_id, sub_id));
        ++counters_.part_reads;
        exchange_result answer = co_await transport_->async_exchange(std::move(exchange));
        note(answer);
        next = fsm.resume(answer, options_.profile, options_.retry, clock::now(), random());
    }
    origin_gate_.pause_until(next.until);
    result<part_data> outcome = std::move(fsm).outcome();
    if (outcome) co_return outcome;
    failure f = std::move(outcome).error();
    f.request_id = std::move(request_id);
    co_return f;
}

OCRPIPE_DECL void client_core::part(operation kind, std::string&& request_id, std::string&& sub_id,
                                    completion<part_data>&& handler)
{
    auto control = std::make_shared<operation_control>();
    connect_cancellation(control, handler);
    asio::post(ioc_, [self = shared_from_this(), control, kind, r = std::move(request_id),
                      sub = std::move(sub_id), h = std::move(handler)]() mutable {
        self->run(self->do_part(kind, std::move(r), std::move(sub)), std::move(control), std::move(h));
    });
}

OCRPIPE_DECL client_statistics client_core::statistics() const
{
    client_statistics s = counters_;
    clock::time_point const now = clock::now();
    s.waiting_jobs = jobs_.size();
    s.active_polls = workers_.size();
    if (origin_gate_.open_at() > now)
        s.paused_for = std::chrono::duration_cast<std::chrono::milliseconds>(origin_gate_.open_at() - now);
    s.credentials_paused = auth_gate_.is_paused();
    return s;
}

OCRPIPE_DECL void client_core::stop_submits()
{
    submits_stopped_ = true;
    for (timer* const t : sleeping_submits_)
        t->cancel();
}

OCRPIPE_DECL void client_core::close()
{
    if (closed_) return;
    closed_ = true;
    in_flight_.close();
    transport_->close();
    // Not from outside the context: co_spawn of Boost 1.81 would post the cancellation with a bare pointer to
    // an operation that may have ended when its turn comes.
    asio::dispatch(ioc_, [self = shared_from_this()] { self->end_all(); });
}

OCRPIPE_DECL void client_core::end_all()
{
    // Copies: what is cancelled leaves these containers.
    std::vector<control_ptr> const running(active_.begin(), active_.end());
    for (control_ptr const& c : running)
        c->stop.emit(asio::cancellation_type::terminal);
    std::vector<slot> waiting;
    jobs_.for_each([&waiting](slot s, waiting_job const&) { waiting.push_back(s); });
    for (slot const s : waiting) {
        auto const worker = std::find_if(workers_.begin(), workers_.end(),
                                         [s](poll_worker const& w) { return w.current == s; });
        if (worker != workers_.end())
            worker->stop.emit(asio::cancellation_type::terminal);
        else
            finish_job(s, stopped(errc::client_closed, jobs_[s].request.request_id,
                                  "the client was closed; the job goes on"));
    }
    arm_timer();
}

inline client_options checked(client_options options)
{
    std::vector<std::string> const problems = options.validate();
    if (problems.empty()) return options;
    failure f;
    f.code = errc::invalid_argument;
    f.where = phase::prepare;
    f.reason = fmt::format("{}", fmt::join(problems, "; "));
    throw error(std::move(f));
}

} // namespace detail

OCRPIPE_DECL client::client(asio::io_context& ioc, client_options options) : ioc_(&ioc)
{
    options = detail::checked(std::move(options));
    std::unique_ptr<transport> t = http_transport::make(ioc, options).value();
    core_ = std::make_shared<detail::client_core>(ioc, std::move(options), std::move(t));
}

OCRPIPE_DECL client::client(asio::io_context& ioc, client_options options, std::unique_ptr<transport> t)
    : ioc_(&ioc)
    , core_(std::make_shared<detail::client_core>(ioc, detail::checked(std::move(options)), std::move(t)))
{
}

OCRPIPE_DECL client::client(client&&) noexcept = default;

OCRPIPE_DECL client& client::operator=(client&& other) noexcept
{
    if (core_ && core_ != other.core_) core_->close();
    ioc_ = other.ioc_;
    core_ = std::move(other.core_);
    return *this;
}

OCRPIPE_DECL client::~client()
{
    if (core_) core_->close();
}

OCRPIPE_DECL client_statistics client::statistics() const { return core_->statistics(); }

OCRPIPE_DECL void client::stop_submits() { core_->stop_submits(); }
OCRPIPE_DECL void client::close() { core_->close(); }

OCRPIPE_DECL void client::start_submit(core_ptr const& core, submit_request&& r,
                                       detail::completion<submitted_job>&& h)
{
    core->submit(std::move(r), std::move(h));
}

OCRPIPE_DECL void client::start_result(core_ptr const& core, std::string&& id,
                                       detail::completion<ocr_result>&& h)
{
    core->ask(std::move(id), std::move(h));
}

OCRPIPE_DECL void client::start_wait(core_ptr const& core, wait_request&& r,
                                     detail::completion<ocr_result>&& h)
{
    core->wait(std::move(r), std::move(h));
}

OCRPIPE_DECL void client::start_recognize(core_ptr const& core, submit_request&& r,
                                          detail::completion<ocr_result>&& h)
{
    core->recognize(std::move(r), std::move(h));
}

OCRPIPE_DECL void client::start_part(core_ptr const& core, part_request&& r,
                                     detail::completion<part_data>&& h)
{
    core->part(r.part, std::move(r.request_id), std::move(r.sub_id), std::move(h));
}

} // namespace ocrpipe

#endif
