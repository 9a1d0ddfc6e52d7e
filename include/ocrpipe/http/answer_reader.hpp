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

/// Limits of one answer, and whether it answers a CONNECT.
struct answer_limits {
    std::size_t max_header = 64 * 1024;
    std::uint64_t max_body = 64 * 1024 * 1024; ///< after decoding
    /// After so many decoded bytes of a body, the reader waits for release().
    std::uint64_t share = static_cast<std::uint64_t>(-1);
    bool to_connect = false; ///< the answer to CONNECT: a 2xx has no body, whatever it says (RFC 9110, 9.3.6)
};

/// Incremental parser of an HTTP/1.1 answer: framing, limits, decoding. Accepts input in pieces of any size;
/// uses no socket.
///
/// Keeps the header fields that are used and drops the others. Interim answers (1xx) are skipped. One object
/// parses many answers in turn.
///
/// Accepts what curl or Python's http.client accepts, where that is safe; for the header see answer_head. In
/// the body, these are accepted but the connection is not reused: line feeds without carriage returns between
/// chunks, blanks before a chunk size, and an end of stream after the last chunk but before the final empty
/// line. Accepted without consequences: extensions, blanks after a chunk size, any trailers, bytes after the
/// end of compressed data, an uncompressed body declared as gzip, and an encoding without a registered name.
/// Rejected: a chunk size that is not a hexadecimal number or does not match the data, and a body without its
/// last chunk.
class answer_reader
{
public:
    explicit answer_reader(answer_limits const& limits = {});

    /// Discards the current answer and starts the next one.
    void start(answer_limits const& limits);

    /// Parses bytes of the answer. Bytes after a complete answer are dropped, and the connection must not be
    /// reused.
    ///
    /// Errors: errc::malformed_answer, header_too_large, body_too_large, unsupported_encoding,
    /// truncated_answer; detail() says more.
    void put(std::string_view bytes, error_code& ec);

    /// Handles the end of the stream.
    ///
    /// Errors: errc::connection_closed before the first byte, errc::truncated_answer if the answer is
    /// incomplete.
    void put_eof(error_code& ec);

    /// Whether the body has reached its share, and must not grow before release().
    bool waits() const noexcept
    {
        bool const in_body = where_ == place::body || where_ == place::chunk;
        return in_body && response_.body.size() >= limits_.share;
    }

    /// Lets the body grow to its limit, and parses what was put while the reader waited.
    ///
    /// Errors: those of put() and put_eof().
    void release(error_code& ec);

    bool started() const noexcept { return started_; } ///< a byte was received, even of an interim answer
    /// Whether a byte of the final answer was received.
    bool reading() const noexcept { return where_ != place::header || !pending_.empty(); }
    bool has_header() const noexcept { return where_ != place::header; } ///< of the final answer
    bool complete() const noexcept { return where_ == place::end; }
    bool surplus() const noexcept { return surplus_; } ///< bytes were received after the answer
    bool keep_alive() const noexcept { return complete() && head_.persistent && !unusual_ && !surplus_; }
    /// Zero if the server sent none.
    std::chrono::seconds keep_alive_hint() const noexcept { return head_.keep_alive_hint; }
    std::optional<std::uint32_t> keep_alive_max() const noexcept { return head_.keep_alive_max; }
    http_response& response() noexcept { return response_; }
    std::string const& detail() const noexcept { return detail_; } ///< of the last error

private:
    /// The element expected next.
    enum class place { header, body, chunk_size, chunk, chunk_end, trailer, end };

    void parse(std::string_view& bytes, error_code& ec);
    void parse_pending(error_code& ec);
    bool parse_header(std::string_view& bytes, error_code& ec);
    bool parse_body(std::string_view& bytes, error_code& ec);
    bool parse_chunk_size(std::string_view& bytes, error_code& ec);
    bool parse_chunk_end(std::string_view& bytes, error_code& ec);
    bool parse_trailer(std::string_view& bytes, error_code& ec);
    void begin_body(error_code& ec);
    void finish(error_code& ec);
    bool fits_header(std::size_t size, error_code& ec);
    bool fits_body(std::uint64_t more, error_code& ec);
    std::string body_limit() const;
    bool fail(errc code, char const* why, error_code& ec);

    answer_limits limits_;
    answer_head head_;
    http_response response_;
    std::optional<inflater> inflater_;
    std::string pending_; ///< bytes of an incomplete line or section
    std::string detail_;
    place where_ = place::header;
    std::uint64_t left_ = 0;       ///< bytes left of the body or chunk
    std::uint64_t body_bytes_ = 0; ///< received, before decoding
    std::size_t searched_ = 0;     ///< bytes of `pending_` already searched for a terminator
    std::size_t extra_bytes_ = 0;  ///< of chunk extensions
    int interim_ = 0;
    bool started_ = false;
    bool unusual_ = false; ///< the body needed lenient parsing
    bool surplus_ = false;
    bool ended_ = false; ///< the stream ended while the reader waited
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/answer_reader.ipp>
#endif

#endif
