#ifndef OCRPIPE_EMULATOR_SYNTHETIC_HPP
#define OCRPIPE_EMULATOR_SYNTHETIC_HPP

#include "emulator/recognition.hpp"

#include <string>

namespace ocrpipe::emulator
{

/// One page of made-up text, a function of `key` alone. Its first line is `document <key in hexadecimal>`, so
/// that a test can tell whose result it holds.
recognized_page synthetic_page(std::uint64_t key);

/// A valid PNG of 8 x 8 grey pixels, a function of `key` alone.
std::string synthetic_png(std::uint64_t key);

} // namespace ocrpipe::emulator

#endif
