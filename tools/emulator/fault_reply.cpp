#include "emulator/fault_reply.hpp"

#include "emulator/answer.hpp"
#include "emulator/text.hpp"

#include <fmt/format.h>

namespace ocrpipe::emulator
{
namespace
{

constexpr std::string_view html_page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>"
                                       "<body><h1>Sign in to continue</h1></body></html>\n";

std::string retry_after(fault_rule const& rule, std::chrono::system_clock::time_point now)
{
    if (rule.after_as_date)
        return fmt::format("Retry-After: {}\r\n", http_date(now + rule.skew + rule.after));
    return fmt::format("Retry-After: {}\r\n", rule.after.count());
}

constexpr std::string_view result_of_another_job =
    R"({"data":{"request_id":"another","status":"SUCCESS","documents":[{"document_id":"1","status":"SUCCESS",)"
    R"("ocr_data":[{"name":"text","value":["of another document"]}]}]}})";

void replace_body(reply& r, int status, std::string_view type, std::string body)
{
    r.status = status;
    r.content_type = type;
    r.body = std::move(body);
    r.what = reply::event::none;
}

} // namespace

reply error_reply(int status, std::string_view message)
{
    reply r;
    r.status = status;
    r.body = answer_writer::error(status, message);
    return r;
}

reply throttled_reply(bool with_retry_after)
{
    reply r = error_reply(429, "API rate limit exceeded");
    if (with_retry_after) r.headers = "Retry-After: 1\r\n";
    return r;
}

reply gateway_forbidden()
{
    reply r;
    r.status = 403;
    r.content_type = "text/plain; charset=utf-8";
    r.body = "Forbidden";
    return r;
}

reply gateway_not_found()
{
    reply r;
    r.status = 404;
    r.body = R"({"message":"no Route matched with those values"})";
    return r;
}

reply replacement(fault_rule const& rule, std::string_view path, std::chrono::system_clock::time_point now)
{
    switch (rule.kind) {
    case fault_kind::throttle_429:
        return throttled_reply(false);
    case fault_kind::throttle_429_retry_after: {
        reply r = throttled_reply(false);
        r.headers = retry_after(rule, now);
        r.date_skew = rule.skew;
        return r;
    }
    case fault_kind::throttle_text_400:
        return error_reply(400, "ThrottlingException: rate exceeded");
    case fault_kind::error_500_before_acceptance:
        return error_reply(500, "internal server error");
    case fault_kind::error_503_retry_after: {
        reply r = error_reply(503, "service unavailable");
        r.headers = retry_after(rule, now);
        r.date_skew = rule.skew;
        return r;
    }
    case fault_kind::forbidden_403:
        return gateway_forbidden();
    case fault_kind::gateway_404:
        return gateway_not_found();
    case fault_kind::html_200: {
        reply r;
        replace_body(r, 200, "text/html; charset=utf-8", std::string(html_page));
        return r;
    }
    case fault_kind::envelope_error: {
        reply r;
        r.body =
            answer_writer::error(rule.code, rule.word.empty() ? "the request was not successful" : rule.word);
        return r;
    }
    case fault_kind::redirect_same_origin: {
        reply r;
        r.status = rule.code;
        r.headers = fmt::format("Location: {}?redirected=1\r\n", path);
        return r;
    }
    case fault_kind::redirect_other_origin: {
        reply r;
        r.status = rule.code;
        r.headers =
            fmt::format("Location: http://{}{}\r\n", rule.word.empty() ? "other.invalid" : rule.word, path);
        return r;
    }
    case fault_kind::status: {
        reply r = error_reply(rule.code, "as the fault wanted");
        if (rule.after.count() != 0) r.headers = retry_after(rule, now);
        r.date_skew = rule.skew;
        return r;
    }
    default: { // reset-before-answer
        reply r;
        r.how = delivery::reset;
        return r;
    }
    }
}

void spoil(reply& r, fault_rule const& rule, std::string_view without_id)
{
    r.ms = rule.ms;
    r.bytes = rule.bytes;
    switch (rule.kind) {
    case fault_kind::reset_after_acceptance:
        r.how = delivery::reset;
        break;
    case fault_kind::error_500_after_acceptance: {
        reply const error = error_reply(500, "internal server error");
        replace_body(r, 500, error.content_type, error.body);
        break;
    }
    case fault_kind::no_request_id:
        replace_body(r, r.status, r.content_type, std::string(without_id));
        break;
    case fault_kind::stall:
        r.how = delivery::stall;
        break;
    case fault_kind::slow_body:
        r.how = delivery::drip;
        break;
    case fault_kind::truncated_body:
        r.how = delivery::truncate;
        break;
    case fault_kind::reset_mid_body:
        r.how = delivery::reset_mid_body;
        break;
    case fault_kind::bad_json:
        replace_body(r, r.status, "application/json", r.body.substr(0, r.body.size() / 2));
        break;
    case fault_kind::bad_http:
        r.how = delivery::not_http;
        break;
    case fault_kind::empty_200:
        replace_body(r, 200, "application/json", "");
        break;
    case fault_kind::null_200:
        replace_body(r, 200, "application/json", "null");
        break;
    case fault_kind::empty_object_200:
        replace_body(r, 200, "application/json", "{}");
        break;
    case fault_kind::huge_header:
        r.how = delivery::huge_header;
        break;
    case fault_kind::huge_body:
        r.body.append(static_cast<std::size_t>(rule.bytes), ' ');
        r.what = reply::event::none;
        break;
    case fault_kind::close_keep_alive:
        r.how = delivery::close_after;
        break;
    case fault_kind::close_delimited:
        r.how = delivery::close_delimited;
        break;
    case fault_kind::gzip_unasked:
        r.how = delivery::gzip;
        break;
    case fault_kind::chunked_trailers:
        r.how = delivery::chunked;
        break;
    case fault_kind::another_job:
        replace_body(r, 200, "application/json", std::string(result_of_another_job));
        break;
    default:
        r.how = delivery::interim;
        break; // continue-100
    }
}

} // namespace ocrpipe::emulator
