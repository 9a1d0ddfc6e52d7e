#ifndef OCRPIPE_JOB_IMPL_SUBMIT_FSM_IPP
#define OCRPIPE_JOB_IMPL_SUBMIT_FSM_IPP

#include <ocrpipe/job/submit_fsm.hpp>

namespace ocrpipe
{
namespace detail
{

/// Whether a document that was refused while the service is in trouble may wait at no cost: others that were
/// not refused yet will show whether the service works again. If none is left, it is the document that fails.
inline bool waits_for_others(fsm_context const& c) noexcept
{
    return c.patient && c.in_trouble && c.others_may_probe;
}

} // namespace detail

OCRPIPE_DECL action submit_fsm::start(fsm_context const& c)
{
    if (c.now >= deadline_) return give_up(errc::deadline_exceeded, "the deadline had already passed");
    return action{step::send, c.now};
}

OCRPIPE_DECL action submit_fsm::resume(exchange_result& answer, fsm_context const& c)
{
    ++counter_.attempts;
    submitted_job job;
    submit_reading const r = last_ = read_submit(answer, c.profile, job);
    overloaded_ = answer && r.status == 503;
    sent_at_ = detail::sent_at(answer);
    switch (r.what) {
    case submit_verdict::accepted:
        return accepted(std::move(job), c.now);
    case submit_verdict::ambiguous:
        return perhaps_accepted(answer, r, c);
    case submit_verdict::safe_to_repeat:
        return not_accepted(answer, r, detail::code_of(answer, errc::service_error), c);
    case submit_verdict::throttled:
        return pause(answer, r, c);
    case submit_verdict::overloaded:
        return wait_for_capacity(answer, r, c);
    case submit_verdict::credentials_refused:
        return refused(answer, r, detail::refusal_of(answer), c);
    case submit_verdict::certificate_refused:
        return fail(answer, r, errc::client_certificate_refused);
    case submit_verdict::wrong_base_url:
        return misplaced(answer, r, c);
    case submit_verdict::rejected:
        if (r.is_foreign && c.was_accepted && !detail::judges_documents(r.status))
            return not_accepted(answer, r, errc::rejected, c);
        return ended(answer, r, errc::rejected, r.status >= 500 || r.is_foreign, c);
    case submit_verdict::misdirected:
        return ended(answer, r, errc::redirect_refused, true, c);
    case submit_verdict::stopped:
        break;
    }
    return fail(answer, r, detail::code_of(answer, errc::unexpected_answer));
}

OCRPIPE_DECL action submit_fsm::cannot_repeat(exchange_result const& answer)
{
    errc code = detail::code_of(answer, errc::service_error);
    if (last_.what == submit_verdict::throttled) code = errc::throttled;
    if (last_.what == submit_verdict::rejected) code = errc::rejected;
    if (last_.what == submit_verdict::credentials_refused) code = detail::refusal_of(answer);
    if (last_.what == submit_verdict::wrong_base_url) code = errc::wrong_base_url;
    if (ambiguous_) code = errc::ambiguous_submit;
    return fail(answer, last_, code,
                fmt::format("{}; the source of the document cannot rewind to send it again", last_.row));
}

OCRPIPE_DECL action submit_fsm::accepted(submitted_job&& job, clock::time_point now)
{
    job.times.sent = sent_at_;
    job.times.accepted = now;
    job.attempts = counter_.attempts;
    job.possible_duplicate = in_doubt_ || ambiguous_.has_value();
    return finish(std::move(job));
}

/// Waits after a 503. Several in a row for one document may mean that the service is in trouble, and not only
/// busy.
OCRPIPE_DECL action submit_fsm::wait_for_capacity(exchange_result const& answer, submit_reading const& r,
                                                  fsm_context const& c)
{
    action next = next_after(counter_.throttled(*answer, c), answer, r, errc::service_error,
                             "no time for another attempt", c);
    next.is_trouble = counter_.throttled_in_row >= trouble_after;
    return next;
}

OCRPIPE_DECL action submit_fsm::perhaps_accepted(exchange_result const& answer, submit_reading const& r,
                                                 fsm_context const& c)
{
    bool const repeated = in_doubt_ || ambiguous_.has_value();
    std::string reason(r.row);
    if (answer && !answer->location.empty())
        reason += " to " + (answer->secrets ? *answer->secrets : secret_mask()).excerpt(answer->location);
    if (repeated) reason += "; it was sent twice";
    if (!ambiguous_) {
        ambiguous_ = detail::failure_from(answer, errc::ambiguous_submit, r.status, reason);
        ambiguous_->times.sent = sent_at_;
    }
    // An attempt that our own side ended is not repeated, even if resubmitting is allowed.
    bool const ours = !answer && !is_transport(answer.error().code);
    bool const ends = !c.retry.resubmit_ambiguous || repeated || ours;
    action next = ends ? fail(answer, r, errc::ambiguous_submit, reason)
                       : again(answer, r, errc::ambiguous_submit, "no time for another attempt", c);
    next.is_trouble = answer || is_transport(answer.error().code);
    return next;
}

/// The submit was refused, and is safe to repeat. An answer such as 423 or 425 may mean that the service is
/// in trouble.
OCRPIPE_DECL action submit_fsm::not_accepted(exchange_result const& answer, submit_reading const& r,
                                             errc code, fsm_context const& c)
{
    if (counter_.is_outage(answer, c)) return action{step::unreachable, c.now};
    if (answer && detail::waits_for_others(c)) return wait_for_service(c);
    action next = again(answer, r, code, "no time for another attempt", c);
    next.is_trouble = answer.has_value();
    return next;
}

/// A gateway answered instead of the service. If others were accepted before, the address is right: a 511 is
/// a network that demands a login, and a 404 while other requests are answered is trouble of the service.
OCRPIPE_DECL action submit_fsm::misplaced(exchange_result const& answer, submit_reading const& r,
                                          fsm_context const& c)
{
    if (!c.was_accepted) return refused(answer, r, errc::wrong_base_url, c);
    if (r.status == 511) return not_accepted(answer, r, errc::service_error, c);
    if (!is_refused_alone(c)) return action{step::refused, c.now, {}, errc::wrong_base_url};
    return not_accepted(answer, r, errc::rejected, c);
}

/// The submit was refused for good. This need not be the document's fault: if the service accepted others
/// before, it may be in trouble.
OCRPIPE_DECL action submit_fsm::ended(exchange_result const& answer, submit_reading const& r, errc code,
                                      bool may_be_trouble, fsm_context const& c)
{
    action next = fail(answer, r, code);
    next.is_trouble = may_be_trouble && c.was_accepted;
    return next;
}

OCRPIPE_DECL result<submitted_job> submit_fsm::outcome() &&
{
    // Once ambiguous, a submit stays so: a later refusal does not undo a possible acceptance.
    if (ambiguous_ && !*outcome_ && !outcome_->error().is(errc::ambiguous_submit)) {
        ambiguous_->attempts = counter_.attempts;
        return *std::move(ambiguous_);
    }
    if (*outcome_) return std::move(*outcome_);
    failure f = std::move(*outcome_).error();
    f.times.sent = sent_at_;
    return f;
}

} // namespace ocrpipe

#endif
