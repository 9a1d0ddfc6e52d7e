#ifndef OCRPIPE_TOOLS_STORED_LOAD_TEST_HPP
#define OCRPIPE_TOOLS_STORED_LOAD_TEST_HPP

#include <ocrpipe/core/result.hpp>
#include <ocrpipe/load/job_record.hpp>

#include "exit_code.hpp"
#include "logger.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ocrpipe::cli
{

/// What a load test that came to its end left in its directory.
struct stored_load_test {
    std::vector<job_line> jobs; ///< in the order of arrival
    std::chrono::system_clock::time_point started_at{};
    double arrival_seconds = 0;
    double total_seconds = 0;
    double offered = 0; ///< documents due per second
    double warm_up_seconds = 0;
    double throughput = 0; ///< documents done per second, from the warm-up to the end of the arrivals
    std::string arrivals;
    bool was_generator_late = false; ///< its figures are then not about the service
    bool has_thresholds = false;
    std::string ended_by; ///< why it ended early; empty if it did not
    std::uint64_t possible_duplicates = 0;
    double held_back = 0; ///< seconds of all documents, for the client's own rate limits
    double paused = 0;    ///< likewise, because the service asked to wait
    std::uint64_t throttled = 0;
    /// Exchanges by operation and status, each as in report.json.
    std::map<std::pair<std::string, std::string>, std::uint64_t> statuses;
    /// The message of the first failure by kind and class.
    std::map<std::pair<std::string, std::string>, std::string> messages;
};

failure unreadable(std::string const& directory, std::string_view why);

/// Errors: errc::unreadable_file; the reason names the directory and says what it is.
result<stored_load_test> load_test_of(std::string const& directory);

exit_code refuse_input(failure const& f, logger& log);

} // namespace ocrpipe::cli

#endif
