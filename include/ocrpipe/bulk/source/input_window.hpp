#ifndef OCRPIPE_BULK_SOURCE_INPUT_WINDOW_HPP
#define OCRPIPE_BULK_SOURCE_INPUT_WINDOW_HPP

#include <ocrpipe/core/config.hpp>
#include <ocrpipe/core/error.hpp>
#include <ocrpipe/core/unique_fd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// The longest line, name or CSV record that is taken; a longer one is skipped and reported, so that a wrong
/// file costs no memory.
inline constexpr std::size_t max_record = 1024 * 1024;

/// How the bytes of an input are taken.
enum class input_encoding {
    bytes,  ///< as they are
    marked, ///< as UTF-8; UTF-16 is converted when it begins with a byte order mark, and the mark is dropped
};

/// A stretch of a file or pipe that moves forward.
class input_window
{
public:
    explicit input_window(unique_fd fd, input_encoding encoding = input_encoding::bytes) noexcept
        : fd_(std::move(fd)), form_(encoding == input_encoding::marked ? form::unknown : form::bytes)
    {
    }

    std::string_view text() const noexcept { return std::string_view(buffer_).substr(begin_); }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Reads more; false when text() has grown no more, at the end of the file or after an error. Earlier
    /// views of text() are dead then.
    bool grow();

    bool at_end() const noexcept { return at_end_; }
    error_code const& error() const noexcept { return error_; }

private:
    enum class form { unknown, bytes, utf16le, utf16be };

    void decode(std::size_t held);
    void append_utf16(std::string_view raw);

    unique_fd fd_;
    std::string buffer_;
    std::size_t begin_ = 0;
    form form_;
    std::string undecoded_; ///< bytes at the end of a block that make no character by themselves
    bool at_end_ = false;
    error_code error_;
};

/// Takes records that end with a delimiter, or lines of text, off a window.
class record_reader
{
public:
    enum class outcome {
        record,
        too_long, ///< skipped
        failed,   ///< error() says why; the end follows
        end,
    };

    record_reader(unique_fd fd, char delimiter) noexcept : window_(std::move(fd)), delimiter_(delimiter) {}

    /// Lines as programs write them: LF, CRLF or CR ends one, and input_encoding::marked applies.
    explicit record_reader(unique_fd fd) noexcept
        : window_(std::move(fd), input_encoding::marked), delimiter_('\n'), any_line_end_(true)
    {
    }

    /// The beginning of what is left, as far as one call of read() brings it.
    std::string_view peek();

    /// `record` is valid until the next call. The last record needs no delimiter.
    outcome next(std::string_view& record);

    /// Number of the record that next() spoke of, from 1.
    std::size_t number() const noexcept { return number_; }
    error_code const& error() const noexcept { return window_.error(); }

private:
    input_window window_;
    std::size_t number_ = 0;
    char delimiter_;
    bool any_line_end_ = false;
    bool after_cr_ = false; ///< a LF that follows belongs to the line before
    bool ended_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/input_window.ipp>
#endif

#endif
