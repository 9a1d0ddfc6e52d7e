// Every row of the table of results: what the caller is told, and that each planned answer was given.
#include "component/played_row.hpp"

using namespace ocrpipe;
using namespace ocrpipe::rows;
using std::chrono::milliseconds;

namespace
{

/// A job's answer: status and progress as they are given, and the documents.
std::string job_json(std::string const& status, std::string const& progress, std::string const& documents)
{
    std::string members = R"("documents":[)" + documents + "]";
    if (!progress.empty()) members = R"("progress":)" + progress + "," + members;
    if (!status.empty()) members = R"("status":")" + status + R"(",)" + members;
    return R"({"data":{)" + members + "}}";
}

std::string const filled =
    R"({"document_id":"d","status":"SUCCESS","ocr_data":[{"name":"total","value":["12"]}]})";
std::string const unfilled = R"({"document_id":"d","ocr_data":null})";
std::string const failed = R"({"document_id":"e","status":"FAILED","ocr_data":null})";
std::string const all_finished = R"({"total_doc":1,"ignored":0,"finished":1})";
std::string const not_finished = R"({"total_doc":2,"ignored":0,"finished":1})";

} // namespace

TEST_CASE("rows: result -> each as the table says, the request_id always there")
{
    reply const done = says(200, job_json("COMPLETED", all_finished, filled));
    reply const pending = says(200, job_json("", not_finished, ""));
    reply const empty = says(200, job_json("COMPLETED", all_finished, unfilled));
    reply const undecided = says(200, job_json("", "", filled));
    reply const half_json = says(200, R"({"data":{"documents":[)");
    reply const other_half_json = says(200, R"({"data":{"docu)");
    auto const wait_limit = [](client_options& o) { o.timeouts.first_byte = milliseconds(150); };
    auto const settles = [](client_options& o) {
        o.profile.settle_reads = o.profile.lost_reads = 1;
        o.profile.settle_time = o.profile.lost_time = milliseconds(40);
    };
    std::vector<row> rows{
        {.says = "transport error: more of them than attempts",
         .answers = {lost(), lost(), lost(), lost(), done}},
        {.says = "transport error: no answer in time", .answers = {silent(), done}, .adjust = wait_limit},
        {.says = "short body, while others pass",
         .answers = {cut(done), cut(done), cut(done), cut(done), done},
         .others = others::meanwhile},
        {.says = "transport error, bounded by the deadline",
         .answers = {lost()},
         .ends = errc::still_processing,
         .reason = "transport failure; the deadline has passed",
         .where = phase::first_byte,
         .last_repeats = true,
         .adjust = deadline_soon},
        {.says = "short body", .answers = {cut(done), cut(done), cut(done), cut(done), done}},
        {.says = "not JSON though it claims to be",
         .answers = {half_json, other_half_json, half_json, other_half_json, done}},
        {.says = "not JSON though it claims to be, twice the same",
         .answers = {half_json, half_json},
         .ends = errc::unreadable_answer,
         .status = 200},
        {.says = "429", .answers = {says(429), says(429), says(429), says(429), done}},
        {.says = "429 by its text", .answers = {says(400, throttle_text), says(400, throttle_text), done}},
        {.says = "429 in an envelope", .answers = {says(200, R"({"code":429,"message":"x"})"), done}},
        {.says = "503 with Retry-After", .answers = {says(503, "", "Retry-After: 1\r\n"), done}},
        {.says = "pending with Retry-After", .answers = {says(202, "", "Retry-After: 1\r\n"), done}},
        {.says = "Retry-After beyond the deadline",
         .answers = {says(429, "", "Retry-After: 3600\r\n")},
         .ends = errc::still_processing,
         .reason = "the service asked to wait beyond the deadline",
         .where = phase::wait,
         .adjust = deadline_soon},
        {.says = "404, nothing on this route ever succeeded, the body is a gateway's",
         .answers = {says(404, gateway), says(404, gateway)},
         .ends = errc::wrong_base_url,
         .reason = "404 instead of the service 2 times in a row",
         .where = phase::wait},
        {.says = "404 of a gateway in an envelope",
         .answers = {says(200, R"({"code":404,"message":"no Route matched"})"),
                     says(200, R"({"code":404,"message":"no Route matched"})")},
         .ends = errc::wrong_base_url,
         .reason = "404 instead of the service 2 times in a row",
         .where = phase::wait},
        {.says = "404 of a gateway, after a success",
         .answers = {says(404, gateway), done},
         .others = others::before},
        {.says = "404 of a gateway, after this job was seen pending",
         .answers = {pending, says(404, gateway), done}},
        {.says = "404 on a young id", .answers = {says(404, unknown_id), says(404, unknown_id), done}},
        {.says = "404, three: lost, never resubmitted",
         .answers = {says(404, unknown_id), says(404, unknown_id), says(404, unknown_id)},
         .ends = errc::job_lost,
         .reason = "404 too often",
         .status = 404},
        {.says = "404, once-seen id, over the whole time: lost",
         .answers = {pending, says(404, unknown_id), says(404, unknown_id)},
         .ends = errc::job_lost,
         .reason = "404 too often",
         .status = 404,
         .last_repeats = true,
         .adjust = settles},
        {.says = "404, seen again between",
         .answers = {says(404, unknown_id), says(404, unknown_id), pending, says(404, unknown_id), done}},
        {.says = "5xx in an envelope",
         .answers = {says(200, R"({"errorCode":500,"message":"internal"})"), done}},
        {.says = "410", .answers = {says(410)}, .ends = errc::job_expired, .reason = "410", .status = 410},
        {.says = "410 in an envelope",
         .answers = {says(200, R"({"statusCode":410,"message":"gone"})")},
         .ends = errc::job_expired,
         .reason = "410",
         .status = 410},
        {.says = "other 4xx, not twice the same", .answers = {says(400), says(422), done}},
        {.says = "redirect to another origin",
         .answers = {says(302, "", "Location: http://localhost:1/x\r\n")},
         .ends = errc::redirect_refused,
         .reason = "redirected elsewhere",
         .where = phase::body},
        {.says = "HTML, then the result", .answers = {html(), html(), done}},
        {.says = "HTML: configuration error",
         .answers = {html(), html(), html()},
         .ends = errc::wrong_base_url,
         .reason = "HTML or other non-JSON; 3 of 3",
         .status = 200},
        {.says = "other non-JSON: configuration error",
         .answers = {says(200, "hello", ""), says(200, "hello", ""), says(200, "hello", "")},
         .ends = errc::wrong_base_url,
         .reason = "HTML or other non-JSON; 3 of 3",
         .status = 200},
        {.says = "HTML for one id, others were read: that document's",
         .answers = {html(), html(), html()},
         .ends = errc::unexpected_answer,
         .reason = "HTML or other non-JSON; 3 of 3",
         .status = 200,
         .last_repeats = true,
         .others = others::meanwhile},
        {.says = "progress incomplete, with partial content",
         .answers = {says(200, job_json("COMPLETED", not_finished, filled)), done}},
        {.says = "total_doc 0",
         .answers = {says(200, job_json("COMPLETED", R"({"total_doc":0,"ignored":0,"finished":0})", filled)),
                     done}},
        {.says = "terminal by ignored and finished",
         .answers = {says(200, job_json("", R"({"total_doc":2,"ignored":1,"finished":1})", filled))}},
        {.says = "done in part",
         .answers = {says(200, job_json("COMPLETED", R"({"total_doc":2,"ignored":0,"finished":2})",
                                        filled + "," + failed))},
         .how = completeness::in_part},
        {.says = "done in part by its word",
         .answers = {says(200, job_json("PARTIAL_SUCCESS", all_finished, filled))},
         .how = completeness::in_part},
        {.says = "every document failed, after a confirming read",
         .answers = {says(200, job_json("COMPLETED", all_finished, failed)),
                     says(200, job_json("COMPLETED", all_finished, failed))},
         .ends = errc::job_failed,
         .reason = "every document failed",
         .status = 200},
        {.says = "terminal before filled", .answers = {empty, empty, done}},
        {.says = "terminal, content missing: three reads",
         .answers = {empty, empty, empty},
         .how = completeness::empty},
        {.says = "terminal, content missing: the whole time",
         .answers = {empty, empty},
         .how = completeness::empty,
         .last_repeats = true,
         .adjust = settles},
        {.says = "content, no status, no progress: the same body twice", .answers = {undecided, undecided}},
        {.says = "content, no status, no progress: another body",
         .answers = {undecided, says(200, job_json("", "", R"({"ocr_data":[{"name":"a","value":["1"]}]})")),
                     undecided, undecided}},
        {.says = "content, no status, no progress: the profile says so",
         .answers = {undecided},
         .adjust = [](client_options& o) { o.profile.content_without_status_is_final = true; }},
        {.says = "unknown status, no content",
         .answers = {says(200, job_json("REVIEWING", "", unfilled)), says(200, job_json("REVIEWING", "", "")),
                     done}},
        {.says = "deadline over",
         .answers = {pending},
         .ends = errc::still_processing,
         .reason = "progress incomplete; the deadline has passed",
         .status = 200,
         .last_repeats = true,
         .adjust = deadline_soon},
    };
    for (int const status : {408, 409, 423, 425, 500, 502, 503, 504}) {
        reply const busy = says(status, R"({"message":"busy"})");
        rows.push_back({.says = "408, 409, 423, 425, 5xx", .answers = {busy, busy, busy, busy, done}});
        rows.push_back({.says = "408, 409, 423, 425, 5xx, while others pass",
                        .answers = {busy, busy, busy},
                        .ends = errc::service_error,
                        .reason = "of 3 attempts in a row used",
                        .status = status,
                        .last_repeats = true,
                        .others = others::meanwhile});
        rows.push_back({.says = "408, 409, 423, 425, 5xx, bounded by the deadline",
                        .answers = {busy},
                        .ends = errc::still_processing,
                        .reason = "the deadline has passed",
                        .status = status,
                        .last_repeats = true,
                        .adjust = deadline_soon});
    }
    for (int const status : {400, 405, 413, 415, 422}) {
        reply const refused = says(status, R"({"message":"no"})");
        rows.push_back({.says = "any other 4xx, twice the same",
                        .answers = {refused, refused},
                        .ends = errc::rejected,
                        .reason = "4xx, twice the same",
                        .status = status});
        rows.push_back({.says = "any other 4xx, once", .answers = {refused, pending, refused, done}});
    }
    for (int const status : {202, 204, 304})
        rows.push_back({.says = "202, 204, 304", .answers = {says(status), done}});
    for (char const* body :
         {"", " \n", "null", "{}", "[]", R"({"data":null})", R"({"data":{}})", R"({"message":"ok"})"})
        rows.push_back(
            {.says = "empty 200, null, {}, no data", .answers = {says(200, body), says(200, body), done}});
    for (int const status : {401, 402, 403}) {
        reply const refused = says(status, "Forbidden", "Content-Type: text/plain\r\n");
        rows.push_back({.says = "401, 402, 403", .answers = {refused, done}});
        rows.push_back({.says = "401, 402, 403 and the probe too",
                        .answers = {refused, refused},
                        .ends = errc::unauthorized,
                        .reason = "refused 2 times in a row",
                        .where = phase::wait});
    }
    for (char const* word : {"FAILED", "Error", "CANCEL", "cancelled", "REJECTED", "Expired", "STOPPED",
                             "TIMEOUT", "timeout_in_queue"}) {
        reply const said = says(200, job_json(word, "", ""));
        rows.push_back({.says = "a word for failure, and a confirming read",
                        .answers = {said, said},
                        .ends = errc::job_failed,
                        .reason = "failed, confirmed",
                        .status = 200});
        rows.push_back({.says = "a word for failure, not confirmed", .answers = {said, pending, said, done}});
    }
    for (char const* word : {"SUCCESS", "Succeeded", "COMPLETED", "done", "FINISHED", "PROCESSED"})
        rows.push_back({.says = "terminal by its word, where there is no progress",
                        .answers = {says(200, job_json(word, "", filled))}});

    play(rows, "r-1", [](client& c, row const&, std::function<void(report)> done_with) {
        c.async_wait("r-1", [done_with](result<ocr_result> r) { done_with(report(std::move(r))); });
    });
}
