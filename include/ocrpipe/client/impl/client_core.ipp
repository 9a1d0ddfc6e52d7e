#ifndef OCRPIPE_CLIENT_IMPL_CLIENT_CORE_IPP
#define OCRPIPE_CLIENT_IMPL_CLIENT_CORE_IPP

#include <ocrpipe/client/detail/client_core.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace ocrpipe::detail
{

OCRPIPE_DECL client_core::client_core(shard where, client_options options,
                                      std::shared_ptr<secret_mask const> mask, std::unique_ptr<transport> t)
    : shard_(std::move(where))
    , outer_(as_completion_executor(shard_.outer()))
    , options_(std::move(options))
    , secrets_(std::move(mask))
    , schedule_(options_.schedule ? options_.schedule : std::make_shared<fixed_poll_schedule>())
    , transport_(std::move(t))
    , rng_(options_.seed != 0 ? options_.seed : std::random_device()())
    , pace_(pace_state::of(options_.shared, options_, options_.thread_safe))
    , in_flight_(shard_.inner(), options_.rates.max_in_flight)
    , submit_slots_(shard_.inner(), options_.pool.submit_connections)
    , submit_turns_(shard_.inner(), options_.pool.submit_connections)
    , submits_at_once_(options_.pool.submit_connections)
    , polls_at_once_(options_.pool.poll_connections)
    , parts_at_once_(options_.pool.part_connections)
    , part_slots_(shard_.inner(), options_.pool.part_connections)
    , heap_timer_(shard_.inner())
    , held_(options_.saturation)
{
    if (options_.observer) add_observer(options_.observer);
}

// Requests of the transport may outlive the client.
OCRPIPE_DECL client_core::~client_core()
{
    if (!observers_.empty()) transport_->observe_connections({});
}

OCRPIPE_DECL void client_core::observe(std::shared_ptr<client_observer> observer)
{
    if (!observer) return;
    shard_.run(
        [self = shared_from_this(), o = std::move(observer)]() mutable { self->add_observer(std::move(o)); });
}

template<class T>
void client_core::complete(completion<T>&& handler, result<T>&& outcome)
{
    auto const where_to = asio::get_associated_executor(handler, outer_);
    // Equivalent to dispatch, without its overhead.
    if (!shard_.has_own_strand() && where_to == outer_) return std::move(handler)(std::move(outcome));
    auto deliver = [h = std::move(handler), r = std::move(outcome)]() mutable { std::move(h)(std::move(r)); };
    if (!shard_.has_own_strand()) return asio::dispatch(where_to, std::move(deliver));
    // Leave the strand first: the handler must not keep it busy.
    asio::post(shard_.outer(), asio::bind_executor(where_to, std::move(deliver)));
}

OCRPIPE_DECL void client_core::cancel(operation_control& control)
{
    control.cancelled = true;
    if (control.waiting) return stop_job(*control.waiting);
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
                    core->shard_.post([weak, core] {
                        if (auto const c = weak.lock()) core->cancel(*c);
                    });
            });
}

template<class T, class Done>
void client_core::run(task<result<T>> work, control_ptr control, Done done)
{
    auto const position = active_.insert(active_.end(), control);
    asio::co_spawn(
        shard_.inner(), std::move(work),
        asio::bind_cancellation_slot(control->stop.slot(),
                                     [self = shared_from_this(), control, position, d = std::move(done)](
                                         std::exception_ptr thrown, result<T> outcome) mutable {
                                         self->active_.erase(position);
                                         if (thrown) std::rethrow_exception(thrown);
                                         d(std::move(outcome));
                                     }));
    // The operation may have been cancelled, or the client closed, before the coroutine was spawned.
    if (control->cancelled || closed_) control->stop.emit(asio::cancellation_type::terminal);
}

