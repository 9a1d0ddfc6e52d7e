#ifndef OCRPIPE_BULK_IMPL_PIPELINE_IPP
#define OCRPIPE_BULK_IMPL_PIPELINE_IPP

#include <ocrpipe/bulk/detail/read_ahead.hpp>
#include <ocrpipe/bulk/failures_writer.hpp>
#include <ocrpipe/bulk/part_files.hpp>
#include <ocrpipe/bulk/pipeline.hpp>
#include <ocrpipe/bulk/results_writer.hpp>
#include <ocrpipe/detail/fifo_semaphore.hpp>

#include <boost/asio/post.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace ocrpipe
{
namespace detail
{

/// Wakes one waiting coroutine; a notification that comes early is kept.
class event
{
public:
    explicit event(asio::io_context& ioc) : expiry_(ioc.get_executor()) {}

    task<void> wait()
    {
        if (!std::exchange(notified_, false)) {
            expiry_.expires_at(clock::time_point::max());
            error_code ignored;
            co_await expiry_.async_wait(asio::redirect_error(use_task, ignored));
            notified_ = false;
        }
    }

    void notify()
    {
        notified_ = true;
        expiry_.cancel();
    }

private:
    timer expiry_;
    bool notified_ = false;
};

/// A document on its way, from its admission to its line in a results or failures file.
struct document_in_flight {
    prepared_document input;
    std::uint64_t number = 0; ///< in the order of admission, from 1; names the files of its parts
    submitted_job job;
    std::chrono::system_clock::time_point submitted_at{};
    std::optional<ocr_result> answer;
    std::size_t parts_pending = 0;
    std::vector<part_entry> parts;
};
using document_ptr = std::shared_ptr<document_in_flight>;

} // namespace detail

class pipeline::impl : public std::enable_shared_from_this<pipeline::impl>
{
public:
    impl(asio::io_context& ioc, client& c, std::unique_ptr<source> s, pipeline_options options)
        : ioc_(ioc), client_(c), source_(std::move(s)), options_(std::move(options)), changed_(ioc)
    {
    }

    task<result<run_report>> run();
    void stop();
    pipeline_statistics statistics();

private:
    using document_ptr = detail::document_ptr;

    result<void> open();
    task<void> feed();
    bool may_admit() const;
    void admit(detail::prepared_document d);
    void refuse(input_problem const& p);
    void submitted(document_ptr d, result<submitted_job> job);
    void read(document_ptr d, result<ocr_result> answer);
    void fetch_parts(document_ptr d);
    void fetch_part(document_ptr d, operation kind, std::size_t index, std::string sub_id);
    void part_fetched(document_ptr const& d, operation kind, std::size_t index, std::string const& sub_id,
                      result<part_data> part);
    void finish(document_ptr const& d);
    void fail(document_ptr const& d, failure const& f);
    void write_text(document_ptr const& d);
    void leave();
    void end_run(failure f);
    void disk_failed(error_code cause, std::string_view what);
    std::string_view limiting(client_statistics const& now);
    run_report report() const;

    asio::io_context& ioc_;
    client& client_;
    std::unique_ptr<source> source_;
    pipeline_options const options_;
    std::optional<detail::read_ahead> ahead_;
    std::optional<results_writer> results_;
    std::optional<failures_writer> failures_;
    std::optional<part_files> parts_;
    std::optional<part_files> texts_;

    detail::event changed_;
    run_report report_;
    clock::time_point started_{};
    std::uint64_t submitting_ = 0;
    std::uint64_t waiting_ = 0;
    std::uint64_t fetching_parts_ = 0;
    std::uint64_t in_flight_ = 0;
    int stops_ = 0;
    std::optional<failure> ended_by_;
    client_statistics before_;
};

OCRPIPE_DECL std::vector<std::string> pipeline_options::validate() const
{
    std::vector<std::string> problems;
    auto const check = [&problems](bool fine, std::string problem) {
        if (!fine) problems.push_back(std::move(problem));
    };
    check(!directory.empty(), "out: missing: name a directory for the results");
    check(!flow.empty(), "flow: empty: give \"single\" or a flow id");
    check(max_in_flight >= 1 && max_in_flight <= 10'000'000,
          fmt::format("max_in_flight: {} is out of range: 1 to 10000000", max_in_flight));
    check(max_submitting >= 1 && max_submitting <= 100'000,
          fmt::format("max_submitting: {} is out of range: 1 to 100000", max_submitting));
    check(results_file_bytes >= 1024,
          fmt::format("results_file_bytes: {} is out of range: 1024 or more", results_file_bytes));
    for (operation const part : parts)
        check(part != operation::submit && part != operation::result,
              fmt::format("parts: {} is not a part: table, signature, stamp or image", name(part)));
    return problems;
}

OCRPIPE_DECL result<void> pipeline::impl::open()
{
    auto const refused = [](errc e, error_code cause, std::string reason) {
        failure f;
        f.code = e;
        f.cause = cause;
        f.where = phase::prepare;
        f.reason = std::move(reason);
        return f;
    };
    std::vector<std::string> const problems = options_.validate();
    if (!problems.empty())
        return refused(errc::invalid_argument, {}, fmt::format("{}", fmt::join(problems, "; ")));

    namespace fs = std::filesystem;
    std::error_code ec;
    fs::path const directory(options_.directory);
    fs::create_directories(directory, ec);
    if (ec)
        return refused(errc::unwritable_output, error_code(ec.value(), boost::system::system_category()),
                       options_.directory);
    for (char const* file : {"results-00001.jsonl", "failures.jsonl", "report.json"})
        if (fs::exists(directory / file, ec))
            return refused(
                errc::invalid_argument, {},
                fmt::format("{} holds another run's {}: choose another directory", options_.directory, file));

    result<results_writer> results = results_writer::open(options_.directory, options_.results_file_bytes);
    if (!results) return std::move(results).error();
    results_.emplace(std::move(*results));
    result<failures_writer> failures = failures_writer::open(options_.directory);
    if (!failures) return std::move(failures).error();
    failures_.emplace(std::move(*failures));
    if (!options_.parts.empty()) parts_.emplace(options_.directory, "parts");
    if (options_.text) texts_.emplace(options_.directory, "text");
    return {};
}

OCRPIPE_DECL task<result<run_report>> pipeline::impl::run()
{
    started_ = clock::now();
    report_.started_at = std::chrono::system_clock::now();
    result<void> opened = open();
    if (!opened) co_return std::move(opened).error();

    co_await feed();
    while (in_flight_ > 0)
        co_await changed_.wait();

    report_.finished_at = std::chrono::system_clock::now();
    for (error_code const ec : {results_->sync(), failures_->sync()})
        if (ec) disk_failed(ec, "syncing the results");
    if (error_code const ec = write_report(options_.directory, report())) disk_failed(ec, "report.json");
    if (ended_by_) co_return *ended_by_;
    co_return report();
}

OCRPIPE_DECL bool pipeline::impl::may_admit() const
{
    return in_flight_ < options_.max_in_flight && submitting_ < options_.max_submitting;
}

OCRPIPE_DECL task<void> pipeline::impl::feed()
{
    ahead_.emplace(std::move(source_), [self = weak_from_this(), executor = ioc_.get_executor()] {
        asio::post(executor, [self] {
            if (auto const p = self.lock()) p->changed_.notify();
        });
    });
    // A run that waits for its source alone has nothing else to keep the context running.
    auto const work = asio::make_work_guard(ioc_);
    while (stops_ == 0 && !ended_by_) {
        if (may_admit()) {
            if (std::optional<detail::prepared> p = ahead_->try_pop()) {
                if (auto* d = std::get_if<detail::prepared_document>(&*p))
                    admit(std::move(*d));
                else
                    refuse(std::get<input_problem>(*p));
                continue;
            }
            if (ahead_->exhausted()) break;
        }
        co_await changed_.wait();
    }
    ahead_->stop();
    report_.source_exhausted = stops_ == 0 && !ended_by_;
}

OCRPIPE_DECL void pipeline::impl::admit(detail::prepared_document input)
{
    auto d = std::make_shared<detail::document_in_flight>();
    d->input = std::move(input);
    d->number = ++report_.found;
    ++in_flight_;
    ++submitting_;

    input_item& item = d->input.item;
    if (item.flow.empty()) item.flow = options_.flow;
    if (item.doc_type.empty()) item.doc_type = options_.doc_type;
    if (item.type == file_type::detect) item.type = options_.type;
    submit_request request(std::move(d->input.doc), item.doc_type, item.flow);
    request.type = item.type;
    client_.async_submit(std::move(request), [self = shared_from_this(), d](result<submitted_job> job) {
        --self->submitting_;
        self->submitted(d, std::move(job));
    });
}

OCRPIPE_DECL void pipeline::impl::refuse(input_problem const& p)
{
    ++report_.unreadable;
    if (options_.on_unreadable) options_.on_unreadable(p);
    if (error_code const ec = failures_->append(p)) disk_failed(ec, "failures.jsonl");
}

OCRPIPE_DECL void pipeline::impl::submitted(document_ptr d, result<submitted_job> job)
{
    changed_.notify();
    if (!job) return fail(d, job.error());
    d->job = std::move(*job);
    d->submitted_at = std::chrono::system_clock::now();
    report_.bytes += d->input.size;
    if (d->job.possible_duplicate) ++report_.possible_duplicates;

    ++waiting_;
    wait_request wait(d->job.request_id);
    wait.doc_type = d->input.item.doc_type;
    wait.document_bytes = d->input.size;
    wait.just_submitted = true;
    client_.async_wait(std::move(wait), [self = shared_from_this(), d](result<ocr_result> answer) {
        --self->waiting_;
        self->read(d, std::move(answer));
    });
}

OCRPIPE_DECL void pipeline::impl::read(document_ptr d, result<ocr_result> answer)
{
    if (!answer) return fail(d, answer.error());
    d->answer.emplace(std::move(*answer));
    if (options_.parts.empty()) return finish(d);
    ++fetching_parts_;
    fetch_parts(std::move(d));
}

OCRPIPE_DECL void pipeline::impl::fetch_parts(document_ptr d)
{
    // One more than there are, so that the document is not finished while its parts are still being started.
    d->parts_pending = 1;
    std::vector<ocr_document> const documents = d->answer->documents();
    for (operation const kind : options_.parts) {
        std::size_t index = 0;
        if (kind == operation::image) {
            for (std::string const& id : d->job.file_ids)
                fetch_part(d, kind, ++index, id);
        } else {
            for (ocr_document const& document : documents) {
                ++index;
                if (!document.id.empty()) fetch_part(d, kind, index, document.id);
            }
        }
    }
    if (--d->parts_pending == 0) {
        --fetching_parts_;
        finish(d);
    }
}

OCRPIPE_DECL void pipeline::impl::fetch_part(document_ptr d, operation kind, std::size_t index,
                                             std::string sub_id)
{
    ++d->parts_pending;
    client_.async_part(kind, d->job.request_id, sub_id,
                       [self = shared_from_this(), d, kind, index, sub_id](result<part_data> part) {
                           self->part_fetched(d, kind, index, sub_id, std::move(part));
                           if (--d->parts_pending == 0) {
                               --self->fetching_parts_;
                               self->finish(d);
                           }
                       });
}

OCRPIPE_DECL void pipeline::impl::part_fetched(document_ptr const& d, operation kind, std::size_t index,
                                               std::string const& sub_id, result<part_data> part)
{
    part_entry entry;
    entry.kind = kind;
    entry.sub_id = sub_id;
    if (!part) {
        entry.error = std::string(name(static_cast<errc>(part.error().code.value())));
        if (!part.error().is(errc::part_absent)) ++report_.parts_failed;
    } else {
        result<std::string> written = parts_->write(d->number, d->input.item.id, kind, index, part->raw);
        if (!written) return disk_failed(written.error().cause, "parts");
        entry.file = std::move(*written);
        ++report_.parts;
    }
    d->parts.push_back(std::move(entry));
}

OCRPIPE_DECL void pipeline::impl::write_text(document_ptr const& d)
{
    result<std::string> written = texts_->write_text(d->number, d->input.item.id, d->answer->text());
    if (!written) disk_failed(written.error().cause, "text");
}

OCRPIPE_DECL void pipeline::impl::finish(document_ptr const& d)
{
    if (options_.text) write_text(d);
    result_record line;
    line.id = d->input.item.id;
    line.path = d->input.item.path;
    line.sha256 = d->input.sha256;
    line.request_id = d->job.request_id;
    line.status = d->answer->empty() ? "done_empty" : d->answer->done_in_part() ? "done_in_part" : "done";
    line.submitted_at = d->submitted_at;
    line.finished_at = std::chrono::system_clock::now();
    line.attempts = d->job.attempts;
    line.polls = d->answer->reads();
    line.possible_duplicate = d->job.possible_duplicate;
    line.parts = d->parts;
    line.result_json = d->answer->raw();
    if (error_code const ec = results_->append(line)) return disk_failed(ec, "results"), leave();
    ++report_.done;
    if (d->answer->empty())
        ++report_.done_empty;
    else if (d->answer->done_in_part())
        ++report_.done_in_part;
    leave();
}

OCRPIPE_DECL void pipeline::impl::fail(document_ptr const& d, failure const& f)
{
    bool const nothing_paid = f.request_id.empty() && !f.is(errc::ambiguous_submit);
    bool const run_ends = f.is(errc::unauthorized) || f.is(errc::wrong_base_url);
    if (run_ends) end_run(f);
    // A document that was never sent is not a failed one: another run takes it up.
    if (nothing_paid && (run_ends || f.is(errc::cancelled) || f.is(errc::client_closed))) {
        ++report_.not_sent;
        return leave();
    }
    ++report_.failed;
    ++report_.failed_by_class[std::string(name(static_cast<errc>(f.code.value())))];
    if (options_.on_failure) options_.on_failure(d->input.item, f);
    failure_record line;
    line.item = &d->input.item;
    line.sha256 = d->input.sha256;
    line.what = &f;
    line.at = std::chrono::system_clock::now();
    if (error_code const ec = failures_->append(line)) disk_failed(ec, "failures.jsonl");
    leave();
}

OCRPIPE_DECL void pipeline::impl::leave()
{
    --in_flight_;
    changed_.notify();
}

OCRPIPE_DECL void pipeline::impl::end_run(failure f)
{
    if (ended_by_) return;
    ended_by_ = std::move(f);
    changed_.notify();
}

OCRPIPE_DECL void pipeline::impl::disk_failed(error_code cause, std::string_view what)
{
    failure f;
    f.code = errc::unwritable_output;
    f.cause = cause;
    f.reason = fmt::format("{} in {}", what, options_.directory);
    end_run(std::move(f));
    // What cannot be recorded must not be paid for.
    client_.close();
}

OCRPIPE_DECL void pipeline::impl::stop()
{
    ++stops_;
    if (stops_ > 1) client_.close();
    changed_.notify();
}

OCRPIPE_DECL std::string_view pipeline::impl::limiting(client_statistics const& now)
{
    auto const grew = [&](std::chrono::nanoseconds client_statistics::*counter) {
        return now.*counter > before_.*counter;
    };
    if (stops_ > 0 || ended_by_) return "draining";
    if (now.credentials_paused) return "credentials";
    if (now.paused_for.count() > 0) return "throttled";
    if (grew(&client_statistics::waited_for_submit_rate)) return "submit rate";
    if (grew(&client_statistics::waited_for_bytes)) return "bandwidth";
    if (grew(&client_statistics::waited_for_poll_rate)) return "poll rate";
    if (in_flight_ >= options_.max_in_flight) return "in-flight cap";
    if (submitting_ >= options_.max_submitting) return "connections";
    return report_.source_exhausted ? "service" : "source";
}

OCRPIPE_DECL pipeline_statistics pipeline::impl::statistics()
{
    pipeline_statistics s;
    s.found = report_.found;
    s.source_exhausted = report_.source_exhausted;
    s.done = report_.done;
    s.failed = report_.failed;
    s.unreadable = report_.unreadable;
    s.submitting = submitting_;
    s.waiting = waiting_;
    s.fetching_parts = fetching_parts_;
    s.bytes = report_.bytes;
    s.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - started_);
    client_statistics const now = client_.statistics();
    s.limiting = limiting(now);
    before_ = now;
    return s;
}

OCRPIPE_DECL run_report pipeline::impl::report() const
{
    run_report r = report_;
    client_statistics const c = client_.statistics();
    r.submits = c.submits;
    r.polls = c.polls;
    r.throttled = c.throttled;
    r.transport_failures = c.transport_failures;
    if (ended_by_)
        r.ended_by = to_string(*ended_by_);
    else if (stops_ > 0)
        r.ended_by = "stopped";
    return r;
}

OCRPIPE_DECL pipeline::pipeline(asio::io_context& ioc, client& c, std::unique_ptr<source> s,
                                pipeline_options options)
    : impl_(std::make_shared<impl>(ioc, c, std::move(s), std::move(options)))
{
}

OCRPIPE_DECL pipeline::~pipeline() = default;
OCRPIPE_DECL pipeline::pipeline(pipeline&&) noexcept = default;
OCRPIPE_DECL pipeline& pipeline::operator=(pipeline&&) noexcept = default;

OCRPIPE_DECL task<result<run_report>> pipeline::async_run() { return impl_->run(); }
OCRPIPE_DECL void pipeline::stop() { impl_->stop(); }
OCRPIPE_DECL pipeline_statistics pipeline::statistics() const { return impl_->statistics(); }

} // namespace ocrpipe

#endif
