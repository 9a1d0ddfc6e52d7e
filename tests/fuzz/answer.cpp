// The input is a sequence of answers to one operation, each as
//
//     submit|result|table|image <HTTP status, 0 for none> <seconds since the previous answer>
//     <Content-Type; if there is no answer, the number of an errc>
//     <Retry-After; if there is no answer, how much was sent, 0 to 2>
//     <body, up to a line "----">
//
// The operation of the first answer holds for all. The target counts the answers to check what must never
// happen, and compares what is JSON with Boost.JSON's verdict on its strict form.

#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/impl/body_reader.hpp>
#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/strict_json.hpp>

#include "fuzz_input.hpp"

#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>

#include <optional>

namespace
{

using namespace ocrpipe;
using std::chrono::seconds;

struct seen {
    exchange_result answer;
    seconds later;
};

seen take_answer(fuzz_input& input)
{
    fuzz_input head(input.line());
    (void)head.word();
    int const status = static_cast<int>(head.number() % 1000);
    seconds const later(head.number() % 100'000);
    std::string const type(input.line());
    std::string const retry_after(input.line());
    std::string const body(input.until("\n----\n"));
    if (status == 0) {
        transport_failure f;
        f.code = static_cast<errc>(fuzz_input(type).number() %
                                   (static_cast<std::uint32_t>(errc::part_absent) + 1));
        f.sent = static_cast<bytes_sent>(fuzz_input(retry_after).number() % 3);
        return {f, later};
    }
    http_response r;
    r.status = status;
    r.content_type = type;
    r.retry_after = retry_after;
    r.body = body;
    return {std::move(r), later};
}

template<class Verdict>
bool one_of(Verdict v, std::initializer_list<Verdict> list)
{
    return std::find(list.begin(), list.end(), v) != list.end();
}

bool is_too_large(exchange_result const& a)
{
    error_code const code = a ? error_code() : a.error().code;
    return code == errc::body_too_large || code == errc::header_too_large;
}

bool is_2xx(exchange_result const& a) { return a && a->status >= 200 && a->status < 300; }

/// Whether Boost.JSON accepts a body; nullopt if it rejects a number that the grammar allows.
std::optional<bool> is_json_elsewhere(std::string_view body)
{
    boost::json::parse_options options;
    options.max_depth = detail::max_json_depth;
    boost::json::error_code ec;
    boost::json::parse(body, ec, {}, options);
    if (ec == boost::json::error::exponent_overflow) return std::nullopt;
    return !ec;
}

void check_body(std::string_view body)
{
    response_profile const& p = default_profile();
    body_facts const facts = read_body_facts(body, p);
    require(facts.request_id.size() <= 1024, "an id is bounded");
    require(facts.status.size() <= 64, "a status is bounded");
    require(facts.error_status == 0 || (facts.error_status >= 400 && facts.error_status < 600),
            "an error's code is HTTP's");
    require(facts.documents >= facts.failed_documents + facts.filled_documents,
            "a document is failed or filled, not both");
    require(facts.filled_documents == 0 || facts.content != content_kind::none,
            "a filled document has content");
    require((facts.content_hash != 0) <= (facts.content != content_kind::none), "only content has a hash");
    for (std::string const& id : facts.file_ids)
        require(!id.empty() && id.size() <= 1024, "an id of a file is not empty, and bounded");

    std::optional<std::string> const strict = strict_json(body);
    if (!detail::is_blank(body) && !json_in_utf8(body))
        require(is_json_elsewhere(strict ? *strict : body).value_or(facts.is_json()) == facts.is_json(),
                "two parsers agree on what is JSON");

    ocr_result const result("id", std::string(body), completeness::whole, 1);
    auto const documents = result.documents();
    std::string const text = result.text();
    if (!facts.is_json()) require(documents.empty() && text.empty(), "what is no JSON has no documents");
    if (facts.content == content_kind::known)
        require(!documents.empty(), "known content stands in a document");
    (void)has_part(body, p);
    submitted_job job;
    http_response answer;
    answer.status = 200;
    answer.body = body;
    if (read_submit(exchange_result(std::move(answer)), p, job).what == submit_verdict::accepted)
        require(!job.request_id.empty() && job.request_id.size() <= 1024, "an accepted job has an id");
}

void check_submit(exchange_result const& a)
{
    using enum submit_verdict;
    submitted_job job;
    submit_reading const r = read_submit(a, default_profile(), job);
    require((r.what == accepted) == !job.request_id.empty(),
            "an accepted submit has an id, no other has one");
    require(r.what == accepted || job.file_ids.empty(), "only an accepted submit has files");
    require(r.what != accepted || is_2xx(a), "only a 2xx accepts");
    bool const coded = is_2xx(a) && r.status >= 400;
    require(!is_2xx(a) || coded || one_of(r.what, {accepted, ambiguous}),
            "a 2xx without an error code is accepted or may have been");
    if (!a) {
        bool const incomplete = a.error().sent != bytes_sent::all;
        require(r.what != safe_to_repeat || incomplete, "what was sent whole is not repeated");
        require(!(a.error().sent == bytes_sent::all) || one_of(r.what, {ambiguous, misdirected}),
                "what was sent whole and not answered may have been accepted");
    } else {
        require(r.what != safe_to_repeat || one_of(r.status, {421, 423, 425}),
                "an answer to a whole request does not make repeating safe, but 421, 423 and 425");
    }
    // No id from the service may change the structure of a path.
    std::string const path = target(operation::result, r.what == accepted ? job.request_id : "x");
    require(path.starts_with("ingest/") && path.find('/', 7) == std::string::npos,
            "an id is one segment of a path");
    require(path.find_first_of("?#\r\n ") == std::string::npos && !path.ends_with("/.."),
            "an id adds nothing to a path");
}

class result_checker
{
public:
    void check(exchange_result const& a, clock::time_point now, bool route_succeeded)
    {
        using enum result_verdict;
        response_profile const& p = default_profile();
        result_history same = history_;
        result_reading const r = read_result(a, history_, p, "req-1", route_succeeded, now);
        result_reading const again = read_result(a, same, p, "req-1", route_succeeded, now);
        require(r.what == again.what && r.row == again.row,
                "the same answer after the same history has the same verdict");
        if (!a) {
            require(one_of(r.what, {retry, stopped, misdirected, too_large, credentials_refused}),
                    "a failure to read says nothing about the job");
            require(r.what != too_large || is_too_large(a), "only what exceeds a limit is too large");
            return;
        }
        if (answers_++ == 0) first_ = now;
        if (r.status == 404 && not_found_++ == 0) first_not_found_ = now;
        bool const is_done = one_of(r.what, {done, done_in_part, done_empty});
        require(!is_done || is_2xx(a), "only a 2xx is a result");
        require(!one_of(r.what, {done, done_in_part}) ||
                    read_body_facts(a->body, p).content != content_kind::none,
                "a result has content");
        require(r.what != unreadable || (answers_ >= 2 && !read_body_facts(a->body, p).is_json()),
                "what cannot be read was the same twice");
        require(r.what != done_empty || (answers_ >= p.settle_reads && now - first_ >= p.settle_time),
                "an empty result has settled");
        require(r.what != lost || (not_found_ >= p.lost_reads && now - first_not_found_ >= p.lost_time),
                "a lost job was asked for again and again");
        require(r.what != job_failed || (answers_ >= 2 && is_2xx(a)), "a failed job said so twice");
        require(r.what != rejected || answers_ >= 2, "a refusal was repeated");
        require(r.what != expired || r.status == 410, "only 410 is expired");
        require(r.what != wrong_base_url || !route_succeeded, "what worked before has the right address");
    }

private:
    result_history history_;
    clock::time_point first_;
    clock::time_point first_not_found_;
    int answers_ = 0;
    int not_found_ = 0;
};

class part_checker
{
public:
    explicit part_checker(operation kind) : kind_(kind) {}

    void check(exchange_result const& a, clock::time_point now)
    {
        using enum part_verdict;
        response_profile const& p = default_profile();
        part_reading const r = read_part(a, history_, p, kind_, now);
        if (!a) {
            require(one_of(r.what, {retry, stopped, misdirected, too_large, credentials_refused}),
                    "a failure to read says nothing about the part");
            require(r.what != too_large || is_too_large(a), "only what exceeds a limit is too large");
            return;
        }
        if (answers_++ == 0) first_ = now;
        require(r.what != done || (is_2xx(a) && !detail::is_blank(a->body)), "a part has bytes");
        require(r.what != done || kind_ == operation::image || read_body_facts(a->body, p).is_json(),
                "a part that is no image is JSON");
        require(r.what != absent || r.status == 410 ||
                    (answers_ >= p.settle_reads && now - first_ >= p.settle_time),
                "an absent part was asked for again and again");
    }

private:
    operation kind_;
    part_history history_;
    clock::time_point first_;
    int answers_ = 0;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    fuzz_input input(data, size);
    char const kind = input.empty() ? 's' : input.rest().front();
    result_checker result;
    part_checker part(kind == 'i' ? operation::image : operation::table);
    clock::time_point now{};
    bool route_succeeded = false;
    for (int i = 0; i != 16 && !input.empty(); ++i) {
        seen const s = take_answer(input);
        now += s.later;
        if (s.answer) check_body(s.answer->body);
        if (kind == 's')
            check_submit(s.answer);
        else if (kind == 'r')
            result.check(s.answer, now, route_succeeded);
        else
            part.check(s.answer, now);
        route_succeeded |= is_2xx(s.answer);
    }
    return 0;
}
