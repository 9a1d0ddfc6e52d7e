#ifndef OCRPIPE_EMULATOR_EMULATOR_HPP
#define OCRPIPE_EMULATOR_EMULATOR_HPP

#include "emulator_options.hpp"
#include "fault.hpp"
#include "truth.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ocrpipe::emulator
{

/// What went through the emulator since it started.
struct statistics {
    std::uint64_t connections = 0;
    std::uint64_t tls_resumed = 0; ///< TLS connections that took up an earlier session
    std::uint64_t requests = 0;
    std::uint64_t submits = 0; ///< that passed the credentials, whatever became of them
    std::uint64_t polls = 0;
    std::uint64_t parts = 0;
    std::uint64_t throttled = 0; ///< by the rate limits, not by faults
    std::uint64_t body_bytes = 0;
    std::uint64_t jobs = 0;
};

/// The OCR service on this machine, in a thread of its own.
///
/// What it does not imitate: the service's real recognition, its limits, its retention, its billing, tenants
/// and flows. Where the usage guide is silent its answers follow response_shape, which is Observed or
/// Assumed.
///
/// Thread safety: one thread constructs, stops and destroys; any thread may call the const members meanwhile.
class emulator
{
public:
    /// Binds, listens and starts. Returns when connections are accepted.
    ///
    /// Throws std::invalid_argument with every problem of the options; std::system_error when the port, a PEM
    /// file or the truth log cannot be used.
    explicit emulator(emulator_options options);

    /// Stops.
    ~emulator();

    emulator(emulator const&) = delete;
    emulator& operator=(emulator const&) = delete;

    unsigned short port() const noexcept;

    /// Scheme, host and port, without a slash at the end.
    std::string base_url() const;

    /// Closes the listener while the port stays ours, so that connecting is refused; or opens it again. Open
    /// connections live on.
    void refuse_connections(bool refuse);

    /// Adds a rule behind those there are.
    void add_fault(fault_rule rule);

    truth_snapshot truth() const;
    std::vector<fault_account> fault_accounting() const;
    bool all_faults_happened() const;
    statistics counters() const;

    /// Ends the thread and every connection. What was counted stays readable. Idempotent.
    void stop();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace ocrpipe::emulator

#endif
