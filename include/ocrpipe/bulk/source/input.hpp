#ifndef OCRPIPE_BULK_SOURCE_INPUT_HPP
#define OCRPIPE_BULK_SOURCE_INPUT_HPP

#include <ocrpipe/api/submit_request.hpp>
#include <ocrpipe/core/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace ocrpipe
{

/// A document found by a source, and how to read it.
struct input_item {
    /// Our identifier for the document in results, in failures and when resuming. Default: `path`, which is
    /// the argument as given joined with the path found below it, without "." components and doubled slashes.
    /// Any bytes.
    std::string id;
    std::string path; ///< path to open; any bytes except NUL
    /// The document, if it is not the file at `path`, which is then only a name. It must be in memory,
    /// because a run records the hash of a document before it sends it. Up to 64 documents wait for their
    /// admission.
    std::optional<document> doc;
    std::string where;    ///< as in input_problem
    std::string flow;     ///< empty means the run's default
    std::string doc_type; ///< empty means the run's default
    enum file_type type = file_type::detect;
    std::uint64_t size = 0;    ///< bytes, when the source examined the file
    std::int64_t mtime_ns = 0; ///< modification time at that moment, since the epoch; 0 if unknown
    /// If not empty, the service already has the document: the result of this job is requested, and nothing
    /// is sent.
    std::string request_id;
    bool in_doubt = false; ///< an earlier submit was ambiguous; sent again only if that is allowed
    /// Of the content to which the two above refer, in hexadecimal; empty if unknown.
    std::string sha256;
};

/// An input that cannot become a document: missing, empty, not a file, or an invalid row. Other inputs are
/// not affected.
struct input_problem {
    std::string path; ///< if known
    /// Where the input was listed, such as "manifest.jsonl:17" or "-:3"; empty if it was found in a directory
    /// or given directly.
    std::string where;
    error_code code; ///< errc::unreadable_file, empty_document or invalid_argument
    std::string message;
};

using input = std::variant<input_item, input_problem>;

} // namespace ocrpipe

#endif
