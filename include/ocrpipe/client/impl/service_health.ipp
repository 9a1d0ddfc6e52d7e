#ifndef OCRPIPE_CLIENT_IMPL_SERVICE_HEALTH_IPP
#define OCRPIPE_CLIENT_IMPL_SERVICE_HEALTH_IPP

#include <ocrpipe/client/detail/service_health.hpp>
#include <ocrpipe/pace/retry_after.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace ocrpipe::detail
{

inline std::string reason_of(transport_failure const& f)
{
    std::string what = (f.cause ? f.cause : f.code).message();
    return f.detail.empty() ? what : fmt::format("{} ({})", what, f.detail);
}

OCRPIPE_DECL service_health::service_health(pace_options const& options)
    : max_outage_(options.max_outage)
    , gates_{probe_gate({options.max_auth_refusals, std::chrono::seconds(30), options.first_alone}),
             probe_gate({options.max_auth_refusals, std::chrono::seconds(30), options.first_alone}),
             probe_gate({options.max_auth_refusals, std::chrono::seconds(30), options.first_alone})}
    , outage_({0, std::chrono::seconds(10), false})
    // The probe of a submit is a document, which may be left ambiguous.
    , troubles_{trouble_gate(std::chrono::seconds(30)), trouble_gate(std::chrono::seconds(10)),
                trouble_gate(std::chrono::seconds(10))}
{
}

OCRPIPE_DECL service_health::permission service_health::ask(request const& r, clock::time_point now) const
{
    bool is_probe = false;
    clock::time_point until = now;
    auto const heed = [&](probe_gate const& g, bool is_suspect) {
        probe_gate::decision const d = g.ask(now, is_suspect);
        is_probe |= d == probe_gate::decision::probe;
        if (d == probe_gate::decision::wait) until = std::max(until, g.check_at(now, is_suspect));
    };
    if (is_refused(r.kind)) return {decision::refuse, {}, refusals_[static_cast<std::size_t>(r.kind)].code};
    heed(gate(r.kind), r.is_suspect);
    bool is_read = gate(r.kind).is_paused();
    if (r.is_patient) {
        if (is_too_long(r, now)) return {decision::refuse, {}, errc::service_unavailable};
        heed(outage_, false);
        heed(trouble(r.kind).probes(), r.has_failed);
        is_read |= outage_.is_paused() || (r.kind == lane::poll && is_in_trouble(r.kind));
        if (waits_for_reads(r)) {
            is_read = true;
            if (known_good_.empty())
                until = std::max(until, now + std::chrono::milliseconds(250));
            else
                heed(trouble(lane::poll).probes(), false);
        }
        // Usually the first read is only a matter of milliseconds.
        bool const is_new = now < unread_since_ + std::chrono::seconds(1);
        if (r.kind == lane::submit && wants_a_read())
            until = std::max(until, now + std::chrono::milliseconds(is_new ? 5 : 250));
    }
    if (until > now) return {decision::wait, until};
    if (is_probe && is_read && !known_good_.empty())
        return {decision::read, now + std::chrono::milliseconds(50)};
    return {is_probe ? decision::probe : decision::send};
}

OCRPIPE_DECL bool service_health::is_too_long(request const& r, clock::time_point now) const noexcept
{
    auto const beyond = [&](clock::time_point since, bool was_good) {
        auto const limit = max_outage_.count() > 0 || was_good ? max_outage_ : first_outage;
        return limit.count() > 0 && now - since > limit;
    };
    if (outage_.is_paused() && beyond(outage_since_, was_reached_)) return true;
    auto const is_troubled = [&](lane kind, bool was_good) {
        return is_in_trouble(kind) && beyond(trouble(kind).since(), was_good);
    };
    bool const reads_were_good = was_read_ || !known_good_.empty();
    if (r.kind == lane::part && is_troubled(lane::part, true)) return true;
    if (r.kind == lane::submit && is_troubled(lane::submit, accepts_documents_)) return true;
    if ((r.kind == lane::poll || waits_for_reads(r)) && is_troubled(lane::poll, reads_were_good)) return true;
    if (asks_too_much(now)) return true;
    bool const is_blocked = r.kind == lane::submit && wants_a_read();
    return is_blocked && (!r.jobs_wait || beyond(unread_since_, was_read_));
}

OCRPIPE_DECL void service_health::begin_probe(request const& r, clock::time_point now)
{
    gate(r.kind).begin_probe(now);
    if (r.is_patient && outage_.is_paused()) outage_.begin_probe(now);
    if (r.is_patient && is_in_trouble(r.kind)) trouble(r.kind).probes().begin_probe(now);
}

OCRPIPE_DECL void service_health::begin_read(request const& r, clock::time_point now)
{
    gate(r.kind).begin_probe(now);
    if (!r.is_patient) return;
    if (outage_.is_paused()) outage_.begin_probe(now);
    if (is_in_trouble(lane::poll)) trouble(lane::poll).probes().begin_probe(now);
}

OCRPIPE_DECL void service_health::probe_ended(request const& r)
{
    gate(r.kind).probe_ended();
    if (!r.is_patient) return;
    outage_.probe_ended();
    trouble(r.kind).probes().probe_ended();
}

OCRPIPE_DECL void service_health::note(request const& r, bool was_probe, exchange_result const& answer,
                                       action const& next, clock::time_point now, double random)
{
    note_gates(r, was_probe, answer, next, now, random);
    note_trouble(r, was_probe, answer, next, now, random);
}

OCRPIPE_DECL void service_health::note_gates(request const& r, bool was_probe, exchange_result const& answer,
                                             action const& next, clock::time_point now, double random)
{
    probe_gate& own = gate(r.kind);
    last_ = now;
    if (next.what == step::refused) {
        bool const is_certain = !answer; // the proxy's password or a certificate does not become right
        own.failed(now, random, r.is_suspect, is_certain);
        if (!known_good_.empty()) own.probe_at_once(now);
        refusals_[static_cast<std::size_t>(r.kind)] = {
            next.why, answer ? fmt::format("HTTP {}", answer->status) : reason_of(answer.error())};
    } else if (answer && answer->status < 300) {
        own.succeeded(was_probe);
        // All kinds of requests have the same credentials.
        if (!std::exchange(was_accepted_, true))
            for (probe_gate& g : gates_)
                g.answered();
    } else if (was_probe || !own.is_paused()) {
        if (answer)
            own.answered();
        else
            own.probe_ended();
    }
    if (r.kind == lane::submit) note_refused_alone(answer, next);
    note_outage(answer, next, was_probe && r.is_patient, now, random);
    note_wait(answer, next, now);
}

/// Whether the service answered, and neither failed nor asked to wait nor refused.
inline bool was_good(exchange_result const& answer, action const& next) noexcept
{
    return answer && !next.is_trouble && !next.is_throttled_alone && next.what != step::pause_origin &&
           next.what != step::refused;
}

inline std::string trouble_of(char const* requests, exchange_result const& answer)
{
    if (!answer) return fmt::format("{} fail: {}", requests, reason_of(answer.error()));
    if (answer->status < 300) return fmt::format("{} get an answer that is not the service's", requests);
    return fmt::format("{} are answered with HTTP {}", requests, answer->status);
}

OCRPIPE_DECL void service_health::note_trouble(request const& r, bool was_probe,
                                               exchange_result const& answer, action const& next,
                                               clock::time_point now, double random)
{
    trouble_gate& t = trouble(r.kind);
    if (was_good(answer, next)) {
        ++good_answers_;
        return t.succeeded();
    }
    if (!next.is_trouble) {
        if (was_probe && r.is_patient) t.probes().probe_ended();
        return;
    }
    t.failed(!r.has_failed);
    bool const is_submit = r.kind == lane::submit;
    std::uint32_t const enough = is_submit ? submits_are_trouble : reads_are_trouble;
    // If there is a known result, a read of it decides whether reads pause.
    bool const is_asked = r.kind == lane::poll && !known_good_.empty();
    if (!t.is_paused() && (is_asked || t.failures() < enough)) return;
    char const* const requests = is_submit              ? "submits"
                                 : r.kind == lane::part ? "reads of parts"
                                                        : "reads of results";
    t.pause(trouble_of(requests, answer), is_submit || is_asked, now, random);
}

/// A read of known_good() has ended. It decides whether the service fails or only some jobs.
OCRPIPE_DECL void service_health::note_known_result(exchange_result const& answer, action const& next,
                                                    clock::time_point now, double random)
{
    trouble_gate& t = trouble(lane::poll);
    if (was_good(answer, next)) return t.succeeded();
    if (!next.is_trouble) return t.probes().probe_ended();
    if (t.is_paused() || t.failures() + trouble(lane::submit).failures() > 0)
        t.pause(trouble_of("reads of results", answer), true, now, random);
}

/// A wait that the service asks for.
OCRPIPE_DECL void service_health::note_wait(exchange_result const& answer, action const& next,
                                            clock::time_point now)
{
    // What was sent before the service asked to wait says nothing about the wait.
    bool const is_earlier = answer && is_known(answer->sent_at) && answer->sent_at < asked_since_;
    if (was_good(answer, next) && !is_earlier) asked_until_ = {};
    if (!answer || next.what != step::pause_origin) return;
    auto const asked = parse_retry_after(answer->retry_after, answer->date);
    if (!asked) return;
    if (asked_until_ == clock::time_point()) asked_since_ = now;
    if (now + *asked <= asked_until_) return;
    asked_ = *asked;
    asked_until_ = now + *asked;
}

OCRPIPE_DECL void service_health::note_read(request const& r, exchange_result const& answer,
                                            action const& next, bool is_good, clock::time_point now,
                                            double random)
{
    note_known_result(answer, next, now, random);
    if (is_good) not_known_ = 0;
    if (is_good || next.what == step::refused || !answer)
        return note_gates(r, true, answer, next, now, random);
    gate(r.kind).probe_ended();
    note_outage(answer, next, r.is_patient, now, random);
    if (answer->status < 400 || answer->status >= 500 || next.what == step::pause_origin) return;
    // The service may have forgotten the job.
    if (++not_known_ < 2) return;
    known_good_.clear();
    not_known_ = 0;
}

OCRPIPE_DECL void service_health::note_result(std::string_view request_id, std::size_t bytes)
{
    if (!known_good_.empty() && bytes > known_bytes_) return;
    known_good_ = request_id;
    known_bytes_ = bytes;
}

/// Counts a document that is refused although the service accepts other requests.
OCRPIPE_DECL void service_health::note_refused_alone(exchange_result const& answer, action const& next)
{
    if (next.what != step::finish || next.why == errc::ok) return;
    ++refused_alone_;
    bool const is_account = answer && answer->status == 402;
    if (refused_alone_ < max_refused_alone || (accepts_documents_ && !is_account)) return;
    refusals_[static_cast<std::size_t>(lane::submit)].code = next.why;
    gate(lane::submit).close();
}

OCRPIPE_DECL void service_health::note_outage(exchange_result const& answer, action const& next,
                                              bool was_probe, clock::time_point now, double random)
{
    if (answer) {
        was_reached_ = true;
        ++answers_;
        unanswered_ = silent_ = 0;
        if (outage_.is_paused()) outage_.succeeded();
        if (next.what == step::pause_origin) unread_since_ = now; // unread because the service asks to wait
        return;
    }
    if (is_transport(answer.error().code) && silent_ != UINT32_MAX) ++silent_;
    bool const is_lost = answer.error().sent == bytes_sent::all && is_transport(answer.error().code);
    if (next.what == step::finish && is_lost) ++unanswered_;
    if (next.what != step::unreachable && unanswered_ < unanswered_is_outage) {
        if (was_probe) outage_.probe_ended();
        return;
    }
    if (!outage_.is_paused()) outage_since_ = now;
    outage_why_ = reason_of(answer.error());
    outage_.failed(now, random);
}

OCRPIPE_DECL void service_health::note_accepted() noexcept
{
    accepts_documents_ = true;
    refused_alone_ = 0;
    if (++unread_ == max_unread) unread_since_ = last_;
}

OCRPIPE_DECL void service_health::assume_unread(std::uint64_t documents, clock::time_point now) noexcept
{
    unread_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(documents, UINT32_MAX / 2));
    if (wants_a_read()) unread_since_ = now;
}

