#ifndef OCRPIPE_CLIENT_DETAIL_CLIENT_CORE_HPP
#define OCRPIPE_CLIENT_DETAIL_CLIENT_CORE_HPP

#include <ocrpipe/client/client.hpp>
#include <ocrpipe/client/client_observer.hpp>
#include <ocrpipe/client/detail/counters.hpp>
#include <ocrpipe/client/detail/held_documents.hpp>
#include <ocrpipe/client/detail/pace_state.hpp>
#include <ocrpipe/client/detail/shard.hpp>
#include <ocrpipe/core/fifo_semaphore.hpp>
#include <ocrpipe/core/thread_check.hpp>
#include <ocrpipe/job/job_table.hpp>
#include <ocrpipe/job/result_fsm.hpp>
#include <ocrpipe/pace/concurrency_limit.hpp>
#include <ocrpipe/transport/transport.hpp>

#include <boost/asio/cancellation_signal.hpp>

#include <list>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <vector>

namespace ocrpipe::detail
{

/// The shared state behind a client: one shard, one transport, one table of waiting jobs behind one timer.
///
/// The operations and statistics() may be called anywhere; everything else runs on the shard. The state
/// machines decide; this class waits, sends and delivers results.
class client_core : public std::enable_shared_from_this<client_core>
{
public:
    client_core(shard where, client_options options, std::shared_ptr<secret_mask const> mask,
                std::unique_ptr<transport> t);
    ~client_core();

    void submit(submit_request&& request, submit_hooks&& hooks, completion<submitted_job>&& handler);
    void read_once(std::string&& request_id, completion<ocr_result>&& handler);
    void wait(wait_request&& request, completion<ocr_result>&& handler);
    void recognize(submit_request&& request, submit_hooks&& hooks, completion<ocr_result>&& handler);
    void part(part_request&& request, completion<part_data>&& handler);

    client_statistics statistics() const;
    response_profile const& profile() const noexcept { return options_.profile; }
    client_options const& options() const noexcept { return options_; }
    shard const& where() const noexcept { return shard_; }
    transport const& used_transport() const noexcept { return *transport_; }
    void remember(service_knowledge const& known);
    void observe(std::shared_ptr<client_observer> observer);
    void stop_submits();
    void close();

private:
    struct operation_control;
    using control_ptr = std::shared_ptr<operation_control>;

    struct waiting_job {
        waiting_job(wait_request&& r, clock::time_point now, clock::time_point deadline)
            : request(std::move(r)), fsm(now, deadline)
        {
        }

        wait_request request;
        result_fsm fsm;
        completion<ocr_result> handler;
        control_ptr control;    ///< null when the handler cannot cancel
        bool in_flight = false; ///< holds a unit of in_flight_
    };
    using table = job_table<waiting_job>;
    using slot = table::slot;

    /// A coroutine that polls the due jobs, one after another.
    struct poll_worker {
        asio::cancellation_signal stop;
        std::optional<slot> current;
        clock::time_point due{}; ///< of `current`
        bool stopped = false;
    };

    /// The target of a caller's cancellation: the running coroutine, or the job in the table.
    struct operation_control {
        asio::cancellation_signal stop;
        std::optional<slot> waiting;
        bool cancelled = false;
    };

    /// The state of a submit; never moved once it has started.
    template<class T>
    struct submit_operation : operation_control {
        submit_operation(submit_request&& r, completion<T>&& h) : request(std::move(r)), handler(std::move(h))
        {
        }

        submit_request request;
        submit_hooks hooks;
        completion<T> handler;
        std::uint64_t held_bytes = 0;
    };

    /// The state machine of an operation, and what the request loop needs beside it: the terms of admission,
    /// the request, the context, and what this client learns from an answer.
    struct submit_exchange;
    struct part_exchange;
    struct result_exchange;

    template<class T>
    void connect_cancellation(control_ptr const& control, completion<T> const& handler);
    void cancel(operation_control& control);
    void close_now();
    void end_all();
    /// Runs `work`, then calls `done` with its outcome, on the shard.
    template<class T, class Done>
    void run(task<result<T>> work, control_ptr control, Done done);
    template<class T>
    void complete(completion<T>&& handler, result<T>&& outcome);

    task<result<submitted_job>> do_submit(submit_request const& request, submit_hooks const& hooks);
    task<result<submitted_job>> do_submit_in_flight(submit_request& request, submit_hooks const& hooks,
                                                    clock::time_point end);
    /// Holds a document. If too many are held, completes its operation and returns false.
    template<class T>
    bool has_room_for(submit_operation<T>& op);
    task<result<part_data>> do_part(part_request request);

