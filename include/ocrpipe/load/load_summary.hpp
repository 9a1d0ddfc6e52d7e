#ifndef OCRPIPE_LOAD_LOAD_SUMMARY_HPP
#define OCRPIPE_LOAD_LOAD_SUMMARY_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/load/backlog_trend.hpp>
#include <ocrpipe/load/job_record.hpp>
#include <ocrpipe/load/survival.hpp>
#include <ocrpipe/measure/latency_histogram.hpp>

#include <cstdint>
#include <map>
#include <span>

namespace ocrpipe
{

/// What the records of a load test say. Times are seconds since its start.
struct load_summary {
    std::uint64_t documents = 0; ///< that were due
    std::uint64_t accepted = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t unfinished = 0;
    std::uint64_t bytes = 0; ///< of documents accepted
    std::map<errc, std::uint64_t> errors;
    std::uint64_t parts = 0;                    ///< fetched
    std::uint64_t parts_wanted = 0;             ///< neither fetched nor failed nor absent at the end
    std::map<errc, std::uint64_t> parts_failed; ///< by class

    double arrival_seconds = 0; ///< the length of the arrivals
    double total_seconds = 0;   ///< with the drain
    /// In this time the backlog of a service that keeps up still grows, until the first documents are done.
    /// The next three count from its end to the end of the arrivals.
    double warm_up_seconds = 0;
    double throughput = 0; ///< documents done per second
    double bytes_per_second = 0;
    backlog_trend backlog; ///< of documents that are due and have not ended

    double offered = 0; ///< documents due per second
    double polls_per_document = 0;

    // Documents due in the first second do not count, because connections are opened then, unless the
    // arrivals take less than two seconds.
    latency_histogram start_delay; ///< from due until the client got the document
    /// From due until the first byte of the submit left; of documents whose first attempt was accepted,
    /// because later ones wait for the service.
    latency_histogram send_delay;
    latency_histogram submit; ///< from the first byte of the accepted attempt to its answer

    /// From due until the result was read. An unfinished document is censored when the test ends; a failed
    /// one counts only as an error.
    survival end_to_end{{}};
    /// From the acceptance until the last answer "not yet", and until the result was read.
    survival ready_low{{}};
    survival ready_high{{}};
    /// From the result of a document until its parts had ended; only of documents that have parts.
    survival time_to_parts{{}};
    /// end_to_end as tools see it that stop with the arrivals: only of documents that were done by then.
    survival completed_only{{}};

    /// Mean number of documents in flight, by the rate of arrivals and the mean time in flight (Little's
    /// law), which includes the time for parts.
    double little = 0;

    double error_rate() const noexcept { return share(failed); }
    std::uint64_t parts_failures() const noexcept
    {
        std::uint64_t n = 0;
        for (auto const& [error, count] : parts_failed)
            n += count;
        return n;
    }
    bool all_failed() const noexcept { return documents > 0 && failed == documents; }
    double unfinished_rate() const noexcept { return share(unfinished); }

private:
    double share(std::uint64_t n) const noexcept
    {
        return documents == 0 ? 0 : static_cast<double>(n) / static_cast<double>(documents);
    }
};

/// Pure. Cost: sorts the records' times; 0.3 s for a million.
OCRPIPE_DECL load_summary summarize(std::span<job_record const> jobs, double arrival_seconds,
                                    double total_seconds);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/load_summary.ipp>
#endif

#endif
