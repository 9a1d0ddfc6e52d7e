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

/// Maximum length of a line, name or CSV record, in bytes. A longer one is skipped and reported, so that a
/// wrong file does not exhaust memory.
inline constexpr std::size_t max_record = 1024 * 1024;

/// How the bytes of an input are decoded.
enum class input_encoding {
    bytes,  ///< unchanged
    marked, ///< as UTF-8; UTF-16 is converted when it begins with a byte order mark, and the mark is dropped
};

/// A read buffer that slides forward over a file or pipe.
class input_window
{
public:
    explicit input_window(unique_fd fd, input_encoding encoding = input_encoding::bytes) noexcept
        : fd_(std::move(fd)), form_(encoding == input_encoding::marked ? form::unknown : form::bytes)
    {
    }

    std::string_view text() const noexcept { return std::string_view(buffer_).substr(begin_); }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Reads more. Returns false if no text was added: at the end of the file or after an error. Invalidates
    /// earlier views of text().
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
    std::string undecoded_; ///< an incomplete character at the end of a block
    bool at_end_ = false;
    error_code error_;
};

/// Reads delimited records or lines of text from a window.
class record_reader
{
public:
    enum class outcome {
        record,
        too_long, ///< skipped
        failed,   ///< see error(); the next outcome is `end`
        end,
    };

    record_reader(unique_fd fd, char delimiter) noexcept : window_(std::move(fd)), delimiter_(delimiter) {}

    /// Reads lines that end with LF, CRLF or CR, with input_encoding::marked.
    explicit record_reader(unique_fd fd) noexcept
        : window_(std::move(fd), input_encoding::marked), delimiter_('\n'), any_line_end_(true)
    {
    }

    /// Returns the beginning of the remaining input, as much as one call of read() yields.
    std::string_view peek();

    /// `record` is valid until the next call. The last record does not need a delimiter.
    outcome next(std::string_view& record);

    /// Number of the record that next() last returned, from 1.
    std::size_t number() const noexcept { return number_; }
    error_code const& error() const noexcept { return window_.error(); }

private:
    input_window window_;
    std::size_t number_ = 0;
    char delimiter_;
    bool any_line_end_ = false;
    bool after_cr_ = false; ///< the last line ended with CR: skip an LF that follows
    bool ended_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/source/impl/input_window.ipp>
#endif

#endif
