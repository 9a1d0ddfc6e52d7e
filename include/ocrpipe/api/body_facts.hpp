#ifndef OCRPIPE_API_BODY_FACTS_HPP
#define OCRPIPE_API_BODY_FACTS_HPP

#include <ocrpipe/api/answer_facts.hpp>
#include <ocrpipe/api/profile.hpp>

#include <string_view>

namespace ocrpipe
{

/// Parses the body of an answer.
///
/// A document has content if its ocr_data holds a value with non-empty text, or if its schema.table holds
/// anything other than empty strings, nulls and empty containers. An answer that the profile does not
/// recognize as pending, failed or filled is parsed a second time without assumptions about its form: see
/// content_kind and the README, "Answers of an unfamiliar form".
///
/// Cost: about 1.5 µs per KB, without building a tree, for the observed forms; five times as much, and 8
/// bytes per JSON value, for others. Source: forms seen in public clients of the service. Assumed: everything
/// else.
OCRPIPE_DECL body_facts read_body_facts(std::string_view body, response_profile const& profile);

/// Like read_body_facts(), but without the second pass; for answers that are not results.
OCRPIPE_DECL body_facts read_known_form(std::string_view body, response_profile const& profile);

/// Whether the answer to a table, signature or stamp request contains any data.
OCRPIPE_DECL bool has_part(std::string_view body, response_profile const& profile);

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/body_facts.ipp>
#endif

#endif
