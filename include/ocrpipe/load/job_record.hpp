#ifndef OCRPIPE_LOAD_JOB_RECORD_HPP
#define OCRPIPE_LOAD_JOB_RECORD_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/result.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe
{

enum class job_outcome : std::uint8_t {
    unfinished, ///< the load test ended first
    done,
    failed,
};

/// "unfinished", "done" or "failed".
OCRPIPE_DECL std::string_view name(job_outcome o) noexcept;

/// What became of one document of a load test. Times are since its start; a negative one is not known.
struct job_record {
    using time = std::chrono::nanoseconds;
    static constexpr time unknown{-1};

    time due{0};                  ///< as the arrival plan says
    time started = unknown;       ///< the client got it
    time sent = unknown;          ///< the first byte of the submit's last attempt left
    time accepted = unknown;      ///< the answer with the request_id was read
    time first_pending = unknown; ///< the first answer "not yet" was read
    time last_pending = unknown;
    time ended = unknown; ///< done: the answer with the result was read; failed: the failure
    /// Each of its parts was fetched, has failed, or is absent; not known if it has no parts.
    time parts_done = unknown;
    std::uint64_t bytes = 0;
    std::uint32_t polls = 0;
    std::uint32_t parts = 0;                                  ///< fetched
    std::uint32_t parts_wanted = 0;                           ///< neither fetched nor failed nor absent
    std::vector<std::pair<errc, std::uint32_t>> parts_failed; ///< by class
    std::uint16_t submits = 0;                                ///< attempts
    job_outcome outcome = job_outcome::unfinished;
    errc error = errc::ok; ///< of a failed job
};

constexpr bool is_known(job_record::time t) noexcept { return t >= job_record::time::zero(); }

/// Whether there were parts to fetch.
inline bool has_parts(job_record const& r) noexcept { return is_known(r.parts_done) || r.parts_wanted > 0; }

/// Appends the record as one line of JSON, with the line break. Times are seconds. Without parts, it has no
/// members about them.
OCRPIPE_DECL void append_json_line(std::string& out, job_record const& r, std::string_view document,
                                   std::string_view request_id);

/// A line of jobs.jsonl.
struct job_line {
    job_record record;
    std::string document;
    std::string request_id;
};

/// Reads what append_json_line() wrote. Members that it does not know are ignored.
///
/// Errors: errc::invalid_argument.
OCRPIPE_DECL result<job_line> parse_job_line(std::string_view line);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/load/impl/job_record.ipp>
#endif

#endif
