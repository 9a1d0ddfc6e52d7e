#ifndef OCRPIPE_LOAD_DETAIL_TIME_TEXT_HPP
#define OCRPIPE_LOAD_DETAIL_TIME_TEXT_HPP

#include <fmt/format.h>

#include <string>

namespace ocrpipe::detail
{

/// For people: "12.5 ms" or "3.2 s".
inline std::string time_text(double seconds)
{
    return seconds < 1 ? fmt::format("{:.4g} ms", seconds * 1e3) : fmt::format("{:.4g} s", seconds);
}

} // namespace ocrpipe::detail

#endif
