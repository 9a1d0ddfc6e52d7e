#ifndef OCRPIPE_CLIENT_DETAIL_TROUBLE_GATE_HPP
#define OCRPIPE_CLIENT_DETAIL_TROUBLE_GATE_HPP

#include <ocrpipe/pace/probe_gate.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace ocrpipe::detail
{

/// Pauses requests of one kind while they are answered with errors, or with pages that are not the service's.
/// During the pause, one probe at a time is sent, until one gets a good answer.
///
/// Thread safety: none; a gate belongs to one thread.
class trouble_gate
{
public:
    /// The longest pause while nothing shows whether the service fails or only these requests. After it,
    /// until a request gets a good answer, another pause begins only if it is proved that the service fails.
    static constexpr std::chrono::minutes longest_unproved{10};

    explicit trouble_gate(std::chrono::milliseconds longest_interval) : probes_({0, longest_interval, false})
    {
    }

    probe_gate& probes() noexcept { return probes_; }
    probe_gate const& probes() const noexcept { return probes_; }
    bool is_paused() const noexcept { return probes_.is_paused(); }
    /// Different requests in a row that failed.
    std::uint32_t failures() const noexcept { return failures_; }
    /// When the pause began, and why.
    clock::time_point since() const noexcept { return since_; }
    std::string const& why() const noexcept { return why_; }

    /// A request failed. `is_another`: it had not failed before.
    void failed(bool is_another) noexcept
    {
        if (is_another && failures_ != UINT32_MAX) ++failures_;
    }

    /// Begins the pause, or prolongs it after a probe. `is_proved`: it is known that the service itself
    /// fails, and not just these requests.
    void pause(std::string why, bool is_proved, clock::time_point now, double random)
    {
        if (given_up_ && !is_proved) return;
        if (!is_paused()) since_ = now;
        if (!is_proved && now - since_ > longest_unproved) {
            probes_.succeeded();
            given_up_ = true;
            return;
        }
        why_ = std::move(why);
        probes_.failed(now, random);
    }

    /// A request got a good answer.
    void succeeded() noexcept
    {
        failures_ = 0;
        given_up_ = false;
        probes_.succeeded();
    }

private:
    probe_gate probes_;
    std::uint32_t failures_ = 0;
    bool given_up_ = false;
    clock::time_point since_{};
    std::string why_;
};

} // namespace ocrpipe::detail

#endif
