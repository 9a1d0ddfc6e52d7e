#ifndef OCRPIPE_API_BODY_FACTS_HPP
#define OCRPIPE_API_BODY_FACTS_HPP

#include <ocrpipe/api/answer_facts.hpp>
#include <ocrpipe/api/profile.hpp>

#include <string_view>

namespace ocrpipe
{

/// Reads a body.
///
/// A document has content when its ocr_data holds a value with a text that is not empty, or when its
/// schema.table holds anything but empty strings, nulls and brackets. An answer without a known sign of being
/// pending, failed or filled is read a second time, whatever its form: see content_kind and the README,
/// "Answers of an unfamiliar form".
///
/// Cost: about 1.5 µs a KB, without building a tree, for the shapes that were observed; five times as much
/// and 28 bytes a JSON value for others. Source: shapes seen in public clients of the service. Assumed:
/// everything else.
OCRPIPE_DECL body_facts read_body_facts(std::string_view body, response_profile const& profile);

/// The same without the second look, for answers that are no results.
OCRPIPE_DECL body_facts read_known_form(std::string_view body, response_profile const& profile);

/// Whether there is anything in the answer to a table, signature or stamp.
OCRPIPE_DECL bool has_part(std::string_view body, response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/body_facts.ipp>
#endif

#endif
