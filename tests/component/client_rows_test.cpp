// Every row of the table of submits and of that of parts: what the caller is told, that each planned answer
// was given, and that no document went out again while the service might have had it.
#include "component/played_row.hpp"

using namespace ocrpipe;
using namespace ocrpipe::rows;
using std::chrono::milliseconds;

namespace
{

std::string const accepted = R"({"data":{"request_id":"r-1","file_ids":["f-1"]}})";

} // namespace

TEST_CASE("rows: submit -> each as the table says, and what may have been accepted is not sent again unasked")
{
    reply const ok = kept(says(201, accepted));
    auto const wait_limit = [](client_options& o) { o.timeouts.submit = milliseconds(150); };
    std::vector<row> rows{
        {.says = "2xx with a request_id", .answers = {kept(says(200, accepted))}},
        {.says = "2xx with a request_id", .answers = {ok}},
        {.says = "2xx with a request_id, at the top level",
         .answers = {kept(says(202, R"({"request_id":"r-1"})"))}},
        {.says = "2xx with a request_id beyond 2^53",
         .answers = {kept(says(200, R"({"data":{"request_id":9223372036854775809123}})"))},
         .id = "9223372036854775809123"},
        {.says = "failure before the first byte was written",
         .ends = errc::connect_failed,
         .reason = "3 of 3 attempts used",
         .where = phase::connect,
         .unanswered = 3},
        {.says = "429", .answers = {says(429), says(429), says(429), says(429), ok}},
        {.says = "429, Retry-After", .answers = {says(429, "", "Retry-After: 1\r\n"), ok}},
        {.says = "429, until the deadline",
         .answers = {says(429, "", "Retry-After: 3600\r\n")},
         .ends = errc::throttled,
         .reason = "throttled",
         .status = 429,
         .adjust = deadline_soon},
        {.says = "429 by its text", .answers = {says(400, throttle_text), ok}},
        {.says = "503 with Retry-After", .answers = {says(503, "", "Retry-After: 1\r\n"), ok}},
        {.says = "reset after the body went out",
         .answers = {kept(lost())},
         .ends = errc::ambiguous_submit,
         .reason = "failed after the last byte",
         .where = phase::first_byte},
        {.says = "timeout after the body went out",
         .answers = {kept(silent())},
         .ends = errc::ambiguous_submit,
         .reason = "failed after the last byte",
         .where = phase::first_byte,
         .adjust = wait_limit},
        {.says = "truncated answer in which the request_id can be seen", .answers = {kept(cut(ok))}},
        {.says = "truncated answer after the body went out",
         .answers = {kept(cut(says(201, R"({"data":{"request_id":"r-1"}})")))},
         .ends = errc::ambiguous_submit,
         .reason = "failed after the last byte",
         .where = phase::body},
        {.says = "reset, repeated only when the caller said so",
         .answers = {kept(lost()), ok},
         .permitted = true},
        {.says = "502, repeated only when the caller said so",
         .answers = {kept(says(502)), ok},
         .permitted = true},
        {.says = "500, repeated only when the caller said so",
         .answers = {kept(says(500)), ok},
         .permitted = true},
        {.says = "2xx without a request_id, repeated only when the caller said so",
         .answers = {kept(says(200, "{}")), ok},
         .permitted = true},
        {.says = "reset, then refused: what was once ambiguous stays so",
         .answers = {kept(lost()), says(400)},
         .ends = errc::ambiguous_submit,
         .where = phase::first_byte,
         .permitted = true},
        {.says = "504 every time, repeated once when the caller said so",
         .answers = {kept(says(504)), kept(says(504))},
         .ends = errc::ambiguous_submit,
         .reason = "5xx; it was sent twice",
         .status = 504,
         .permitted = true},
        {.says = "503", .answers = {html(503), html(503), html(503), html(503), ok}},
        {.says = "2xx with 503 in it", .answers = {says(200, R"({"code":503,"message":"busy"})"), ok}},
        {.says = "2xx with 429 in it", .answers = {says(200, R"({"code":429,"message":"busy"})"), ok}},
        {.says = "2xx with 400 in it",
         .answers = {says(200, R"({"code":400,"message":"invalid doc_type"})")},
         .ends = errc::rejected,
         .reason = "refused",
         .status = 400},
        {.says = "2xx with 404 in it",
         .answers = {says(200, R"({"code":404,"message":"no such flow"})")},
         .ends = errc::rejected,
         .reason = "404 in the service's own JSON",
         .status = 404},
        {.says = "413 before the body is sent",
         .answers = {early(says(413))},
         .ends = errc::rejected,
         .reason = "refused",
         .status = 413},
        {.says = "421", .answers = {says(421), ok}},
        {.says = "423", .answers = {says(423), ok}},
        {.says = "425", .answers = {says(425), ok}},
        {.says = "redirect to another origin",
         .answers = {says(307, "", "Location: http://localhost:1/ingest\r\n")},
         .ends = errc::redirect_refused,
         .reason = "redirected elsewhere",
         .where = phase::body},
        {.says = "301 to another origin",
         .answers = {kept(says(301, "", "Location: http://localhost:1/ingest\r\n"))},
         .ends = errc::ambiguous_submit,
         .reason = "redirect after the request",
         .status = 301},
        {.says = "302 on the same origin",
         .answers = {kept(says(302, "", "Location: /login\r\n"))},
         .ends = errc::ambiguous_submit,
         .reason = "redirect after the request",
         .status = 302},
        {.says = "303",
         .answers = {kept(says(303, "", "Location: /done\r\n"))},
         .ends = errc::ambiguous_submit,
         .reason = "redirect after the request",
         .status = 303},
        {.says = "302 without a place to go",
         .answers = {kept(says(302))},
         .ends = errc::ambiguous_submit,
         .reason = "redirect after the request",
         .status = 302},
        {.says = "307 without a place to go",
         .answers = {says(307)},
         .ends = errc::redirect_refused,
         .reason = "not carried out",
         .status = 307},
        {.says = "404 of a gateway", .answers = {says(404, gateway), ok}},
        {.says = "404 of a gateway, and the probe too",
         .answers = {says(404, gateway), says(404, gateway)},
         .ends = errc::wrong_base_url,
         .reason = "404 instead of the service 2 times in a row",
         .where = phase::pace},
        {.says = "404 in the service's own JSON",
         .answers = {says(404, R"({"message":"flow not found"})")},
         .ends = errc::rejected,
         .reason = "404",
         .status = 404},
        {.says = "404 in the service's own JSON",
         .answers = {says(404, R"({"message":"no such flow"})")},
         .ends = errc::rejected,
         .reason = "404 in the service's own JSON",
         .status = 404},
        {.says = "511", .answers = {html(511), ok}},
    };
    struct {
        reply answer;
        int status;
    } const without_id[] = {
        {says(200), 200},
        {says(200, "null"), 200},
        {says(200, "{}"), 200},
        {says(201, "{}"), 201},
        {says(204), 204},
        {html(), 200},
        {says(200, R"({"data":null})"), 200},
        {says(200, R"({"data":{"file_ids":["f"]}})"), 200},
        {says(200, R"({"data":{"request_id":)"), 200},
        {says(200, R"({"data":{"request_id":""}})"), 200},
        {says(200, R"({"code":400,"message":"no","request_id":"trace"})"), 200},
    };
    for (auto const& c : without_id)
        rows.push_back({.says = "2xx without a request_id",
                        .answers = {kept(c.answer)},
                        .ends = errc::ambiguous_submit,
                        .reason = "2xx without a request_id",
                        .status = c.status});
    rows.push_back({.says = "2xx with 500 in it",
                    .answers = {kept(says(200, R"({"errorCode":500,"message":"internal"})"))},
                    .ends = errc::ambiguous_submit,
                    .reason = "5xx",
                    .status = 500});
    for (int const status : {500, 502, 504})
        rows.push_back({.says = "500, 502, 504",
                        .answers = {kept(html(status))},
                        .ends = errc::ambiguous_submit,
                        .reason = "5xx",
                        .status = status});
    rows.push_back({.says = "408",
                    .answers = {kept(says(408))},
                    .ends = errc::ambiguous_submit,
                    .reason = "408",
                    .status = 408});
    for (int const status : {400, 405, 409, 410, 413, 415, 422, 426, 501, 505, 507, 508})
        rows.push_back({.says = "400, 413, 415, 422",
                        .answers = {says(status, R"({"message":"no"})")},
                        .ends = errc::rejected,
                        .reason = "refused",
                        .status = status});
    for (int const status : {401, 402, 403}) {
        reply const refused = says(status, "Forbidden", "Content-Type: text/plain\r\n");
        rows.push_back({.says = "401, 402, 403", .answers = {refused, ok}});
        rows.push_back({.says = "401, 402, 403 and the probe too",
                        .answers = {refused, refused},
                        .ends = errc::unauthorized,
                        .reason = "refused 2 times in a row",
                        .where = phase::pace});
    }
    play(rows, "", [](client& c, row const&, std::function<void(report)> done) {
        c.async_submit(submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), "INVOICE"),
                       [done](result<submitted_job> r) { done(report(std::move(r))); });
    });
}

