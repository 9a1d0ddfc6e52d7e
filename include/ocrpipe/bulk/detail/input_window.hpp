#ifndef OCRPIPE_BULK_DETAIL_INPUT_WINDOW_HPP
#define OCRPIPE_BULK_DETAIL_INPUT_WINDOW_HPP

#include <ocrpipe/bulk/detail/unique_fd.hpp>
#include <ocrpipe/config.hpp>
#include <ocrpipe/error.hpp>

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

/// A stretch of a file or pipe that moves forward.
class input_window
{
public:
    explicit input_window(unique_fd fd) noexcept : fd_(std::move(fd)) {}

    std::string_view text() const noexcept { return std::string_view(buffer_).substr(begin_); }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Reads more; false at the end of the file and after an error. Earlier views of text() are dead then.
    bool grow();

    bool at_end() const noexcept { return at_end_; }
    error_code const& error() const noexcept { return error_; }

private:
    unique_fd fd_;
    std::string buffer_;
    std::size_t begin_ = 0;
    bool at_end_ = false;
    error_code error_;
};

/// Takes records that end with a delimiter off a window.
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

    /// `record` is valid until the next call. The last record needs no delimiter.
    outcome next(std::string_view& record);

    /// Number of the record that next() spoke of, from 1.
    std::size_t number() const noexcept { return number_; }
    error_code const& error() const noexcept { return window_.error(); }

private:
    input_window window_;
    std::size_t number_ = 0;
    char delimiter_;
    bool ended_ = false;
};

inline void drop_byte_order_mark(std::string_view& text) noexcept
{
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
}

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/bulk/impl/input_window.ipp>
#endif

#endif
