#ifndef OCRPIPE_CLIENT_DETAIL_SERVICE_HEALTH_HPP
#define OCRPIPE_CLIENT_DETAIL_SERVICE_HEALTH_HPP

#include <ocrpipe/client/detail/trouble_gate.hpp>
#include <ocrpipe/job/action.hpp>
#include <ocrpipe/pace/pace_options.hpp>
#include <ocrpipe/pace/probe_gate.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ocrpipe::detail
{

/// What the answers so far say about the service, and whether another request may be sent. Pure: time and
/// randomness are arguments.
///
/// - Refusals (401, 402, 403, a gateway's 404, the proxy's 407, an invalid certificate) pause all requests of
///   their kind; probes decide whether they concern all of them. A probe is a read of a result that was read
///   before, if there is one: if it is refused, too, all requests are.
/// - If the service cannot be reached, patient requests of all kinds pause, and one probe at a time is sent.
/// - If requests of a kind are answered with errors, or with pages that are not the service's, patient
///   requests of this kind pause, and one probe at a time is sent. If a result was read before, reads of
///   results pause only if reading that result again fails. While results cannot be read, submits wait.
/// - If many documents were accepted and no result was read since, patient submits pause until one is read.
class service_health
{
public:
    explicit service_health(pace_options const& options);

    /// A request that asks whether it may be sent.
    struct request {
        lane kind;
        bool is_suspect = false; ///< it was refused itself
        bool is_patient = false; ///< it waits out outages, for at most max_outage
        bool jobs_wait = true;   ///< for a submit: results are still awaited
        bool has_failed = false; ///< its last attempt failed, perhaps because the service is in trouble
    };
    enum class decision {
        send,
        probe, ///< call begin_probe(), send, and report the outcome to note()
        read,  ///< call begin_read(), read known_good(), report that to note_read(), and ask again
        wait,
        refuse,
    };
    struct permission {
        decision what;
        clock::time_point until{}; ///< for `wait` and `read`: when to ask again
        errc why = errc::ok;       ///< for `refuse`
    };

    permission ask(request const& r, clock::time_point now) const;
    void begin_probe(request const& r, clock::time_point now);
    void begin_read(request const& r, clock::time_point now);
    void probe_ended(request const& r);

    /// Learns from the end of an exchange. `next`: what the request's state machine made of it.
    void note(request const& r, bool was_probe, exchange_result const& answer, action const& next,
              clock::time_point now, double random);
    /// Learns from a read of known_good(). `is_good`: the service answered with the result.
    void note_read(request const& r, exchange_result const& answer, action const& next, bool is_good,
                   clock::time_point now, double random);
    /// This job has a result of so many bytes that was read. Another read costs nothing.
    void note_result(std::string_view request_id, std::size_t bytes);
    /// The job with the smallest such result; empty if there is none.
    std::string const& known_good() const noexcept { return known_good_; }
    /// A document was accepted whose result is to be read.
    void note_accepted() noexcept;
    /// A result was read, or the service said that it is not ready.
    void note_good_read() noexcept;

    /// Whether a setback has paused such requests.
    bool is_paused(request const& r) const noexcept
    {
        return gate(r.kind).is_paused() ||
               (r.is_patient && (outage_.is_paused() || is_in_trouble(r.kind) || waits_for_reads(r)));
    }
    /// Whether patient requests of this kind are paused because such requests fail.
    bool is_in_trouble(lane kind) const noexcept { return trouble(kind).is_paused(); }
    /// Good answers to requests of all kinds; may wrap around.
    std::uint32_t good_answers() const noexcept { return good_answers_; }
    /// Earlier runs were not refused.
    void assume_accepted(lane kind) noexcept { gate(kind).assume_success(); }
    /// Whether the last requests got no answer. `others`: further requests or jobs that may show whether that
    /// concerns all; without them, only a known result, or an answer to the first request, may.
    bool is_silent(bool others) const noexcept
    {
        bool const can_be_shown = others || !known_good_.empty() || !was_reached_;
        return silent_ >= silent_is_outage && can_be_shown;
    }
    /// How many requests were answered; may wrap around.
    std::uint32_t answers() const noexcept { return answers_; }
    bool was_accepted(lane kind) const noexcept { return gate(kind).has_succeeded(); }
    std::uint32_t recoveries(lane kind) const noexcept { return gate(kind).recoveries(); }
    /// Whether a kind of request is refused for good.
    bool is_refused(lane kind) const noexcept { return gate(kind).is_closed(); }
    bool is_refusing() const noexcept;
    /// When a request that was refused may be sent again. Until then it leaves its connection to others.
    clock::time_point next_for_suspects(lane kind, clock::time_point now) const noexcept
    {
        return std::max(gate(kind).check_at(now, true), now + suspect_pause);
    }
    /// The error of the last refusal of this kind; errc::ok if there was none.
    errc last_refusal(lane kind) const noexcept { return refusals_[static_cast<std::size_t>(kind)].code; }
    /// Why a kind of request is refused, and how often it was in a row.
    std::string refusal_text(lane kind) const;

    /// Sets the number of results that earlier runs left unread.
    void assume_unread(std::uint64_t documents, clock::time_point now) noexcept;

    /// Whether so many results are unread that one should be read before another document is sent.
    bool wants_a_read() const noexcept { return unread_ >= max_unread; }

    /// Whether patient requests of some kind are paused by an outage, by trouble of the service, or by unread
    /// results.
    bool is_out() const noexcept;

    /// Why they are paused; empty if they are not.
    std::string outage_text() const;
    clock::time_point outage_since() const noexcept;

    /// Whether the service asks to wait for longer than max_outage.
    bool asks_too_much(clock::time_point now) const noexcept
    {
        return max_outage_.count() > 0 && now < asked_until_ && asked_until_ - asked_since_ > max_outage_;
    }
    /// Why errc::service_unavailable ends patient requests.
    std::string unavailable_text(clock::time_point now) const;

    /// How many documents may be accepted in a row while no result is read.
    static constexpr std::uint32_t max_unread = 100;
    /// How many documents in a row may each be refused alone while none was ever accepted: then the key may
    /// read, but not submit. The same holds for 402 at any time, because payment concerns the account.
    static constexpr std::uint32_t max_refused_alone = 20;
    /// How long a request that was refused leaves the way to others.
    static constexpr std::chrono::seconds suspect_pause{1};
    /// How long an outage may last if the service was never reached, or no result was ever read, unless
    /// max_outage is set.
    static constexpr std::chrono::seconds first_outage{60};
    /// After this many submits in a row without an answer, the service counts as unreachable. Fewer may be a
    /// restart or a lost connection.
    static constexpr std::uint32_t unanswered_is_outage = 8;

    /// After this many requests in a row without an answer, of whatever kind, further ones may be an outage.
    /// Fewer than the attempts of a document.
    static constexpr std::uint32_t silent_is_outage = 3;

    /// If this many different requests of a kind fail in a row, the others pause. For results, two failures
    /// are enough if one of them is that of a known result.
    static constexpr std::uint32_t reads_are_trouble = 3;
    /// More than the 500s that stop a doc_type: see doc_type_gate.
    static constexpr std::uint32_t submits_are_trouble = 4;

private:
    struct refusal {
        errc code = errc::ok;
        std::string detail;
    };

    probe_gate& gate(lane kind) noexcept { return gates_[static_cast<std::size_t>(kind)]; }
    probe_gate const& gate(lane kind) const noexcept { return gates_[static_cast<std::size_t>(kind)]; }
    trouble_gate& trouble(lane kind) noexcept { return troubles_[static_cast<std::size_t>(kind)]; }
    trouble_gate const& trouble(lane kind) const noexcept
    {
        return troubles_[static_cast<std::size_t>(kind)];
    }
    /// Whether a request waits because results cannot be read.
    bool waits_for_reads(request const& r) const noexcept
    {
        return r.kind == lane::submit && r.jobs_wait && is_in_trouble(lane::poll);
    }
    /// The lane whose trouble pauses patient requests; none if nothing does.
    trouble_gate const* current_trouble() const noexcept;
    void note_gates(request const& r, bool was_probe, exchange_result const& answer, action const& next,
                    clock::time_point now, double random);
    void note_trouble(request const& r, bool was_probe, exchange_result const& answer, action const& next,
                      clock::time_point now, double random);
    void note_known_result(exchange_result const& answer, action const& next, clock::time_point now,
                           double random);
    void note_wait(exchange_result const& answer, action const& next, clock::time_point now);
    void note_refused_alone(exchange_result const& answer, action const& next);
    void note_outage(exchange_result const& answer, action const& next, bool was_probe, clock::time_point now,
                     double random);
    bool is_too_long(request const& r, clock::time_point now) const noexcept;

    std::chrono::milliseconds const max_outage_;
    std::array<probe_gate, lane_count> gates_;
    std::array<refusal, lane_count> refusals_; ///< the last of each kind
    std::string known_good_;
    std::size_t known_bytes_ = 0;
    int not_known_ = 0;               ///< how often in a row the service did not know it
    std::uint32_t refused_alone_ = 0; ///< documents since the last that was accepted
    bool accepts_documents_ = false;  ///< some document was accepted
    probe_gate outage_;
    clock::time_point outage_since_{};
    std::string outage_why_;
    std::array<trouble_gate, lane_count> troubles_;
    clock::time_point asked_since_{};    ///< when the service asked to wait; no good answer since
    clock::time_point asked_until_{};    ///< the end of the wait it asked for, even if ours is shorter
    std::chrono::milliseconds asked_{0}; ///< by its last Retry-After
    bool was_reached_ = false;           ///< some request was answered
    bool was_accepted_ = false;          ///< some request was answered with success
    std::uint32_t silent_ = 0;           ///< requests in a row that got no answer
    std::uint32_t answers_ = 0;
    std::uint32_t good_answers_ = 0;
    std::uint32_t unanswered_ = 0; ///< submits in a row whose answer was lost
    std::uint32_t unread_ = 0;     ///< documents accepted since the last good read
    bool was_read_ = false;        ///< some result was read
    clock::time_point unread_since_{};
    clock::time_point last_{}; ///< when an exchange ended
};

} // namespace ocrpipe::detail

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/client/impl/service_health.ipp>
#endif

#endif
