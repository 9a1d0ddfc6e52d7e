#ifndef OCRPIPE_EMULATOR_RECOGNITION_HPP
#define OCRPIPE_EMULATOR_RECOGNITION_HPP

#include <ocrpipe/core/result.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ocrpipe::emulator
{

/// A line or a word of a page, with its place in pixels of the page's image.
struct recognized_text {
    std::string text;
    double confidence = 0; ///< 0 to 1
    int x1 = 0;
    int y1 = 0;
    int x2 = 0;
    int y2 = 0;
};

struct recognized_page {
    std::vector<recognized_text> lines; ///< in reading order
    std::vector<recognized_text> words; ///< in reading order
    std::string image;                  ///< PNG; empty when there is none (any more)
};

struct recognition {
    std::vector<recognized_page> pages;
};

/// Reads documents. One object is used by one thread; several objects work at the same time.
class reader
{
public:
    virtual ~reader() = default;

    /// Errors: errc::unsupported_file_type, errc::unreadable_file; the reason becomes the message of the
    /// failed job.
    virtual result<recognition> read(std::string_view document) = 0;
};

/// Makes a reader for one worker thread, in that thread.
using reader_factory = std::function<std::unique_ptr<reader>()>;

} // namespace ocrpipe::emulator

#endif
