#include "emulator/fault.hpp"

#include "emulator/mix.hpp"
#include "emulator/text.hpp"

#include <fmt/format.h>

#include <array>

namespace ocrpipe::emulator
{
namespace
{

using enum fault_kind;
using enum fault_stage;

constexpr std::array catalogue{
    fault_info{refuse_connection, "refuse-connection", listener, 0, takes_ms, "ms=500",
               "the port is taken but nobody listens for the first ms"},
    fault_info{reset_on_accept, "reset-on-accept", connection, 0, 0, "",
               "a connection is reset right after accept"},
    fault_info{early_413, "early-413", header, route_submit, 0, "",
               "413 and the connection closes before the body is read"},
    fault_info{reset_during_upload, "reset-during-upload", header, route_submit, takes_bytes, "bytes=1000",
               "the connection is reset once that many bytes of the body arrived"},
    fault_info{reset_before_answer, "reset-before-answer", before_acceptance, route_any, 0, "",
               "the request is read, nothing is accepted, the connection is reset"},
    fault_info{throttle_429, "throttle-429", before_acceptance, route_any, 0, "", "429 without Retry-After"},
    fault_info{throttle_429_retry_after, "throttle-429-retry-after", before_acceptance, route_any,
               takes_after, "after=1",
               "429 with Retry-After (form=date: as an HTTP-date, skew: of our own Date)"},
    fault_info{throttle_text_400, "throttle-text-400", before_acceptance, route_any, 0, "",
               "400 whose text speaks of throttling"},
    fault_info{error_500_before_acceptance, "error-500-before-acceptance", before_acceptance, route_submit, 0,
               "", "500, and the document was not accepted"},
    fault_info{error_503_retry_after, "error-503-retry-after", before_acceptance, route_any, takes_after,
               "after=1", "503 with Retry-After"},
    fault_info{forbidden_403, "forbidden-403", before_acceptance, route_any, 0, "",
               "403 with the gateway's nine bytes, as if the key were revoked"},
    fault_info{gateway_404, "gateway-404", before_acceptance, route_any, 0, "",
               "404 with the gateway's body, as if the base path were wrong"},
    fault_info{html_200, "html-200", before_acceptance, route_any, 0, "", "200 with an HTML page"},
    fault_info{envelope_error, "envelope-error", before_acceptance, route_any, takes_code | takes_word,
               "code=500", "200 whose JSON says that it is an error with that code"},
    fault_info{redirect_same_origin, "redirect-same-origin", before_acceptance, route_any, takes_code,
               "code=307", "a redirect to the same path on the same origin, which then works"},
    fault_info{redirect_other_origin, "redirect-other-origin", before_acceptance, route_any,
               takes_code | takes_word, "code=307",
               "a redirect to another origin (word=host or host%3Aport)"},
    fault_info{fault_kind::status, "status", before_acceptance, route_any, takes_code | takes_after,
               "code=502", "any HTTP status with a small JSON body (after: with Retry-After)"},
    fault_info{reset_after_acceptance, "reset-after-acceptance", after_acceptance, route_submit, 0, "",
               "the document is accepted, then the connection is reset"},
    fault_info{error_500_after_acceptance, "error-500-after-acceptance", after_acceptance, route_submit, 0,
               "", "the document is accepted, the answer is 500"},
    fault_info{no_request_id, "no-request-id", after_acceptance, route_submit, 0, "",
               "the document is accepted, the answer is 2xx without a request_id"},
    fault_info{stall, "stall", after_acceptance, route_any, takes_ms, "ms=60000",
               "the answer begins only after ms"},
    fault_info{slow_body, "slow-body", after_acceptance, route_any, takes_ms, "ms=2000",
               "the body drips over ms in sixteen pieces"},
    fault_info{truncated_body, "truncated-body", after_acceptance, route_any, takes_bytes, "bytes=10",
               "the connection closes after that many bytes of the body"},
    fault_info{reset_mid_body, "reset-mid-body", after_acceptance, route_any, takes_bytes, "bytes=10",
               "the connection is reset after that many bytes of the body"},
    fault_info{bad_json, "bad-json", after_acceptance, route_any, 0, "",
               "half of the JSON, with a matching length"},
    fault_info{bad_http, "bad-http", after_acceptance, route_any, 0, "", "bytes that are not HTTP"},
    fault_info{empty_200, "empty-200", after_acceptance, route_any, 0, "", "200 without a body"},
    fault_info{null_200, "null-200", after_acceptance, route_any, 0, "", "200 with the JSON null"},
    fault_info{empty_object_200, "empty-object-200", after_acceptance, route_any, 0, "",
               "200 with the JSON {}"},
    fault_info{huge_header, "huge-header", after_acceptance, route_any, takes_bytes, "bytes=131072",
               "a header field of that many bytes"},
    fault_info{huge_body, "huge-body", after_acceptance, route_any, takes_bytes, "bytes=104857600",
               "the true JSON is followed by that many blanks"},
    fault_info{close_keep_alive, "close-keep-alive", after_acceptance, route_any, 0, "",
               "the answer promises keep-alive, then the connection closes"},
    fault_info{close_delimited, "close-delimited", after_acceptance, route_any, 0, "",
               "no length: the body ends where the connection does"},
    fault_info{gzip_unasked, "gzip-unasked", after_acceptance, route_any, 0, "",
               "the body is compressed unasked"},
    fault_info{chunked_trailers, "chunked-trailers", after_acceptance, route_any, 0, "",
               "the body comes in chunks with trailers"},
    fault_info{continue_100, "continue-100", after_acceptance, route_any, 0, "",
               "100 and 103 come before the answer"},
    fault_info{another_job, "another-job", after_acceptance, route_result, 0, "",
               "the finished result of another job, which it names"},
    fault_info{endless_pending, "endless-pending", job, 0, 0, "", "the job never ends"},
    fault_info{terminal_before_filled, "terminal-before-filled", job, 0, takes_polls, "polls=1",
               "the status is terminal for that many polls before the content is there"},
    fault_info{empty_result, "empty-result", job, 0, 0, "", "the job ends and truly has no content"},
    fault_info{job_failed, "job-failed", job, 0, takes_word, "word=FAILED", "the job ends with that status"},
    fault_info{document_failed, "document-failed", job, 0, takes_word, "word=FAILED",
               "the file has two documents, and the second ends with that status"},
    fault_info{unknown_status, "unknown-status", job, 0, takes_polls | takes_word, "polls=1:word=REVIEWING",
               "a status word nobody knows, without content, for that many polls"},
    fault_info{total_doc_zero, "total-doc-zero", job, 0, takes_polls, "polls=1",
               "a progress of 0 documents for that many polls"},
    fault_info{not_found_young, "not-found-young", job, 0, takes_polls, "polls=1", "404 for the first polls"},
    fault_info{lost_404, "lost-404", job, 0, 0, "", "404 for ever"},
    fault_info{gone_410, "gone-410", job, 0, 0, "", "410 for ever"},
    fault_info{part_absent, "part-absent", job, 0, 0, "", "the job ends, but its parts answer 404"},
};

constexpr bool in_order()
{
    for (std::size_t i = 0; i != catalogue.size(); ++i)
        if (static_cast<std::size_t>(catalogue[i].kind) != i) return false;
    return catalogue.size() == static_cast<std::size_t>(part_absent) + 1;
}
static_assert(in_order(), "the catalogue must list every fault_kind in the order of the enumeration");

/// Reads one `key=value` into the rule; returns what is wrong, or nothing.
std::optional<failure> set_parameter(fault_rule& rule, std::string_view key, std::string_view value)
{
    auto const& about = info(rule.kind);
    auto const understood = [&](unsigned bit) { return (about.parameters & bit) != 0; };
    auto const number = [&](double least, double most, auto store) -> std::optional<failure> {
        auto const n = parse_number(value, least, most);
        if (!n) return invalid(fmt::format("{}: {}", key, n.error().reason));
        store(*n);
        return {};
    };
    if (key == "count" && about.stage != listener)
        return number(1, 1e15, [&](double n) { rule.count = static_cast<std::uint64_t>(n); });
    if (key == "p" && about.stage != listener) return number(0, 1, [&](double n) { rule.p = n; });
    if (key == "route") {
        unsigned const route = value == "submit"   ? route_submit
                               : value == "result" ? route_result
                               : value == "part"   ? route_part
                               : value == "any"    ? about.routes
                                                   : 0u;
        if ((route & about.routes) == 0 || (route & ~about.routes) != 0)
            return invalid(fmt::format("'{}' is no route of {}", value, about.name));
        rule.routes = route;
        return {};
    }
    if (key == "ms" && understood(takes_ms)) {
        auto const time = parse_duration(value);
        if (!time) return time.error();
        rule.ms = *time;
        return {};
    }
    if (key == "bytes" && understood(takes_bytes))
        return number(0, 1e9, [&](double n) { rule.bytes = static_cast<std::uint64_t>(n); });
    if (key == "polls" && understood(takes_polls))
        return number(1, 1e9, [&](double n) { rule.polls = static_cast<std::uint32_t>(n); });
    if (key == "code" && understood(takes_code)) {
        bool const embedded = rule.kind == envelope_error;
        return number(embedded ? 1 : 200, embedded ? 1e9 : 599,
                      [&](double n) { rule.code = static_cast<int>(n); });
    }
    if (understood(takes_after)) {
        if (key == "after")
            return number(0, 86'400,
                          [&](double n) { rule.after = std::chrono::seconds(static_cast<int>(n)); });
        if (key == "skew")
            return number(-1e6, 1e6,
                          [&](double n) { rule.skew = std::chrono::seconds(static_cast<int>(n)); });
        if (key == "form" && (value == "date" || value == "seconds")) {
            rule.after_as_date = value == "date";
            return {};
        }
    }
    if (key == "word" && understood(takes_word)) {
        rule.word = percent_decode(value);
        return {};
    }
    return invalid(fmt::format("'{}={}' is nothing {} understands", key, value, about.name));
}

std::optional<failure> set_parameters(fault_rule& rule, std::vector<std::string_view> const& parts,
                                      std::size_t first)
{
    for (std::size_t i = first; i < parts.size(); ++i) {
        auto const equals = parts[i].find('=');
        if (equals == std::string_view::npos)
            return invalid(fmt::format("'{}' is not of the form key=value", parts[i]));
        if (auto wrong = set_parameter(rule, parts[i].substr(0, equals), parts[i].substr(equals + 1)))
            return wrong;
    }
    return {};
}

} // namespace

std::span<fault_info const> fault_catalogue() noexcept { return catalogue; }

fault_info const& info(fault_kind kind) noexcept { return catalogue[static_cast<std::size_t>(kind)]; }

result<fault_rule> parse_fault(std::string_view text)
{
    auto const parts = split(text, ':');
    for (auto const& about : catalogue) {
        if (about.name != parts[0]) continue;
        fault_rule rule;
        rule.kind = about.kind;
        rule.routes = about.routes;
        rule.text = text;
        if (!about.defaults.empty())
            if (auto wrong = set_parameters(rule, split(about.defaults, ':'), 0)) return *wrong;
        if (auto wrong = set_parameters(rule, parts, 1)) return *wrong;
        return rule;
    }
    return invalid(fmt::format("'{}' is no fault: --list-faults lists them", parts[0]));
}

fault_plan::fault_plan(std::vector<fault_rule> rules, std::uint64_t seed) : seed_(seed)
{
    for (auto& rule : rules)
        add(std::move(rule));
}

std::optional<std::size_t> fault_plan::take(fault_stage stage, unsigned route, std::uint64_t key)
{
    for (std::size_t i = 0; i != entries_.size(); ++i) {
        entry& e = entries_[i];
        auto const& about = info(e.rule.kind);
        if (about.stage != stage || (about.routes != 0 && (e.rule.routes & route) == 0)) continue;
        if (e.rule.count != 0 && e.taken == e.rule.count) continue;
        if (e.rule.p < 1 && unit_interval(mix(mix(seed_, i + 1), key)) >= e.rule.p) continue;
        e.taken += 1;
        return i;
    }
    return {};
}

std::vector<fault_account> fault_plan::accounts() const
{
    std::vector<fault_account> out;
    for (auto const& e : entries_)
        out.push_back({e.rule.text, e.rule.count == 0 ? 1 : e.rule.count, e.happened});
    return out;
}

} // namespace ocrpipe::emulator