TEST_CASE("rows: submit, three 500s in a row for a doc_type that never succeeded -> that doc_type stops, the "
          "others "
          "go on")
{
    asio::io_context ioc(1);
    std::vector<reply> plan(3, kept(says(500)));
    plan.push_back(kept(says(201, accepted)));
    for (int i = 0; i != 4; ++i)
        plan.push_back(kept(says(500)));
    row_service service(ioc, plan, false);
    client c(ioc, hurried(service.url()));
    std::vector<errc> ends;
    std::string reason;
    std::vector<std::string> const doc_types{"INVOYCE", "INVOYCE", "INVOYCE", "INVOYCE", "INVOICE",
                                             "INVOICE", "INVOICE", "INVOICE", "INVOICE", "INVOYCE"};
    std::function<void()> const next = [&] {
        if (ends.size() == doc_types.size()) return c.close(), service.stop();
        c.async_submit(submit_request(document::from_bytes("%PDF-1.4 x", "a.pdf"), doc_types[ends.size()]),
                       [&](result<submitted_job> r) {
                           ends.push_back(r ? errc::ok : static_cast<errc>(r.error().code.value()));
                           if (!r) reason = r.error().reason;
                           next();
                       });
    };
    next();
    ioc.run();
    errc const unclear = errc::ambiguous_submit;
    CHECK(ends == std::vector<errc>{unclear, unclear, unclear, errc::rejected, errc::ok, unclear, unclear,
                                    unclear, unclear, errc::rejected});
    CHECK(reason.find("nothing was sent") != std::string::npos);
    CHECK(service.posts == 8);
    CHECK(service.unplanned == 0);
}

