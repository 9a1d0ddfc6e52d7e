#ifndef OCRPIPE_API_EXPLAIN_HPP
#define OCRPIPE_API_EXPLAIN_HPP

#include <ocrpipe/api/body_facts.hpp>
#include <ocrpipe/api/classify.hpp>
#include <ocrpipe/api/ocr_result.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace ocrpipe
{

/// A member of an answer that was used to interpret it.
struct found_member {
    std::string what;  ///< "status", "progress", "documents", "content", "document id" and so on
    std::string where; ///< its path, such as "data.documents[].text"
    std::string value; ///< at most 64 bytes, printable; empty for a container
    int count = 1;     ///< number of members at this path
};

/// How a result's answer is interpreted, and why.
struct answer_explanation {
    result_reading first;          ///< of the first read
    result_reading last;           ///< of the last read, if the answer stays the same
    int reads = 0;                 ///< until the answer is decided
    std::chrono::seconds after{0}; ///< likewise, with a read every two seconds; ten minutes if never decided
    body_facts facts;
    std::vector<found_member> found;
    std::vector<ocr_document> documents;
    std::string text;
    /// Members to add to a response profile so that it describes this answer, such as `"status_keys":
    /// ["status", "phase"]`; empty if the profile already describes it.
    std::vector<std::string> profile_lines;
    bool described = false; ///< with these lines the content is recognized
};

/// Interprets an answer as a run would, by repeated reads, and explains the outcome.
///
/// Never fails; an answer that is not JSON has a verdict too. Thread safety: concurrent calls are safe. Cost:
/// parses the answer a few hundred times while it stays undecided.
OCRPIPE_DECL answer_explanation explain_answer(http_response const& answer, response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/explain.ipp>
#endif

#endif
