// explain: shows how an answer is interpreted, and so why a document ended as it did.

#include <ocrpipe/api/explain.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/strict_json.hpp>
#include <ocrpipe/bulk/output/result_line.hpp>
#include <ocrpipe/http/http_transport.hpp>

#include "commands.hpp"
#include "remedy.hpp"
#include "standard_output.hpp"
#include "text_units.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <fstream>
#include <iostream>
#include <istream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{
namespace
{

std::string_view meaning(result_verdict v)
{
    switch (v) {
    case result_verdict::done:
        return "done: the result is complete";
    case result_verdict::done_in_part:
        return "done in part: some documents of the file failed or are missing";
    case result_verdict::done_empty:
        return "done, empty: the job is finished and nothing was found";
    case result_verdict::pending:
        return "pending: the result is not ready yet";
    case result_verdict::retry:
        return "not a result: it is requested again";
    case result_verdict::foreign:
        return "not from the service: it is requested again; if that does not help, the base URL is probably "
               "wrong";
    case result_verdict::unreadable:
        return "unreadable: the answer is kept unchanged, and the document fails";
    case result_verdict::too_large:
        return "larger than --max-answer or --max-header allows: the document keeps its request id";
    case result_verdict::job_failed:
        return "failed: the service reports that the job failed";
    case result_verdict::expired:
        return "expired: the service no longer has the result";
    case result_verdict::lost:
        return "lost: the service does not know the job";
    case result_verdict::throttled:
        return "throttled: the service asks to slow down";
    case result_verdict::credentials_refused:
        return "refused: the key, the user id or a permission is wrong";
    case result_verdict::wrong_base_url:
        return "a gateway's answer: there is no OCR API at this address";
    case result_verdict::rejected:
        return "rejected: the service refuses the request";
    case result_verdict::misdirected:
    case result_verdict::stopped:
        break;
    }
    return "stopped";
}

std::string indented(std::string_view text, std::size_t lines)
{
    std::string out;
    for (std::size_t n = 0; !text.empty(); ++n) {
        if (n == lines)
            return out +
                   fmt::format("  ... and {} more lines\n", std::count(text.begin(), text.end(), '\n') + 1);
        std::size_t const end = std::min(text.find('\n'), text.size());
        out += "  " + printable_excerpt(text.substr(0, end), 200) + '\n';
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string form_of(answer_explanation const& e)
{
    switch (e.facts.content) {
    case content_kind::none:
        return "no content: the answer contains only bookkeeping";
    case content_kind::hint:
        return "short texts that may be bookkeeping: they count as content if they stay the same for a "
               "minute";
    case content_kind::slight:
        return "only numbers, booleans or ids: they count as content if the job is finished, or if they stay "
               "the same";
    case content_kind::doubtful:
        return "texts that may be bookkeeping: they count as content if they stay the same";
    case content_kind::unfamiliar:
        return "not recognized: the content is not where the profile says; it is found by the names of its "
               "members";
    case content_kind::known:
        return "recognized: the content is where the profile says";
    }
    return {};
}

std::string text_of(answer_explanation const& e, std::string_view body)
{
    std::string out = fmt::format("verdict: {}\n  by the rule: {}\n", meaning(e.first.what), e.first.row);
    bool const decided = e.last.what != result_verdict::pending && e.last.what != result_verdict::retry;
    if (e.reads > 1 && decided)
        out += fmt::format("if it stays the same: {}\n  by the rule: {}, after {} reads and {} s\n",
                           meaning(e.last.what), e.last.row, e.reads, e.after.count());
    else if (!decided)
        out +=
            "if it stays the same: the result is requested again until --deadline; the request id is kept\n";
    if (auto const position = find_json_error(body))
        return out + fmt::format("form: not JSON: {}\n", to_string(*position));
    if (strict_json(body))
        out += "form: JSON that only tolerant parsers read; results files contain it as strict JSON, and "
               "answers/ unchanged\n";
    out += fmt::format("form: {}\n", form_of(e));

    out += "found:\n";
    if (e.found.empty()) out += "  nothing\n";
    constexpr std::size_t shown = 20;
    for (std::size_t i = 0; i != std::min(e.found.size(), shown); ++i) {
        found_member const& m = e.found[i];
        std::string value = m.value.empty() ? "" : fmt::format(" = {}", m.value);
        if (m.count > 1) value = fmt::format(" ({} times)", m.count);
        out += fmt::format("  {:<12} {}{}\n", m.what, m.where, value);
    }
    if (e.found.size() > shown) out += fmt::format("  ... and {} more places\n", e.found.size() - shown);

    out += fmt::format("documents: {}\n", e.documents.size());
    for (std::size_t i = 0; i != std::min(e.documents.size(), shown); ++i) {
        ocr_document const& d = e.documents[i];
        auto const or_none = [](std::string const& s) {
            return s.empty() ? "none" : printable_excerpt(s, 64);
        };
        out += fmt::format("  {}: id {}, type {}, status {}, {} fields{}\n", i + 1, or_none(d.id),
                           or_none(d.type), or_none(d.status), d.fields.size(), d.failed ? ", failed" : "");
    }
    out += e.text.empty() ? "text: none\n" : "text:\n" + indented(e.text, 12);
    if (e.profile_lines.empty()) return out;
    out += e.described
               ? "profile lines that describe this form:\n"
               : "profile lines that describe a part of this form; the rest is found by the names of its "
                 "members:\n";
    for (std::string const& line : e.profile_lines)
        out += fmt::format("  {}{}\n", line, &line == &e.profile_lines.back() ? "" : ",");
    return out;
}

/// Fetches the current answer of the service, unmodified.
result<http_response> ask(std::string const& request_id, client_options const& options)
{
    boost::asio::io_context ioc(1);
    auto made = http_transport::make(ioc.get_executor(), options);
    if (!made) return std::move(made).error();
    std::unique_ptr<http_transport> const transport = std::move(*made);
    http_request request(lane::poll, http_method::get, target(operation::result, request_id));
    request.deadline = clock::now() + options.job_deadline;
    std::optional<exchange_result> got;
    boost::asio::co_spawn(ioc, transport->send(std::move(request)),
                          [&](std::exception_ptr e, exchange_result r) {
                              if (e) std::rethrow_exception(e);
                              got.emplace(std::move(r));
                          });
    while (!got && ioc.run_one() != 0) {
    }
    if (got && *got) return std::move(**got);
    failure f(errc::client_closed, phase::none, {});
    if (got) {
        f.code = got->error().code;
        f.cause = got->error().cause;
        f.where = got->error().where;
        f.reason = got->error().detail;
    }
    f.request_id = request_id;
    return f;
}

std::optional<std::string> read_answer(std::string const& path, std::uint64_t limit)
{
    std::ifstream file;
    if (path != "-") file.open(path, std::ios::binary);
    std::istream& in = path == "-" ? std::cin : file;
    std::string text;
    std::vector<char> piece(64 * 1024);
    // One byte more than the maximum size of an answer, to detect a larger one.
    while (in && text.size() <= limit) {
        in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    }
    if (in.bad() || (!in.eof() && text.size() <= limit)) return std::nullopt;
    return text;
}

} // namespace

exit_code carry_out(explain_plan const& p, client_options const& options, logger& log)
{
    http_response answer;
    if (p.file.empty()) {
        result<http_response> got = ask(p.request_id, options);
        if (!got) return refuse(got.error(), p.request_id, log);
        answer = std::move(*got);
    } else {
        std::uint64_t const limit = options.limits.max_answer_bytes;
        std::optional<std::string> text = read_answer(p.file, limit);
        if (!text || text->empty() || text->size() > limit) {
            std::string const why =
                !text           ? "cannot be read"
                : text->empty() ? "empty"
                                : fmt::format("larger than {}, which no answer may be", format_bytes(limit));
            log.write(message(
                level::error, "failed",
                fmt::format("{}: {}: give the JSON of one result, or - for standard input", p.file, why)));
            return exit_code::inputs_unreadable;
        }
        // A line of a results file contains the answer.
        if (auto const line = read_result_line(*text); line && !line->request_id.empty())
            text = std::string(line->result_json);
        answer.status = 200;
        answer.content_type = "application/json";
        answer.body = std::move(*text);
    }
    return deliver(text_of(explain_answer(answer, options.profile), answer.body), "-", "the explanation",
                   log);
}

exit_code carry_out(profile_plan const&, client_options const& options, logger& log)
{
    return deliver(to_json(options.profile), "-", "the profile", log);
}

} // namespace ocrpipe::cli
