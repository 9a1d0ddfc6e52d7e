#ifndef OCRPIPE_BULK_RUN_IMPL_PIPELINE_MEASURE_IPP
#define OCRPIPE_BULK_RUN_IMPL_PIPELINE_MEASURE_IPP

// What a run measures, and the report that is written while it goes on.

#include <ocrpipe/bulk/run/detail/pipeline_impl.hpp>
#include <ocrpipe/core/atomic_file.hpp>
#include <ocrpipe/measure/report_members.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace ocrpipe
{

OCRPIPE_DECL void pipeline::impl::begin_measuring()
{
    measured_ = std::make_shared<detail::run_observer>(started_, state_.report.started_at);
    client_.observe(measured_);
    limiting_ = state_.limiting(client_.statistics());
    report_due_ = started_ + options_.report_interval;
    arm_sampling();
}

OCRPIPE_DECL void pipeline::impl::arm_sampling()
{
    sample_timer_.expires_after(std::chrono::seconds(1));
    sample_timer_.async_wait([self = weak_from_this()](error_code ec) {
        auto const p = self.lock();
        if (ec || !p) return;
        p->sample();
        p->arm_sampling();
    });
}

OCRPIPE_DECL void pipeline::impl::sample()
{
    clock::time_point const now = clock::now();
    limiting_ = state_.limiting(client_.statistics());
    note_gauges();
    measured_->collected.sample(limiting_, now);
    if (options_.report_interval.count() == 0 || now < report_due_) return;
    report_due_ = now + options_.report_interval;
    write_report_so_far();
}

OCRPIPE_DECL void pipeline::impl::end_measuring()
{
    sample_timer_.cancel();
    limiting_ = state_.limiting(client_.statistics());
    note_gauges();
    measured_->collected.sample(limiting_, clock::now());
}

OCRPIPE_DECL void pipeline::impl::note_gauges()
{
    measured_->collected.gauges(state_.in_flight(), state_.waiting, clock::now());
}

/// A result is recorded. `times` has those of the job's reads.
OCRPIPE_DECL void pipeline::impl::measure(detail::document_in_flight const& d, job_times times)
{
    times.sent = d.job.times.sent;
    times.accepted = d.job.times.accepted;
    measured_document m;
    m.id = d.id();
    m.request_id = d.job.request_id;
    m.from = times.sent;
    m.times = times;
    m.bytes = d.input.record.size;
    measured_->collected.finished(m, clock::now());
}

/// All parts of a document ended. `times` has those of the read of its result.
OCRPIPE_DECL void pipeline::impl::measure_parts(job_times const& times)
{
    if (is_known(times.ready)) measured_->collected.parts_done(times.ready, clock::now());
}

OCRPIPE_DECL report_facts pipeline::impl::facts_of(run_report const& report, std::string_view state) const
{
    report_facts f;
    f.state = state;
    f.now = clock::now();
    f.updated_at = std::chrono::system_clock::now();
    f.done = report.done;
    f.failed = report.failed;
    f.left = report.unfinished + report.not_sent;
    f.total_known = report.source_exhausted;
    if (auto const in_doubt = report.failed_by_class.find(std::string(name(errc::ambiguous_submit)));
        in_doubt != report.failed_by_class.end())
        f.in_doubt = in_doubt->second;
    f.possible_duplicates = report.possible_duplicates;
    f.limiting = state_.is_stopped() && state == "running" ? std::string_view("draining") : limiting_;
    client_statistics const c = client_.statistics();
    f.waited_for_submit_rate = c.waited_for_submit_rate;
    f.waited_for_poll_rate = c.waited_for_poll_rate;
    f.waited_for_bytes = c.waited_for_bytes;
    f.waited_for_pause = c.waited_for_pause;
    f.configuration = configuration_.settings();
    f.configuration["max_in_flight"] = std::to_string(options_.max_in_flight);
    for (auto const& [key, value] : options_.shown_settings)
        f.configuration[key] = value;
    f.remedy = options_.remedy;
    return f;
}

/// The report of the run as far as it has come, without a look into the ledger.
OCRPIPE_DECL std::string pipeline::impl::report_so_far()
{
    if (intake_) state_.repeated_at_intake(intake_->repeated());
    state_.complete_report(client_.statistics());
    run_report report = state_.report;
    if (options_.notes) {
        report.links_skipped = options_.notes->links_skipped;
        report.too_young = options_.notes->too_young;
        report.empty_inputs = options_.notes->empty_inputs;
    }
    report.finished_at = {};
    report.failed_by_class = earlier_.by_class;
    for (auto const& [what, failures] : measured_->collected.errors())
        if (what.first == "document") report.failed_by_class[what.second] += failures.count;
    report.measured = report_members(measured_->collected, facts_of(report, "running"));
    return to_json(report);
}

/// A report that cannot be written does not end the run: what counts is in the ledger.
OCRPIPE_DECL void pipeline::impl::write_report_so_far()
{
    std::string const json = report_so_far();
    error_code const ec =
        detail::write_file_atomically(options_.directory, "report.json", json, detail::durability::process);
    if (ec && !std::exchange(report_missed_, true))
        notice("report_not_written",
               fmt::format("report.json in {} could not be written while the run goes on: {}",
                           options_.directory, ec.message()));
    if (ec) return;
    report_missed_ = false;
    if (options_.on_report) options_.on_report(json);
}

} // namespace ocrpipe

#endif
