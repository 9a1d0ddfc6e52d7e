#ifndef OCRPIPE_HTTP_ANSWER_READER_HPP
#define OCRPIPE_HTTP_ANSWER_READER_HPP

#include <ocrpipe/http_message.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
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
class answer_reader
{
public:
    explicit answer_reader(answer_limits const& limits = {});
    ~answer_reader();

    /// Forgets the last answer and begins the next.
    void start(answer_limits const& limits);

    /// Takes bytes of the answer. What follows a complete answer is dropped and makes the connection unfit
    /// for reuse.
    ///
    /// Errors: errc::malformed_answer, header_too_large, body_too_large, unsupported_encoding; detail() says
    /// more.
    void put(std::string_view bytes, error_code& ec);

    /// The peer ended the stream.
    ///
    /// Errors: errc::connection_closed before the first byte,
    /// errc::truncated_answer where that is too early.
    void put_eof(error_code& ec);

    bool started() const noexcept { return started_; }       ///< a byte came, be it of an interim answer
    bool reading() const noexcept;                           ///< a byte of the final answer came
    bool has_header() const noexcept { return has_header_; } ///< of the final answer
    bool complete() const noexcept { return complete_; }
    bool surplus() const noexcept { return surplus_; } ///< more came than the answer
    bool keep_alive() const noexcept { return complete_ && keep_alive_ && !surplus_; }
    std::chrono::seconds keep_alive_hint() const noexcept; ///< zero when the server gave none
    http_response& response() noexcept { return response_; }
    std::string const& detail() const noexcept { return detail_; } ///< of the last error

private:
    struct machine; ///< the parser of one message, and what only it needs; hides Beast

    void parse(std::string_view& bytes, error_code& ec);
    void note_progress(error_code& ec);
    void translate(error_code& ec);

    answer_limits limits_;
    std::unique_ptr<machine> machine_;
    http_response response_;
    std::string pending_; ///< bytes that the parser wants to see again, with those that follow
    std::string detail_;
    std::size_t header_bytes_ = 0;
    int interim_ = 0;
    bool started_ = false;
    bool has_header_ = false;
    bool complete_ = false;
    bool keep_alive_ = false;
    bool surplus_ = false;
};

} // namespace detail
} // namespace ocrpipe

#if defined(OCRPIPE_HEADER_ONLY)
#include <ocrpipe/http/impl/answer_reader.ipp>
#endif

#endif
