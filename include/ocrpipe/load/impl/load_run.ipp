#ifndef OCRPIPE_LOAD_IMPL_LOAD_RUN_IPP
#define OCRPIPE_LOAD_IMPL_LOAD_RUN_IPP

#include <ocrpipe/client/client_observer.hpp>
#include <ocrpipe/core/task.hpp>
#include <ocrpipe/load/detail/early_end.hpp>
#include <ocrpipe/load/impl/arrival_plan.ipp>
#include <ocrpipe/load/load_run.hpp>
#include <ocrpipe/pace/part_queue.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace ocrpipe
{

struct load_run::impl : std::enable_shared_from_this<load_run::impl> {
    class observer final : public client_observer
    {
    public:
        observer() : collected(clock::now(), std::chrono::system_clock::now()) {}
        void on_exchange(exchange_event const& e) override { collected.add(e); }
        void on_pause(pause_event const& e) override { collected.add(e); }

        run_measurements collected;
    };

    /// The parts of a document while they are fetched.
    struct open_parts {
        std::string document;
        std::string request_id;
        std::vector<result_part> parts;
        std::size_t open = 0;
    };

    impl(asio::io_context& ioc, client& c, load_options o)
        : options(std::move(o))
        , service(c)
        , times(options.arrivals)
        , arrival_timer(ioc)
        , sample_timer(ioc)
        , early(most_documents(options.arrivals))
        , measured(std::make_shared<observer>())
    {
        service.observe(measured);
    }

    job_record::time since_start(clock::time_point t) const { return t - begin; }
    job_record::time offset(clock::time_point t) const
    {
        return ocrpipe::is_known(t) ? std::max(job_record::time::zero(), since_start(t))
                                    : job_record::unknown;
    }

    void start()
    {
        begin = clock::now();
        sample();
        if (options.arrivals.closed()) {
            double const length = length_of(options.arrivals);
            if (std::isfinite(length)) {
                arrival_timer.expires_at(begin + detail::nanoseconds_of(length));
                arrival_timer.async_wait([self = shared_from_this()](error_code ec) {
                    if (!ec) self->end_arrivals();
                });
            }
            refill();
            return;
        }
        next = times.next();
        arrive();
    }

    /// Sends what is due, and sleeps until the next document is.
    void arrive()
    {
        // A late generator sends all that is due at once, but lets answers in between.
        for (int burst = 0; next && since_start(clock::now()) >= *next && burst != 64; ++burst) {
            auto const due = *next;
            next = times.next();
            send(due);
        }
        if (arrivals_ended) return;
        if (!next) return wait_for_end_of_plan();
        arrival_timer.expires_at(begin + *next);
        arrival_timer.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec) self->arrive();
        });
    }

    /// The rate of the last stage holds until its end.
    void wait_for_end_of_plan()
    {
        double const length = length_of(options.arrivals);
        bool const all_sent =
            options.arrivals.max_documents > 0 && jobs.size() >= options.arrivals.max_documents;
        if (all_sent || !std::isfinite(length)) return end_arrivals();
        arrival_timer.expires_at(begin + detail::nanoseconds_of(length));
        arrival_timer.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec) self->end_arrivals();
        });
    }

    /// Closed loop: replaces documents that ended.
    void refill()
    {
        if (is_refilling) return;
        is_refilling = true;
        while (!arrivals_ended && now_statistics().in_flight() < options.arrivals.concurrency) {
            if (options.arrivals.max_documents > 0 && jobs.size() >= options.arrivals.max_documents) {
                end_arrivals();
                break;
            }
            send(since_start(clock::now()));
        }
        is_refilling = false;
    }

    void send(job_record::time due)
    {
        std::size_t const index = jobs.size();
        load_document d = options.document(index);
        std::string name = d.request.doc.name();
        job_record& r = jobs.emplace_back();
        r.due = due;
        r.bytes = d.bytes;
        r.started = since_start(clock::now());
        note_gauges();
        std::string type = d.request.doc_type;
        service.async_submit(std::move(d.request), [self = shared_from_this(), index, n = std::move(name),
                                                    t = std::move(type)](result<submitted_job> job) mutable {
            self->submitted(index, std::move(n), std::move(t), std::move(job));
        });
    }

    void submitted(std::size_t index, std::string document, std::string type, result<submitted_job> job)
    {
        job_record& r = jobs[index];
        if (!job) return failed(index, document, job.error());
        r.sent = offset(job->times.sent);
        r.accepted = offset(job->times.accepted);
        r.submits = static_cast<std::uint16_t>(job->attempts);
        ++accepted;
        if (options.on_accepted) options.on_accepted(document, job->request_id);
        early.accepted();
        measured->collected.accepted(r.bytes, clock::now());
        note_gauges();
        wait_request w(job->request_id);
        w.doc_type = std::move(type);
        w.document_bytes = r.bytes;
        w.just_submitted = true;
        job_times const submit = job->times;
        std::vector<std::string> files; // of images
        if (!options.parts.empty()) files = std::move(job->file_ids);
        service.async_wait(std::move(w), [self = shared_from_this(), index, d = std::move(document), submit,
                                          f = std::move(files)](result<ocr_result> answer) mutable {
            self->waited(index, d, submit, f, std::move(answer));
        });
    }

    void waited(std::size_t index, std::string const& document, job_times const& submit,
                std::vector<std::string> const& file_ids, result<ocr_result> answer)
    {
        job_record& r = jobs[index];
        job_times t = answer ? answer->times() : answer.error().times;
        r.first_pending = offset(t.first_pending);
        r.last_pending = offset(t.last_pending);
        r.polls = static_cast<std::uint32_t>(std::max(0, t.polls));
        if (!answer) return failed(index, document, answer.error());
        r.outcome = job_outcome::done;
        clock::time_point const now = clock::now();
        r.ended = offset(ocrpipe::is_known(t.ready) ? t.ready : now);
        t.sent = submit.sent;
        t.accepted = submit.accepted;
        ++done;
        measured_document m;
        m.id = document;
        m.request_id = answer->request_id();
        m.from = begin + r.due;
        m.times = t;
        m.bytes = r.bytes;
        measured->collected.finished(m, now);
        fetch_parts(index, document, *answer, file_ids);
    }

    void fetch_parts(std::size_t index, std::string const& document, ocr_result const& answer,
                     std::vector<std::string> const& file_ids)
    {
        std::vector<result_part> parts = parts_of(answer, file_ids, options.parts, service.profile()).parts;
        if (parts.empty()) return ended(index, document, answer.request_id());
        jobs[index].parts_wanted = static_cast<std::uint32_t>(parts.size());
        order_of_parts.add(index, parts.size());
        open_parts& opened = fetching[index];
        opened.document = document;
        opened.request_id = answer.request_id();
        opened.open = parts.size();
        opened.parts = std::move(parts);
        ask_for_parts();
    }

    void ask_for_parts()
    {
        while (auto const turn = order_of_parts.next()) {
            open_parts const& of = fetching.find(turn->batch)->second;
            result_part const& p = of.parts[turn->part];
            service.async_part(
                part_request(p.kind, of.request_id, p.sub_id),
                [self = shared_from_this(), index = turn->batch, i = turn->part](result<part_data> part) {
                    self->part_ended(index, i, part);
                    self->ask_for_parts();
                });
        }
    }

    void part_ended(std::size_t index, std::size_t i, result<part_data> const& part)
    {
        order_of_parts.ended();
        job_record& r = jobs[index];
        auto const found = fetching.find(index);
        open_parts& of = found->second;
        bool const is_cut = !part && is_end_of_test(part.error());
        if (!is_cut) --r.parts_wanted;
        if (part) {
            ++r.parts;
            ++parts;
        } else if (!is_cut && !part.error().is(errc::part_absent)) {
            part_failed(r, of, of.parts[i], part.error());
        }
        if (--of.open > 0) return;
        if (r.parts_wanted == 0) {
            clock::time_point const now = clock::now();
            r.parts_done = since_start(now);
            measured->collected.parts_done(begin + r.ended, now);
        }
        open_parts const whole = std::move(of);
        fetching.erase(found);
        ended(index, whole.document, whole.request_id);
    }

    void part_failed(job_record& r, open_parts const& of, result_part const& p, failure const& f)
    {
        auto const code = static_cast<errc>(f.code.value());
        auto const known = std::find_if(r.parts_failed.begin(), r.parts_failed.end(),
                                        [&](auto const& counted) { return counted.first == code; });
        if (known != r.parts_failed.end())
            ++known->second;
        else
            r.parts_failed.emplace_back(code, 1);
        ++failed_parts;
        note_descriptors(f);
        measured->collected.failed("part", name(code), of.document, to_string(f));
        if (options.on_part_failure) options.on_part_failure(of.document, p, f);
    }

    void note_descriptors(failure const& f)
    {
        if (f.cause == boost::system::errc::too_many_files_open ||
            f.cause == boost::system::errc::too_many_files_open_in_system)
            ++no_descriptor;
    }

    /// Whether the operation ended only because this test ended it.
    bool is_end_of_test(failure const& f) const
    {
        return closing && (f.is(errc::client_closed) || f.is(errc::cancelled));
    }

    void failed(std::size_t index, std::string const& document, failure const& f)
    {
        job_record& r = jobs[index];
        if (!is_known(r.sent)) r.sent = offset(f.times.sent);
        if (r.submits == 0) r.submits = static_cast<std::uint16_t>(std::clamp(f.attempts, 0, 65'535));
        note_descriptors(f);
        // The service still works on the document, or would have.
        if (f.is(errc::still_processing) || is_end_of_test(f)) {
            ++unfinished;
            return ended(index, document, f.request_id);
        }
        r.outcome = job_outcome::failed;
        r.error = static_cast<errc>(f.code.value());
        r.ended = since_start(clock::now());
        ++failures;
        measured->collected.failed(name(r.error), document, to_string(f), clock::now());
        if (options.on_failure) options.on_failure(document, f);
        if (!ended_by && early.failed(f)) {
            ended_by = f;
            end_arrivals();
        }
        ended(index, document, f.request_id);
    }

    void ended(std::size_t index, std::string_view document, std::string_view request_id)
    {
        if (options.on_job) options.on_job(jobs[index], document, request_id);
        note_gauges();
        if (options.arrivals.closed()) refill();
        check_end();
    }

    void end_arrivals()
    {
        if (arrivals_ended) return;
        arrivals_ended = true;
        last_arrival = clock::now();
        next.reset();
        arrival_timer.expires_at(last_arrival + options.drain_timeout);
        arrival_timer.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec) self->give_up();
        });
        check_end();
    }

    void give_up()
    {
        if (closing || has_ended) return;
        closing = true;
        end = clock::now();
        service.close();
    }

    void check_end()
    {
        bool const is_open = done + failures + unfinished != jobs.size() || !fetching.empty();
        if (!arrivals_ended || has_ended || is_open) return;
        has_ended = true;
        if (!closing) end = clock::now();
        arrival_timer.cancel();
        sample_timer.cancel();
        if (options.on_end) options.on_end();
    }

    void sample()
    {
        sum_in_flight += static_cast<double>(now_statistics().in_flight());
        if (samples++ % 10 == 0) measured->collected.sample(limiting(), clock::now());
        sample_timer.expires_after(std::chrono::milliseconds(100));
        sample_timer.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec && !self->has_ended) self->sample();
        });
    }

    /// What limited the throughput since the last sample, as in report.json.
    std::string_view limiting()
    {
        client_statistics const now = service.statistics();
        client_statistics const before = std::exchange(traffic, now);
        auto const grew = [&](std::chrono::nanoseconds client_statistics::* counter) {
            return now.*counter > before.*counter;
        };
        if (arrivals_ended) return "draining";
        if (now.credentials_paused) return "credentials";
        if (now.paused_for.count() > 0) return "throttled";
        if (grew(&client_statistics::waited_for_submit_rate)) return "submit rate";
        if (grew(&client_statistics::waited_for_bytes)) return "bandwidth";
        if (grew(&client_statistics::waited_for_poll_rate)) return "poll rate";
        return "service";
    }

    void note_gauges()
    {
        load_statistics const s = now_statistics();
        std::uint64_t const ended_after_acceptance = std::min(accepted, s.done + s.failed + s.given_up);
        measured->collected.gauges(s.in_flight(), accepted - ended_after_acceptance, clock::now());
    }

    load_statistics now_statistics() const
    {
        load_statistics s;
        s.elapsed = (has_ended ? end : clock::now()) - begin;
        s.due = jobs.size();
        s.accepted = accepted;
        s.done = done;
        s.failed = failures;
        s.given_up = unfinished;
        s.with_parts = !options.parts.empty();
        s.fetching_parts = fetching.size();
        s.parts = parts;
        s.parts_failed = failed_parts;
        s.draining = arrivals_ended;
        s.ended = has_ended;
        s.rate =
            arrivals_ended ? 0 : rate_at(options.arrivals, std::chrono::duration<double>(s.elapsed).count());
        return s;
    }

    load_options options;
    client& service;
    arrival_times times;
    detail::timer arrival_timer; ///< later of the drain
    detail::timer sample_timer;
    detail::early_end early;
    std::shared_ptr<observer> measured;

    clock::time_point begin{};
    clock::time_point last_arrival{};
    clock::time_point end{};
    std::optional<std::chrono::nanoseconds> next;
    std::vector<job_record> jobs;
    std::uint64_t accepted = 0;
    std::uint64_t done = 0;
    std::uint64_t failures = 0;
    std::uint64_t unfinished = 0;
    std::uint64_t parts = 0;
    std::uint64_t failed_parts = 0;
    std::uint64_t no_descriptor = 0;
    std::optional<failure> ended_by;
    double sum_in_flight = 0;
    std::uint64_t samples = 0;
    client_statistics traffic; ///< at the last sample for the report
    part_queue<std::size_t> order_of_parts{1000};
    std::unordered_map<std::size_t, open_parts> fetching; ///< by the number of the document
    bool is_refilling = false;
    bool arrivals_ended = false;
    bool closing = false;
    bool has_ended = false;
    bool was_stopped = false;
};

