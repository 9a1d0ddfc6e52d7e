#ifndef OCRPIPE_API_FILE_TYPE_HPP
#define OCRPIPE_API_FILE_TYPE_HPP

#include <ocrpipe/api/submit_request.hpp>

#include <cstddef>
#include <string_view>

namespace ocrpipe
{

/// What a document's first bytes say that it is.
enum class file_format { unknown, pdf, png, jpeg, tiff };

/// How many bytes of a document detect_format() looks at.
inline constexpr std::size_t format_probe_size = 1024;

/// Finds the format from the first bytes; a PDF's header may come after other bytes, as readers of PDF allow,
/// as long as it begins and ends within the first 1024. TIFF of both byte orders, and BigTIFF.
///
/// Source: ISO 32000-1 with Adobe's implementation notes (PDF), ISO 15948 (PNG), ITU-T T.81 (JPEG), TIFF 6.0.
OCRPIPE_DECL file_format detect_format(std::string_view first_bytes) noexcept;

/// The media type, application/octet-stream for an unknown format.
OCRPIPE_DECL std::string_view mime(file_format f) noexcept;

/// The usual end of a file name, such as ".png"; ".bin" for an unknown format.
OCRPIPE_DECL std::string_view extension(file_format f) noexcept;

/// What the service calls the format; file_type::detect when it has no word for it.
OCRPIPE_DECL enum file_type service_type(file_format f) noexcept;

/// "PDF" or "IMAGE", the values of the form field file_type; empty for file_type::detect.
OCRPIPE_DECL std::string_view wire_word(enum file_type t) noexcept;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/file_type.ipp>
#endif

#endif