OCRPIPE_DECL task<result<submitted_job>>
client_core::do_submit_in_flight(submit_request& request, submit_hooks const& hooks, clock::time_point end)
{
    co_await asio::this_coro::throw_if_cancelled(false);
    std::size_t const units = options_.rates.max_in_flight;
    if (!in_flight_.available() && in_flight_.waiting() >= options_.pool.max_waiting)
        co_return failure(errc::too_many_waiting, phase::wait,
                          fmt::format("{} documents are between submit and result (rates.max_in_flight), and "
                                      "{} more wait already (pool.max_waiting)",
                                      units, in_flight_.waiting()));
    if (!co_await in_flight_.acquire(end)) {
        bool const late = clock::now() >= end;
        errc const code = late ? errc::deadline_exceeded : stop_code();
        co_return failure(code, phase::wait,
                          late ? fmt::format("the deadline passed while {} documents were between submit and "
                                             "result (rates.max_in_flight)",
                                             units)
                               : why_not_sent(code, lane::submit));
    }
    auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now());
    request.deadline = std::max(left, std::chrono::milliseconds(1));
    result<submitted_job> outcome = co_await do_submit(request, hooks);
    if (!outcome) in_flight_.release();
    co_return outcome;
}

template<class T>
bool client_core::has_room_for(submit_operation<T>& op)
{
    auto const& bytes = op.request.doc.bytes();
    op.held_bytes = bytes ? bytes->size() : 0;
    std::optional<failure> full = held_.hold(op.held_bytes, clock::now());
    if (full) complete(std::move(op.handler), result<T>(*std::move(full)));
    return !full;
}

OCRPIPE_DECL void client_core::submit(submit_request&& request, submit_hooks&& hooks,
                                      completion<submitted_job>&& handler)
{
    auto op = std::make_shared<submit_operation<submitted_job>>(std::move(request), std::move(handler));
    op->hooks = std::move(hooks);
    connect_cancellation(op, op->handler);
    shard_.post([self = shared_from_this(), op = std::move(op)] {
        if (!self->has_room_for(*op)) return;
        self->run(self->do_submit(op->request, op->hooks), op, [self, op](result<submitted_job>&& job) {
            self->held_.release(op->held_bytes, clock::now());
            self->complete(std::move(op->handler), std::move(job));
        });
    });
}

OCRPIPE_DECL void client_core::recognize(submit_request&& request, submit_hooks&& hooks,
                                         completion<ocr_result>&& handler)
{
    auto op = std::make_shared<submit_operation<ocr_result>>(std::move(request), std::move(handler));
    op->hooks = std::move(hooks);
    connect_cancellation(op, op->handler);
    bool const is_total = op->request.deadline.count() > 0;
    auto const allowed = is_total ? op->request.deadline : options_.job_deadline;
    auto const end = clock::now() + std::min<std::chrono::milliseconds>(allowed, longest_time);
    shard_.post([self = shared_from_this(), op = std::move(op), end, is_total] {
        if (!self->has_room_for(*op)) return;
        auto submitted = [self, op, end, is_total](result<submitted_job>&& job) {
            self->held_.release(op->held_bytes, clock::now());
            if (!job)
                return self->complete(std::move(op->handler), result<ocr_result>(std::move(job).error()));
            wait_request then(std::move(job->request_id));
            then.doc_type = std::move(op->request.doc_type);
            then.just_submitted = true;
            then.possible_duplicate = job->possible_duplicate;
            then.trace = std::move(op->request.trace);
            op->request = submit_request(); // do not hold the document while waiting for its result
            std::chrono::milliseconds deadline = self->options_.job_deadline;
            auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now());
            if (is_total) deadline = std::clamp(left, std::chrono::milliseconds(0), deadline);
            self->add_job(std::move(then), deadline, op, true, std::move(op->handler));
        };
        self->run(self->do_submit_in_flight(op->request, op->hooks, end), op, std::move(submitted));
    });
}

