#include "emulator/service.hpp"

#include "emulator/fault_reply.hpp"
#include "emulator/mix.hpp"
#include "emulator/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

namespace ocrpipe::emulator
{
namespace
{

constexpr std::string_view tenant_prefix = "/maas/user-";
constexpr std::string_view api_prefix = "greennode/idp/v1/ocr/";

std::uint64_t fresh_nonce()
{
    std::random_device device;
    return mix(device(), device());
}

/// Removes the scheme and authority that a request through a proxy carries.
std::string_view origin_form(std::string_view target)
{
    auto const scheme = target.find("://");
    if (target.starts_with('/') || scheme == std::string_view::npos) return target;
    auto const path = target.find('/', scheme + 3);
    return path == std::string_view::npos ? "/" : target.substr(path);
}

std::string_view value_of(std::vector<form_part> const& parts, std::string_view name)
{
    for (auto const& part : parts)
        if (part.name == name) return part.content;
    return {};
}

} // namespace

service::service(emulator_options const& options, std::function<void(std::function<void()>)> post)
    : options_(options)
    , authorization_("Bearer " + options.api_key)
    , writer_(options.shape, fresh_nonce())
    , faults_(options.faults, options.seed)
    , workers_(options.workers)
    , submit_limit_(options.submits_per_second)
    , poll_limit_(options.polls_per_second)
    , log_(options.truth_log)
{
    if (options.readers)
        readers_ = std::make_unique<reader_pool>(
            options.readers, options.reader_threads,
            [this, post = std::move(post)](std::uint32_t job, reader_pool::outcome found) {
                post([this, job, found = std::move(found)] { take_reading(job, found); });
            });
}

service::~service() = default;

bool service::connected()
{
    counters_.connections += 1;
    auto const rule = faults_.take(fault_stage::connection, route_any, counters_.connections);
    if (rule) faults_.happened(*rule);
    return rule.has_value();
}

std::optional<reply> service::on_header(std::string_view method, std::string_view target)
{
    if (method != "POST" || !origin_form(target).ends_with("/ocr/ingest")) return {};
    headers_ += 1;
    auto const rule = faults_.take(fault_stage::header, route_submit, headers_);
    if (!rule) return {};
    fault_rule const& wanted = faults_[*rule];
    reply r = too_large();
    if (wanted.kind == fault_kind::reset_during_upload) {
        r.how = delivery::reset_upload;
        r.bytes = wanted.bytes;
    }
    r.fault = rule;
    return r;
}

reply service::too_large()
{
    reply r = error_reply(413, "the request body is too large");
    r.how = delivery::early;
    return r;
}

reply service::answer(request const& r, clock::time_point now)
{
    counters_.requests += 1;
    counters_.body_bytes += r.body.size();
    std::string_view const target = origin_form(r.target);
    std::string_view const path = target.substr(0, target.find('?'));
    bool const redirected = target.find("?redirected=1") != std::string_view::npos;

    if (!path.starts_with(tenant_prefix)) return gateway_not_found();
    std::string_view rest = path.substr(tenant_prefix.size());
    auto const slash = rest.find('/');
    if (slash == std::string_view::npos || !rest.substr(slash + 1).starts_with(api_prefix))
        return gateway_not_found();
    bool const right_tenant = rest.substr(0, slash) == options_.portal_user_id;
    if (!right_tenant || r.authorization != authorization_ || r.portal_user_id != options_.portal_user_id)
        return gateway_forbidden();
    rest.remove_prefix(slash + 1 + api_prefix.size());

    auto const segments = split(rest, '/');
    if (segments[0] == "ingest") {
        if (r.method == "POST" && segments.size() == 1) return submit(r, path, redirected, now);
        if (r.method == "GET" && segments.size() == 2)
            return poll(percent_decode(segments[1]), path, redirected, now);
        if (r.method == "GET" && segments.size() == 4) {
            std::string_view const kind = segments[1];
            if (kind == "table" || kind == "signature" || kind == "stamp" || kind == "file")
                return part(kind, percent_decode(segments[2]), percent_decode(segments[3]), path, redirected,
                            now);
        }
    }
    return error_reply(501, fmt::format("the emulator does not know {} {}", r.method, rest));
}

std::optional<reply> service::check(upload const& u) const
{
    auto const missing = [](std::string_view field) {
        return error_reply(400, fmt::format("missing required field: {}", field));
    };
    if (u.flow.empty()) return missing("flow");
    if (u.file_type.empty()) return missing("file_type");
    if (u.file_type != "PDF" && u.file_type != "IMAGE")
        return error_reply(400, "file_type must be PDF or IMAGE");
    if (u.flow == "single" && u.doc_type.empty()) return missing("doc_type");
    if (u.file == nullptr || !u.file->file_name || u.file->content.empty()) return missing("file");
    if (u.flow != "single") return {};
    auto const& known = options_.doc_types;
    bool const exists = known.empty() ? !u.doc_type.starts_with("UNKNOWN")
                                      : std::find(known.begin(), known.end(), u.doc_type) != known.end();
    // Observed: not a 4xx, as the guide says.
    if (!exists) return error_reply(500, "internal server error");
    return {};
}

reply service::submit(request const& r, std::string_view path, bool redirected, clock::time_point now)
{
    counters_.submits += 1;
    if (!submit_limit_.admit(now)) {
        counters_.throttled += 1;
        return throttled_reply(options_.limit_with_retry_after);
    }
    auto const form = parse_form(r.content_type, r.body);
    if (!form) return error_reply(400, form.error().reason);
    upload u;
    u.flow = value_of(*form, "flow");
    u.doc_type = value_of(*form, "doc_type");
    u.file_type = value_of(*form, "file_type");
    for (auto const& part : *form)
        if (part.name == "file" && u.file == nullptr) u.file = &part;
    if (auto refused = check(u)) return std::move(*refused);
    if (readers_ && readers_->full(u.file->content.size())) return throttled_reply(true);

    sha256_digest const digest = sha256(u.file->content);
    std::uint32_t const document =
        jobs_.document(digest, *u.file->file_name, u.file->content.size(), u.doc_type);
    document_record& d = jobs_.doc(document);
    d.submits += 1;
    std::uint64_t const key = mix(key_of(digest), d.submits);
    if (auto spoilt = spoilt_before(route_submit, key, path, redirected)) return std::move(*spoilt);

    std::uint32_t const job = jobs_.accept(document, now);
    counters_.jobs += 1;
    job_record& j = jobs_.job(job);
    std::uint64_t const job_key = key_of_job(j);
    j.fault = faults_.take(fault_stage::job, route_any, job_key);
    auto const latency = options_.latency.of(job_key);
    j.ready = readers_ ? now + latency : workers_.done(now, latency);
    if (log_.enabled())
        log_.write("accepted",
                   {{"request_id", writer_.ids().request_id(job)},
                    {"ready_in_ms",
                     std::to_string(std::chrono::duration<double, std::milli>(j.ready - now).count())},
                    {"sha256", to_hex(digest)},
                    {"file_name", d.file_name},
                    {"size", std::to_string(d.size)},
                    {"flow", u.flow},
                    {"doc_type", u.doc_type},
                    {"file_type", u.file_type},
                    {"attempt", std::to_string(d.submits)}});
    if (readers_) readers_->put(job, std::string(u.file->content));

    reply answer;
    answer.status = writer_.shape().submit_status;
    answer.body = writer_.submitted(job);
    answer.what = reply::event::acceptance;
    answer.job = job;
    spoil_after(answer, route_submit, key);
    return answer;
}

std::optional<reply> service::spoilt_before(unsigned route, std::uint64_t key, std::string_view path,
                                            bool redirected)
{
    // What was redirected has met its fault already; without this a redirect without a count would never end.
    if (redirected) return {};
    auto const rule = faults_.take(fault_stage::before_acceptance, route, key);
    if (!rule) return {};
    reply r = replacement(faults_[*rule], path, std::chrono::system_clock::now());
    r.fault = rule;
    return r;
}

void service::spoil_after(reply& r, unsigned route, std::uint64_t key)
{
    if (r.fault) return;
    auto const rule = faults_.take(fault_stage::after_acceptance, route, key);
    if (!rule) return;
    spoil(r, faults_[*rule], writer_.without_request_id());
    r.fault = rule;
}

std::uint32_t* service::delivery_counter(reply const& r)
{
    if (r.what == reply::event::none || !arrives_whole(r.how)) return nullptr;
    document_record& d = jobs_.doc(jobs_.job(r.job).document);
    return r.what == reply::event::acceptance ? &d.acceptances_sent : &d.results_delivered;
}

void service::count_fault(reply const& r)
{
    if (!r.fault) return;
    bool const of_job = info(faults_[*r.fault].kind).stage == fault_stage::job;
    if (of_job && std::exchange(jobs_.job(r.job).fault_seen, true)) return;
    faults_.happened(*r.fault);
}

void service::count_delivery(reply const& r)
{
    if (auto* const counter = delivery_counter(r)) *counter += 1;
}

void service::uncount_delivery(reply const& r)
{
    if (auto* const counter = delivery_counter(r)) *counter -= 1;
}

void service::log_sent(reply const& r)
{
    if (!log_.enabled() || delivery_counter(r) == nullptr) return;
    log_.write(r.what == reply::event::acceptance ? "acceptance_sent" : "result_delivered",
               {{"request_id", writer_.ids().request_id(r.job)}});
}

} // namespace ocrpipe::emulator
