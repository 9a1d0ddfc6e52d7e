#ifndef OCRPIPE_BULK_REPORT_HPP
#define OCRPIPE_BULK_REPORT_HPP

#include <ocrpipe/config.hpp>
#include <ocrpipe/error.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace ocrpipe
{

/// What became of a run's documents: each one found is done, failed, not sent or still in flight.
struct run_report {
    std::chrono::system_clock::time_point started_at{};
    std::chrono::system_clock::time_point finished_at{};
    std::string ended_by; ///< why the run ended before all was done; empty when it did not

    std::uint64_t found = 0;       ///< documents taken from the source
    bool source_exhausted = false; ///< found is all there is
    std::uint64_t done = 0;        ///< with a result; the next two are among them
    std::uint64_t done_in_part = 0;
    std::uint64_t done_empty = 0;
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_by_class; ///< by the errc's name; sums to failed
    std::uint64_t not_sent = 0;                           ///< found, but never sent, since the run ended
    std::uint64_t unreadable = 0; ///< inputs that never became documents; not among found
    std::uint64_t possible_duplicates =
        0; ///< sent again after an answer was lost; the service may bill them twice

    std::uint64_t parts = 0;        ///< tables, signatures, stamps and images kept
    std::uint64_t parts_failed = 0; ///< beside those that the service does not have

    std::uint64_t bytes = 0;   ///< of documents with a request_id
    std::uint64_t submits = 0; ///< requests, repeats included; likewise the next
    std::uint64_t polls = 0;
    std::uint64_t throttled = 0;
    std::uint64_t transport_failures = 0;

    /// Documents found and not accounted for; 0 when a run has ended.
    std::uint64_t in_flight() const noexcept { return found - done - failed - not_sent; }
};

/// The report as a JSON object for people and programs, with rates worked out, and a line break at its end.
OCRPIPE_DECL std::string to_json(run_report const& report);

/// Writes `folder`/report.json; whoever reads it sees the one before or the whole new one, after a power cut
/// too.
///
/// Errors: the system's.
OCRPIPE_DECL error_code write_report(std::string const& folder, run_report const& report);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/report.ipp>
#endif

#endif