OCRPIPE_DECL load_run::load_run(asio::io_context& ioc, client& c, load_options options)
    : impl_(std::make_shared<impl>(ioc, c, std::move(options)))
{
}

OCRPIPE_DECL load_run::~load_run()
{
    impl_->has_ended = true;
    impl_->arrival_timer.cancel();
    impl_->sample_timer.cancel();
}

OCRPIPE_DECL void load_run::start() { impl_->start(); }

OCRPIPE_DECL void load_run::stop()
{
    if (impl_->was_stopped) return impl_->give_up();
    impl_->was_stopped = true;
    impl_->end_arrivals();
}

OCRPIPE_DECL void load_run::end_arrivals() { impl_->end_arrivals(); }

OCRPIPE_DECL load_statistics load_run::statistics() const { return impl_->now_statistics(); }
OCRPIPE_DECL std::vector<job_record> const& load_run::jobs() const { return impl_->jobs; }
OCRPIPE_DECL run_measurements const& load_run::measurements() const { return impl_->measured->collected; }

OCRPIPE_DECL double load_run::arrival_seconds() const
{
    // If a closed loop has no more documents than it keeps in flight, they are the load until the last one
    // has ended.
    if (impl_->options.arrivals.closed() && impl_->jobs.size() <= impl_->options.arrivals.concurrency)
        return total_seconds();
    auto const to = impl_->arrivals_ended ? impl_->last_arrival : clock::now();
    return std::chrono::duration<double>(to - impl_->begin).count();
}

