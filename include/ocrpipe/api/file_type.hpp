#ifndef OCRPIPE_API_FILE_TYPE_HPP
#define OCRPIPE_API_FILE_TYPE_HPP

#include <ocrpipe/api/submit_request.hpp>

#include <cstddef>
#include <string_view>

namespace ocrpipe
{

/// The format detected from a document's first bytes.
enum class file_format { unknown, pdf, png, jpeg, tiff };

/// Number of leading bytes that detect_format() examines.
inline constexpr std::size_t format_probe_size = 1024;

/// Detects the format from the first bytes. As PDF readers allow, a PDF header may follow other bytes if it
/// lies entirely within the first 1024. Recognizes TIFF in both byte orders, and BigTIFF.
///
/// Source: ISO 32000-1 with Adobe's implementation notes (PDF), ISO 15948 (PNG), ITU-T T.81 (JPEG), TIFF 6.0.
OCRPIPE_DECL file_format detect_format(std::string_view first_bytes) noexcept;

/// The media type, application/octet-stream for an unknown format.
OCRPIPE_DECL std::string_view mime(file_format f) noexcept;

/// The usual file name extension, such as ".png"; ".bin" for an unknown format.
OCRPIPE_DECL std::string_view extension(file_format f) noexcept;

/// The service's file_type for the format; file_type::detect if it has none.
OCRPIPE_DECL enum file_type service_type(file_format f) noexcept;

/// "PDF" or "IMAGE", the values of the form field file_type; empty for file_type::detect.
OCRPIPE_DECL std::string_view wire_word(enum file_type t) noexcept;

} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/api/impl/file_type.ipp>
#endif

#endif
