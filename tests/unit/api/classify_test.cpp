// Every row of the three decision tables, by a sequence of answers as the service would give them.
#include <ocrpipe/api/classify.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

using namespace ocrpipe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace
{

exchange_result http(int status, std::string body = {}, std::string content_type = "application/json",
                     std::string retry_after = {})
{
    http_response r;
    r.status = status;
    r.body = std::move(body);
    r.content_type = std::move(content_type);
    r.retry_after = std::move(retry_after);
    return r;
}

exchange_result broken(errc code, bytes_sent sent)
{
    transport_failure f;
    f.code = code;
    f.sent = sent;
    return f;
}

/// An answer that came while the request was being sent.
exchange_result early(exchange_result answer)
{
    answer->sent = bytes_sent::some;
    return answer;
}

std::string const envoys = "upstream connect error or disconnect/reset before headers. reset reason: ";

/// An accepted submit's answer of which only the beginning came.
exchange_result broken_off(std::string begun)
{
    transport_failure f;
    f.code = errc::truncated_answer;
    f.sent = bytes_sent::all;
    f.status = 201;
    f.begun_body = std::move(begun);
    return f;
}

/// The same of an answer that came while the request was being sent.
exchange_result early_and_broken_off(int status)
{
    transport_failure f(errc::truncated_answer, phase::body, bytes_sent::some);
    f.status = status;
    return f;
}

/// An answer of which no more than its status was kept.
exchange_result too_large(int status)
{
    transport_failure f(errc::body_too_large, phase::body, bytes_sent::all);
    f.status = status;
    return f;
}

std::string const filled =
    R"([{"document_id":"d","status":"SUCCESS","ocr_data":[{"name":"total","value":["12"]}]}])";
std::string const unfilled = R"([{"document_id":"d","ocr_data":[{"name":"total","value":[]}]}])";

/// A result's JSON; empty arguments leave their member out.
std::string result_json(std::string status, std::string documents, std::string progress = {})
{
    std::string members;
    auto const add = [&members](std::string m) { members += (members.empty() ? "" : ",") + m; };
    if (!status.empty()) add(R"("status":")" + status + '"');
    if (!progress.empty()) add(R"("progress":)" + progress);
    if (!documents.empty()) add(R"("documents":)" + documents);
    return R"({"data":{)" + members + "}}";
}

/// A result that names the job it belongs to.
exchange_result of_job(std::string id, std::string status)
{
    std::string const rest = result_json(std::move(status), filled).substr(std::size(R"({"data":{)") - 1);
    return http(200, R"({"data":{"request_id":")" + id + R"(",)" + rest);
}

std::string const all_finished = R"({"total_doc":1,"ignored":0,"finished":1})";
std::string const none_finished = R"({"total_doc":1,"ignored":0,"finished":0})";

/// What a row's test says: after these answers, some time apart, this verdict by this row.
struct result_case {
    std::string_view row;
    result_verdict what;
    std::vector<exchange_result> answers;
    seconds apart{2};
    bool route_succeeded = false;
};

std::vector<result_case> result_cases()
{
    exchange_result const gateway = http(404, R"({"message":"no Route matched with those values"})");
    exchange_result const unknown_id = http(404, R"({"message":"request not found"})");
    exchange_result const empty_terminal = http(200, result_json("COMPLETED", unfilled));
    exchange_result const half =
        http(200, result_json("COMPLETED", R"([{"ocr_data":[{"value":["1"]}]},{"ocr_data":null}])"));
    exchange_result const elsewhere =
        http(200, R"({"data":{"status":"DONE","documents":[{"ocr_data":null,"note":"paid in cash"}]}})");
    exchange_result const no_status = http(200, result_json("", filled));
    exchange_result const failed = http(200, result_json("Cancelled_by_user", "[]"));
    std::string const failed_documents = R"([{"status":"FAILED","ocr_data":null}])";
    std::string const two_documents =
        R"([{"status":"SUCCESS","ocr_data":[{"value":["1"]}]},{"status":"ERROR"}])";
    exchange_result const all_failed = http(200, result_json("COMPLETED", failed_documents));
    return {
        {"redirected elsewhere",
         result_verdict::misdirected,
         {broken(errc::redirect_refused, bytes_sent::all)}},
        {"stopped", result_verdict::stopped, {broken(errc::cancelled, bytes_sent::all)}},
        {"larger than the limit", result_verdict::too_large, {too_large(0)}},
        {"larger than the limit", result_verdict::too_large, {too_large(200)}},
        {"transport failure", result_verdict::retry, {too_large(502)}},
        {"transport failure", result_verdict::retry, {broken(errc::connection_closed, bytes_sent::all)}},
        {"throttled", result_verdict::throttled, {http(429)}},
        {"throttled",
         result_verdict::throttled,
         {http(400, R"({"message":"Too Many Requests, slow down"})")}},
        {"throttled", result_verdict::throttled, {http(200, R"({"code":429,"message":"x"})")}},
        {"5xx with Retry-After", result_verdict::throttled, {http(503, "", "text/plain", "3")}},
        {"404", result_verdict::pending, {http(404, "", "text/plain", "3")}},
        {"202, 204, 304", result_verdict::pending, {http(202, "", "text/plain", "3")}},
        {"credentials refused", result_verdict::credentials_refused, {http(401)}},
        {"credentials refused", result_verdict::credentials_refused, {http(402)}},
        {"credentials refused", result_verdict::credentials_refused, {http(403, "Forbidden", "text/plain")}},
        {"gateway's 404, nothing ever succeeded", result_verdict::wrong_base_url, {gateway}},
        {"a gateway's 4xx", result_verdict::foreign, {gateway}, seconds(2), true},
        {"a gateway's 4xx", result_verdict::foreign, {http(410, "<html>Gone</html>", "text/html")}},
        {"a gateway's 4xx", result_verdict::foreign, {http(400, "bad request", "text/plain")}},
        {"a gateway's 4xx", result_verdict::foreign, {http(451, "<html>", "text/html")}},
        {"404", result_verdict::pending, {unknown_id}},
        {"404", result_verdict::pending, {unknown_id, unknown_id, unknown_id}},
        {"404 too often", result_verdict::lost, {unknown_id, unknown_id, unknown_id}, seconds(15)},
        {"404", result_verdict::pending, {unknown_id, unknown_id, http(200), unknown_id}, seconds(15)},
        {"404", result_verdict::pending, {http(404)}}, // an empty one may be the service's
        {"failed, confirmed",
         result_verdict::job_failed,
         {http(200, R"({"status":"FAILED","data":null})"), http(200, R"({"status":"FAILED","data":null})")}},
        {"no data", result_verdict::pending, {http(200, R"({"code":"PROCESSING","message":"x"})")}},
        {"no data", result_verdict::pending, {http(200, R"({"code":1})")}},
        {"a word for pending",
         result_verdict::pending,
         {http(200, result_json("PROCESSING", filled)), http(200, result_json("PROCESSING", filled))}},
        {"unknown status",
         result_verdict::pending,
         {http(200, result_json("REVIEWING", filled)), http(200, result_json("REVIEWING", filled))}},
        {"the same content over the settle window",
         result_verdict::done,
         {http(200, result_json("REVIEWING", filled)), http(200, result_json("REVIEWING", filled)),
          http(200, result_json("REVIEWING", filled))},
         seconds(5)},
        {"terminal, partly filled, settled", result_verdict::done_in_part, {half, half, half}, seconds(6)},
        {"410", result_verdict::expired, {http(410)}},
        {"408, 409, 423, 425, 5xx", result_verdict::retry, {http(408)}},
        {"408, 409, 423, 425, 5xx", result_verdict::retry, {http(423)}},
        {"408, 409, 423, 425, 5xx", result_verdict::retry, {http(502, "<html>")}},
        {"408, 409, 423, 425, 5xx",
         result_verdict::retry,
         {http(200, R"({"errorCode":500,"message":"internal"})")}},
        {"408, 409, 423, 425, 5xx", result_verdict::retry, {http(99, result_json("COMPLETED", filled))}},
        {"4xx, once", result_verdict::retry, {http(422)}},
        {"4xx, once", result_verdict::retry, {http(422), http(400)}},
        {"4xx, twice the same", result_verdict::rejected, {http(422), http(422)}},
        {"202, 204, 304", result_verdict::pending, {http(202, "{}")}},
        {"202, 204, 304", result_verdict::pending, {http(204)}},
        {"202, 204, 304", result_verdict::pending, {http(304)}},
        {"unfollowed redirect", result_verdict::misdirected, {http(300)}},
        {"empty", result_verdict::pending, {http(200, "  \n")}},
        {"HTML or other non-JSON",
         result_verdict::foreign,
         {http(200, "<html><body>login</body></html>", "text/html")}},
        {"HTML or other non-JSON", result_verdict::foreign, {http(200, "hello", "text/plain")}},
        {"not the JSON it claims to be", result_verdict::retry, {http(200, R"({"data":{"status":)")}},
        {"not the JSON it claims to be, twice the same",
         result_verdict::unreadable,
         {http(200, R"({"data":{"status":)"), http(200, R"({"data":{"status":)")}},
        {"not the JSON it claims to be",
         result_verdict::retry,
         {http(200, R"({"data":{"status":)"), http(200, R"({"data":{"stat)")}},
        {"not the JSON it claims to be", result_verdict::retry, {http(200, "{\"data\":\"\x01\"}")}},
        {"another job's", result_verdict::retry, {of_job("req-2", "COMPLETED")}},
        {"another job's", result_verdict::retry, {of_job("req-2", "FAILED"), of_job("req-2", "FAILED")}},
        {"another job's",
         result_verdict::retry,
         {http(200, R"({"request_id":"req-2",)" + result_json("COMPLETED", filled).substr(9, result_json("COMPLETED", filled).size() - 10))}},
        {"failed, to be confirmed", result_verdict::pending, {of_job("req-2", "FAILED"), failed}},
        {"terminal and filled", result_verdict::done, {of_job("req-1", "COMPLETED")}},
        {"terminal and filled",
         result_verdict::done,
         {http(200, R"({"request_id":"gateway-7",)" + result_json("COMPLETED", filled).substr(1))}},
        {"failed, to be confirmed", result_verdict::pending, {failed}},
        {"failed, confirmed", result_verdict::job_failed, {failed, failed}},
        {"failed, confirmed",
         result_verdict::job_failed,
         {failed, broken(errc::read_timeout, bytes_sent::all), failed}},
        {"failed, to be confirmed",
         result_verdict::pending,
         {failed, http(200, result_json("", "[]", none_finished)), failed}},
        {"no data", result_verdict::pending, {http(200, "null")}},
        {"no data", result_verdict::pending, {http(200, "{}")}},
        {"no data", result_verdict::pending, {http(200, R"({"data":null})")}},
        {"no data", result_verdict::pending, {http(200, R"({"message":"ok"})")}},
        {"progress incomplete", result_verdict::pending, {http(200, result_json("", "[]", none_finished))}},
        {"progress incomplete",
         result_verdict::pending,
         {http(200, result_json("", filled, R"({"total_doc":2,"ignored":0,"finished":1})"))}},
        {"progress incomplete",
         result_verdict::pending,
         {http(200, result_json("COMPLETED", filled, R"({"total_doc":0,"finished":0})"))}},
        {"terminal and filled",
         result_verdict::done,
         {http(200,
               result_json("", filled, R"({"total_doc":9,"ignored":9223372036854775807,"finished":1})"))}},
        {"terminal, content missing",
         result_verdict::pending,
         {http(200, result_json("", filled, R"({"total_doc":3,"ignored":0,"finished":3})"))}},
        {"terminal, content missing", // documents as one object
         result_verdict::pending,
         {http(200, result_json("", R"({"status":"SUCCESS","ocr_data":[{"value":["12"]}]})",
                                R"({"total_doc":3,"ignored":0,"finished":3})"))}},
        {"terminal, content missing", // under another name
         result_verdict::pending,
         {http(200, R"({"data":{"progress":{"total_doc":3,"finished":3},"files":[{"text":"Hello"}]}})")}},
        {"terminal and filled", // a map of documents cannot be counted
         result_verdict::done,
         {http(200, result_json("", R"({"a":{"text":"Hello"},"b":{"text":"world"}})",
                                R"({"total_doc":2,"ignored":0,"finished":2})"))}},
        {"terminal, fewer documents than counted, settled",
         result_verdict::done_in_part,
         {http(200, result_json("", filled, R"({"total_doc":3,"ignored":0,"finished":3})")),
          http(200, result_json("", filled, R"({"total_doc":3,"ignored":0,"finished":3})")),
          http(200, result_json("", filled, R"({"total_doc":3,"ignored":0,"finished":3})"))},
         seconds(5)},
        {"every document failed, to be confirmed", result_verdict::pending, {all_failed}},
        {"every document failed, confirmed", result_verdict::job_failed, {all_failed, all_failed}},
        {"terminal and filled, a part failed",
         result_verdict::done_in_part,
         {http(200, result_json("COMPLETED", two_documents))}},
        {"terminal and filled, a part failed",
         result_verdict::done_in_part,
         {http(200, result_json("partial_success", filled))}},
        {"terminal and filled", result_verdict::done, {http(200, result_json("completed", filled))}},
        {"terminal and filled", result_verdict::done, {http(200, result_json("", filled, all_finished))}},
        {"terminal and filled",
         result_verdict::done,
         {http(200, result_json("whatever", filled, R"({"total_doc":2,"ignored":1,"finished":1})"))}},
        {"terminal, content missing", result_verdict::pending, {empty_terminal}},
        {"terminal, content missing",
         result_verdict::pending,
         {empty_terminal, empty_terminal, empty_terminal},
         seconds(1)},
        {"terminal, content missing", result_verdict::pending, {empty_terminal, empty_terminal}, seconds(60)},
        {"terminal, content missing, settled",
         result_verdict::done_empty,
         {empty_terminal, empty_terminal, empty_terminal},
         seconds(5)},
        {"terminal and filled",
         result_verdict::done,
         {empty_terminal, http(200, result_json("COMPLETED", filled))}},
        {"content without status, twice the same", result_verdict::done, {no_status, no_status}},
        {"content without status, twice the same, a part failed",
         result_verdict::done_in_part,
         {http(200, R"({"data":{"documents":[{"status":"FAILED"},{"text":"Hello"}]}})"),
          http(200, R"({"data":{"documents":[{"status":"FAILED"},{"text":"Hello"}]}})")}},
        {"unknown status", result_verdict::pending, {no_status}},
        {"unknown status",
         result_verdict::pending,
         {no_status, http(200, result_json("", R"([{"ocr_data":[{"value":["13"]}]}])"))}},
        {"unknown status", result_verdict::pending, {http(200, result_json("REVIEWING", unfilled))}},
        {"terminal, content elsewhere, settled",
         result_verdict::done,
         {elsewhere, elsewhere, elsewhere},
         seconds(5)},
        {"terminal, content missing", result_verdict::pending, {elsewhere, elsewhere}, seconds(60)},
    };
}

} // namespace

TEST_CASE("read_result: each row of the decision table -> its verdict")
{
    response_profile const profile;
    std::set<std::string_view> rows;
    for (result_case const& c : result_cases()) {
        CAPTURE(c.row);
        CAPTURE(c.answers.size());
        result_history history;
        clock::time_point now{seconds(1000)};
        result_reading r;
        for (exchange_result const& answer : c.answers) {
            r = read_result(answer, history, profile, "Req-1", c.route_succeeded, now);
            now += c.apart;
        }
        CHECK(std::string(r.row) == std::string(c.row));
        CHECK(r.what == c.what);
        rows.insert(r.row);
    }
    CHECK(rows.size() == 40); // all but the one that the profile turns on
}

TEST_CASE("read_result: the service was seen to need a longer settle window -> empty only after that")
{
    response_profile const profile;
    exchange_result const empty_terminal = http(200, result_json("COMPLETED", unfilled));
    result_history history;
    clock::time_point now{seconds(1000)};
    auto const read = [&] {
        now += seconds(10);
        return read_result(empty_terminal, history, profile, "r", true, now, seconds(37)).what;
    };
    for (int i = 0; i != 4; ++i) // after 0, 10, 20, 30 s
        CHECK(read() == result_verdict::pending);
    CHECK(read() == result_verdict::done_empty);
}

TEST_CASE("read_result: errors and answers without data among empty ones -> the settle window goes on")
{
    response_profile const profile;
    exchange_result const empty_terminal = http(200, result_json("COMPLETED", unfilled));
    exchange_result const same = http(200, result_json("REVIEWING", filled));
    for (auto const& [answer, then] :
         {std::pair(&empty_terminal, result_verdict::done_empty), std::pair(&same, result_verdict::done)}) {
        for (exchange_result const& between :
             {http(500), http(429), http(404), http(204), http(200, "null"), http(200, "{}"),
              http(200, "<html>", "text/html"), broken(errc::connection_closed, bytes_sent::all)}) {
            result_history history;
            clock::time_point now{seconds(1000)};
            result_verdict last = result_verdict::pending;
            for (int reads = 1; last == result_verdict::pending; ++reads) {
                REQUIRE(reads <= 5);
                last = read_result(*answer, history, profile, "r", true, now, seconds(10)).what;
                now += seconds(2);
                if (last == result_verdict::pending)
                    read_result(between, history, profile, "r", true, now, seconds(10));
                now += seconds(2);
            }
            CHECK(last == then);
            CHECK(now > clock::time_point(seconds(1010)));
        }
    }
}

TEST_CASE("read_result: a shorter window than the profile's -> the profile's")
{
    exchange_result const empty_terminal = http(200, result_json("COMPLETED", unfilled));
    result_history history;
    for (int at : {1000, 1004, 1009})
        CHECK(read_result(empty_terminal, history, response_profile(), "r", true,
                          clock::time_point(seconds(at)), seconds(1))
                  .what == result_verdict::pending);
}

TEST_CASE("read_result: a job that was finished before -> one read decides, unless the job is pending")
{
    std::string const three = R"({"total_doc":3,"ignored":0,"finished":3})";
    auto const first_read = [](exchange_result const& answer) {
        result_history history;
        history.settled_before = true;
        return read_result(answer, history, response_profile(), "r", true, clock::time_point(seconds(1000)))
            .what;
    };
    CHECK(first_read(http(200, result_json("COMPLETED", unfilled))) == result_verdict::done_empty);
    CHECK(first_read(http(200, result_json("", filled, three))) == result_verdict::done_in_part);
    CHECK(first_read(http(200, result_json("COMPLETED", filled))) == result_verdict::done);
    CHECK(first_read(http(200, result_json("PROCESSING", unfilled))) == result_verdict::pending);
    CHECK(first_read(http(200, result_json("FAILED", unfilled))) == result_verdict::pending);
    CHECK(first_read(http(404)) == result_verdict::pending);
}

TEST_CASE("read_result: content without status is final when the profile says so")
{
    response_profile profile;
    profile.content_without_status_is_final = true;
    result_history history;
    CHECK(read_result(http(200, result_json("", filled)), history, profile, "r", false, {}).what ==
          result_verdict::done);
}

TEST_CASE("read_result: an answer with Retry-After that has the result in it -> the result is taken")
{
    result_history history;
    CHECK(read_result(http(200, result_json("COMPLETED", filled), "application/json", "5"), history,
                      response_profile(), "r", false, {})
              .what == result_verdict::done);
}

TEST_CASE("read_submit: a request_id that can be seen, however the answer is damaged or shaped -> accepted")
{
    std::string const deep = std::string(100, '[') + std::string(100, ']');
    for (std::string const& body :
         {std::string(R"({"data":{"request_id":"r-2","file_ids":["f1)"), // cut off
          std::string(R"({"data":[{"request_id":"r-2"}]})"),
          std::string(R"({"result":{"request_id":"r-2"}})"), std::string(R"({"result":{"requestId":"r-2"}})"),
          std::string(R"({"jobId":"r-2","status":"queued"})"), std::string(R"({"request":{"id":"r-2"}})"),
          std::string(R"({"data":{"id":"r-2","status":"PENDING"}})"),
          std::string(R"({"x":)") + deep + R"(,"request_id":"r-2"})",
          std::string("<html><request_id>r-2</request_id></html>"),
          std::string("status=accepted&request_id=r-2&x=1"), std::string("{'request_id': 'r-2'}"),
          std::string("{\"request_id\":\"r-2\",}")}) {
        CAPTURE(body);
        submitted_job job;
        CHECK(read_submit(http(200, body), response_profile(), job).what == submit_verdict::accepted);
        CHECK(job.request_id == "r-2");
    }
    for (char const* body :
         {R"({"data":{"request_id":"r-)", R"({"request_id":)", R"({"request_id":null)", "my_request_id=r-2&",
          "request_ids: r-2,", R"({"data":{"document_id":"r-2"}})", R"({"errors":[{"request_id":"r-2"}]})",
          "no request_id here", "{\"request_id\":\"r\xff\""}) {
        CAPTURE(body);
        submitted_job job;
        CHECK(read_submit(http(200, body), response_profile(), job).what == submit_verdict::ambiguous);
        CHECK(job.request_id.empty());
    }
    submitted_job job;
    CHECK(
        read_submit(http(201, R"({"answer":{"requestId":7,"fileIds":["f1","f2"]}})"), response_profile(), job)
            .what == submit_verdict::accepted);
    CHECK(job.file_ids == std::vector<std::string>{"f1", "f2"});
}

TEST_CASE("read_submit: an error code embedded in a 2xx without a request_id -> its row")
{
    struct {
        submit_verdict what;
        std::string body;
    } const cases[] = {
        {submit_verdict::rejected, R"({"code":400,"message":"invalid doc_type"})"},
        {submit_verdict::rejected, R"({"errorCode":"422","message":"no"})"},
        {submit_verdict::rejected, R"({"error":{"code":415}})"},
        {submit_verdict::rejected, R"({"code":400,"data":null})"},
        {submit_verdict::rejected, R"({"code":400,"data":{"field":"flow"}})"},
        {submit_verdict::rejected, R"({"code":404,"message":"flow not found"})"},
        {submit_verdict::rejected, R"({"code":501,"message":"no"})"},
        {submit_verdict::rejected, R"({"status":"error","result":{"x":1},"status_code":400})"},
        {submit_verdict::throttled, R"({"code":429,"message":"no"})"},
        {submit_verdict::overloaded, R"({"statusCode":503,"message":"no"})"},
        {submit_verdict::credentials_refused, R"({"code":401,"message":"no"})"},
        {submit_verdict::ambiguous, R"({"code":500,"message":"no"})"},
        {submit_verdict::ambiguous, R"({"code":502,"message":"no"})"},
        {submit_verdict::ambiguous, R"({"code":504,"message":"no"})"},
        {submit_verdict::ambiguous, R"({"code":1001,"message":"no"})"},
        {submit_verdict::ambiguous, R"({"code":400,"request_id":"trace-1"})"},
        {submit_verdict::ambiguous, R"({"code":400,"meta":{"request_id":"trace-1"}})"},
        {submit_verdict::accepted, R"({"code":400,"data":{"request_id":"r"}})"},
    };
    for (auto const& c : cases) {
        CAPTURE(c.body);
        submitted_job job;
        CHECK(read_submit(http(200, c.body), response_profile(), job).what == c.what);
    }
}

TEST_CASE("read_submit: each row of the decision table -> its verdict")
{
    struct submit_case {
        std::string_view row;
        submit_verdict what;
        exchange_result answer;
    };
    std::vector<submit_case> const cases{
        {"accepted", submit_verdict::accepted, http(200, R"({"data":{"request_id":"r"}})")},
        {"accepted", submit_verdict::accepted, http(201, R"({"request_id":"r","file_ids":["f"]})")},
        {"2xx without a request_id", submit_verdict::ambiguous, http(200, "{}")},
        {"2xx without a request_id", submit_verdict::ambiguous, http(204)},
        {"2xx without a request_id", submit_verdict::ambiguous, http(200, "<html>", "text/html")},
        {"2xx without a request_id", submit_verdict::ambiguous, http(200, R"({"success":false})")},
        {"2xx without a request_id", submit_verdict::ambiguous, early(http(200, "{}"))},
        {"broken off, with a request_id", submit_verdict::accepted,
         broken_off(R"({"data":{"request_id":"r","file_ids":["f)")},
        {"failed after the last byte", submit_verdict::ambiguous, broken_off(R"({"data":{"request_id":"r)")},
        {"failed after the last byte", submit_verdict::ambiguous, broken_off("request_id: r")},
        {"failed after the last byte", submit_verdict::ambiguous, early_and_broken_off(201)},
        {"failed before the last byte", submit_verdict::safe_to_repeat, early_and_broken_off(502)},
        {"redirected elsewhere", submit_verdict::misdirected,
         broken(errc::redirect_refused, bytes_sent::all)},
        {"stopped before the last byte", submit_verdict::stopped, broken(errc::cancelled, bytes_sent::none)},
        {"stopped before the last byte", submit_verdict::stopped,
         broken(errc::too_many_waiting, bytes_sent::none)},
        {"stopped before the last byte", submit_verdict::stopped,
         broken(errc::file_changed, bytes_sent::some)},
        {"stopped before the last byte", submit_verdict::stopped,
         broken(errc::deadline_exceeded, bytes_sent::some)},
        {"stopped before the last byte", submit_verdict::stopped,
         broken(errc::client_certificate_refused, bytes_sent::none)},
        {"failed before the last byte", submit_verdict::safe_to_repeat,
         broken(errc::connect_failed, bytes_sent::none)},
        {"failed before the last byte", submit_verdict::safe_to_repeat,
         broken(errc::write_failed, bytes_sent::some)},
        {"failed before the last byte", submit_verdict::safe_to_repeat,
         broken(errc::write_timeout, bytes_sent::some)},
        {"failed before the last byte", submit_verdict::safe_to_repeat,
         broken(errc::connection_closed, bytes_sent::some)},
        {"failed after the last byte", submit_verdict::ambiguous,
         broken(errc::connection_closed, bytes_sent::all)},
        {"failed after the last byte", submit_verdict::ambiguous, broken(errc::cancelled, bytes_sent::all)},
        {"failed after the last byte", submit_verdict::ambiguous,
         broken(errc::truncated_answer, bytes_sent::all)},
        {"throttled", submit_verdict::throttled, http(429)},
        {"throttled", submit_verdict::throttled, http(400, "rate limit exceeded", "text/plain")},
        {"503 with Retry-After", submit_verdict::throttled, http(503, "", "text/plain", "2")},
        {"credentials refused", submit_verdict::credentials_refused, http(401)},
        {"credentials refused", submit_verdict::credentials_refused, http(403, "Forbidden", "text/plain")},
        {"client certificate refused", submit_verdict::certificate_refused,
         http(400, "<html><head><title>400 No required SSL certificate was sent</title></head>",
              "text/html")},
        {"client certificate refused", submit_verdict::certificate_refused,
         http(400, "<html><head><title>400 The SSL certificate error</title></head>", "text/html")},
        {"refused", submit_verdict::rejected,
         http(400, R"({"message":"the PDF contains an SSL certificate"})")},
        {"404 in the service's own JSON", submit_verdict::rejected,
         http(404, R"({"message":"flow not found"})")},
        {"404, 511", submit_verdict::wrong_base_url, http(404)},
        {"404, 511", submit_verdict::wrong_base_url, http(404, R"({"message":"no Route matched"})")},
        {"404, 511", submit_verdict::wrong_base_url, http(404, "<html>", "text/html")},
        {"404, 511", submit_verdict::wrong_base_url, http(511, "<html>", "text/html")},
        {"421, 423, 425", submit_verdict::safe_to_repeat, http(421)},
        {"421, 423, 425", submit_verdict::safe_to_repeat, http(423)},
        {"421, 423, 425", submit_verdict::safe_to_repeat, http(425)},
        {"408", submit_verdict::ambiguous, http(408)},
        {"answered before the last byte", submit_verdict::safe_to_repeat, early(http(408))},
        {"answered before the last byte", submit_verdict::safe_to_repeat, early(http(500))},
        {"answered before the last byte", submit_verdict::safe_to_repeat, early(http(502))},
        {"2xx without a request_id", submit_verdict::ambiguous,
         http(200, R"({"code":400,"request_id":"trace-1"})")},
        {"refused", submit_verdict::rejected, http(400, R"({"message":"missing flow"})")},
        {"refused", submit_verdict::rejected, http(413)},
        {"refused", submit_verdict::rejected, http(415)},
        {"refused", submit_verdict::rejected, http(422)},
        {"refused", submit_verdict::rejected, http(409)},
        {"refused", submit_verdict::rejected, http(426)},
        {"refused", submit_verdict::rejected, http(501)},
        {"refused", submit_verdict::rejected, http(505)},
        {"refused", submit_verdict::rejected, http(507)},
        {"refused", submit_verdict::rejected, http(508)},
        {"refused", submit_verdict::rejected, early(http(413))},
        {"redirect after the request", submit_verdict::ambiguous, http(300)},
        {"redirect after the request", submit_verdict::ambiguous, http(301)},
        {"redirect after the request", submit_verdict::ambiguous, http(302)},
        {"redirect after the request", submit_verdict::ambiguous, http(303)},
        {"redirect after the request", submit_verdict::ambiguous, http(304)},
        {"redirect of a request that was not carried out", submit_verdict::misdirected, early(http(302))},
        {"redirect of a request that was not carried out", submit_verdict::misdirected, http(305)},
        {"redirect of a request that was not carried out", submit_verdict::misdirected, http(307)},
        {"redirect of a request that was not carried out", submit_verdict::misdirected, http(308)},
        {"503", submit_verdict::overloaded, http(503)},
        {"503", submit_verdict::overloaded, early(http(503))},
        {"503", submit_verdict::overloaded, http(503, "no healthy upstream", "text/plain")},
        {"503", submit_verdict::overloaded, http(503, envoys + "connection failure", "text/plain")},
        {"503", submit_verdict::overloaded, http(503, envoys + "overflow", "text/plain")},
        {"503 after the request was forwarded", submit_verdict::ambiguous,
         http(503, envoys + "connection termination", "text/plain")},
        {"5xx", submit_verdict::ambiguous, http(500)},
        {"5xx", submit_verdict::ambiguous, http(502)},
        {"5xx", submit_verdict::ambiguous, http(504)},
        {"5xx", submit_verdict::ambiguous, http(99, R"({"request_id":"r"})")},
        {"5xx", submit_verdict::ambiguous, http(600)},
    };
    std::set<std::string_view> rows;
    for (submit_case const& c : cases) {
        CAPTURE(c.row);
        submitted_job job;
        submit_reading const r = read_submit(c.answer, response_profile(), job);
        CHECK(std::string(r.row) == std::string(c.row));
        CHECK(r.what == c.what);
        CHECK((r.what == submit_verdict::accepted) == !job.request_id.empty());
        rows.insert(r.row);
    }
    CHECK(rows.size() == 22);
}

TEST_CASE("read_submit: a request_id beyond 2^53, as a number -> every digit is kept")
{
    submitted_job job;
    CHECK(read_submit(
              http(200, R"({"data":{"request_id":9223372036854775809123,"file_ids":[18014398509481985]}})"),
              response_profile(), job)
              .what == submit_verdict::accepted);
    CHECK(job.request_id == "9223372036854775809123");
    CHECK(job.file_ids == std::vector<std::string>{"18014398509481985"});
}

TEST_CASE("read_part: each row of the table -> its verdict")
{
    struct part_case {
        std::string_view row;
        part_verdict what;
        operation kind;
        std::vector<exchange_result> answers;
        seconds apart{2};
    };
    std::string const table = R"({"data":{"table":[["a","b"]]}})";
    std::vector<part_case> const cases{
        {"redirected elsewhere",
         part_verdict::misdirected,
         operation::table,
         {broken(errc::redirect_refused, bytes_sent::all)}},
        {"stopped", part_verdict::stopped, operation::table, {broken(errc::client_closed, bytes_sent::none)}},
        {"larger than the limit", part_verdict::too_large, operation::image, {too_large(200)}},
        {"transport failure", part_verdict::retry, operation::image, {too_large(500)}},
        {"transport failure",
         part_verdict::retry,
         operation::table,
         {broken(errc::read_timeout, bytes_sent::all)}},
        {"throttled", part_verdict::throttled, operation::table, {http(429)}},
        {"credentials refused", part_verdict::credentials_refused, operation::table, {http(403)}},
        {"missing", part_verdict::pending, operation::table, {http(200, R"({"success":true})")}},
        {"missing",
         part_verdict::pending,
         operation::table,
         {http(200, R"({"data":{"request_id":"r","table":[]}})")}},
        {"missing", part_verdict::pending, operation::table, {http(404)}},
        {"missing", part_verdict::pending, operation::table, {http(200, R"({"data":{"table":[]}})")}},
        {"missing", part_verdict::pending, operation::image, {http(200, "", "image/png")}},
        {"missing", part_verdict::pending, operation::table, {http(404), http(404), http(404)}},
        {"missing beyond the settle window",
         part_verdict::absent,
         operation::table,
         {http(404), http(200, "{}"), http(404)},
         seconds(6)},
        {"410", part_verdict::absent, operation::table, {http(410)}},
        {"a gateway's 4xx", part_verdict::retry, operation::table, {http(410, "<html>", "text/html")}},
        {"a gateway's 4xx", part_verdict::retry, operation::table, {http(400, "<html>", "text/html")}},
        {"408, 409, 423, 425, 5xx", part_verdict::retry, operation::table, {http(500)}},
        {"408, 409, 423, 425, 5xx", part_verdict::retry, operation::table, {http(99, table)}},
        {"4xx", part_verdict::rejected, operation::table, {http(400)}},
        {"unfollowed redirect", part_verdict::misdirected, operation::table, {http(302)}},
        {"image", part_verdict::done, operation::image, {http(200, "\x89PNG....", "image/png")}},
        {"HTML or other non-JSON", part_verdict::retry, operation::image, {http(200, "<html>", "text/html")}},
        {"HTML or other non-JSON", part_verdict::retry, operation::table, {http(200, "{\"data\":")}},
        {"content", part_verdict::done, operation::table, {http(200, table)}},
        {"content", part_verdict::done, operation::table, {http(404), http(200, table)}},
    };
    std::set<std::string_view> rows;
    for (part_case const& c : cases) {
        CAPTURE(c.row);
        part_history history;
        clock::time_point now{seconds(1000)};
        part_reading r;
        for (exchange_result const& answer : c.answers) {
            r = read_part(answer, history, response_profile(), c.kind, now);
            now += c.apart;
        }
        CHECK(std::string(r.row) == std::string(c.row));
        CHECK(r.what == c.what);
        rows.insert(r.row);
    }
    CHECK(rows.size() == 16);
}
