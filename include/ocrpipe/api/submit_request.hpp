#ifndef OCRPIPE_API_SUBMIT_REQUEST_HPP
#define OCRPIPE_API_SUBMIT_REQUEST_HPP

#include <ocrpipe/api/document.hpp>
#include <ocrpipe/core/job_times.hpp>
#include <ocrpipe/core/trace_context.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ocrpipe
{

/// The service's file_type.
enum class file_type {
    detect, ///< detect from the document's first bytes
    pdf,
    image,
};

/// A document to recognize, and the parameters of its submit.
///
/// A class with a constructor, not an aggregate: g++ 12 destroys aggregates twice in a full expression that
/// contains co_await. Source: OCR API Usage Guide, "Submit OCR".
class submit_request
{
public:
    submit_request() {}
    submit_request(document d, std::string type_of_document, std::string flow_or_single = "single")
        : doc(std::move(d)), doc_type(std::move(type_of_document)), flow(std::move(flow_or_single))
    {
    }

    document doc;
    std::string doc_type; ///< required if flow is "single"
    std::string flow;     ///< "single" or a flow id
    enum file_type type = file_type::detect;
    /// Time from the call until the last attempt begins, and for client::async_recognize until the result; 0
    /// means client_options::job_deadline. It does not end an attempt
    /// whose first byte was sent, because the service might accept the document; timeout_options does.
    std::chrono::milliseconds deadline{0};
    /// Whether the submit waits out an outage of the service, for at most pace_options::max_outage. Otherwise
    /// an outage uses up its attempts.
    bool patient = false;
    /// An earlier submit of this document may have been accepted. If this one is ambiguous too, it is not
    /// repeated.
    bool in_doubt = false;
    /// The span of the caller's operation. Each HTTP request is a child of it, and its headers traceparent
    /// and tracestate say so. If null, neither is sent.
    std::shared_ptr<trace_context const> trace;
};

/// The service's answer to a submit. Its request_id is the only way to get a result that may already be
/// billed.
struct submitted_job {
    std::string request_id;
    std::vector<std::string> file_ids; ///< for async_image; may be empty
    bool possible_duplicate = false;   ///< it was sent again after an ambiguous submit; may be billed twice
    int attempts = 0;
    job_times times; ///< `sent` and `accepted`
};

} // namespace ocrpipe

#endif