OCRPIPE_DECL void service_health::note_good_read() noexcept
{
    unread_ = 0;
    was_read_ = true;
}

OCRPIPE_DECL bool service_health::is_refusing() const noexcept
{
    return std::any_of(gates_.begin(), gates_.end(), [](probe_gate const& g) { return g.is_paused(); });
}

OCRPIPE_DECL std::string service_health::refusal_text(lane kind) const
{
    refusal const& r = refusals_[static_cast<std::size_t>(kind)];
    int const n = gate(kind).setbacks();
    if (kind == lane::submit && refused_alone_ >= max_refused_alone && accepts_documents_)
        return fmt::format("{} documents in a row were refused with HTTP 402: payment is required",
                           refused_alone_);
    if (kind == lane::submit && refused_alone_ >= max_refused_alone)
        return fmt::format(
            "the credentials may read results, but not submit documents: {} in a row were refused, "
            "and none was accepted",
            refused_alone_);
    std::string const times = n == 1 ? std::string() : fmt::format(" {} times in a row", n);
    switch (r.code) {
    case errc::certificate_invalid:
        return fmt::format("the certificate of the service was not accepted{}: {}", times, r.detail);
    case errc::proxy_refused:
        return fmt::format("the proxy refused its credentials{}: {}", times, r.detail);
    case errc::wrong_base_url:
        return fmt::format("a gateway answered 404 instead of the service{}", times);
    default:
        return fmt::format("the credentials were refused{}", times);
    }
}

