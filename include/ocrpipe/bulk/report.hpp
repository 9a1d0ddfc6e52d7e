#ifndef OCRPIPE_BULK_REPORT_HPP
#define OCRPIPE_BULK_REPORT_HPP

#include <ocrpipe/config.hpp>
#include <ocrpipe/result.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe
{

class ledger;

/// Why a run ended before all was done.
enum class run_end {
    complete,
    stopped, ///< by pipeline::stop()
    document_limit,
    time_limit,
    failure_budget, ///< used up, or nothing got through to the service
    failed,         ///< by its disk, its ledger, or refused credentials
};

/// What became of a run's documents. done, failed and what belongs to them speak of all runs in the
/// directory, if a ledger keeps them together; the rest speaks of this one.
struct run_report {
    std::chrono::system_clock::time_point started_at{};
    std::chrono::system_clock::time_point finished_at{};
    run_end end = run_end::complete;
    std::string ended_by; ///< the same for people; empty when complete

    std::uint64_t found = 0;       ///< documents taken from the source
    bool source_exhausted = false; ///< found is all there is
    std::uint64_t done = 0;        ///< with a result
    std::uint64_t copies = 0;      ///< of them, those that share another document's result
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_by_class; ///< by the errc's name; sums to failed
    std::uint64_t unfinished = 0; ///< admitted, and neither done nor failed: resuming goes on with them
    std::uint64_t possible_duplicates = 0; ///< sent again in doubt; the service may bill them twice

    std::uint64_t done_now = 0; ///< by this run; the next two are among them
    std::uint64_t done_in_part = 0;
    std::uint64_t done_empty = 0;
    std::uint64_t taken_up = 0;   ///< of an earlier run: asked for again, without being sent
    std::uint64_t not_sent = 0;   ///< found, but not sent, since the run ended
    std::uint64_t unreadable = 0; ///< inputs that never became documents; not among found
    /// Symbolic links that were not followed; these three are not among found either.
    std::uint64_t links_skipped = 0;
    std::uint64_t too_young = 0;    ///< documents that may still be written; the next run looks again
    std::uint64_t empty_inputs = 0; ///< inputs in which no document was found

    std::uint64_t parts = 0;        ///< tables, signatures, stamps and images kept
    std::uint64_t parts_failed = 0; ///< beside those that the service does not have

    std::uint64_t bytes = 0;   ///< of documents with a request_id
    std::uint64_t submits = 0; ///< requests, repeats included; likewise the next
    std::uint64_t polls = 0;
    std::uint64_t throttled = 0;
    std::uint64_t transport_failures = 0;
};

/// The report as a JSON object for people and programs, with rates worked out, and a line break at its end.
OCRPIPE_DECL std::string to_json(run_report const& report);

/// A report as to_json() wrote it; run_end and the rates are not read, and what is missing stays as it is in
/// an empty report.
///
/// Errors: errc::invalid_argument when it is not a JSON object.
OCRPIPE_DECL result<run_report> parse_report(std::string_view json);

/// Sets what the report says of all runs to what a ledger knows.
///
/// Errors: errc::ledger_failed.
OCRPIPE_DECL result<void> count_all(ledger& l, run_report& report);

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
