#ifndef OCRPIPE_API_OPERATION_HPP
#define OCRPIPE_API_OPERATION_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/percent.hpp>

#include <string>
#include <string_view>

namespace ocrpipe
{

/// The requests of the service. `submit` and `result` make up a job; the others fetch parts of its result.
enum class operation { submit, result, table, signature, stamp, image };

/// The enumerator's own name.
OCRPIPE_DECL std::string_view name(operation op) noexcept;

/// The part of the path that all operations share, with a slash at both ends.
///
/// Source: OCR API Usage Guide, the URLs of all operations.
OCRPIPE_DECL std::string service_path(std::string_view portal_user_id);

/// The path of an operation below service_path(), ids percent-encoded. `sub_id` is a document_id, or for an
/// image a file_id; ids that an operation does not use are ignored. Ids that it uses must not be empty.
OCRPIPE_DECL std::string target(operation op, std::string_view request_id = {}, std::string_view sub_id = {});

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/operation.ipp>
#endif

#endif
