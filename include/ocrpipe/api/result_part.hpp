#ifndef OCRPIPE_API_RESULT_PART_HPP
#define OCRPIPE_API_RESULT_PART_HPP

#include <ocrpipe/api/ocr_result.hpp>
#include <ocrpipe/api/operation.hpp>
#include <ocrpipe/api/profile.hpp>
#include <ocrpipe/core/config.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ocrpipe
{

/// A table, signature, stamp or image of a result, which can be fetched.
struct result_part {
    operation kind = operation::table;
    std::size_t number = 1; ///< of the document in the result; for an image, of the file
    std::string sub_id;     ///< the service's document_id; for an image, its file_id
};

/// The parts of a result.
struct result_parts {
    std::vector<result_part> parts;
    /// How many more cannot be fetched, because the service gave their document or file no id.
    std::size_t without_id = 0;
};

/// The parts of a result: an image for each file, the other kinds for each document in the answer. In the
/// order of `kinds`.
OCRPIPE_DECL result_parts parts_of(ocr_result const& answer, std::span<std::string const> file_ids,
                                   std::span<operation const> kinds,
                                   response_profile const& profile = default_profile());

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/result_part.ipp>
#endif

#endif