OCRPIPE_DECL double load_run::total_seconds() const
{
    return std::chrono::duration<double>(impl_->now_statistics().elapsed).count();
}

OCRPIPE_DECL double load_run::offered_per_second() const
{
    arrival_plan const& plan = impl_->options.arrivals;
    std::vector<job_record> const& jobs = impl_->jobs;
    if (jobs.empty()) return 0;
    double seconds = plan.closed() ? total_seconds() : arrival_seconds();
    if (!plan.closed() && plan.max_documents > 0 && jobs.size() >= plan.max_documents) {
        double const last = std::chrono::duration<double>(jobs.back().due).count();
        double const rate = rate_at(plan, last);
        if (rate > 0) seconds = std::min(last + 1 / rate, length_of(plan));
    }
    return seconds > 0 ? static_cast<double>(jobs.size()) / seconds : 0;
}

OCRPIPE_DECL double load_run::sampled_in_flight() const
{
    return impl_->samples == 0 ? 0 : impl_->sum_in_flight / static_cast<double>(impl_->samples);
}

OCRPIPE_DECL bool load_run::stopped() const { return impl_->was_stopped; }
OCRPIPE_DECL std::optional<failure> const& load_run::ended_by() const { return impl_->ended_by; }
OCRPIPE_DECL std::uint64_t load_run::descriptors_gone() const { return impl_->no_descriptor; }

} // namespace ocrpipe

#endif
