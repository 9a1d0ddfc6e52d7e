#ifndef OCRPIPE_BULK_OUTPUT_REPORT_HPP
#define OCRPIPE_BULK_OUTPUT_REPORT_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ocrpipe
{

class document_counts;
class ledger;

namespace detail
{
/// What a run records under these keys when it ends, and resets when it begins: the documents that it found
/// and that have no row, and those that were listed again.
inline constexpr std::string_view documents_without_row = "documents_without_row";
inline constexpr std::string_view documents_repeated = "documents_repeated";
} // namespace detail

/// Why a run ended before all was done.
enum class run_end {
    complete,
    stopped, ///< by pipeline::stop()
    document_limit,
    time_limit,
    failure_budget, ///< used up, or nothing got through to the service
    failed,         ///< by its disk, its ledger, or refused credentials
};

/// What became of a run's documents. found and the counts that make it up speak of all runs in the directory,
/// if a ledger keeps them together; the rest speaks of this one.
///
/// found = done + failed + unfinished + not_sent + repeated, at any time, in report.json, in ocrpipe status
/// and in the progress of a run.
struct run_report {
    std::chrono::system_clock::time_point started_at{};
    std::chrono::system_clock::time_point finished_at{};
    run_end end = run_end::complete;
    std::string ended_by; ///< the same for people; empty when complete

    std::uint64_t found = 0;       ///< documents, and those that were listed again
    bool source_exhausted = false; ///< found is all there is
    std::uint64_t done = 0;        ///< with a result
    std::uint64_t copies = 0;      ///< of them, those that share another document's result
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_by_class; ///< by the errc's name; sums to failed
    std::uint64_t unfinished = 0;          ///< being sent or with the service: the next run asks for them
    std::uint64_t not_sent = 0;            ///< known, and not sent so far
    std::uint64_t repeated = 0;            ///< listed again by this run: same id, same content
    std::uint64_t possible_duplicates = 0; ///< sent again in doubt; the service may bill them twice

    std::uint64_t done_now = 0; ///< by this run; the next two are among them
    std::uint64_t done_in_part = 0;
    std::uint64_t done_empty = 0;
    std::uint64_t unrecognized = 0; ///< with a result in a form that the profile does not describe
    std::uint64_t taken_up = 0;      ///< of an earlier run: asked for again, without being sent
    std::uint64_t unreadable = 0;    ///< inputs that never became documents; not among found
    std::uint64_t changed_files = 0; ///< written since their bytes were read: their results may be of a part
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

/// Sets found, and the counts that make it up, to what a ledger knows.
///
/// What was listed again, and the documents that have no row since they wait for an equal one, are those of
/// the last run that ended; none while a run lasts.
///
/// Errors: errc::ledger_failed.
OCRPIPE_DECL result<void> count_all(ledger& l, run_report& report);

/// The same with what the ledger has just counted: beside a run it counts otherwise the next time.
OCRPIPE_DECL result<void> count_all(ledger& l, document_counts const& counts, run_report& report);

/// Writes `folder`/report.json; a reader sees the previous or the complete new one, even
/// after a power cut.
///
/// Errors: the system's.
OCRPIPE_DECL error_code write_report(std::string const& folder, run_report const& report);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/report.ipp>
#endif

#endif