OCRPIPE_DECL void client_core::part(part_request&& request, completion<part_data>&& handler)
{
    auto control = std::make_shared<operation_control>();
    connect_cancellation(control, handler);
    shard_.post(
        [self = shared_from_this(), control, r = std::move(request), h = std::move(handler)]() mutable {
            self->run(self->do_part(std::move(r)), std::move(control),
                      [self, h = std::move(h)](result<part_data>&& part) mutable {
                          self->complete(std::move(h), std::move(part));
                      });
        });
}

OCRPIPE_DECL client_statistics client_core::statistics() const
{
    client_statistics s;
    s.submits = counters_.submits;
    s.accepted = counters_.accepted;
    s.polls = counters_.polls;
    s.pending_answers = counters_.pending_answers;
    s.part_reads = counters_.part_reads;
    s.transport_failures = counters_.transport_failures;
    s.throttled = counters_.throttled;
    s.bytes_uploaded = counters_.bytes_uploaded;
    s.held_documents = held_.count;
    s.held_bytes = held_.bytes_held;
    s.estimated_wait = held_.wait;
    s.waiting_jobs = counters_.waiting_jobs;
    s.active_submits = counters_.active_submits;
    s.active_polls = counters_.active_polls;
    s.waited_for_submit_rate = counters_.waited_for_submit_rate;
    s.waited_for_poll_rate = counters_.waited_for_poll_rate;
    s.waited_for_bytes = counters_.waited_for_bytes;
    s.waited_for_pause = counters_.waited_for_pause;
    clock::time_point const now = clock::now();
    auto const lock = pace_->lock();
    if (origin_gate_.open_at() > now)
        s.paused_for = std::chrono::duration_cast<std::chrono::milliseconds>(origin_gate_.open_at() - now);
    s.credentials_paused = health_.is_refusing();
    s.outage = health_.outage_text();
    if (!s.outage.empty())
        s.outage_lasts = std::chrono::duration_cast<std::chrono::milliseconds>(now - health_.outage_since());
    s.content_delay = settle_window_.longest_delay();
    return s;
}

OCRPIPE_DECL void client_core::remember(service_knowledge const& known)
{
    auto const lock = pace_->lock();
    for (std::string const& doc_type : known.doc_types)
        doc_types_.accepted(doc_type);
    result_route_succeeded_ = result_route_succeeded_ || known.results_read;
    if (known.results_read || !known.doc_types.empty()) health_.assume_accepted(lane::submit);
    if (known.results_read)
        for (lane const kind : {lane::poll, lane::part})
            health_.assume_accepted(kind);
    if (!known.finished_job.empty()) health_.note_result(known.finished_job, SIZE_MAX);
    settle_window_.content_came_after(known.content_delay);
    health_.assume_unread(known.unread, clock::now());
}

OCRPIPE_DECL void client_core::stop_submits()
{
    shard_.run([self = shared_from_this()] {
        self->submits_stopped_ = true;
        self->submit_slots_.close();
        self->submit_turns_.close();
        for (timer* const t : self->sleeping_submits_)
            t->cancel();
    });
}

OCRPIPE_DECL void client_core::close()
{
    shard_.run([self = shared_from_this()] { self->close_now(); });
}

OCRPIPE_DECL void client_core::close_now()
{
    if (closed_) return;
    closed_ = true;
    in_flight_.close();
    submit_slots_.close();
    submit_turns_.close();
    part_slots_.close();
    transport_->close();
    // Must run inside the context: from outside, Boost 1.81's co_spawn posts the cancellation with a raw
    // pointer to an operation that may have ended before the post runs.
    asio::dispatch(shard_.inner(), [self = shared_from_this()] { self->end_all(); });
}

OCRPIPE_DECL void client_core::end_all()
{
    // Copies, because cancelled operations remove themselves from these containers.
    std::vector<control_ptr> const running(active_.begin(), active_.end());
    for (control_ptr const& c : running)
        c->stop.emit(asio::cancellation_type::terminal);
    std::vector<slot> waiting;
    jobs_.for_each([&waiting](slot s, waiting_job const&) { waiting.push_back(s); });
    for (slot const s : waiting)
        stop_job(s);
}

} // namespace ocrpipe::detail

#endif