TEST_CASE("rows: table, signature, stamp, image -> each as the table says, the request_id always there")
{
    reply const there = says(200, R"({"data":{"table":[["a","b"]]}})");
    reply const missing = says(404, unknown_id);
    auto const settles = [](client_options& o) {
        o.profile.settle_reads = 1;
        o.profile.settle_time = milliseconds(40);
    };
    auto const out_of_time = [](client_options& o) {
        o.job_deadline = milliseconds(60);
        o.profile.settle_time = milliseconds(300);
    };
    auto const deadline_before_retry_after = [](client_options& o) { o.job_deadline = milliseconds(500); };
    reply const image = says(200, "\x89PNG\r\n", "Content-Type: image/png\r\n");
    std::vector<row> rows{
        {.says = "an image", .answers = {image}, .kind = operation::image},
        {.says = "an image, empty inside the settle window",
         .answers = {says(200, "", "Content-Type: image/png\r\n"), image},
         .kind = operation::image},
        {.says = "404 after the settle window: absent",
         .answers = {missing, missing, missing},
         .ends = errc::part_absent,
         .reason = "missing beyond the settle window",
         .status = 404},
        {.says = "empty after the settle window: absent",
         .answers = {says(200, "{}"), says(204), says(200, R"({"data":{"table":[]}})")},
         .ends = errc::part_absent,
         .reason = "missing beyond the settle window",
         .status = 200},
        {.says = "404 the whole settle window: absent",
         .answers = {missing, missing},
         .ends = errc::part_absent,
         .reason = "missing beyond the settle window",
         .status = 404,
         .last_repeats = true,
         .adjust = settles},
        {.says = "404 until the deadline, inside the settle window: out of time, not absent",
         .answers = {missing},
         .ends = errc::deadline_exceeded,
         .reason = "the deadline is near",
         .status = 404,
         .adjust = out_of_time},
        {.says = "410", .answers = {says(410)}, .ends = errc::part_absent, .reason = "410", .status = 410},
        {.says = "429", .answers = {says(429), says(429), says(429), says(429), there}},
        {.says = "503 with Retry-After", .answers = {says(503, "", "Retry-After: 1\r\n"), there}},
        {.says = "Retry-After beyond the deadline, which stands still meanwhile",
         .answers = {says(429, "", "Retry-After: 1\r\n"), there},
         .adjust = deadline_before_retry_after},
        {.says = "transport error", .answers = {lost(), cut(there), there}},
        {.says = "transport error every time",
         .answers = {lost(), lost(), lost()},
         .ends = errc::connection_closed,
         .reason = "3 of 3 attempts used",
         .where = phase::first_byte},
        {.says = "HTML every time",
         .answers = {html(), html(), html()},
         .ends = errc::unexpected_answer,
         .reason = "3 of 3 attempts used",
         .status = 200},
        {.says = "not JSON though it claims to be", .answers = {says(200, R"({"data":)"), there}},
        {.says = "redirect to another origin",
         .answers = {says(302, "", "Location: http://localhost:1/x\r\n")},
         .ends = errc::redirect_refused,
         .reason = "redirected elsewhere",
         .where = phase::body},
    };
    for (operation const kind : {operation::table, operation::signature, operation::stamp}) {
        rows.push_back({.says = "there at once", .answers = {there}, .kind = kind});
        rows.push_back({.says = "404 or empty inside the settle window",
                        .answers = {missing, says(200, R"({"data":null})"), there},
                        .kind = kind});
    }
    for (int const status : {408, 409, 423, 425, 500, 502, 503, 504}) {
        reply const busy = says(status, R"({"message":"busy"})");
        rows.push_back({.says = "408, 409, 423, 425, 5xx", .answers = {busy, busy, there}});
        rows.push_back({.says = "408, 409, 423, 425, 5xx every time",
                        .answers = {busy, busy, busy},
                        .ends = errc::service_error,
                        .reason = "3 of 3 attempts used",
                        .status = status});
    }
    for (int const status : {400, 405, 413, 415, 422})
        rows.push_back({.says = "another 4xx",
                        .answers = {says(status)},
                        .ends = errc::rejected,
                        .reason = "4xx",
                        .status = status});
    for (int const status : {401, 402, 403}) {
        reply const refused = says(status, "Forbidden", "Content-Type: text/plain\r\n");
        rows.push_back({.says = "401, 402, 403", .answers = {refused, there}});
        rows.push_back({.says = "401, 402, 403 and the probe too",
                        .answers = {refused, refused},
                        .ends = errc::unauthorized,
                        .reason = "refused 2 times in a row",
                        .where = phase::pace});
    }
    play(rows, "r-1", [](client& c, row const& r, std::function<void(report)> done) {
        c.async_part(r.kind, "r-1", "d-1", [done](result<part_data> part) { done(report(std::move(part))); });
    });
}