    void start_job(wait_request&& request, std::chrono::milliseconds deadline,
                   completion<ocr_result>&& handler);
    void add_job(wait_request&& request, std::chrono::milliseconds deadline, control_ptr control,
                 bool in_flight, completion<ocr_result>&& handler);
    void schedule(slot s, clock::time_point due);
    /// Schedules or finishes a job after a read.
    void apply(slot s, action next);
    /// `next` is a pause, a refusal or an outage. Returns what the job does instead: it waits, or it is given
    /// up.
    action hold(waiting_job& job, action next);
    void finish_job(slot s, result<ocr_result> outcome);
    void fail_job(slot s, failure f);
    /// Ends a job at once, or its read if one is in progress.
    void stop_job(slot s);
    void serve_due_jobs();
    void arm_timer();
    task<void> poll(std::list<poll_worker>::iterator self);

    /// The reservation that a request makes at a rate limit.
    struct rate_permit {
        gcra& limit;
        double cost;
        published<std::chrono::nanoseconds>& waited; ///< counts the time spent waiting for `start`
        clock::time_point start{};                   ///< when the limit allows the request
    };
    enum class in_pause { wait, return_at_once };

    /// The admission of one request past the pauses and the rate limits.
    struct admission {
        lane kind;
        std::span<rate_permit> permits;
        clock::time_point deadline;
        std::string_view doc_type = {}; ///< of a submit
        bool is_suspect = false;        ///< it was refused before
        bool is_patient = false;
        in_pause if_paused = in_pause::wait;
        bool has_failed = false; ///< its last attempt failed
        /// Once decided: ok, or why the request must not be sent; errc::throttled if the origin is paused and
        /// the caller does not wait for pauses.
        errc refusal = errc::ok;
        bool reserved = false;                                 ///< the permits are reserved
        bool is_probe = false;                                 ///< service_health awaits its outcome
        clock::time_point until{};                             ///< while undecided: when to check again
        published<std::chrono::nanoseconds>* waited = nullptr; ///< counts the time until then

        // When it got so far; see exchange_event.
        clock::time_point due{}; ///< known only if there are observers
        clock::time_point turn{};
        clock::time_point allowed{};
        clock::time_point handed{};
        trace_context const* trace = nullptr; ///< of the request
    };

    /// Whether `a` is decided: the request may be sent, or must not.
    bool decide(admission& a);
    bool decide_locked(admission& a);
    task<void> admit(submit_exchange& x, admission& a);
    task<void> admit(part_exchange& x, admission& a);
    /// Waits until `a` is decided.
    task<void> wait_for(admission& a);
    void reserve(admission& a, clock::time_point now);
    /// Refuses `a`. Reservations made after this one keep their slots.
    bool refuse(admission& a, errc why_not_sent);
    /// False if the wait was cancelled, or if it belongs to a submit and submits were stopped.
    task<bool> sleep_until(lane l, clock::time_point when, published<std::chrono::nanoseconds>& waited);

    /// One exchange of an operation, after the wait that `previous` asks for. Returns what the operation does
    /// next; it may not send before origin_gate_ and health_ allow it.
    template<class Exchange>
    task<action> exchange(Exchange& x, action previous);
    /// Learns from the end of an exchange. Returns what the operation does next.
    template<class Exchange>
    action learn(Exchange& x, admission const& a, exchange_result& answer);
    /// Sees to it that no failure made from `r` contains a secret, and that it says when it was sent.
    void complete(exchange_result& r, admission const& a) const;
    /// Updates the gates and the counters after an exchange.
    void note(admission const& a, exchange_result const& r, action const& next, fsm_context const& c);
    /// The pauses after an exchange that observers are told about.
    struct pauses {
        clock::time_point throttled_until{};
        bool is_out = false;
        bool is_refusing = false;
    };
    /// Pauses the origin if the service asked for it.
    pauses heed(action const& next, clock::time_point now);
    /// Tells the observers of an exchange, and of the pauses that it began or ended. Call it without the lock
    /// of pace_, because observers may have locks of their own.
    template<class Exchange>
    void tell(Exchange const& x, admission const& a, exchange_result const& r, std::uint64_t received,
              action const& next, pauses const& now_paused, clock::time_point now);
    void tell_pauses(pauses const& now_paused, clock::time_point now);
    void add_observer(std::shared_ptr<client_observer> observer);
    service_health::request to_health(admission const& a) const;
    /// Probes on behalf of a request, by a read of a result that was read before.
    void want_probe(service_health::request r, clock::time_point now);
    void check_service();
    /// Call it after the lock of pace_ is released.
    void start_wanted_read();
    task<result<bool>> read_known_good(service_health::request r, std::string request_id);
    void note_accepted(std::string_view doc_type);
    void note_result(std::string const& request_id, read_outcome const& outcome);
    bool wants_a_read() const;
    /// After a pause of the origin, only jobs are read for this long.
    static constexpr std::chrono::milliseconds reads_first{100};
    std::string why_not_sent(errc e, lane kind) const;
    /// Why a job that cannot wait any longer was not read.
    std::string why_not_read() const;
    /// Why an operation that was stopped ends.
    errc stop_code() const noexcept { return closed_ ? errc::client_closed : errc::cancelled; }
    template<class Exchange>
    action stop(Exchange& x)
    {
        return x.fsm.give_up(stop_code(), "stopped between two requests");
    }

