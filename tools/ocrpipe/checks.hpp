#ifndef OCRPIPE_TOOLS_CHECKS_HPP
#define OCRPIPE_TOOLS_CHECKS_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/core/result.hpp>

#include "exit_code.hpp"
#include "file_limit.hpp"
#include "message.hpp"
#include "plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::cli
{

enum class verdict { ok, warn, fail, skipped };

std::string_view name(verdict v) noexcept;

/// One finding of doctor: the check, its outcome, and the remedy.
struct finding {
    std::string_view check; ///< configuration, name, service, disk or files
    verdict how = verdict::ok;
    std::string text;                     ///< the finding and, after a colon, the remedy
    exit_code code = exit_code::all_done; ///< if the check failed
};

std::string to_people(finding const& f);
message to_message(finding const& f);

/// Every problem and warning found while planning, or a one-line summary of the configuration; never the key.
std::vector<finding> judge_configuration(planning const& p);

/// Derives findings about address, tenant and key from the answer to a request for a nonexistent result.
finding judge_service(result<ocr_result> const& answer);

/// The finding of a write test in `directory`; `trouble` is its error.
finding judge_disk(std::string const& directory, std::uint64_t free_bytes, error_code trouble);

finding judge_file_limit(file_limit const& l);

} // namespace ocrpipe::cli

#endif
