#ifndef OCRPIPE_BULK_SOURCE_INPUT_HPP
#define OCRPIPE_BULK_SOURCE_INPUT_HPP

#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/error.hpp>

#include <cstdint>
#include <string>
#include <variant>

namespace ocrpipe
{

/// One document found by a source, and how it is to be read.
struct input_item {
    /// Ours, and what the document is called in results, failures and on resuming. Default: `path`, that is
    /// the argument as it was given joined with what was found below it, without "." parts and doubled
    /// slashes. Any bytes.
    std::string id;
    std::string path;     ///< to be opened; any bytes but NUL
    std::string where;    ///< as in input_problem
    std::string flow;     ///< empty means the run's default
    std::string doc_type; ///< empty means the run's default
    enum file_type type = file_type::detect;
    std::uint64_t size = 0;    ///< bytes, when the source looked
    std::int64_t mtime_ns = 0; ///< likewise its modification time, since the epoch; 0 when unknown
    /// The service has it already: it is asked for this job's result and sent nothing. Empty for most.
    std::string request_id;
    bool in_doubt = false; ///< an earlier submit of it was ambiguous; sent only when that is allowed
};

/// An input that will not become a document: missing, empty, not a file, or a row that makes no sense. Never
/// fatal for the others.
struct input_problem {
    std::string path;  ///< as far as it is known
    std::string where; ///< the place that named it, such as "manifest.jsonl:17" or "-:3"; empty for what was
                       ///< found or given directly
    error_code code;   ///< errc::unreadable_file, empty_document or invalid_argument
    std::string message;
};

using input = std::variant<input_item, input_problem>;

} // namespace ocrpipe

#endif