    double random() { return std::uniform_real_distribution<double>(0, 1)(rng_); }
    fsm_context context(lane kind, std::uint64_t good_answers, bool is_patient)
    {
        bool const others = jobs_.size() + counters_.active_submits > 1;
        auto const lock = pace_->lock();
        return {options_.profile,
                options_.retry,
                clock::now(),
                random(),
                static_cast<std::uint32_t>(good_answers),
                health_.recoveries(kind),
                health_.was_accepted(kind),
                is_patient,
                health_.is_silent(others),
                health_.answers(),
                health_.is_in_trouble(kind),
                health_.good_answers(),
                pace_->throttled,
                !others,
                counters_.active_submits > setback_submits_};
    }
    result_context context_of(waiting_job const& job);

    shard const shard_;
    asio::any_completion_executor const outer_; ///< the user's
    client_options const options_;
    std::shared_ptr<secret_mask const> const secrets_;
    std::shared_ptr<poll_schedule const> schedule_;
    std::unique_ptr<transport> transport_;
    std::size_t setback_submits_ = 0; ///< active ones whose answer showed trouble of the service
    std::mt19937_64 rng_;

    /// The references are members of *pace_: hold pace_->lock() while you use them.
    std::shared_ptr<pace_state> const pace_;
    gcra& submit_rate_ = pace_->submit_rate;
    gcra& poll_rate_ = pace_->poll_rate;
    gcra& byte_rate_ = pace_->byte_rate;
    origin_gate& origin_gate_ = pace_->origin_gate;
    service_health& health_ = pace_->health;
    doc_type_gate& doc_types_ = pace_->doc_types;
    settle_window& settle_window_ = pace_->settle_window;
    bool& result_route_succeeded_ = pace_->result_route_succeeded;

    fifo_semaphore in_flight_;
    static constexpr char const* one_thread_rule =
        "two threads use a client at the same time; set client_options::thread_safe, or let one thread run "
        "its executor and call its members";

    /// As many as the pool has connections for submits, so that a submit never waits in the pool: what is
    /// admitted is sent at once. A submit keeps its slot between attempts.
    fifo_semaphore submit_slots_;
    /// As many as the service serves at a time. A submit takes a turn for each attempt.
    fifo_semaphore submit_turns_;
    concurrency_limit submits_at_once_;
    concurrency_limit polls_at_once_;
    concurrency_limit parts_at_once_;
    /// As many as the pool has connections for parts, so that the time in the queue can be told from the time
    /// of the request; or as many as the service serves at a time.
    fifo_semaphore part_slots_;
    std::uint32_t good_reads_ = 0;      ///< of results; wraps around
    std::uint32_t good_parts_ = 0;      ///< likewise
    std::uint32_t good_reads_then_ = 0; ///< at the last failed read
    clock::time_point next_check_{};    ///< when a known result may be read again, as a check

    table jobs_;
    timer heap_timer_;
    clock::time_point armed_for_ = clock::time_point::max();
    std::list<poll_worker> workers_;
    std::list<control_ptr> active_;

    struct known_read {
        service_health::request on_behalf_of;
        std::string request_id;
    };
    std::optional<known_read> wanted_read_;

    std::vector<std::shared_ptr<client_observer>> observers_;
    bool outage_told_ = false;
    bool refusing_told_ = false;
    counters counters_;
    held_documents held_;
    mutable thread_check one_thread_;
    std::list<timer*> sleeping_submits_;
    bool submits_stopped_ = false;
    bool closed_ = false;
};

} // namespace ocrpipe::detail

#endif
