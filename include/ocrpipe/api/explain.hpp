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

/// A member of an answer that was used.
struct found_member {
    std::string what;  ///< "status", "progress", "documents", "content", "document id" and so on
    std::string where; ///< its path, such as "data.documents[].text"
    std::string value; ///< at most 64 bytes, printable; empty for a container
    int count = 1;     ///< members at such a path
};

/// How a result's answer is read, and why.
struct answer_explanation {
    reading first;                 ///< of the first read
    reading last;                  ///< of the last read, when the answer stays the same
    int reads = 0;                 ///< until the answer is decided
    std::chrono::seconds after{0}; ///< likewise, with a read every two seconds; ten minutes when it never is
    body_facts facts;
    std::vector<found_member> found;
    std::vector<ocr_document> documents;
    std::string text;
    /// Members of a response profile that describe what was found, such as `"status_keys": ["status",
    /// "phase"]`; empty when the profile describes it already.
    std::vector<std::string> profile_lines;
    bool described = false; ///< with these lines the content is recognized
};

/// Reads an answer as a run would, again and again, and tells how.
///
/// Never fails; an answer that is not JSON has a verdict too. Thread safety: distinct calls are safe. Cost:
/// parses the answer a few hundred times while it stays undecided.
OCRPIPE_DECL answer_explanation explain_answer(http_response const& answer, response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/explain.ipp>
#endif

#endif
