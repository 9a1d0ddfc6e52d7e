#ifndef OCRPIPE_HTTP_ANSWER_READER_HPP
#define OCRPIPE_HTTP_ANSWER_READER_HPP

#include <ocrpipe/http/answer_head.hpp>
#include <ocrpipe/http/inflater.hpp>
#include <ocrpipe/transport/http_message.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocrpipe
{
namespace detail
{

/// Bounds of one answer, and what it answers.
struct answer_limits {
    std::size_t max_header = 64 * 1024;
    std::uint64_t max_body = 64 * 1024 * 1024; ///< after decoding
    bool to_connect = false; ///< the answer to CONNECT: a 2xx has no body, whatever it says (RFC 9110, 9.3.6)
};

/// One HTTP/1.1 answer, from bytes however they are cut: framing, limits, decoding; no socket.
///
/// Keeps the fields that somebody reads and drops the others. Interim answers (1xx) are skipped. Reused from
/// answer to answer.
///
/// Answers that curl or Python's http.client reads are read where that is safe; for the header see
/// answer_head. Of the body, read and unfit for reuse: line feeds without carriage returns between chunks,
/// blanks before a chunk's size, and an end of the stream after the last chunk but before the empty line that
/// should follow. Read without consequences: extensions, blanks after a chunk's size, trailers whatever they
/// hold, bytes after the end of compressed data, a body that is not compressed although it should be gzip,
/// and an encoding that has no registered name. Refused: a chunk whose size is no hexadecimal number or is
/// not what follows, and a body without its last chunk.
class answer_reader
{
public:
    explicit answer_reader(answer_limits const& limits = {});

    /// Forgets the last answer and begins the next.
    void start(answer_limits const& limits);

    /// Takes bytes of the answer. What follows a complete answer is dropped and makes the connection unfit
    /// for reuse.
    ///
    /// Errors: errc::malformed_answer, header_too_large, body_too_large, unsupported_encoding,
    /// truncated_answer; detail() says more.
    void put(std::string_view bytes, error_code& ec);

    /// The peer ended the stream.
    ///
    /// Errors: errc::connection_closed before the first byte,
    /// errc::truncated_answer where that is too early.
    void put_eof(error_code& ec);

    bool started() const noexcept { return started_; } ///< a byte came, be it of an interim answer
    /// A byte of the final answer came.
    bool reading() const noexcept { return where_ != place::header || !pending_.empty(); }
    bool has_header() const noexcept { return where_ != place::header; } ///< of the final answer
    bool complete() const noexcept { return where_ == place::end; }
    bool surplus() const noexcept { return surplus_; } ///< more came than the answer
    bool keep_alive() const noexcept { return complete() && head_.persistent && !unusual_ && !surplus_; }
    /// Zero when the server gave none.
    std::chrono::seconds keep_alive_hint() const noexcept { return head_.keep_alive_hint; }
    http_response& response() noexcept { return response_; }
    std::string const& detail() const noexcept { return detail_; } ///< of the last error

private:
    /// What comes next.
    enum class place { header, body, chunk_size, chunk, chunk_end, trailer, end };

    void parse(std::string_view& bytes, error_code& ec);
    bool take_header(std::string_view& bytes, error_code& ec);
    bool take_body(std::string_view& bytes, error_code& ec);
    bool take_chunk_size(std::string_view& bytes, error_code& ec);
    bool take_chunk_end(std::string_view& bytes, error_code& ec);
    bool take_trailer(std::string_view& bytes, error_code& ec);
    void begin_body(error_code& ec);
    void finish(error_code& ec);
    bool fits_header(std::size_t size, error_code& ec) const;
    bool fits_body(std::uint64_t more, error_code& ec) const;
    bool fail(errc code, char const* why, error_code& ec);

    answer_limits limits_;
    answer_head head_;
    http_response response_;
    std::optional<inflater> inflater_;
    std::string pending_; ///< bytes of a line or section that is not whole
    std::string detail_;
    place where_ = place::header;
    std::uint64_t left_ = 0;       ///< of the body or chunk
    std::uint64_t body_bytes_ = 0; ///< that came, as they came
    std::size_t searched_ = 0;     ///< how much of what is pending was searched for an end
    std::size_t extra_bytes_ = 0;  ///< of chunk extensions
    int interim_ = 0;
    bool started_ = false;
    bool unusual_ = false; ///< the body was read tolerantly
    bool surplus_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/answer_reader.ipp>
#endif

#endif
