#include <ocrpipe/client.hpp>

#include "commands.hpp"
#include "interruption.hpp"
#include "remedy.hpp"
#include "standard_input.hpp"
#include "standard_output.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

namespace ocrpipe::cli
{
namespace
{

/// Runs operations on one client, one after another; Ctrl-C cancels the current one.
class session
{
public:
    session(client_options const& options, logger& log)
        : ioc_(1), client_(ioc_, options), log_(log), interruption_(ioc_, [this](int times) {
            if (times == 1)
                stop_.emit(asio::cancellation_type::terminal);
            else
                client_.close();
        })
    {
    }

    /// `start` starts the operation with the given completion handler.
    template<class T, class Start>
    result<T> perform(Start start)
    {
        std::optional<result<T>> outcome;
        start(client_, asio::bind_cancellation_slot(stop_.slot(),
                                                    [&](result<T> r) { outcome.emplace(std::move(r)); }));
        // Not run(), which would also wait for idle connections and signals.
        while (!outcome && ioc_.run_one() != 0) {
        }
        if (!outcome) return failure(errc::client_closed, phase::none, {});
        return std::move(*outcome);
    }

    bool interrupted() const noexcept { return interruption_.code() != exit_code::all_done; }

    exit_code failed(std::string_view what, failure const& f)
    {
        log_.write(describe(level::error, "failed", what, f));
        return worst(exit_code_of(f), interruption_.code());
    }

private:
    asio::io_context ioc_;
    client client_;
    logger& log_;
    asio::cancellation_signal stop_;
    interruption interruption_;
};

/// The name of the document in messages.
std::string shown_name(submit_request const& request)
{
    return request.doc.is_file() ? request.doc.path() : std::string(standard_input);
}

/// The request with its document, for a plan that may name standard input.
template<class Plan>
result<submit_request> complete(Plan const& p)
{
    if (!p.from_standard_input) return p.request;
    return read_document(STDIN_FILENO, p.request);
}

result<submitted_job> submit(session& s, submit_request const& request, logger& log)
{
    auto job = s.perform<submitted_job>(
        [&](client& c, auto handler) { c.async_submit(request, std::move(handler)); });
    if (!job) return job;
    // The request id is the only handle on a paid document, so report it before doing anything else.
    std::string const shown = shown_name(request);
    std::string text = fmt::format("{}: accepted as {}", shown, job->request_id);
    if (!job->file_ids.empty()) text += fmt::format(", file ids {}", fmt::join(job->file_ids, " "));
    if (job->possible_duplicate) text += "; an earlier attempt may have been accepted too";
    log.write(message(job->possible_duplicate ? level::warn : level::info, "accepted", std::move(text),
                      {{"path", shown},
                       {"request_id", job->request_id},
                       {"attempts", std::int64_t(job->attempts)},
                       {"possible_duplicate", job->possible_duplicate}}));
    return job;
}

exit_code print(ocr_result const& r, output_form form, response_profile const& profile, logger& log)
{
    std::string out = form == output_form::json ? r.raw() : r.text(profile);
    if (!out.ends_with('\n')) out += '\n';
    if (r.empty()) log.write(message(level::warn, "empty_result", "the service found nothing to read"));
    return deliver(out, "-", "the result", log);
}

} // namespace

exit_code carry_out(submit_plan const& p, client_options const& options, logger& log)
{
    auto const request = complete(p);
    if (!request) return refuse(request.error(), standard_input, log);
    session s(options, log);
    auto const job = submit(s, *request, log);
    if (!job) return s.failed(shown_name(*request), job.error());
    if (p.form == output_form::text) return deliver(job->request_id + "\n", "-", "the request id", log);
    boost::json::object o;
    o.emplace("request_id", job->request_id);
    o.emplace("file_ids", boost::json::array(job->file_ids.begin(), job->file_ids.end()));
    return deliver(boost::json::serialize(o) + "\n", "-", "the request id", log);
}

exit_code carry_out(recognize_plan const& p, client_options const& options, logger& log)
{
    auto const request = complete(p);
    if (!request) return refuse(request.error(), standard_input, log);
    session s(options, log);
    auto const job = submit(s, *request, log);
    if (!job) return s.failed(shown_name(*request), job.error());
    // The interrupt may have come too late to stop the submit; it must still stop what follows.
    if (s.interrupted()) {
        failure f(errc::cancelled, phase::none, {});
        f.request_id = job->request_id;
        return s.failed(shown_name(*request), f);
    }
    wait_request wait(job->request_id);
    wait.doc_type = request->doc_type;
    wait.just_submitted = true;
    auto const answer =
        s.perform<ocr_result>([&](client& c, auto handler) { c.async_wait(wait, std::move(handler)); });
    if (!answer) return s.failed(shown_name(*request), answer.error());
    return print(*answer, p.form, options.profile, log);
}

exit_code carry_out(result_plan const& p, client_options const& options, logger& log)
{
    session s(options, log);
    auto const answer = s.perform<ocr_result>([&](client& c, auto handler) {
        if (p.wait)
            c.async_wait(wait_request(p.request_id), std::move(handler));
        else
            c.async_result(p.request_id, std::move(handler));
    });
    if (!answer) return s.failed(p.request_id, answer.error());
    return print(*answer, p.form, options.profile, log);
}

exit_code carry_out(part_plan const& p, client_options const& options, logger& log)
{
    session s(options, log);
    auto const part = s.perform<part_data>(
        [&](client& c, auto handler) { c.async_part(p.part, p.request_id, p.sub_id, std::move(handler)); });
    auto const what = fmt::format("{} {} of {}", name(p.part), p.sub_id, p.request_id);
    if (!part) return s.failed(what, part.error());
    std::string_view const bytes = part->raw;
    // JSON ends with a line feed for the shell; an image is written unchanged.
    if (p.part == operation::image || bytes.ends_with('\n')) return deliver(bytes, p.output, what, log);
    return deliver(std::string(bytes) + "\n", p.output, what, log);
}

} // namespace ocrpipe::cli
