#ifndef OCRPIPE_EMULATOR_TESSERACT_READER_HPP
#define OCRPIPE_EMULATOR_TESSERACT_READER_HPP

#include "recognition.hpp"

#include <string>

namespace ocrpipe::emulator
{

/// Makes readers that really read: PNG, JPEG and TIFF with Leptonica, PDF pages with poppler, text with
/// Tesseract in `languages`, such as "vie+eng".
///
/// Throws std::runtime_error at once when Tesseract has no data for the languages. The readers refuse, as a
/// failed job: a PDF that needs a password, bytes that are no document, more than 50 pages, more than 100
/// megapixels a page.
///
/// Cost: about a second of one core a page, 100 MB a reader.
reader_factory make_tesseract_readers(std::string languages);

} // namespace ocrpipe::emulator

#endif
