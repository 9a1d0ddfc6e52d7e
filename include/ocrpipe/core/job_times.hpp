#ifndef OCRPIPE_CORE_JOB_TIMES_HPP
#define OCRPIPE_CORE_JOB_TIMES_HPP

#include <ocrpipe/core/clock.hpp>

#include <chrono>
#include <optional>

namespace ocrpipe
{

/// When the requests of a job were sent and answered. A time that is not known is time_point().
///
/// The service finished the job between `last_pending` (or `accepted`, if that is not known) and `ready`.
struct job_times {
    clock::time_point sent{};          ///< the first byte of the submit's last attempt left
    clock::time_point accepted{};      ///< the answer with the request_id was read
    clock::time_point first_pending{}; ///< the first answer "not yet" was read
    clock::time_point last_pending{};  ///< the last one was; up to 0.1 ms too early
    clock::time_point ready{};         ///< the answer with the result was read
    int polls = 0;                     ///< reads of the result
};

/// Whether `t` is known.
inline bool is_known(clock::time_point t) noexcept { return t != clock::time_point(); }

/// `t` on the wall clock as it is set now; nullopt if `t` is not known.
inline std::optional<std::chrono::system_clock::time_point> wall_time(clock::time_point t)
{
    using std::chrono::system_clock;
    if (!is_known(t)) return std::nullopt;
    return system_clock::now() - std::chrono::duration_cast<system_clock::duration>(clock::now() - t);
}

} // namespace ocrpipe

#endif
