#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_CORE_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_CORE_IPP

#include <ocrpipe/api/multipart.hpp>
#include <ocrpipe/client/detail/client_core.hpp>
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

#include <algorithm>
#include <vector>

namespace ocrpipe::detail
{

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
    // Equivalent to dispatch, without its overhead.
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
                // The slot may be emitted on the thread of the caller's executor: switch to ours.
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
        // The probe of a paused lane is sent at once: its outcome decides for all other requests.
        if (passage == auth_gate::passage::probe) return true;
        // While a probe is in progress, the time of the next one is unknown: check again soon.
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

OCRPIPE_DECL void client_core::note(exchange_result const& r, action const& next)
{
    if (!r) ++counters_.transport_failures;
    if (r && (r->status == 429 || !r->retry_after.empty())) ++counters_.throttled;
    // note_refusal() follows: the state machine has classified the answer as a refusal, whatever its status.
    if (next.what == step::pause_lane) return;
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
    clock::time_point const deadline =
        clock::now() + std::min<std::chrono::milliseconds>(wanted, longest_time);

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
        // Without a deadline, a submit may wait for its turn indefinitely, but sending it is still bounded.
        if (wanted >= longest_time) exchange.deadline = clock::now() + options_.job_deadline;
        ++counters_.submits;
        exchange_result const answer = co_await transport_->send(std::move(exchange));
        next = fsm.resume(answer, options_.profile, clock::now(), random());
        note(answer, next);
        if (answer && answer->status == 500)
            doc_types_.failed(request.doc_type);
        else if (answer && next.what == step::finish) // otherwise the answer was not examined
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
    if (!in_flight_.available() && in_flight_.waiting() >= options_.pool.max_waiting)
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

OCRPIPE_DECL void client_core::submit(submit_request&& request, completion<submitted_job>&& handler)
{
    auto op = std::make_shared<submit_operation<submitted_job>>(std::move(request), std::move(handler));
    connect_cancellation(op, op->handler);
    asio::post(ioc_, [self = shared_from_this(), op = std::move(op)] {
        self->run(self->do_submit(op->request), op, std::move(op->handler));
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
            then.possible_duplicate = job->possible_duplicate;
            op->request = submit_request(); // do not hold the document while waiting for its result
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
        exchange.deadline = deadline;
        ++counters_.part_reads;
        exchange_result answer = co_await transport_->send(std::move(exchange));
        next = fsm.resume(answer, options_.profile, options_.retry, clock::now(), random());
        note(answer, next);
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
    // Must run inside the context: from outside, Boost 1.81's co_spawn posts the cancellation with a raw
    // pointer to an operation that may have ended before the post runs.
    asio::dispatch(ioc_, [self = shared_from_this()] { self->end_all(); });
}

OCRPIPE_DECL void client_core::end_all()
{
    // Copies, because cancelled operations remove themselves from these containers.
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

} // namespace ocrpipe::detail

#endif
