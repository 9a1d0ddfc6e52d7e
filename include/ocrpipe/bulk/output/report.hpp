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
/// Metadata keys that a run writes when it ends and resets when it begins: the number of documents found that
/// have no row, and the number listed again.
inline constexpr std::string_view documents_without_row = "documents_without_row";
inline constexpr std::string_view documents_repeated = "documents_repeated";
/// Metadata key: run_report::measured of the last run.
inline constexpr std::string_view last_run_measured = "last_run_measured";
} // namespace detail

/// Why a run ended.
enum class run_end {
    complete,
    stopped, ///< by pipeline::stop()
    document_limit,
    time_limit,
    failure_budget, ///< exhausted, or no request reached the service
    failed,         ///< disk error, ledger error or rejected credentials
};

/// The outcome of a run. found, the counts that add up to it, their parts, and the missing parts cover all
/// runs in the directory; all other members cover this run only.
///
/// found = done + failed + unfinished + not_sent + repeated, at any time, in report.json, in ocrpipe status
/// and in the progress of a run.
struct run_report {
    std::chrono::system_clock::time_point started_at{};
    std::chrono::system_clock::time_point finished_at{};
    run_end end = run_end::complete;
    std::string ended_by; ///< human-readable reason; empty if complete

    std::uint64_t found = 0;       ///< documents, including those listed again
    bool source_exhausted = false; ///< found is final
    std::uint64_t done = 0;        ///< with a result; includes the next three
    std::uint64_t done_in_part = 0;
    std::uint64_t done_empty = 0;
    /// The part of the two before for which the next run asks the service again, because more may have come.
    std::uint64_t to_ask_again = 0;
    std::uint64_t copies = 0; ///< the part of done that shares another document's result
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_by_class; ///< by name of the errc; adds up to failed
    /// Being sent or processed by the service: the next run polls them.
    std::uint64_t unfinished = 0;
    std::uint64_t not_sent = 0; ///< known but not sent yet
    std::uint64_t repeated = 0; ///< listed again by this run: same id, same content
    /// Sent again after an ambiguous submit; the service may bill them twice.
    std::uint64_t possible_duplicates = 0;

    std::uint64_t done_now = 0;     ///< done by this run
    std::uint64_t asked_again = 0;  ///< times that the service was asked again for an empty or partial result
    std::uint64_t renewed = 0;      ///< such results that were replaced, because they have more now
    std::uint64_t unrecognized = 0; ///< with a result in a format that the profile does not describe
    std::uint64_t taken_up = 0;     ///< jobs of an earlier run that were polled again without resubmitting
    std::uint64_t unreadable = 0;   ///< inputs that never became documents; not included in found
    std::uint64_t changed_files = 0; ///< files modified after they were read: their results may be incomplete
    /// Symbolic links that were not followed. This and the next two are not included in found either.
    std::uint64_t links_skipped = 0;
    std::uint64_t too_young = 0;    ///< documents that may still be being written; the next run checks again
    std::uint64_t empty_inputs = 0; ///< inputs in which no document was found

    std::uint64_t parts = 0; ///< tables, signatures, stamps and images kept by this run
    /// Those that the service did not have when this run asked.
    std::uint64_t parts_absent = 0;
    /// Those that cannot be fetched, because the service gave their document or file no id.
    std::uint64_t parts_without_id = 0;
    /// Parts that documents of all runs in the directory lack, not counting those that the service does not
    /// have: those that failed, and those that no run has waited for yet. The next run fetches both.
    std::uint64_t parts_failed = 0;
    std::uint64_t parts_wanted = 0;
    std::map<std::string, std::uint64_t> parts_failed_by_class; ///< adds up to parts_failed

    std::uint64_t bytes = 0;   ///< of documents with a request_id
    std::uint64_t submits = 0; ///< requests, including repeated ones; likewise polls
    std::uint64_t polls = 0;
    std::uint64_t throttled = 0;
    std::uint64_t transport_failures = 0;

    /// The members of report.json from "kind" on, as report_members() writes them; may be empty.
    /// parse_report() does not read them.
    std::string measured;
};

/// Returns the report as a JSON object, with computed rates and a final line break.
OCRPIPE_DECL std::string to_json(run_report const& report);

/// Parses a report written by to_json(). run_end and the rates are not read; missing members keep their
/// default values.
///
/// Errors: errc::invalid_argument if it is not a JSON object.
OCRPIPE_DECL result<run_report> parse_report(std::string_view json);

/// Sets found, the counts that add up to it, their parts, and those of missing parts, from the ledger.
///
/// Documents listed again, and documents without a row because they wait for one with equal content, are
/// those of the last run that ended; zero during a run.
///
/// Errors: errc::ledger_failed.
OCRPIPE_DECL result<void> count_all(ledger& l, run_report& report);

/// The same, with counts just read from the ledger: if a run is active, reading them again would give other
/// numbers.
OCRPIPE_DECL result<void> count_all(ledger& l, document_counts const& counts, run_report& report);

/// Writes `folder`/report.json; a reader sees the previous or the complete new file, even after a power
/// failure.
///
/// Errors: a system error.
OCRPIPE_DECL error_code write_report(std::string const& folder, run_report const& report);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/output/impl/report.ipp>
#endif

#endif