OCRPIPE_DECL trouble_gate const* service_health::current_trouble() const noexcept
{
    for (lane const kind : {lane::poll, lane::submit, lane::part})
        if (is_in_trouble(kind)) return &trouble(kind);
    return nullptr;
}

OCRPIPE_DECL bool service_health::is_out() const noexcept
{
    // Usually the first read is only a matter of milliseconds.
    bool const is_unread = wants_a_read() && last_ > unread_since_ + std::chrono::seconds(1);
    return outage_.is_paused() || current_trouble() != nullptr || is_unread;
}

OCRPIPE_DECL std::string service_health::outage_text() const
{
    if (outage_.is_paused()) return outage_why_;
    if (trouble_gate const* const t = current_trouble()) return t->why();
    if (wants_a_read())
        return fmt::format("no result could be read since {} documents were accepted", unread_);
    return {};
}

OCRPIPE_DECL clock::time_point service_health::outage_since() const noexcept
{
    if (outage_.is_paused()) return outage_since_;
    if (trouble_gate const* const t = current_trouble()) return t->since();
    return unread_since_;
}

OCRPIPE_DECL std::string service_health::unavailable_text(clock::time_point now) const
{
    if (!asks_too_much(now)) return outage_text();
    return fmt::format("the service asks to wait for {} s, which is longer than an outage may last",
                       std::chrono::duration_cast<std::chrono::seconds>(asked_).count());
}

} // namespace ocrpipe::detail

#endif
